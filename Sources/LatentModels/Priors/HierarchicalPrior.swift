// Two levels: a class, and latents as they are in that class (Sohn, Lee and Yan 2015, equation 4; Kingma et al. 2014,
// model M2 with the class in the prior). Where the class is known the divergence has a closed form; where it is not,
// latents are from all classes together.
//
//   p(z) = 1/C sum_c p(z | c),   p(z | c) = N(z; m_c, diag s_c²)

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A normal for each class, with learned means and variances.
///
/// Of batches with labels it is p(z | label), and trains with these alone: it traps where a training batch has none.
/// Without labels it is the mixture of all classes, each as probable as the others.
public struct HierarchicalPrior: Prior {
  /// `[classes, latent]`, as `logVariance`.
  public var mean: Tensor
  /// Nats.
  public var logVariance: Tensor

  /// N(0, I) for each class, over latents of this shape.
  public init(_ eventShape: Shape, classes: Int) {
    mean = .zeros([classes] + eventShape)
    logVariance = .zeros([classes] + eventShape)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.enterArithmetic()
    visitor.visit(&mean, "mean")
    visitor.visit(&logVariance, "logVariance")
    visitor.leaveArithmetic()
  }

  public func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution {
    let (mean, logVariance) = (mean.converted(to: dtype), logVariance.converted(to: dtype))
    let rank = mean.rank - 1
    guard let labels = context.fields[FieldName.labels] else {
      require(!context.isTraining, "HierarchicalPrior: a training batch without labels")
      return Mixture(
        logWeights: .zeros([mean.shape[0]], dtype),
        components: DiagonalNormal(mean: mean, logVariance: logVariance, eventRank: rank))
    }
    let seen = labels.array.doubles
    require(
      seen.allSatisfy { $0 >= 0 && $0 < Double(mean.shape[0]) },
      "HierarchicalPrior: labels from \(seen.min() ?? 0) to \(seen.max() ?? 0) for \(mean.shape[0]) "
        + "classes, expected 0 to \(mean.shape[0] - 1)")
    return DiagonalNormal(
      mean: mean.gathering(labels, axis: 0), logVariance: logVariance.gathering(labels, axis: 0),
      eventRank: rank)
  }
}

/// A normal for each class, in words.
public struct HierarchicalPriorDescription: PriorDescription {
  public static let name = "hierarchical"
  public static let origin = Origin(
    "a class, then a normal of its own: p(z | label)", paper: "Sohn, Lee and Yan 2015",
    equation: "4", test: "LatentModelsTests/Priors/HierarchicalPriorTests.swift")

  /// The classes; labels are 0 to one less.
  public var classes = 10

  public init() {}

  public var fields: [String] { [FieldName.labels] }

  public func validate() throws { try check(size: classes, "classes") }

  public func parameterCount(latentShape: [Int], inputShape: [Int]) -> Double {
    2 * Double(classes) * latentShape.reduce(1) { $0 * Double($1) }
  }

  public func makePrior(
    latentShape: Shape, inputShape: Shape, using random: inout RandomStream
  ) -> any Prior { HierarchicalPrior(latentShape, classes: classes) }
}
