// Latents that move as the picture does (Kouzelis et al. 2025, "EQ-VAE: equivariance regularized latent space for improved
// generative image modeling"): the decoder of latents that were made smaller and turned is to give the picture that was
// made smaller and turned. What a generator has to learn of such latents is simpler.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Any objective with latents that move as the picture does, in words.
///
/// Of a share `probability` of the training batches, drawn once for a batch, the encoder sees x as it is, the decoder
/// gets tau z and is compared with tau x (equation 6): tau scales height and width by k/32, `smallest` <= k/32 < 1,
/// bilinearly, and turns by 90, 180 or 270 degrees. Everything else of the objective inside is as it was. Latent sizes are
/// rounded down, and pictures are as many times larger as they were. A loss that is a sum over pixels is one of fewer
/// pixels then, as in the authors' program. The authors also train on small pictures in the other batches; that
/// would be a change of the data.
///
/// Latents keep their place, `[height, width, channels]`, and the decoder takes them in any size, as `resnet` does;
/// where latents are vectors, nothing is known of how they should move, and such models are refused.
public struct EquivarianceDescription: LensDescription {
  public static let name = "equivariant"
  public static let origin = Origin(
    "a wrapper: latents made smaller and turned give the picture made so",
    paper: "Kouzelis et al. 2025", equation: "6",
    test: "LatentModelsTests/EquivarianceTests.swift")

  public static let requirement =
    "latents in their place (the network resnet), and an objective inside that asks only about the batch"

  /// The share of batches that are changed.
  public var probability = 0.5
  /// The smallest scale; 1: none but the picture's own.
  public var smallest = 0.25
  /// Whether pictures are turned.
  public var turns = true
  /// What is wrapped.
  public var inside = ObjectiveSettings()

  public init() {}

  public func validate() throws {
    try check(share: probability, "probability")
    try check(smallest > 0 && smallest <= 1, "smallest", smallest, "more than 0, at most 1")
    try validateInside()
  }

  /// Two such changes one after the other are of sizes that depend on the order.
  public var asksOnlyAboutTheBatch: Bool { false }

  /// In how many parts of a side scales are counted.
  static let parts = 32

  private var scales: [Int] {
    let first = Int((smallest * Double(Self.parts)).rounded(.up))
    return first < Self.parts ? Array(first..<Self.parts) : []
  }

  public func facts<Model: LatentVariableModel>(
    inside facts: TrainingFacts, for model: Model
  ) throws -> TrainingFacts {
    let latents = model.latentShape
    guard Similarity.factors(facts.inputShape, latents) != nil else {
      throw ModelRequirementError(
        purpose: Self.purpose,
        found: "latents of shape \(latents) for data of shape \(facts.inputShape)",
        expected: "pictures and latents in their place [height, width, channels], as of the "
          + "network 'resnet'")
    }
    guard inside.description.asksOnlyAboutTheBatch else {
      throw ModelRequirementError(
        purpose: Self.purpose, found: "'\(inside.name)'",
        expected: "an objective inside that asks only about the batch and its reconstructions")
    }
    var facts = facts
    if let scale = scales.first {
      let smallest = Similarity(scale: scale, quarterTurns: 0, latents: latents)
      facts.inputShape = smallest.moved(.zeros([1] + facts.inputShape)).shape.suffix(3)
    }
    return facts
  }

  public func lens<Model: LatentVariableModel>(
    _ x: Tensor, of model: Model, _ context: LayerContext, using random: inout RandomStream
  ) -> Lens? {
    guard context.isTraining && probability > 0 else { return nil }
    let draws = random.uniform([3], .float64).doubles
    guard draws[0] < probability else { return nil }
    let scales = scales
    let scale = scales.isEmpty ? Self.parts : scales[Int(draws[1] * Double(scales.count))]
    let quarterTurns = turns ? 1 + Int(draws[2] * 3) : 0
    if scale == Self.parts && quarterTurns == 0 { return nil }
    require(
      context.fields[FieldName.mask] == nil,
      "the \(Self.purpose) scales and turns data: they must be whole, without a mask")
    let latents = model.latentShape(fields: context.fields)
    let move = Similarity(scale: scale, quarterTurns: quarterTurns, latents: latents)
    var lens = Lens(x, context)
    lens.seen = x
    lens.target = move.moved(x)
    lens.latents = { z, _ in
      let leading = z.shape.prefix(z.rank - 3)
      let moved = move.moved(z.reshaped([leading.count] + z.shape.suffix(3)))
      return moved.reshaped(leading + moved.shape.suffix(3))
    }
    return lens
  }
}

/// A scaling and a turn of pictures and of their latents.
struct Similarity: Sendable {
  /// In parts of ``EquivarianceDescription/parts``.
  let scale: Int
  /// Counted against the clock.
  let quarterTurns: Int
  /// The shape of one latent before.
  let latents: Shape

  /// How many times larger pictures are than latents in height and width; nil where they are not.
  static func factors(_ picture: Shape, _ latents: Shape) -> [Int]? {
    guard picture.rank == 3, latents.rank == 3, latents.count > 0,
      picture[0] % latents[0] == 0, picture[1] % latents[1] == 0
    else { return nil }
    return [picture[0] / latents[0], picture[1] / latents[1]]
  }

  /// Of x `[batch, height, width, channels]`, which are pictures or latents.
  func moved(_ x: Tensor) -> Tensor {
    var x = x
    if scale != EquivarianceDescription.parts {
      let sizes = (0..<2).map { axis in
        let small = max(1, latents[axis] * scale / EquivarianceDescription.parts)
        return small * (x.shape[axis + 1] / latents[axis])
      }
      x = x.resized(to: .axes(sizes), .bilinear())
    }
    switch quarterTurns {
    case 1: return x.swapping(1, 2).reversed(axis: 1)
    case 2: return x.reversed(axis: 1).reversed(axis: 2)
    case 3: return x.reversed(axis: 1).swapping(1, 2)
    default: return x
    }
  }
}

// MARK: What is about other data than the batch

extension GANDescription {
  public var asksOnlyAboutTheBatch: Bool { false }
}
extension WassersteinGANDescription {
  public var asksOnlyAboutTheBatch: Bool { false }
}
extension VAEGANDescription {
  public var asksOnlyAboutTheBatch: Bool { false }
}
extension ReweightedWakeSleepDescription {
  public var asksOnlyAboutTheBatch: Bool { phase == .wake }
}

/// An objective with latents that move as the picture does: ``EquivarianceDescription``.
public typealias Equivariance<
  Model: LatentVariableModel, Inner: TrainingObjective
> = Wrapped<EquivarianceDescription, Model, Inner> where Inner.Model == LensedModel<Model>
