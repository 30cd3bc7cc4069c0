// Several codes for one vector, each of what those before it leave (Zeghidour et al. 2021, "SoundStream"): with as many
// stages as one likes the rate of a trained model is chosen afterwards.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// `r_0 = z`, `e_i = Q_i(r_(i-1))`, `r_i = r_(i-1) - e_i`, and the sum of all e_i as the code.
///
/// The derivative passes once, from the sum to z. A stage that is left out, as training does by chance from a random
/// depth on (`dropout`), has the index -1, and `codes(at:)` takes that for nothing to be added.
public struct ResidualQuantizer: Quantizer {
  /// In the order they see what is left.
  public var stages: [any Quantizer]
  /// The share of batches in training that are truncated, at a depth drawn uniformly.
  public let dropout: Double

  /// Of stages that take the same vectors.
  public init(_ stages: [any Quantizer], dropout: Double = 0) {
    self.stages = stages
    self.dropout = dropout
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    for index in stages.indices {
      visitor.enter("\(index)")
      stages[index].visitParameters(&visitor)
      visitor.leave()
    }
  }

  public var dimension: Int { stages[0].dimension }
  public var codeCounts: [Int] { stages.flatMap { $0.codeCounts } }

  public func prepared(_ z: Tensor) -> Tensor { stages[0].prepared(z) }

  public func quantized(_ z: Tensor, _ context: inout LayerContext) -> Quantized {
    var depth = stages.count
    if context.isTraining && dropout > 0 {
      let drawn = context.random.uniform([2], .float64).doubles
      if drawn[0] < dropout { depth = 1 + min(depth - 1, Int(drawn[1] * Double(depth))) }
    }
    var (left, sum) = (z, z.zerosLike)
    var (indices, losses): ([Tensor], [Quantized.Loss]) = ([], [])
    for (index, stage) in stages.enumerated() {
      guard index < depth else {
        let columns = stage.codeCounts.count
        indices.append(
          Tensor(repeating: -1, shape: [z.shape[0], columns], .int32))
        continue
      }
      let scale = scale(of: index, z.dtype)
      let found = stage.quantized(left / scale, &context)
      let codes = found.codes * scale
      (sum, left) = (sum + codes, left - codes.detached)
      indices.append(found.indices)
      losses += found.losses
    }
    return Quantized(codes: sum, indices: Tensor.concatenate(indices, axis: 1), losses: losses)
  }

  private func scale(of stage: Int, _ dtype: DType) -> Tensor {
    Tensor(stages[stage].scale(ofStage: stage)).converted(to: dtype)
  }

  public func passed(
    from z: Tensor, to codes: Tensor, stage: Int, _ context: inout LayerContext
  ) -> Tensor {
    stages[0].passed(from: z, to: codes, stage: stages.count - 1, &context)
  }

  public func codes(at indices: Tensor, _ dtype: DType) -> Tensor {
    var (start, sum) = (0, Tensor.zeros([indices.shape[0], dimension], dtype))
    for (index, stage) in stages.enumerated() {
      let columns = indices.sliced(1, start..<start + stage.codeCounts.count)
      start += stage.codeCounts.count
      let isThere = columns.sliced(1, 0..<1) .>= 0
      let codes = stage.codes(at: maximum(columns, columns.zerosLike), dtype)
      sum = sum + codes * scale(of: index, dtype) * isThere.converted(to: dtype)
    }
    return sum
  }
}

/// Codes of what is left, in words.
public struct ResidualCodes: CompositeCodesDescription {
  public static let name = "residual"
  public static let origin = Origin(
    "several codes for a vector, each of what is left of it",
    paper: "Zeghidour et al. 2021", equation: "algorithm 1",
    test: "LatentModelsTests/CompositeQuantizerTests.swift")

  /// How many codes.
  public var stages = 4
  /// The share of training batches that are truncated at a random depth.
  public var dropout = 0.0
  /// What finds each of them.
  public var inside = CodesSettings()

  public init() {}

  public var vectorSize: Int { inside.description.vectorSize }

  public func validate() throws {
    try check((1...64).contains(stages), "stages", stages, "1 to 64")
    try check((0...1).contains(dropout), "dropout", dropout, "0 to 1")
    let names = inside.chain
    try check(
      !names.contains(Self.name), "inside.name", "'\(Self.name)'", "what is not residual itself")
    try check(
      dropout == 0 || !names.contains(ScalarPerturbationCodes.name), "dropout", dropout,
      "0 for \(ScalarPerturbationCodes.name), which has no stages in training")
    try checkingInside { try $0.validate() }
  }

  public func validate(dimension: Int) throws {
    try checkingInside { try $0.validate(dimension: dimension) }
  }

  public func parameterCount(dimension: Int) -> Double {
    Double(stages) * inside.description.parameterCount(dimension: dimension)
  }

  public func makeQuantizer(
    dimension: Int, using random: inout RandomStream
  ) -> any Quantizer {
    let made = (0..<stages).map { _ in
      inside.description.makeQuantizer(dimension: dimension, using: &random)
    }
    return ResidualQuantizer(made, dropout: dropout)
  }
}
