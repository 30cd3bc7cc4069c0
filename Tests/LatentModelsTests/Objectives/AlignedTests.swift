// Codes that agree with features, against PyTorch (scripts/references/features.py), exact cases, and the objective
// inside by itself.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import LatentOptimizers
import LatentTraining
import Testing

@testable import LatentModels

@Suite struct AlignedTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let places: Int
    /// Of the cosine's and the distance's cost: the value, then of the derivative by the codes the sum of squares and
    /// the product with a wave.
    let cosine, distance: [Double]
    var testDescription: String { "\(places) places" }
  }

  @Test(arguments: [
    Row(
      places: 1, cosine: [1.2830097795740998, 0.03865348352451921, -0.281179688749716],
      distance: [0.13521797331594204, 0.04390093820237415, 0.09777335669647233]),
    Row(
      places: 6, cosine: [1.2531092512238307, 0.021924868359519317, -0.5175802304414918],
      distance: [0.16290549022530923, 0.01974265835382465, 0.28365586209781946]),
  ]) func againstPyTorch(row: Row) {
    let shape: Shape = [5, row.places, 3]
    let codes = waves(shape, 11) * (waves(shape, 4) + 1)
    let features = waves(shape, 2)
    for (index, expected) in [row.cosine, row.distance].enumerated() {
      func cost(_ codes: Tensor) -> Tensor {
        let costs = Alignment()(codes, features)
        return index == 0 ? costs.cosine : costs.distance
      }
      let (value, slopes) = valueAndGradient(at: [codes]) { cost($0[0]) }
      let found = [
        value.item, square(slopes[0]).sum().item, (slopes[0] * waves(shape, 9)).sum().item,
      ]
      #expect(distance(found, expected) < 1e-9, "\(found)")
      #expect(gradientError(at: [codes]) { cost($0[0]) } < 1e-6)
    }
  }

  /// Codes that are their features cost nothing, with any margins, and neither does their length.
  @Test(arguments: [1, 4], [0, 0.3]) func codesThatAreFeatures(places: Int, margin: Double) {
    let features = waves([3, places, 5], 2)
    let alignment = Alignment(cosineMargin: margin, distanceMargin: margin)
    let costs = alignment(features, features)
    #expect(costs.cosine.item < 1e-15 && costs.distance.item == 0)
    let longer = alignment(features * 7, features)
    #expect(longer.cosine.item < 1e-15 && longer.distance.item < 1e-15)
    // Opposite directions: cosines of -1, and pairs as they were.
    let opposite = Alignment()(-features, features)
    #expect(abs(opposite.cosine.item - 1.5) < 1e-14 && opposite.distance.item == 0)
    // Codes that are nothing have no direction, and no NaN for a derivative.
    let slope = gradient(at: features.zerosLike) { Alignment()($0, features).cosine }
    #expect(slope.doubles.allSatisfy { $0.isFinite })
  }

  @Test func places() {
    let x = waves([2, 4, 6, 3], 1)
    #expect(distance(x.atPlaces(of: [5]), x.mean(axes: [1, 2]).reshaped([2, 1, 3])) < 1e-15)
    #expect(
      distance(x.atPlaces(of: [2, 3, 8]), x.averagePooled(kernel: 2).reshaped([2, 6, 3])) < 1e-15)
    #expect(x.atPlaces(of: [4, 6, 1]).array == x.reshaped([2, 24, 3]).array)
    #expect(waves([2, 3], 1).atPlaces(of: [5]).shape == [2, 1, 3])
  }

  typealias Rule = Aligned<Tiny.Model<NormalHead>, ELBO<Tiny.Model<NormalHead>>>

  /// The loss is the one inside plus the costs, by hand; weight 0 leaves the one inside to the bit.
  @Test(arguments: [0.0, 3.0]) func sums(weight: Double) {
    let model = Tiny.model(NormalHead(.fixed(1)))
    let rule = Rule(around: ELBO(beta: 2), featuresOfWidth: 5) { $0.weight = .constant(weight) }
    var random = RandomStream(seed: 4)
    var parts = rule.makeParts(for: model, using: &random)
    #expect(parts.namedParameters.map(\.path) == ["alignment.projection.weight"])
    parts.projection.weight = waves([5, 2], 3)
    var context = Tiny.training()
    context.fields["features"] = waves([4, 5], 8)
    let terms = rule.loss(of: 0, model, parts, Tiny.x, &context)
    var plain = Tiny.training()
    plain.fields["features"] = context.fields["features"]
    let inner = ELBO(beta: 2)(model, Tiny.x, &plain)
    let mean = model.encoder.head(Tiny.x).sliced(1, 0..<2)
    let costs = Alignment()(
      parts.projection(mean).expandingDimension(at: 1),
      waves([4, 5], 8).expandingDimension(at: 1))
    let expected = inner.total.item + weight * (costs.cosine.item + costs.distance.item)
    #expect(weight == 0 ? terms.total.item == expected : abs(terms.total.item - expected) < 1e-12)
    #expect(terms.terms.map(\.name) == inner.terms.map(\.name) + ["cosine", "distance"])
    #expect(terms["reconstruction"]?.item == inner["reconstruction"]?.item, "the same noise")
    #expect(rule.summary.contains("features: batch:5") && rule.summary.contains("inside: ELBO"))
  }

  /// Every gradient: the encoder's and the projection's.
  @Test func derivatives() {
    let model = Tiny.model(NormalHead(.fixed(1)))
    let rule = Rule(around: ELBO(), featuresOfWidth: 5) { $0.weight = 3 }
    var random = RandomStream(seed: 4)
    var parts = rule.makeParts(for: model, using: &random)
    let error = gradientError(at: model.encoder.parameters + [waves([5, 2], 3)]) { parameters in
      var copy = model
      copy.encoder.setParameters(Array(parameters.dropLast()))
      parts.projection.weight = parameters[parameters.count - 1]
      var context = Tiny.training()
      context.fields["features"] = waves([4, 5], 8)
      return rule.loss(of: 0, copy, parts, Tiny.x, &context).total
    }
    #expect(error < 1e-6, "\(error)")
  }

  /// The projection learns, what is looked through does not; codes come nearer to the features.
  @Test func training() throws {
    let model = Tiny.model(NormalHead(.fixed(1))).converted(to: .float32)
    var random = RandomStream(seed: 6)
    let network = MLPEncoder(inputShape: [3], hidden: [6], latentSize: 1, using: &random)
    let rule = Rule(around: ELBO(), through: network) { $0.weight = 5 }
    var trainer = Trainer(model, objective: rule, optimizer: Adam(learningRate: 1e-2), seed: 1)
    let before = trainer.parts
    let x = Tiny.x.converted(to: .float32)
    let reports = try (0..<60).map { _ in try trainer.step(x) }
    func cosine(_ report: StepReport) -> Double {
      report.terms.first { $0.name == "cosine" }?.value ?? .nan
    }
    #expect(cosine(reports[59]) < 0.5 * cosine(reports[0]), "\(cosine(reports[59]))")
    let (old, new) = (before.namedParameters, trainer.parts.namedParameters)
    for (old, new) in zip(old, new) {
      let isTrained = old.path == "alignment.projection.weight"
      #expect(old.isTrained == isTrained && (old.tensor.array != new.tensor.array) == isTrained)
    }
  }

  // MARK: In words

  @Test func words() throws {
    var random = RandomStream(seed: 1)
    let dense = try ModelDescription(MLPNetwork(hidden: [4]), inputShape: [16, 16, 1])
      .makeModel(using: &random)
    let places = try ModelDescription(
      ResidualNetwork(channels: [4, 8], groups: 2, latentChannels: 2), inputShape: [16, 16, 1]
    ).makeModel(using: &random)
    let facts = TrainingFacts(examples: 9, inputShape: [16, 16, 1])
    func error(
      _ model: any LatentVariableModel, _ change: (inout AlignedDescription) -> Void = { _ in }
    ) -> String {
      var settings = AlignedDescription()
      change(&settings)
      do {
        try settings.validate()
        _ = try settings.make(for: model, facts)
        return ""
      } catch { return "\(error)" }
    }
    #expect(error(dense) == "" && error(dense) { $0.features = "batch:7" } == "")
    #expect(error(dense) { $0.inside = ObjectiveSettings(FactorVAEDescription()) } == "")
    // Codes of 8 x 8 places: the first of the random network's layers, 8 x 8 and 4 x 4, has as many.
    #expect(error(places) == "")
    #expect(
      error(places) { $0.layer = "convolutions.1" }
        == "objective.layer is 'convolutions.1', expected a layer with places for codes of shape "
        + "[8, 8, 2]: there are convolutions.0")
    #expect(
      error(dense) { $0.layer = "x" }.hasPrefix("objective.layer is 'x', expected layers of "))
    #expect(error(dense) { $0.features = "batch:0" }.hasPrefix("objective.features is 'batch:0'"))
    #expect(
      error(dense) { $0.inside = ObjectiveSettings(AlignedDescription()) }.contains("aligned"))
  }
}
