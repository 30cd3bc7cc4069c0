// The objectives that match codes, moments and pictures in words: what they take of models and numbers.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import TestSupport
import Testing

@Suite struct MatchingDescriptionTests {
  static let facts = TrainingFacts(examples: 40, inputShape: [12, 12, 1])

  /// Models over pictures of 12 x 12: with a diagonal normal, a point, and a Laplace posterior.
  static func model(_ posterior: String) throws -> any LatentVariableModel {
    var random = RandomStream(seed: 1)
    if posterior == "Laplace" {
      return VAE(
        encoder: LaplaceEncoder(mean: numbers([4, 2]), logScale: numbers([4, 2])),
        decoder: MLPDecoder(
          latentSize: 2, hidden: [], outputShape: [12, 12, 1], head: BernoulliHead(),
          using: &random
        ).converted(to: .float64),
        prior: .standardNormal(2))
    }
    let description = ModelDescription(
      MLPNetwork(hidden: [4], latentSize: 2), inputShape: [12, 12, 1],
      posterior: posterior == "Delta" ? PointPosterior() : DiagonalPosterior())
    func open(_ model: some LatentVariableModel) -> any LatentVariableModel {
      model.converted(to: .float64)
    }
    return open(try description.makeModel(using: &random))
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    /// What the objective says to points and to Laplace posteriors; nil where it takes them.
    var point, laplace: String?
    var testDescription: String { name }
  }

  private static let density = "a posterior with a density: found Delta"
  private static let diagonal = "the posterior 'diagonal' (DiagonalNormal): found "

  static let rows = [
    Row(name: "capacity", point: density),
    Row(name: "beta-tc", point: diagonal + "Delta", laplace: diagonal + "Laplace"),
    Row(name: "dip1", point: diagonal + "Delta", laplace: diagonal + "Laplace"),
    Row(name: "dip2", point: diagonal + "Delta", laplace: diagonal + "Laplace"),
    Row(name: "info", point: density), Row(name: "wae-mmd"), Row(name: "sliced-wae"),
    Row(name: "ae"), Row(name: "rae-l2"), Row(name: "rae-gp"), Row(name: "log-cosh"),
    Row(name: "ms-ssim"),
  ]

  /// Each is made for the models that it takes, gives finite losses and derivatives for every parameter that
  /// counts, is a function of (seed, step), and refuses the others in one sentence.
  @Test(arguments: rows, ["DiagonalNormal", "Delta", "Laplace"])
  func modelsThatAreTaken(row: Row, posterior: String) throws {
    let description = try ObjectiveSettings(named: row.name).description
    let refusal = ["Delta": row.point, "Laplace": row.laplace][posterior] ?? nil
    func check<Model: LatentVariableModel>(_ model: Model) throws {
      let objective: any TrainingObjective<Model>
      do {
        objective = try description.make(for: model, MatchingDescriptionTests.facts)
      } catch let error as ModelRequirementError {
        #expect("\(error)" == "objective '\(row.name)' needs \(refusal ?? "nothing")")
        return
      }
      #expect(refusal == nil)
      func losses<Rule: TrainingObjective>(_ rule: Rule) -> [Double] where Rule.Model == Model {
        let x = numbers([4, 12, 12, 1], 3) * 0.5 + 0.5
        return (0..<2).map { _ in
          var random = RandomStream(seed: 7)
          let parts = rule.makeParts(for: model, using: &random)
          let result = valueAndGradient(at: model) { model in
            var context = Tiny.training(step: 2)
            return rule.loss(of: 0, model, parts, x, &context).total
          }
          #expect(result.gradients.firstNonFinite == nil && result.gradients.norm > 0)
          return result.value.item
        }
      }
      let found = losses(objective)
      #expect(found[0].isFinite && found[0] == found[1])
    }
    try check(try MatchingDescriptionTests.model(posterior))
  }

  @Test(arguments: rows) func files(row: Row) throws {
    let settings = try ObjectiveSettings(named: row.name)
    try settings.description.validate()
    let data = try JSONEncoder().encode(settings)
    #expect(try JSONDecoder().decode(ObjectiveSettings.self, from: data) == settings)
  }

  struct Wrong: Sendable, CustomTestStringConvertible {
    let json, sentence: String
    var testDescription: String { json }
  }

