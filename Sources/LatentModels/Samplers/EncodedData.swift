// What a sampler learns from: the posteriors of all training examples. A draw of each is what the decoder was trained
// with; their means are not.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The posteriors of examples, batch by batch, and the labels where there are some.
public struct EncodedData: Sendable {
  /// Each of batch shape `[batch]`, in the order of the examples.
  public private(set) var posteriors: [any Distribution] = []
  /// The class of each example, int32 `[examples]`; nil where one has none.
  public var labels: Tensor? {
    labelled.count == posteriors.count && !labelled.isEmpty
      ? Tensor.concatenate(labelled, axis: 0) : nil
  }
  private var labelled: [Tensor] = []

  /// Of nothing yet.
  public init() {}

  /// Of posteriors of batch shape `[batch]`.
  public init(_ posteriors: [any Distribution], labels: Tensor? = nil) {
    for posterior in posteriors { add(posterior, labels: nil) }
    if let labels {
      var start = 0
      labelled = posteriors.map { posterior in
        defer { start += posterior.batchShape[0] }
        return labels.sliced(0, start..<start + posterior.batchShape[0])
      }
    }
  }

  /// Takes in one batch. Traps unless the posterior's batch shape is `[batch]`, and its events those of the others.
  public mutating func add(_ posterior: any Distribution, labels: Tensor?) {
    require(
      posterior.batchShape.rank == 1
        && posteriors.first.map { $0.eventShape == posterior.eventShape } ?? true,
      "encoded data: a posterior of batch shape \(posterior.batchShape) and event shape "
        + "\(posterior.eventShape)")
    posteriors.append(posterior)
    if let labels { labelled.append(labels.detached) }
  }

  /// The number of examples.
  public var count: Int { posteriors.reduce(0) { $0 + $1.batchShape[0] } }

  /// What the shapes of samplers follow from.
  public var facts: SamplerFacts {
    let classes = labels.map { Int(($0.doubles.max() ?? -1) + 1) } ?? 0
    return SamplerFacts(
      latentShape: posteriors.first?.eventShape.dimensions ?? [], examples: count,
      classes: classes, codeCounts: (posteriors.first as? CodePoint)?.counts)
  }

  /// The indices of the codes of each example, int32 `[examples, index]`; nil where posteriors are none of codes.
  public var indices: Tensor? {
    let points = posteriors.compactMap { $0 as? CodePoint }
    return points.isEmpty || points.count < posteriors.count
      ? nil : Tensor.concatenate(points.map(\.indices), axis: 0)
  }

  /// One draw for each example, `[examples, latents]`, the axes of a latent as one.
  public func codes(using random: inout RandomStream) -> Tensor {
    let draws = posteriors.map { posterior in
      posterior.sample(using: &random).reshaped(
        [posterior.batchShape[0], posterior.eventShape.count])
    }
    return Tensor.concatenate(draws, axis: 0)
  }
}

/// Mean and deviation of codes, number by number: what learns from codes sees them standardised.
struct CodeScale: Module {
  /// `[latents]`, as `deviation`.
  var mean: Tensor
  var deviation: Tensor

  /// Numbers that do not vary stay what they are, but for this.
  private static let smallestDeviation = 1e-6

  /// Leaves codes of so many numbers as they are.
  init(_ size: Int) {
    mean = .zeros([size])
    deviation = .ones([size])
  }

  /// Of codes `[examples, latents]`.
  init(of codes: Tensor) {
    // In float64: codes may lie far from zero.
    let wide = codes.converted(to: .float64)
    let center = wide.mean(axes: [0])
    let spread = sqrt(square(wide - center).mean(axes: [0]))
    mean = center.converted(to: codes.dtype)
    deviation = maximum(spread, spread.zerosLike + CodeScale.smallestDeviation)
      .converted(to: codes.dtype)
  }

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visitBuffer(&mean, "mean")
    visitor.visitBuffer(&deviation, "deviation")
  }

  func standardized(_ codes: Tensor) -> Tensor { (codes - mean) / deviation }
  func restored(_ codes: Tensor) -> Tensor { codes * deviation + mean }
}
