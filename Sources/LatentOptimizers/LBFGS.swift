// Quasi-Newton steps for functions that are always the same: pictures, codes, small fits. Where each step sees
// another batch, the rules of `Optimizer` are what to take.

import LatentAutodiff
import LatentNumerics

/// L-BFGS (Liu and Nocedal 1989; Nocedal and Wright 2006, algorithms 7.4 and 7.5) with a line search for the strong
/// Wolfe conditions (the same, algorithms 3.5 and 3.6, with cubic interpolation).
///
/// ```swift
/// let result = LBFGS().minimize([start]) { square($0[0] - target).sum() }
/// result.point[0]
/// ```
public struct LBFGS: Sendable, Hashable {
  /// The most iterations, each of at least one evaluation.
  public var iterations = 200
  /// Steps and changes of the gradient that are remembered.
  public var memory = 10
  /// The search is over where no element of the gradient is larger than this.
  public var gradientTolerance = 1e-7
  /// It is also over where an iteration lowers the value by no more than this, relative to the value.
  public var valueTolerance = 1e-12
  /// The most evaluations of a line search.
  public var evaluations = 25

  /// The constant of sufficient decrease.
  private static let decrease = 1e-4
  /// The constant of curvature.
  private static let curvature = 0.9

  /// 200 iterations unless told otherwise. Traps where a number is not positive.
  public init(iterations: Int = 200, memory: Int = 10) {
    require(
      iterations > 0 && memory > 0, "L-BFGS of \(iterations) iterations with a memory of \(memory)")
    self.iterations = iterations
    self.memory = memory
  }

  /// Why a search ended.
  public enum Ending: String, Sendable, Hashable {
    /// The gradient is within its tolerance, or is zero.
    case gradient
    /// The value hardly falls.
    case value
    /// All iterations are done.
    case iterations
    /// No step along the last direction lowers the value: the numbers are as exact as they get, or the gradient
    /// is not that of the value.
    case lineSearch
    /// The caller said so.
    case stopped
  }

  /// Where a search ended.
  public struct Result: Sendable {
    /// The point with the lowest value.
    public let point: [Tensor]
    /// The value there.
    public let value: Double
    /// Iterations that were done.
    public let iterations: Int
    /// Evaluations of value and gradient.
    public let evaluations: Int
    /// Why there are no more.
    public let ending: Ending
  }

  /// Minimises a scalar function of tensors, which may be of any shapes and one floating-point type.
  ///
  /// `progress` gets the number of the iteration, from 1, the point and its value after each, and returns whether
  /// to go on. A step to where the function or a derivative is not finite is taken back, as one that is too long.
  /// Traps where the function is not finite at the start, or no scalar.
  public func minimize(
    _ start: [Tensor], file: StaticString = #fileID, line: UInt = #line,
    progress: (_ iteration: Int, _ point: [Tensor], _ value: Double) -> Bool = { _, _, _ in true },
    _ function: @escaping ([Tensor]) -> Tensor
  ) -> Result {
    var search = Search(evaluate: function)
    var (point, here) = (start.map(\.detached), search.sample(start))
    require(
      here.isFinite,
      "L-BFGS: the function is \(here.value) at the start, or its gradient not finite",
      file: file, line: line)
    var pairs: [Pair] = []
    func result(_ iteration: Int, _ ending: Ending) -> Result {
      Result(
        point: point, value: here.value, iterations: iteration, evaluations: search.count,
        ending: ending)
    }
    for iteration in 0..<iterations {
      let largest = here.gradient.map { abs($0).max().item }.max() ?? 0
      if largest <= gradientTolerance { return result(iteration, .gradient) }
      var direction = LBFGS.direction(here.gradient, pairs)
      var slope = dot(direction, here.gradient)
      if slope >= 0 {
        // Rounding has spoilt what is remembered.
        pairs = []
        direction = here.gradient.map { -$0 }
        slope = -dot(here.gradient, here.gradient)
      }
      // Without any memory a direction has no scale: the first step is of length 1 at most.
      let first = pairs.isEmpty ? min(1, 1 / dot(direction, direction).squareRoot()) : 1
      guard
        let step = lineSearch(&search, from: point, here, along: direction, slope, first: first)
      else {
        if pairs.isEmpty { return result(iteration, .lineSearch) }
        pairs = []
        continue
      }
      let moved = zip(step.point, point).map { $0 - $1 }
      let bend = zip(step.sample.gradient, here.gradient).map { $0 - $1 }
      let curvature = dot(moved, bend)
      if curvature > 1e-10 * dot(bend, bend) {
        pairs.append(Pair(step: moved, change: bend, curvature: curvature))
        if pairs.count > memory { pairs.removeFirst() }
      }
      let gain = here.value - step.sample.value
      (point, here) = (step.point, step.sample)
      if !progress(iteration + 1, point, here.value) { return result(iteration + 1, .stopped) }
      if gain <= valueTolerance * max(1e-300, Swift.abs(here.value)) {
        return result(iteration + 1, .value)
      }
    }
    return result(iterations, .iterations)
  }

  // MARK: The direction

