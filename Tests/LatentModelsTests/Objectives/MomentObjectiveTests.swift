// Objectives that hold the divergence or the covariance of latents at a value: exact cases, and identities
// that centring, dividing or squaring wrongly break.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct MomentObjectiveTests {
  typealias Free = VAE<FreeEncoder, MLPDecoder<BernoulliHead>, StandardNormalPrior>

  static func model(_ means: [Double], _ variances: [Double]) -> Free {
    var random = RandomStream(seed: 1)
    let shape: Shape = [means.count / 2, 2]
    return VAE(
      encoder: FreeEncoder(
        mean: Tensor(means, shape: shape), logVariance: log(Tensor(variances, shape: shape))),
      decoder: MLPDecoder(
        latentSize: 2, hidden: [], outputShape: [3], head: BernoulliHead(), using: &random),
      prior: .standardNormal(2)
    ).converted(to: .float64)
  }

  static func run(_ objective: some Objective<Free>, _ model: Free, step: Int = 0) -> LossTerms {
    var context = Tiny.training(step: step)
    return objective(model, .ones([model.encoder.mean.shape[0], 3], .float64), &context)
  }

  static let means: [Double] = [1, 0, -1, 1, 0, 2, 2, 1]
  static let variances = [0.5, 0.2, 0.5, 0.4, 0.1, 0.2, 0.3, 0.4]

  struct Row: Sendable, CustomTestStringConvertible {
    let rule: any Objective<Free>
    let parts: [Double]
    let penalty: Double
    var testDescription: String { rule.summary }
  }

  /// Covariance of means [[1.25, -0.25], [-0.25, 0.5]]; mean variances 0.35 and 0.3.
  @Test(arguments: [
    Row(
      rule: DisentangledPrior<Free, DisentangledMeansDescription> {
        ($0.offDiagonal, $0.diagonal) = (1, 10)
      }, parts: [0.125, 0.3125], penalty: 3.25),
    Row(
      rule: DisentangledPrior<Free, DisentangledDrawsDescription> {
        ($0.offDiagonal, $0.diagonal) = (1, 1)
      }, parts: [0.125, 0.4], penalty: 0.525),
  ]) func covariances(row: Row) {
    let (means, variances) = (MomentObjectiveTests.means, MomentObjectiveTests.variances)
    for repeats in 1...2 {
      let model = MomentObjectiveTests.model(
        Array(repeatElement(means, count: repeats).joined()),
        Array(repeatElement(variances, count: repeats).joined()))
      let terms = MomentObjectiveTests.run(row.rule, model)
      let bound = MomentObjectiveTests.run(ELBO(), model)
      #expect(
        terms.terms.map(\.name) == ["reconstruction", "kl", "offDiagonal", "diagonal"])
      #expect(
        distance(terms.terms.suffix(2).map(\.value.item), row.parts) < 1e-14,
        "of the batch \(repeats) times")
      #expect(distance([terms.total.item - bound.total.item], [row.penalty]) < 1e-13)
    }
    let model = MomentObjectiveTests.model(means, variances)
    let error = gradientError(at: [model.encoder.mean, model.encoder.logVariance]) { inputs in
      var copy = model
      (copy.encoder.mean, copy.encoder.logVariance) = (inputs[0], inputs[1])
      return MomentObjectiveTests.run(row.rule, copy).total
    }
    #expect(error < 1e-7, "\(error)")
  }

  @Test func whitenedMeansCostNothing() {
    let model = MomentObjectiveTests.model([1, 1, -1, 1, 1, -1, -1, -1], [1, 1, 1, 1, 1, 1, 1, 1])
    let terms = MomentObjectiveTests.run(
      DisentangledPrior<Free, DisentangledMeansDescription>(), model)
    #expect(terms.terms.suffix(2).allSatisfy { $0.value.item == 0 })
  }

  /// The deviation of the batch's mean divergence, below and above; outside training from the last value.
  @Test func capacity() {
    let model = MomentObjectiveTests.model([3, 0, 0, 0], [1, 1, 1, 1])  // 4.5 and 0 nats
    let objective = ControlledCapacity<Free> {
      ($0.gamma, $0.capacity) = (10, .linear(from: 0, to: 5, steps: 10))
    }
    for (step, target) in [(0, 0.5), (3, 2), (9, 5), (1000, 5)] {
      let terms = MomentObjectiveTests.run(objective, model, step: step)
      let parts = terms.terms.map(\.value.item)
      #expect(distance([parts[1]], [2.25]) < 1e-14)
      #expect(distance([terms.total.item], [parts[0] + 10 * abs(2.25 - target)]) < 1e-13)
      let settled = (terms.afterWarmup ?? terms.total).item
      #expect(distance([settled], [parts[0] + 27.5]) < 1e-13)
      #expect((terms.afterWarmup == nil) == (target == 5))
      // d|KL - C|/dmean is +-mean / batch.
      let slope = valueAndGradient(at: model) { model in
        let terms = MomentObjectiveTests.run(objective, model, step: step)
        return terms.total - terms.terms[0].value
      }.gradients.tensors[0]?.doubles[0]
      #expect(distance([slope ?? .nan], [target < 2.25 ? 15 : -15]) < 1e-12)
    }
    var context = LayerContext(isTraining: false, random: RandomStream(seed: 3), step: 0)
    let terms = objective(model, .ones([2, 3], .float64), &context)
    #expect(distance([terms.total.item], [terms.terms[0].value.item + 27.5]) < 1e-13)
  }
}
