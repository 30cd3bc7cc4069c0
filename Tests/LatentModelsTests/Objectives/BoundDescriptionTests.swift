// The bounds in words: made from settings, refused where a number or the model does not fit.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import TestSupport
import Testing

@Suite struct BoundDescriptionTests {
  static let facts = TrainingFacts(examples: 4, inputShape: [3])

  struct Example: Sendable, CustomTestStringConvertible {
    let json: String
    /// What is made of it.
    let summary: String
    var testDescription: String { json }
  }

  static let examples = [
    Example(
      json: #"{"estimator":"dreg","name":"iwae","samples":3}"#,
      summary: "IWAE(draws: 3, estimator: dreg)"),
    Example(
      json: #"{"estimates":2,"estimator":"stl","name":"miwae","samples":3}"#,
      summary: "MIWAE(estimates: 2, samples: 3, estimator: stl)"),
    Example(
      json: #"{"estimates":2,"estimator":"dreg","name":"piwae","samples":3}"#,
      summary: "PIWAE(decoder: IWAE(draws: 6, estimator: pathwise), "
        + "encoder: MIWAE(estimates: 2, samples: 3, estimator: dreg))"),
    Example(
      json: #"{"beta":0.25,"estimator":"pathwise","name":"ciwae","samples":3}"#,
      summary: "CIWAE(draws: 3, beta: 0.25, estimator: pathwise)"),
    Example(
      json: #"{"alpha":-1.5,"estimator":"dreg","name":"renyi","samples":3}"#,
      summary: "RenyiBound(draws: 3, alpha: -1.5, estimator: dreg)"),
    Example(json: #"{"name":"vimco","samples":3}"#, summary: "VIMCO(samples: 3)"),
    Example(
      json: #"{"name":"rws","phase":"sleep","samples":3}"#,
      summary: "ReweightedWakeSleep(samples: 3, phase: sleep)"),
  ]

  static func settings(_ json: String) throws -> ObjectiveSettings {
    try JSONDecoder().decode(ObjectiveSettings.self, from: Data(json.utf8))
  }

  /// From settings to an objective that has a loss, and back to the same settings.
  @Test(arguments: examples) func made(example: Example) throws {
    let settings = try Self.settings(example.json)
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    #expect(String(decoding: try encoder.encode(settings), as: UTF8.self) == example.json)
    try settings.description.validate()
    try ObjectiveSettings(named: settings.name).description.validate()
    let model = Tiny.model(BernoulliHead())
    let rule = try settings.description.make(for: model, Self.facts)
    #expect(rule.summary == example.summary)
    func loss<Rule: TrainingObjective<Tiny.Model<BernoulliHead>>>(_ rule: Rule) -> LossTerms {
      var (context, random) = (Tiny.training(), RandomStream(seed: 1))
      let parts = rule.makeParts(for: model, using: &random)
      return rule.loss(of: 0, model, parts, Tiny.x, &context)
    }
    #expect(loss(rule).total.item.isFinite)
  }

  /// Points have no density to weigh; posteriors of which only draws are known serve the plain estimator.
  @Test(arguments: examples) func requirements(example: Example) throws {
    let description = try Self.settings(example.json).description
    var random = RandomStream(seed: 1)
    let decoder = Tiny.model(BernoulliHead()).decoder
    let points = VAE(
      encoder: MLPPointEncoder(inputShape: [3], hidden: [], latentSize: 2, using: &random),
      decoder: decoder, prior: .standardNormal(2))
    let name = try Self.settings(example.json).name
    let error = #expect(throws: ModelRequirementError.self) {
      try description.make(for: points, Self.facts)
    }
    #expect(
      error?.description == "objective '\(name)' needs a posterior with a density: found Delta")

