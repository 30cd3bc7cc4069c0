// Low-rank adaptation (LoRA; Hu et al. 2021): a trained model stays as it is, and beside a few of its
// weights narrow factors are trained. No layer knows of it: the corrected weights are put in their places
// before the model is evaluated, which is at the same time how adapters are merged.

import LatentAutodiff
import LatentNumerics

/// A module with low-rank corrections of some of its weights.
///
/// ```swift
/// var adapted = try Adapted(model, weights: ["decoder.**"], rank: 4, using: &random)
/// let tuned = adapted.merged  // what it computes, as a model of the same type
/// ```
///
/// The parameters are the factors alone, at `<path of the weight>.down` and `.up`. All that `base` has is
/// visited as constants: it is saved, no derivative of it is computed, and nothing changes it, the running
/// statistics of normalisation included. (Layers that go by the statistics of a batch in training still do.)
///
/// What can be adapted is each weight of `Linear` and of convolutions, alone or inside other layers
/// (attention, recurrences, blocks), and other parameters of two and more axes, whose first axis is then
/// taken for the outputs. Tables that vectors are looked up in cannot.
public struct Adapted<Base: Module>: Module {
  /// The module as it was before.
  public private(set) var base: Base
  /// One for each adapted weight, in visiting order.
  public private(set) var adapters: [LowRankAdapter]
  /// The columns of `down` and the rows of `up` that meet.
  public let rank: Int
  /// What each product is multiplied by: alpha / rank of the paper.
  public let scale: Double

  /// Adapters of every weight whose path one of the patterns stands for. The result computes what `base`
  /// does, until it is trained.
  ///
  /// Traps unless `scale` is more than 0.
  /// - Throws: `AdapterError` where a pattern stands for no such weight, where a weight has not that rank,
  ///   and where weights are of low precision.
  public init(
    _ base: Base, weights patterns: [PathPattern], rank: Int, scale: Double = 1,
    using random: inout RandomStream, file: StaticString = #fileID, line: UInt = #line
  ) throws {
    require(
      scale > 0 && scale.isFinite, "adapters of scale \(scale): expected more than 0", file: file,
      line: line)
    if let path = base.lowPrecisionPaths.first { throw AdapterError.lowPrecision(path: path) }
    let all = AdaptableWeights(of: base).found
    for pattern in patterns where !all.contains(where: { pattern.matches($0.path) }) {
      throw AdapterError.noWeight(pattern: pattern, weights: all.map(\.path))
    }
    let chosen = all.filter { patterns.match($0.path) }
    if let narrow = chosen.first(where: { $0.maximumRank < rank || rank < 1 }) {
      throw AdapterError.wrongRank(
        rank, path: narrow.path, outputs: narrow.outputs, inputs: narrow.inputs,
        others: chosen.filter { rank >= 1 && $0.maximumRank >= rank }.map(\.path))
    }
    self.base = base
    self.rank = rank
    self.scale = scale
    adapters = []
    for weight in chosen {
      adapters.append(LowRankAdapter(weight, rank: rank, using: &random))
    }
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visitConstants(of: &base)
    visitor.enterArithmetic()
    for index in adapters.indices {
      let path = adapters[index].path
      visitor.visit(&adapters[index], path)
    }
    visitor.leaveArithmetic()
  }

  /// The module with its corrected weights: what it computes, to the bit. Derivatives pass through it to
  /// the factors.
  public var merged: Base {
    var merger = Merger(adapters: adapters, scale: scale)
    var copy = base
    copy.visitParameters(&merger)
    return copy
  }
}

/// Corrects the weights that have an adapter.
private struct Merger: ParameterVisitor {
  let adapters: [LowRankAdapter]
  let scale: Double
  var position = 0
  var next = 0

  mutating func visit(_ parameter: inout Tensor, _ name: String) {
    if next < adapters.count && adapters[next].position == position {
      parameter = adapters[next].corrected(parameter, scale: scale)
      next += 1
    }
    position += 1
  }
}

/// Why weights cannot be adapted.
public enum AdapterError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A pattern that stands for no weight that can be adapted; `weights` are those that can.
  case noWeight(pattern: PathPattern, weights: [String])
  /// A rank that the matrix of a weight cannot have; the `others` that were asked for can.
  case wrongRank(Int, path: String, outputs: Int, inputs: Int, others: [String])
  /// A weight in 16 or 8 bits, which has no derivatives.
  case lowPrecision(path: String)

  public var description: String {
    switch self {
    case .noWeight(let pattern, let weights):
      "no weight that can be adapted is called '\(pattern)': there are \(weights.joined(separator: ", "))"
    case .wrongRank(let rank, let path, let outputs, let inputs, let others):
      "rank \(rank): the weight \(path) is a matrix \(outputs) x \(inputs), expected 1 to "
        + "\(min(outputs, inputs))"
        + (others.isEmpty ? "" : "; of this rank can be \(others.joined(separator: ", "))")
    case .lowPrecision(let path):
      "the weight \(path) is of low precision: adapt the model that it was made from"
    }
  }
}
