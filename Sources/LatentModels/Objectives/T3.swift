// The t3 variational autoencoder (Kim et al. 2024, "t3-variational autoencoder: learning heavy-tailed data with
// Student's t and power divergence"): prior, posterior and decoder are such that data and latents together are
// Student's t with nu degrees of freedom. Its power makes the integral of q p^gamma, gamma = -2 / (nu + D + d), one of
// a square, and that of q^(1 + gamma) over latents a power of a determinant; Kullback and Leibler's divergence has
// neither.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The gamma-power divergence of the joint distributions, in units that become nats as nu grows.
///
/// With D numbers of an example x, d latents, the posterior t(m, S / (1 + D/nu), nu + D) and a draw z of it, the loss
/// is half of
///
///     |x - mean(z)|^2 / sigma^2 + |m|^2 + nu / (nu + D - 2) tr S - nu (C |S|^(1 / (nu + D + d - 2)) - 1)
///     C = (1 + d / (nu + D - 2)) (c sigma^-D (nu - 2) / (nu + D - 2))^(2 / (nu + D + d - 2))
///
/// where c is the density at its centre of t(0, I, nu) in D dimensions. It is the divergence but for factors and terms
/// that depend on the data alone, and the negative evidence lower bound of a normal model in the limit of large nu,
/// constants included. `reconstruction` is -log N(x; mean, sigma^2), `divergence` what is left, which tends to the
/// divergence from the prior.
///
/// Of the model's likelihood only the mean counts; what the paper decodes to is Student's t around it.
public struct T3<Model: ExpectedDataModel>: DescribedObjective, Objective {
  public let settings: T3Description

  public init(_ settings: T3Description) { self.settings = settings }

  public func callAsFunction(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    require(
      context.fields[FieldName.mask] == nil && x.dtype.isFloatingPoint,
      "the objective 't3' compares whole examples of floating-point numbers: found \(x.dtype)"
        + (context.fields[FieldName.mask] == nil ? "" : " and a mask"))
    let posterior = model.checkedPosterior(of: x, &context)
    guard let q = posterior as? MultivariateStudent else {
      fatalError("the objective 't3' needs Student's t as posterior: found \(type(of: posterior))")
    }
    let z = q.reparameterizedSample(using: &context.random)
    let p = model.checkedLikelihood(of: z, leading: q.batchShape, &context)
    let distance = Distortion.squared(p, x, observedIn: context)
    return settings.terms(squaredDistance: distance, q, size: p.eventShape.count)
  }
}

/// The t3 objective in words.
public struct T3Description: ObjectiveDescription {
  public static let name = "t3"
  public static let origin = Origin(
    "a power divergence between joint Student's t distributions, for data with outliers",
    paper: "Kim et al. 2024 (arXiv 2312.01133)", equation: "loss of section 3",
    test: "LatentModelsTests/T3Tests.swift")

  public static let requirement =
    "the posterior and prior student with matching degrees of freedom, a likelihood with a mean"

  /// nu of the prior; the posterior has as many more as an example has numbers.
  public var degreesOfFreedom = 10.0
  /// sigma, of data around what is decoded.
  public var deviation = 1.0

  public init() {}

  public func validate() throws {
    try check(
      degreesOfFreedom > 2 && degreesOfFreedom <= 1e9, "degreesOfFreedom", degreesOfFreedom,
      "more than 2, at most 1000000000")
    try check(deviation > 0 && deviation.isFinite, "deviation", deviation, "more than 0")
  }

  /// The loss of squared distances `[batch]` between examples of `size` numbers and what is decoded.
  func terms(squaredDistance: Tensor, _ q: MultivariateStudent, size: Int) -> LossTerms {
    let (nu, n, d) = (degreesOfFreedom, Double(size), Double(q.eventShape.count))
    let rest = nu + n - 2
    let logSigma = Foundation.log(deviation)
    let logCenter =
      SpecialFunctions.polygammaDifference(-1, nu / 2, n / 2)
      - n / 2 * Foundation.log(nu * Double.pi)
    let logFactor = logCenter - n * logSigma + Foundation.log((nu - 2) / rest)
    // S, which the posterior's scale is without the factor 1 + D/nu of.
    let logVariance = q.logScale * 2 + Foundation.log1p(n / nu) + q.location.zerosLike
    let spread = exp(logVariance).sum(axes: [-1]) * (nu / rest)
    let exponent =
      (logVariance.sum(axes: [-1]) * 0.5 + logFactor) * (2 / (rest + d))
      + Foundation.log1p(d / rest)
    let power = expMinusOne(exponent) * nu
    let constant = n / 2 * (Foundation.log(2 * Double.pi) + 2 * logSigma)
    let reconstruction = (squaredDistance * (0.5 / (deviation * deviation)) + constant).mean()
    let divergence =
      (square(q.location).sum(axes: [-1]) + spread - power).mean() * 0.5 - constant
    return LossTerms(
      total: reconstruction + divergence,
      terms: [("reconstruction", reconstruction), ("divergence", divergence)])
  }

  public func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requirePosterior(
      of: model, Model.Posterior.self is MultivariateStudent.Type,
      "Student's t at both ends (the posterior 'student')")
    func open<Opened: ExpectedDataModel>(_ model: Opened) -> any TrainingObjective {
      T3<Opened>(self)
    }
    let objective = cast(open(try requireExpectedData(of: model)), for: model)
    var context = LayerContext.inference
    let prior = model.prior(.float32, &context) as? MultivariateStudent
    let posterior = model.encode(.zeros([1] + facts.inputShape)) as? MultivariateStudent
    let wanted = degreesOfFreedom + Double(facts.inputShape.count)
    if prior?.degreesOfFreedom != degreesOfFreedom || posterior?.degreesOfFreedom != wanted {
      let (q, p) = (posterior?.degreesOfFreedom, prior?.degreesOfFreedom)
      throw ModelRequirementError(
        purpose: Self.purpose,
        found: "a posterior of \(q.map { "\($0)" } ?? "none") and a prior of "
          + "\(p.map { "\($0)" } ?? "none")",
        expected: "\(wanted) degrees of freedom of the posterior (those of the objective and the "
          + "\(facts.inputShape.count) numbers of an example) and \(degreesOfFreedom) of the prior")
    }
    return objective
  }
}
