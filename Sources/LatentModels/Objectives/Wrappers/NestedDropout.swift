// Latents in an order of what they are worth (Rippel, Gelbart and Adams 2014, "Learning ordered representations with
// nested dropout"): each example is decoded from its first few latents alone, so that the first ones learn what matters
// most. A linear autoencoder finds the principal axes themselves that way, not just their span.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Any objective with latents in an order of what they are worth, in words.
///
/// In training the decoder gets z with all but the first b latents zero; b is drawn for each example anew, from
/// `P(b) = ratio^(b - 1) (1 - ratio) / (1 - ratio^K)`, b = 1 ... K (section 2.1, there with the rest of the geometric
/// distribution at K); `ratio` 1 is the uniform distribution. The order is that of the last axis: of vectors all
/// latents, of latents in their place the channels. What the objective inside makes of z elsewhere, its divergence
/// above all, is of the whole z. Outside of training nothing is dropped.
public struct NestedDropoutDescription: LensDescription {
  public static let name = "nested-dropout"
  public static let origin = Origin(
    "a wrapper: only the first few latents are decoded, which puts them in an order",
    paper: "Rippel et al. 2014", equation: "7, 8 and section 2.1",
    test: "LatentModelsTests/NestedDropoutTests.swift")

  /// The share of examples whose latents are cut short.
  public var probability = 1.0
  /// How much rarer each length is than the one before it; 1: all are equally probable.
  public var ratio = 1.0
  /// What is wrapped.
  public var inside = ObjectiveSettings()

  public init() {}

  public func validate() throws {
    try check(share: probability, "probability")
    try check(ratio > 0 && ratio <= 1, "ratio", ratio, "more than 0, at most 1")
    try validateInside()
  }

  public func lens<Model: LatentVariableModel>(
    _ x: Tensor, of model: Model, _ context: LayerContext, using random: inout RandomStream
  ) -> Lens? {
    guard context.isTraining && probability > 0 else { return nil }
    let stream = random
    var lens = Lens(x, context)
    lens.latents = { z, eventRank in
      var random = stream
      let rows = z.shape.prefix(z.rank - eventRank)
      let kept = lengths(rows.count, of: z.shape[-1], using: &random).map { Double($0) }
      let ones = Shape(Array(repeating: 1, count: eventRank))
      let limits = Tensor(kept, shape: rows + ones).converted(to: z.dtype)
      return z * (Tensor.range(z.shape[-1], z.dtype) .< limits)
    }
    return lens
  }

  /// How many of `latents` each of `count` rows keeps.
  func lengths(_ count: Int, of latents: Int, using random: inout RandomStream) -> [Int] {
    let chosen = random.uniform([count], .float64).doubles
    let places = random.uniform([count], .float64).doubles
    return zip(chosen, places).map { chosen, place in
      if chosen >= probability { return latents }
      let passed =
        ratio == 1
        ? place * Double(latents)
        : Foundation.log(1 - place * (1 - Foundation.pow(ratio, Double(latents))))
          / Foundation.log(ratio)
      return 1 + min(latents - 1, Int(passed))
    }
  }
}

/// An objective whose model decodes the first few latents of each example: ``NestedDropoutDescription``.
public typealias NestedDropout<
  Model: LatentVariableModel, Inner: TrainingObjective
> = Wrapped<NestedDropoutDescription, Model, Inner> where Inner.Model == LensedModel<Model>
