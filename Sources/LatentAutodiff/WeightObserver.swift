// Which weights take part in products as they are, and what their inputs look like: what has to be
// known before a model is quantised. `linear` and the convolutions report here while somebody looks.

import LatentNumerics
import Synchronization

/// What calibration saw of one weight.
public struct ObservedWeight: Sendable {
  /// Where the output channels of a weight lie.
  public enum Channels: Sendable, Hashable {
    /// On the first axis.
    case outputsFirst
    /// On the last axis, and a part of the first where there are groups: transposed convolutions.
    case outputsLast(groups: Int)

    /// One scale for each output channel, in the form of `Quantization.scales`.
    public func scalesShape(of weight: Shape) -> Shape {
      let middle = Array(repeating: 1, count: max(weight.rank - 2, 0))
      return switch self {
      case .outputsFirst: Shape([weight[0]] + middle + [1])
      case .outputsLast(let groups): Shape([groups] + middle + [weight[-1]])
      }
    }

    /// The number of products that are summed for one output.
    public func inner(of weight: Shape) -> Int {
      switch self {
      case .outputsFirst: weight.count / max(weight[0], 1)
      case .outputsLast(let groups): weight.count / max(weight[-1] * groups, 1)
      }
    }
  }

  /// The weight, as the product saw it.
  public let weight: NDArray
  /// Nil where the weight was not a factor: a table of vectors that were looked up.
  public let channels: Channels?
  /// The least and the greatest element of its inputs.
  public internal(set) var inputRange: ClosedRange<Float>
}

/// Collects the weights of the products that a piece of code computes.
package final class WeightObserver: Sendable {
  @TaskLocal private static var current: WeightObserver?
  /// How many look at the moment: products ask this number before they ask the task.
  private static let watching = Atomic<Int>(0)

  private let seen = Mutex<[ObservedWeight]>([])

  private init() {}

  /// The float32 weights of all products that `body` computes on this thread, and the tables that it
  /// looks vectors up in, in the order in which they came; a weight that is used in two ways appears
  /// twice. What `body` hands to other threads is not seen: code that takes a batch through a network
  /// in parallel asks `isWatching` first.
  ///
  /// Traps when an input is NaN or infinite somewhere.
  package static func weights(of body: () throws -> Void) rethrows -> [ObservedWeight] {
    let observer = WeightObserver()
    watching.add(1, ordering: .relaxed)
    defer { watching.subtract(1, ordering: .relaxed) }
    try $current.withValue(observer) { try body() }
    return observer.seen.withLock { $0 }
  }

  /// Whether the calling thread is inside of `weights(of:)`.
  package static var isWatching: Bool {
    watching.load(ordering: .relaxed) > 0 && current != nil
  }

  static func note(_ weight: NDArray, _ input: NDArray, _ channels: ObservedWeight.Channels) {
    if watching.load(ordering: .relaxed) == 0 { return }
    current?.add(weight, input, channels)
  }

  static func note(table: NDArray) {
    if watching.load(ordering: .relaxed) == 0 || table.dtype != .float32 { return }
    current?.seen.withLock {
      $0.append(ObservedWeight(weight: table, channels: nil, inputRange: 0...0))
    }
  }

  private func add(_ weight: NDArray, _ input: NDArray, _ channels: ObservedWeight.Channels) {
    guard weight.dtype == .float32, input.dtype == .float32, input.count > 0 else { return }
    require(
      input.nonFiniteCount == 0,
      "calibration: the input \(input.shape) of a product with weight \(weight.shape) is not finite"
    )
    func extreme(_ kernel: ReductionKernel) -> Float {
      Float(input.reduced(kernel, axes: nil, keepingDimensions: false).item)
    }
    let range = extreme(.min)...extreme(.max)
    seen.withLock { seen in
      let known = seen.firstIndex {
        $0.weight.place == weight.place && $0.weight.shape == weight.shape
          && $0.channels == channels
      }
      guard let known else {
        seen.append(ObservedWeight(weight: weight, channels: channels, inputRange: range))
        return
      }
      let old = seen[known].inputRange
      seen[known].inputRange =
        min(old.lowerBound, range.lowerBound)...max(old.upperBound, range.upperBound)
    }
  }
}
