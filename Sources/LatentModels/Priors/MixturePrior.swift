// A prior that learns where latents are: normals with weights of their own (Dilokthanakul et al. 2016; the form and the
// first values are those of scvi-tools).
//
//   log p(z) = log sum_k w_k N(z; m_k, diag s_k²),   w = softmax(logits)

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A mixture of normals with learned weights, means and deviations.
public struct MixturePrior: Prior {
  /// Unnormalised log-weights, `[components]`.
  public var logits: Tensor
  /// `[components, latent]`, as `logScale`.
  public var mean: Tensor
  /// The deviations are `exp(logScale)` and `smallestScale` more.
  public var logScale: Tensor

  /// What deviations cannot fall below: a component on one code would have any density there.
  public static let smallestScale = 1e-4

  /// Equal weights, means near 0, deviations of 0.37, over latents of this shape.
  public init(_ eventShape: Shape, components: Int, using random: inout RandomStream) {
    logits = .zeros([components])
    mean = random.normalTensor([components] + eventShape) * 0.1
    logScale = Tensor(repeating: -1, shape: [components] + eventShape)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.enterArithmetic()
    visitor.visit(&logits, "logits")
    visitor.visit(&mean, "mean")
    visitor.visit(&logScale, "logScale")
    visitor.leaveArithmetic()
  }

  public func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution {
    Mixture(
      logWeights: logits.converted(to: dtype),
      components: DiagonalNormal(
        mean: mean.converted(to: dtype),
        standardDeviation: (exp(logScale) + MixturePrior.smallestScale).converted(to: dtype),
        eventRank: mean.rank - 1))
  }
}

/// A learned mixture of normals, in words.
public struct MixturePriorDescription: PriorDescription {
  public static let name = "mixture"
  public static let origin = Origin(
    "a mixture of normals, all of it learned", paper: "Dilokthanakul et al. 2016",
    equation: "section 3", test: "LatentModelsTests/Priors/MixturePriorTests.swift")

  /// The normals.
  public var components = 10

  public init() {}

  public var factorizes: Bool { false }

  public func validate() throws { try check(size: components, "components") }

  public func parameterCount(latentShape: [Int], inputShape: [Int]) -> Double {
    Double(components) * (2 * latentShape.reduce(1) { $0 * Double($1) } + 1)
  }

  public func makePrior(
    latentShape: Shape, inputShape: Shape, using random: inout RandomStream
  ) -> any Prior {
    MixturePrior(latentShape, components: components, using: &random)
  }
}