    let flow = VAE(
      encoder: TrapTests.DrawsOnlyEncoder(
        base: MLPEncoder(inputShape: [3], hidden: [], latentSize: 2, using: &random)),
      decoder: decoder, prior: .standardNormal(2))
    if name == "ciwae" {
      _ = try description.make(for: flow, Self.facts)
      return
    }
    let other = #expect(throws: ModelRequirementError.self) {
      try description.make(for: flow, Self.facts)
    }
    let needs =
      ["vimco", "rws"].contains(name)
      ? "a posterior whose density is known at any value"
      : "a posterior that can be had with constant parameters (DetachableDistribution)"
    #expect(other?.expected.hasPrefix(needs) ?? false, "\(name): \(other?.description ?? "")")
  }

  /// Two players share out `encoder`, `decoder` and `prior`, and nobody moves what lies elsewhere.
  @Test(arguments: ["piwae", "rws"]) func strayParameters(name: String) throws {
    let description = try ObjectiveSettings(named: name).description
    let error = #expect(throws: ModelRequirementError.self) {
      try description.make(for: Wrapped(base: Tiny.model(BernoulliHead())), Self.facts)
    }
    #expect(
      error?.description
        == "objective '\(name)' needs a model whose parameters lie under encoder, decoder and prior: "
        + "found inner.encoder.head.weight")
  }

  struct Wrapped: ReparameterizedModel {
    var base: Tiny.Model<BernoulliHead>
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      visitor.visit(&base, "inner")
    }
    func posterior(_ x: Tensor, _ context: inout LayerContext) -> DiagonalNormal {
      base.posterior(x, &context)
    }
    func likelihood(_ z: Tensor, _ context: inout LayerContext) -> Bernoulli {
      base.likelihood(z, &context)
    }
    func prior(_ dtype: DType, _ context: inout LayerContext) -> any Distribution {
      base.prior(dtype, &context)
    }
  }

  @Test(arguments: [
    (#"{"name":"iwae","samples":0,"estimator":"dreg"}"#, "samples is 0, expected 1 to 10000"),
    (
      #"{"name":"iwae","samples":3,"estimator":"best"}"#,
      "estimator is 'best', expected pathwise, stl, dreg"
    ),
    (
      #"{"name":"miwae","estimates":0,"samples":3,"estimator":"dreg"}"#,
      "objective.estimates is 0, expected 1 to 10000"
    ),
    (
      #"{"name":"piwae","estimates":200,"samples":51,"estimator":"dreg"}"#,
      "objective.samples is 51, expected at most 50 for 200 estimates"
    ),
    (
      #"{"name":"ciwae","samples":3,"beta":1.5,"estimator":"dreg"}"#,
      "objective.beta is 1.5, expected 0 to 1"
    ),
    (#"{"name":"vimco","samples":1}"#, "objective.samples is 1, expected 2 to 10000"),
    (#"{"name":"rws","samples":1,"phase":"nap"}"#, "phase is 'nap', expected wake, sleep"),
  ]) func refused(json: String, text: String) {
    let error = #expect(throws: SettingError.self) {
      try Self.settings(json).description.validate()
    }
    #expect(error?.description.hasSuffix(text) ?? false, "\(error?.description ?? "")")
  }

  // MARK: Mistakes in programs

  static let mistakes = [
    Mistake(name: "iwae", words: ["an importance-weighted bound of 0 draws", "BoundDescription"]),
    Mistake(name: "miwae", words: ["2 importance-weighted bounds of 0 draws", "BoundDescription"]),
    Mistake(name: "ciwae", words: ["of 2 draws with beta 1.5", "BoundDescription"]),
    Mistake(name: "renyi", words: ["of 2 draws with alpha inf", "BoundDescription"]),
    Mistake(name: "vimco", words: ["VIMCO of 1 draws", "BoundDescription"]),
    Mistake(name: "rws", words: ["reweighted wake-sleep with 0 draws", "BoundDescription"]),
    Mistake(name: "order", words: ["the encoder's turn of wake-sleep comes after the decoder's"]),
    Mistake(
      name: "point",
      words: ["importance weights need the density of the posterior: found a point"]),
    Mistake(
      name: "flow", words: ["the estimator stl needs a DetachableDistribution: found DrawsOnly"]),
  ]

  static func make(_ name: String) {
    typealias Model = Tiny.Model<BernoulliHead>
    let model = Tiny.model(BernoulliHead())
    var (context, random) = (Tiny.training(), RandomStream(seed: 1))
    switch name {
    case "iwae": _ = IWAE<Model>(draws: 0)
    case "miwae": _ = MIWAE<Model>(estimates: 2, samples: 0)
    case "ciwae": _ = CIWAE<Model>(draws: 2, beta: 1.5)
    case "renyi": _ = RenyiBound<Model>(draws: 2, alpha: .infinity)
    case "vimco": _ = VIMCO<Model>(samples: 1)
    case "rws": _ = ReweightedWakeSleep<Model>(samples: 0)
    case "order":
      _ = ReweightedWakeSleep(samples: 2).loss(of: 1, model, NoParts(), Tiny.x, &context)
    case "point":
      let points = VAE(
        encoder: MLPPointEncoder(inputShape: [3], hidden: [], latentSize: 2, using: &random),
        decoder: model.decoder, prior: model.prior
      ).converted(to: .float64)
      _ = IWAE(draws: 2)(points, Tiny.x, &context)
    case "flow":
      let encoder = TrapTests.DrawsOnlyEncoder(base: model.encoder)
      let flow = VAE(encoder: encoder, decoder: model.decoder, prior: model.prior)
      _ = IWAE(draws: 2, estimator: .stl)(flow, Tiny.x, &context)
    default: break
    }
  }

  @Test(arguments: mistakes) func traps(mistake: Mistake) async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [mistake] in
      BoundDescriptionTests.make(mistake.name)
    }
    #expect(mistake.missing(in: result?.standardErrorContent) == nil)
  }
}
