// Posteriors that stay wide enough for whoever draws latents later: a generator's error is then no larger than the noise
// that the decoder was trained with.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Any objective with posteriors that cost where they are narrow, in words.
///
/// Adds `weight * sum_j max(0, log deviation^2 - log sigma_j^2)`, a mean over the batch, to the loss of the player that
/// moves the encoder, in training and outside: 0 where every standard deviation of q(z | x) is at least `deviation`, with
/// a slope of `weight` in each log-variance below. A plain relative of the term of "variance expansion" (2026, arXiv
/// 2603.21085), which rewards wide posteriors without a limit.
public struct VarianceFloorDescription: LensDescription {
  public static let name = "variance-floor"
  public static let origin = Origin(
    "a wrapper: posteriors narrower than a standard deviation cost",
    paper: "this library, after arXiv 2603.21085", equation: "a hinge of log-variances",
    test: "LatentModelsTests/VarianceFloorTests.swift")

  public static let requirement =
    "a diagonal normal posterior, and what the objective inside needs"

  /// The smallest standard deviation that costs nothing.
  public var deviation = 0.1
  /// What a nat of log-variance below it costs.
  public var weight: WeightSchedule = 1
  /// What is wrapped.
  public var inside = ObjectiveSettings()

  public init() {}

  public func validate() throws {
    try check(deviation > 0 && deviation.isFinite, "deviation", deviation, "a positive number")
    try check(weight: weight, "weight")
    try validateInside()
  }

  public func facts<Model: LatentVariableModel>(
    inside facts: TrainingFacts, for model: Model
  ) throws -> TrainingFacts {
    _ = try model.diagonalNormal(for: Self.purpose)
    return facts
  }

  public func lens<Model: LatentVariableModel>(
    _ x: Tensor, of model: Model, _ context: LayerContext, using random: inout RandomStream
  ) -> Lens? {
    if weight == 0 { return nil }
    let lowest = 2 * Foundation.log(deviation)
    var lens = Lens(x, context)
    lens.term = Lens.Term("variance floor", weight: weight) { posterior in
      guard let q = posterior as? DiagonalNormal else {
        fatalError(
          "\(Self.purpose) needs the posterior DiagonalNormal: found \(type(of: posterior))")
      }
      let logVariance = q.logVariance.broadcast(to: q.batchShape + q.eventShape)
      return relu(lowest - logVariance).flattened(from: 1).sum(axes: [1]).mean()
    }
    return lens
  }
}

/// An objective whose posteriors cost where they are narrow: ``VarianceFloorDescription``.
public typealias VarianceFloor<
  Model: LatentVariableModel, Inner: TrainingObjective
> = Wrapped<VarianceFloorDescription, Model, Inner> where Inner.Model == LensedModel<Model>
