// A normal for each class: the divergence in closed form where the class is known, all classes together where not.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import TestSupport
import Testing

@Suite struct HierarchicalPriorTests {
  typealias Model = VAE<FreeEncoder, MLPDecoder<BernoulliHead>, HierarchicalPrior>

  static func model() -> Model {
    var random = RandomStream(seed: 1)
    var model = VAE(
      encoder: FreeEncoder(mean: numbers([4, 2]), logVariance: numbers([4, 2], 1)),
      decoder: MLPDecoder(
        latentSize: 2, hidden: [], outputShape: [3], head: BernoulliHead(), using: &random),
      prior: HierarchicalPrior([2], classes: 3)
    ).converted(to: .float64)
    model.prior.mean = numbers([3, 2], 2)
    model.prior.logVariance = numbers([3, 2], 3)
    return model
  }

  @Test func divergenceOfLabelledData() {
    let model = HierarchicalPriorTests.model()
    let labels: [Int32] = [2, 0, 1, 2]
    var context = Tiny.training()
    context.fields["labels"] = Tensor(labels)
    let terms = ELBO()(model, Tiny.x, &context)
    #expect(terms.klMethod == .closedForm)
    let (m, v) = (model.encoder.mean.doubles, model.encoder.logVariance.doubles)
    let (pm, pv) = (model.prior.mean.doubles, model.prior.logVariance.doubles)
    var expected = 0.0
    for row in 0..<4 {
      for latent in 0..<2 {
        let (own, of) = (row * 2 + latent, Int(labels[row]) * 2 + latent)
        expected += normalKL(m[own], v[own], pm[of], pv[of]) / 4
      }
    }
    #expect(Swift.abs((terms["kl"]?.item ?? 0) - expected) < 1e-12)
  }

  /// One class is what the data have in any case, and without labels the classes are a mixture.
  @Test func withoutLabels() {
    let model = HierarchicalPriorTests.model()
    var context = LayerContext.inference
    let p = model.prior(.float64, &context).evaluable
    let z = numbers([5, 2], 7)
    let each = DiagonalNormal(mean: model.prior.mean, logVariance: model.prior.logVariance)
      .logProbability(of: z.expandingDimension(at: 1))
    #expect(distance(p.logProbability(of: z), each.logSumExp(axes: [1]) - log(3)) < 1e-12)
    var random = RandomStream(seed: 1)
    #expect(model.samplePrior(6, using: &random).shape == [6, 2])
    let labels = Tensor([Int32](repeating: 1, count: 6))
    #expect(model.samplePrior(6, fields: ["labels": labels], using: &random).shape == [6, 2])
  }

  @Test func words() throws {
    var description = HierarchicalPriorDescription()
    description.classes = 4
    #expect(description.fields == ["labels"])
    var random = RandomStream(seed: 2)
    let prior = description.makePrior(latentShape: [5], inputShape: [4], using: &random)
    #expect(
      Double(prior.parameterCount)
        == description.parameterCount(latentShape: [5], inputShape: [4]))
  }

  @Test func labelsOutsideTrap() async {
    await #expect(processExitsWith: .failure) {
      var context = LayerContext.inference
      context.fields["labels"] = Tensor([3 as Int32])
      _ = HierarchicalPriorTests.model().prior(.float64, &context)
    }
    await #expect(processExitsWith: .failure) {
      var context = Tiny.training()
      _ = HierarchicalPriorTests.model().prior(.float64, &context)
    }
  }
}
