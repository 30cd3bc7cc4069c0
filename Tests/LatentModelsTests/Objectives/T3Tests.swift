// The power divergence of joint Student's t distributions: against the integrals that it is (scripts/references/t3.py),
// and in the limit of many degrees of freedom, where it is the negative evidence lower bound.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite struct T3Tests {
  static func settings(_ nu: Double, _ sigma: Double) -> T3Description {
    var settings = T3Description()
    settings.degreesOfFreedom = nu
    settings.deviation = sigma
    return settings
  }

  /// nu, sigma, location and scale of the posterior of one latent, E |x - mean|^2, and the divergence.
  static let rows: [[Double]] = [
    [8, 1, 0.4, 0.8, 3.651428571428572, 2.9880564225784565],
    [10, 0.5, -0.3, 0.2, 0.5555555555555556, 2.4042913250429363],
    [14, 2, 1, 1.5, 36.394615384615385, 7.059748297662683],
  ]

  @Test(arguments: rows) func agreesWithTheIntegrals(_ row: [Double]) {
    let q = MultivariateStudent(
      location: Tensor([row[2]], shape: [1, 1]),
      logScale: Tensor([Foundation.log(row[3])], shape: [1, 1]),
      degreesOfFreedom: row[0] + 1)
    let loss = Self.settings(row[0], row[1]).terms(squaredDistance: Tensor([row[4]]), q, size: 1)
    #expect(abs(loss.total.item - row[5]) < 1e-9, "\(row): \(loss.total.item)")
  }

  /// -log N(x; mean, sigma^2) and KL(N(m, S) || N(0, I)), and their derivatives.
  @Test func manyDegreesOfFreedom() {
    let (size, d) = (7, 3)
    let inputs = [
      numbers([2, d], 1), numbers([2, d], 2) * 0.5, abs(numbers([2], 4)) + 1,
    ]
    func loss(_ nu: Double, _ inputs: [Tensor]) -> LossTerms {
      let q = MultivariateStudent(
        location: inputs[0], logScale: inputs[1], degreesOfFreedom: nu + Double(size))
      return Self.settings(nu, 0.6).terms(squaredDistance: inputs[2], q, size: size)
    }
    func bound(_ inputs: [Tensor]) -> Tensor {
      let q = DiagonalNormal(mean: inputs[0], logVariance: inputs[1] * 2)
      let kl = q.closedFormKL(to: StandardNormal(eventShape: [d], dtype: .float64)) ?? inputs[2]
      let constant: Double = Double(size) / 2 * Foundation.log(2 * Double.pi * 0.36)
      return (inputs[2] / 0.72 + constant).mean() + kl.mean()
    }
    let expected = valueAndGradient(at: inputs, of: bound)
    for (nu, tolerance) in [(1e4, 1e-1), (1e6, 1e-3), (1e8, 1e-5)] {
      let found = valueAndGradient(at: inputs) { loss(nu, $0).total }
      #expect(abs(found.value.item - expected.value.item) < tolerance, "\(nu): \(found.value)")
      for (one, other) in zip(found.gradients, expected.gradients) {
        #expect(distance(one, other) < tolerance, "\(nu): \(one), expected \(other)")
      }
    }
    let terms = loss(1e8, inputs)
    let kl = DiagonalNormal(mean: inputs[0], logVariance: inputs[1] * 2)
      .closedFormKL(to: StandardNormal(eventShape: [d], dtype: .float64))?.mean().item
    #expect(abs((terms["divergence"]?.item ?? 0) - (kl ?? 1)) < 1e-5)
  }

  @Test func gradients() {
    let error = gradientError(at: [numbers([2, 3], 1), numbers([2, 3], 2), numbers([2], 4)]) {
      let q = MultivariateStudent(location: $0[0], logScale: $0[1], degreesOfFreedom: 12)
      return Self.settings(5, 0.6).terms(squaredDistance: $0[2], q, size: 7).total
    }
    #expect(error < 1e-8, "\(error)")
  }

  /// p(z) p(x | z), whose scale grows with |z|, is Student's t of both.
  @Test func theJointIsStudent() {
    let (nu, sigma) = (4.0, 0.7)
    let (x, z) = (Tensor([0.3, -1.2, 2]), Tensor([1.5, -0.4]))
    func student(_ size: Int, _ nu: Double, _ scale: Double) -> MultivariateStudent {
      MultivariateStudent(
        location: .zeros([size], .float64), logScale: .scalar(Foundation.log(scale), .float64),
        degreesOfFreedom: nu)
    }
    let (x64, z64) = (x.converted(to: .float64), z.converted(to: .float64))
    let squares = square(z64).sum().item
    let growth: Double = (1 + squares / nu) / (1 + 2 / nu)
    let scale: Double = sigma * growth.squareRoot()
    let marginal = student(2, nu, 1).logProbability(of: z64)
    let product = marginal + student(3, nu + 2, scale).logProbability(of: x64)
    let joint = student(5, nu, 1).logProbability(
      of: Tensor.concatenate([x64 / sigma, z64], axis: 0))
    let expected: Double = joint.item - 3 * Foundation.log(sigma)
    #expect(abs(product.item - expected) < 1e-10)
  }

  /// Degrees of freedom must match, and are told where they do not.
  @Test func whatItTakes() throws {
    let facts = TrainingFacts(examples: 10, inputShape: [6])
    var posterior = StudentPosterior()
    func model() throws -> any LatentVariableModel {
      var random = RandomStream(seed: 1)
      return try ModelDescription(
        MLPNetwork(hidden: [5], latentSize: 2), inputShape: [6], posterior: posterior
      ).makeModel(using: &random)
    }
    func make(_ model: some LatentVariableModel) throws {
      _ = try T3Description().make(for: model, facts)
    }
    let error = #expect(throws: ModelRequirementError.self) { try make(model()) }
    #expect(
      "\(error.map { "\($0)" } ?? "")".contains("16.0 degrees of freedom"),
      "\(String(describing: error))")
    posterior.degreesOfFreedom = 16
    try make(model())
    #expect(throws: SettingError.self) { try Self.settings(2, 1).validate() }
    #expect(throws: SettingError.self) { try Self.settings(3, 0).validate() }
  }
}
