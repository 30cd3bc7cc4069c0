// The covariance of the inferred prior pulled towards the identity (Kumar, Sattigeri and Balakrishnan 2018,
// "Variational inference of disentangled latent concepts from unlabeled observations", equations 6 and 7).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// `reconstruction + kl + a sum_{i != j} C_ij² + b sum_i (C_ii - 1)²`, in nats per example.
///
/// C is the covariance over the batch (divided by its size) of the posterior means, or of draws, which adds
/// the mean variance to its diagonal: `Settings.ofDraws`. Every pair counts twice, as in the reference, whose
/// weights assume it. A batch of one example has no covariance and traps.
public struct DisentangledPrior<Model: DiagonalNormalModel, Settings: DisentangledPriorDescription>:
  Objective, DescribedObjective
{
  public let settings: Settings

  public init(_ settings: Settings) { self.settings = settings }

  public var smallestBatch: Int { 2 }

  public func callAsFunction(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let pass = model.variationalPass(x, &context)
    let (reconstruction, kl) = pass.means(for: Settings.purpose)
    let deviation = covarianceDeviation(of: pass.posterior)
    return LossTerms(
      context, weights: [settings.offDiagonal, settings.diagonal],
      terms: [
        ("reconstruction", reconstruction), ("kl", kl), ("offDiagonal", deviation.offDiagonal),
        ("diagonal", deviation.diagonal),
      ], klMethod: pass.divergenceMethod
    ) { weights in
      reconstruction + kl + deviation.offDiagonal.weighted(weights[0])
        + deviation.diagonal.weighted(weights[1])
    }
  }

  /// The squared distances of the covariance from the identity, beside the diagonal and on it.
  private func covarianceDeviation(
    of q: DiagonalNormal
  ) -> (offDiagonal: Tensor, diagonal: Tensor) {
    let means = q.mean.flattened(from: 1)
    let (count, size) = (means.shape[0], means.shape[1])
    require(
      count > 1,
      "the covariance of latents over a batch of \(count): expected 2 or more examples (a data set "
        + "can leave out its last batch)")
    let centered = means - means.mean(axes: [0])
    let covariance = matmul(centered, centered, transpose: .left) / Double(count)
    let identity = Tensor.identity(size, means.dtype)
    var variances = covariance.diagonal
    if Settings.ofDraws { variances = variances + q.variance.flattened(from: 1).mean(axes: [0]) }
    return (square(covariance * (1 - identity)).sum(), square(variances - 1).sum())
  }
}

/// Disentangled priors in words.
public protocol DisentangledPriorDescription: DiagonalNormalObjectiveDescription {
  /// Whether the covariance is that of draws (DIP-VAE-II) instead of means (DIP-VAE-I).
  static var ofDraws: Bool { get }
  /// The weight of the squared elements beside the diagonal.
  var offDiagonal: WeightSchedule { get set }
  /// The weight of the squared distances of the diagonal from 1.
  var diagonal: WeightSchedule { get set }
}

extension DisentangledPriorDescription {
  public func validate() throws {
    try check(weight: offDiagonal, "offDiagonal")
    try check(weight: diagonal, "diagonal")
  }

  public func makeDiagonalNormal<Model: DiagonalNormalModel>(
    for model: Model, _ facts: TrainingFacts
  ) -> any TrainingObjective<Model> { DisentangledPrior<Model, Self>(self) }
}

/// DIP-VAE-I in words.
public struct DisentangledMeansDescription: DisentangledPriorDescription {
  public static let name = "dip1"
  public static let origin = Origin(
    "the covariance of posterior means pulled towards the identity", paper: "Kumar et al. 2018",
    equation: "6", test: "LatentModelsTests/MomentObjectiveTests.swift")
  public static let ofDraws = false

  public var offDiagonal: WeightSchedule = 10
  public var diagonal: WeightSchedule = 100

  public init() {}
}

/// DIP-VAE-II in words.
public struct DisentangledDrawsDescription: DisentangledPriorDescription {
  public static let name = "dip2"
  public static let origin = Origin(
    "the covariance of latents pulled towards the identity", paper: "Kumar et al. 2018",
    equation: "7", test: "LatentModelsTests/MomentObjectiveTests.swift")
  public static let ofDraws = true

  public var offDiagonal: WeightSchedule = 10
  public var diagonal: WeightSchedule = 10

  public init() {}
}
