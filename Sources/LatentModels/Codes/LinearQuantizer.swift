// A code book that moves as a whole, so that no code is left behind (Zhu et al. 2024, "Addressing representation collapse
// in vector quantized models with one linear layer").

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// Codes `E = C W` with a fixed C, drawn from N(0, 1 / numbers), and a learned matrix W, the identity at first.
///
/// `codebook` = |z - e|² with z a constant counts 1, `commitment`, with e a constant, what is set: sums over a vector,
/// means over a batch.
public struct LinearQuantizer: Quantizer {
  /// C, `[code, number]`, a buffer that stays as it is.
  public var fixed: Tensor
  /// W, `[number, number]`.
  public var weight: Tensor
  /// The numbers of the rule.
  public let settings: LinearCodes

  /// With first values for vectors of so many numbers.
  public init(_ settings: LinearCodes, dimension: Int, using random: inout RandomStream) {
    self.settings = settings
    let deviation = 1 / Double(dimension).squareRoot()
    fixed = Initializer.normal(deviation: deviation)([settings.codes, dimension], using: &random)
    weight = .identity(dimension)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visitConstant(&fixed, "fixed")
    visitor.enterArithmetic()
    visitor.visit(&weight, "weight")
    visitor.leaveArithmetic()
  }

  public var dimension: Int { weight.shape[0] }
  public var codeCounts: [Int] { [settings.codes] }

  /// E, `[code, number]`.
  public var codes: Tensor { matmul(fixed, weight) }

  public func codes(at indices: Tensor, _ dtype: DType) -> Tensor {
    codes.gathering(indices.reshaped([indices.shape[0]])).converted(to: dtype)
  }

  public func quantized(_ z: Tensor, _ context: inout LayerContext) -> Quantized {
    let codes = codes
    let indices = nearestCodes(to: z, among: codes)
    let chosen = codes.gathering(indices)
    return Quantized(
      codes: chosen, indices: indices.expandingDimension(at: 1),
      losses: [
        ("commitment", meanSquaredDistance(z, chosen.detached), settings.commitment),
        ("codebook", meanSquaredDistance(z.detached, chosen), 1),
      ])
  }

  public func passed(
    from z: Tensor, to codes: Tensor, stage: Int, _ context: inout LayerContext
  ) -> Tensor {
    settings.gradient == .rotation ? rotated(from: z, to: codes) : codes.withDerivative(of: z)
  }
}

/// A code book that moves as a whole, in words.
public struct LinearCodes: CodesDescription {
  public static let name = "simvq"
  public static let origin = Origin(
    "a fixed code book under a learned linear map: no code dies",
    paper: "Zhu et al. 2024 (arXiv 2411.02038)", equation: "6",
    test: "LatentModelsTests/VectorQuantizerTests.swift")

  /// The number of codes.
  public var codes = 512
  /// The numbers of a vector; 0 for all of a place.
  public var dimension = 0
  /// How a derivative passes: straight-through or rotation.
  public var gradient = CodeGradient.straightThrough
  /// What the distance of vectors from their codes counts.
  public var commitment = 0.25

  public init() {}

  public var vectorSize: Int { dimension }

  public func validate() throws {
    let limit = ModelDescription.maximumParameters
    try check((1...limit).contains(codes), "codes", codes, "1 to \(limit)")
    try check(vectorSize: dimension, "dimension")
    try check(weight: commitment, "commitment")
    try check(
      gradient != .diveq, "gradient", "'\(gradient.rawValue)'", "straight-through, rotation")
  }

  public func validate(dimension: Int) throws {
    try check(codes: codes, dimension: dimension)
    try check(codes: dimension, dimension: dimension)
    try check(
      gradient != .rotation || dimension > 1, "gradient", "rotation of one number",
      "another for vectors of one number, or a dimension of 2 or more")
  }

  public func parameterCount(dimension: Int) -> Double { Double(dimension) * Double(dimension) }

  public func makeQuantizer(
    dimension: Int, using random: inout RandomStream
  ) -> any Quantizer { LinearQuantizer(self, dimension: dimension, using: &random) }
}