  /// A step that was made and how the gradient changed along it.
  private struct Pair {
    let step, change: [Tensor]
    /// Their product, which is positive.
    let curvature: Double
  }

  /// Minus the gradient times the approximate inverse of the Hessian (algorithm 7.4).
  private static func direction(_ gradient: [Tensor], _ pairs: [Pair]) -> [Tensor] {
    var rest = gradient.map { -$0 }
    var factors: [Double] = []
    for pair in pairs.reversed() {
      let factor = dot(pair.step, rest) / pair.curvature
      factors.append(factor)
      rest = zip(rest, pair.change).map { $0 - $1 * factor }
    }
    if let last = pairs.last {
      let scale = last.curvature / dot(last.change, last.change)
      rest = rest.map { $0 * scale }
    }
    for (pair, factor) in zip(pairs, factors.reversed()) {
      let correction = factor - dot(pair.change, rest) / pair.curvature
      rest = zip(rest, pair.step).map { $0 + $1 * correction }
    }
    return rest
  }

  // MARK: The line search

  private struct Sample {
    let value: Double
    let gradient: [Tensor]
    var isFinite: Bool {
      value.isFinite && gradient.allSatisfy { $0.array.nonFiniteCount == 0 }
    }
  }

  private struct Search {
    let evaluate: ([Tensor]) -> Tensor
    var count = 0

    init(evaluate: @escaping ([Tensor]) -> Tensor) { self.evaluate = evaluate }

    mutating func sample(_ point: [Tensor]) -> Sample {
      count += 1
      let (value, gradient) = valueAndGradient(at: point.map(\.detached), of: evaluate)
      return Sample(value: value.item, gradient: gradient)
    }
  }

  /// A point on the line.
  private struct Place {
    let length: Double
    let point: [Tensor]
    let sample: Sample
    let slope: Double
  }

  /// A point that meets the strong Wolfe conditions; the lowest one that was seen where none does within the
  /// evaluations; nil where none is lower.
  private func lineSearch(
    _ search: inout Search, from start: [Tensor], _ here: Sample, along direction: [Tensor],
    _ slope: Double, first: Double
  ) -> (point: [Tensor], sample: Sample)? {
    let origin = Place(length: 0, point: start, sample: here, slope: slope)
    var best = origin
    var left = evaluations
    func place(_ length: Double) -> Place {
      left -= 1
      let point = zip(start, direction).map { ($0 + $1 * length).detached }
      let sample = search.sample(point)
      let place = Place(
        length: length, point: point, sample: sample,
        slope: sample.isFinite ? dot(sample.gradient, direction) : .nan)
      if sample.isFinite && sample.value < best.sample.value { best = place }
      return place
    }
    func isTooHigh(_ place: Place) -> Bool {
      !place.sample.isFinite
        || place.sample.value > here.value + LBFGS.decrease * place.length * slope
    }
    func isFlat(_ place: Place) -> Bool { Swift.abs(place.slope) <= -LBFGS.curvature * slope }

    // Algorithm 3.5: lengthen until there is an interval that holds a good place.
    var (low, high): (Place, Place?) = (origin, nil)
    var length = first
    while left > 0 {
      let next = place(length)
      if isTooHigh(next) || (low.length > 0 && next.sample.value >= low.sample.value) {
        high = next
        break
      }
      if isFlat(next) { return (next.point, next.sample) }
      if next.slope >= 0 {
        (low, high) = (next, low)
        break
      }
      low = next
      length *= 2
    }
    // Algorithm 3.6: narrow it.
    while left > 0, let end = high {
      let next = place(LBFGS.between(low, end))
      if isTooHigh(next) || next.sample.value >= low.sample.value {
        high = next
      } else {
        if isFlat(next) { return (next.point, next.sample) }
        if next.slope * (end.length - low.length) >= 0 { high = low }
        low = next
      }
      if let end = high, Swift.abs(end.length - low.length) <= 1e-12 * max(1, low.length) { break }
    }
    return best.length > 0 ? (best.point, best.sample) : nil
  }

  /// The minimum of the cubic through values and slopes of both ends (equation 3.59), kept away from the ends by a
  /// tenth; the middle where there is none.
  private static func between(_ low: Place, _ high: Place) -> Double {
    let (a, b) = (low.length, high.length)
    let middle = (a + b) / 2
    guard high.sample.isFinite else { return middle }
    let d1 = low.slope + high.slope - 3 * (low.sample.value - high.sample.value) / (a - b)
    let square = d1 * d1 - low.slope * high.slope
    guard square >= 0 else { return middle }
    let d2 = (b > a ? 1 : -1) * square.squareRoot()
    let place = b - (b - a) * (high.slope + d2 - d1) / (high.slope - low.slope + 2 * d2)
    let (least, most) = (min(a, b), max(a, b))
    let margin = (most - least) / 10
    return place.isFinite ? min(max(place, least + margin), most - margin) : middle
  }
}

/// The inner product of two lists of tensors of the same shapes.
private func dot(_ first: [Tensor], _ second: [Tensor]) -> Double {
  zip(first, second).reduce(0) { $0 + ($1.0 * $1.1).sum().item }
}
