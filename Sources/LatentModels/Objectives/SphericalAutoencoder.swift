// An autoencoder that generates from a sphere without ever comparing codes with a prior (Yue et al. 2026, "Image
// generation with a sphere encoder"): codes lie on the sphere, and so much noise is added to them that no place of it is
// left out.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The sphere encoder, in nats per example.
///
/// With `f(z) = sqrt(L) z / |z|`, `v = f(E(x))`, e from N(0, I), `sigma = tan(angle)` and r, s from U(0, 1) for each example,
/// - `v' = f(v + r sigma e)` is up to `angle` away, and `v'' = f(v + r s / 2 sigma e)` nearer by, in the same direction;
/// - `reconstruction` is the cost of x under p(x | v'');
/// - `consistency` is the cost of what is expected at v'', a constant, under p(x | v');
/// - `latent` is 1 - cos(E(D(v')), v), where D is the expectation of the likelihood and v a constant.
///
/// `total = reconstruction + consistency weight * consistency + latent weight * n * latent`, where n is the number of
/// elements of an example: costs are sums over these here, and means in the paper, whose weights these are. The paper
/// also compares features of a trained network, and draws r in strata.
///
/// Codes lie on the sphere where the model is made so, by the posterior `sphere-point`; its prior is the uniform
/// distribution there, so that `generate` draws from where the decoder was trained.
public struct SphericalAutoencoder<Model: ExpectedDataModel>: DescribedObjective, Objective {
  public let settings: SphericalDescription

  public init(_ settings: SphericalDescription) { self.settings = settings }

  public func callAsFunction(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let q = model.checkedPosterior(of: x, &context)
    let rank = q.eventShape.rank
    let v = q.requiredMean(for: SphericalDescription.purpose).onSphere(eventRank: rank)
    let (far, near) = settings.noisy(v, eventRank: rank, using: &context.random)
    let target = model.checkedLikelihood(of: near, leading: q.batchShape, &context)
    let distorted = model.checkedLikelihood(of: far, leading: q.batchShape, &context)
    let distortion = settings.cost.distortion
    let reconstruction = distortion(target, x, observedIn: context).mean()
    let consistency = distortion(distorted, target.mean.detached, observedIn: context).mean()
    // What the decoder makes is whole, whatever a mask hides of the data.
    let mask = context.fields.removeValue(forKey: FieldName.mask)
    let back = model.checkedPosterior(of: distorted.mean, &context)
    context.fields[FieldName.mask] = mask
    let found = back.requiredMean(for: SphericalDescription.purpose).onSphere(eventRank: rank)
    let cosine = (found * v.detached).flattened(from: 1).mean(axes: [1])
    let latent = (1 - cosine).mean()
    let elements = Double(distorted.eventShape.count)
    return LossTerms(
      context, weights: [settings.consistency, settings.latent],
      terms: [("reconstruction", reconstruction), ("consistency", consistency), ("latent", latent)]
    ) { weights in
      reconstruction + consistency.weighted(weights[0]) + latent.weighted(weights[1] * elements)
    }
  }
}

/// The sphere encoder in words.
public struct SphericalDescription: ObjectiveDescription {
  public static let name = "spherical"
  public static let origin = Origin(
    "codes on a sphere with much noise, and no divergence: it generates from there",
    paper: "Yue et al. 2026 (arXiv 2602.15030)", equation: "losses of section 3",
    test: "LatentModelsTests/SphericalAutoencoderTests.swift")

  public static let requirement = "the posterior sphere-point, a likelihood with a mean"

  /// The largest angle of the noise in degrees.
  public var angle = 85.0
  /// The weight of what far codes decode to being what near ones do.
  public var consistency: WeightSchedule = 0.5
  /// The weight of codes being found again, for each element of the data.
  public var latent: WeightSchedule = 0.1
  /// What reconstructions cost.
  public var cost = ReconstructionCost.likelihood

  public init() {}

  public func validate() throws {
    try check(angle > 0 && angle < 90, "angle", angle, "more than 0, less than 90")
    try check(weight: consistency, "consistency")
    try check(weight: latent, "latent")
  }

  /// What was decoded is encoded again.
  public var asksOnlyAboutTheBatch: Bool { false }

  /// v on the sphere, `[batch, latent...]`, with noise: far away, and nearer by.
  func noisy(
    _ v: Tensor, eventRank: Int, using random: inout RandomStream
  ) -> (far: Tensor, near: Tensor) {
    let rows = v.shape.prefix(v.rank - eventRank) + Shape(Array(repeating: 1, count: eventRank))
    let noise = random.normalTensor(v.shape, v.dtype) * Foundation.tan(angle * .pi / 180)
    let radius = random.uniformTensor(rows, v.dtype)
    let part = random.uniformTensor(rows, v.dtype)
    func at(_ radius: Tensor) -> Tensor { (v + radius * noise).onSphere(eventRank: eventRank) }
    return (at(radius), at(radius * part * 0.5))
  }

  public func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requireMeanOfPosterior(model)
    var context = LayerContext.inference
    let prior = model.prior(.float32, &context)
    let radius = Double(prior.eventShape.count).squareRoot()
    guard (prior as? UniformSphere)?.radius == radius else {
      throw ModelRequirementError(
        purpose: Self.purpose, found: "\(Model.Posterior.self) with the prior \(type(of: prior))",
        expected: "codes on a sphere (the posterior 'sphere-point')")
    }
    func open<Opened: ExpectedDataModel>(_ model: Opened) -> any TrainingObjective {
      SphericalAutoencoder<Opened>(self)
    }
    return cast(open(try requireExpectedData(of: model)), for: model)
  }
}