  /// Numbers that cannot be, by the words of the error.
  @Test(arguments: [
    Wrong(
      json: #""name":"info","alpha":0.5,"lambda":0.03"#,
      sentence: "objective.lambda is 0.03, expected 0.5 or more (alpha + lambda >= 1)"),
    Wrong(
      json: #""name":"info","alpha":1.5"#,
      sentence: "objective.alpha is 1.5, expected 1 or less"),
    Wrong(
      json: #""name":"wae-mmd","scales":[]"#,
      sentence: "objective.scales is [], expected 1 to 64 positive numbers"),
    Wrong(
      json: #""name":"wae-mmd","kernel":"box""#, sentence: "'box', expected rbf, imq"),
    Wrong(
      json: #""name":"beta-tc","estimator":"exact""#,
      sentence: "'exact', expected weighted, stratified, symmetric"),
    Wrong(
      json: #""name":"dip1","diagonal":-1"#,
      sentence: "objective.diagonal is -1.0, expected 0 or more"),
    Wrong(
      json: #""name":"sliced-wae","directions":0"#,
      sentence: "objective.directions is 0, expected 1 to 10000"),
    Wrong(
      json: #""name":"ms-ssim","range":0"#,
      sentence: "objective.range is 0.0, expected a positive number"),
  ]) func wrongNumbers(wrong: Wrong) throws {
    // Files say everything: what is said here replaces the standard settings.
    let said = try #require(
      JSONSerialization.jsonObject(with: Data("{\(wrong.json)}".utf8)) as? [String: Any])
    let name = try #require(said["name"] as? String)
    let standard = try JSONEncoder().encode(try ObjectiveSettings(named: name))
    let all = try #require(JSONSerialization.jsonObject(with: standard) as? [String: Any])
    let data = try JSONSerialization.data(withJSONObject: all.merging(said) { $1 })
    do {
      try JSONDecoder().decode(ObjectiveSettings.self, from: data).description.validate()
      Issue.record("nothing was refused")
    } catch {
      #expect("\(error)".contains(wrong.sentence), "\(error)")
    }
  }

  /// Shapes and likelihoods that have no such cost.
  @Test func dataThatAreRefused() throws {
    let model = Tiny.model(BernoulliHead())
    #expect {
      _ = try StructuralSimilarityDescription().make(
        for: model, TrainingFacts(examples: 4, inputShape: [3]))
    } throws: {
      "\($0)"
        == "objective 'ms-ssim' needs pictures [height, width, channels] of 11 x 11 pixels or "
        + "more: found inputs of shape [3]"
    }
    var random = RandomStream(seed: 1)
    let text = try ModelDescription(
      GRUTextNetwork(width: 4, hidden: 5, latentSize: 3), inputShape: [6], likelihood: .categorical
    ).makeModel(using: &random)
    func make(_ model: some LatentVariableModel) throws {
      _ = try WassersteinMMDDescription().make(
        for: model, TrainingFacts(examples: 4, inputShape: [6]))
    }
    #expect {
      try make(text)
    } throws: {
      "\($0)".hasPrefix(
        "objective 'wae-mmd' needs a likelihood with a mean, or the cost 'likelihood': found")
    }
  }

  static let mistakes = [
    Mistake(
      name: "batch of 1",
      words: ["the covariance of latents over a batch of 1: expected 2 or more"]),
    Mistake(
      name: "codes",
      words: ["the discrepancy of codes [1, 2] and [1, 2]", "of 2 and more codes"]),
    Mistake(
      name: "stratified",
      words: ["stratified weights of a batch of 1: expected 2 or more examples"]),
    Mistake(name: "symmetric", words: ["symmetric weights of a batch of 1: expected 2"]),
    Mistake(name: "info", words: ["InfoVAE with alpha 0.0, lambda 0.001"]),
    Mistake(name: "small pictures", words: ["structural similarity of pictures [1, 10, 12, 1]"]),
  ]

  private static func make(_ name: String) {
    switch name {
    case "batch of 1":
      let model = Tiny.model(BernoulliHead())
      var context = Tiny.training()
      _ = DisentangledPrior(ofDraws: false, offDiagonal: 1, diagonal: 1)(
        model, Tiny.x[0..<1], &context)
    case "codes": _ = MaximumMeanDiscrepancy()(numbers([1, 2]), numbers([1, 2]))
    case "stratified": _ = AggregateEstimator.stratified.logWeights(batch: 1, examples: 3)
    case "symmetric": _ = AggregateEstimator.symmetric.logWeights(batch: 1, examples: 3)
    case "info": _ = InfoVAE<Tiny.Model<BernoulliHead>>(alpha: 0, lambda: 0.001)
    case "small pictures":
      _ = StructuralSimilarity()(.ones([1, 10, 12, 1]), .ones([1, 10, 12, 1]))
    default: break
    }
  }

  @Test(arguments: mistakes) func traps(mistake: Mistake) async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [mistake] in
      MatchingDescriptionTests.make(mistake.name)
    }
    #expect(mistake.missing(in: result?.standardErrorContent) == nil)
  }
}
