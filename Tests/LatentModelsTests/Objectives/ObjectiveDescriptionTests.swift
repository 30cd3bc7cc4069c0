// Objectives in words: which models each takes and what it says to the others, from files and back, and numbers
// that cannot be.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import TestSupport
import Testing

@Suite struct ObjectiveDescriptionTests {
  static let facts = TrainingFacts(examples: 40, inputShape: [12, 12, 1])
  static let kinds = ["diagonal", "point", "Laplace", "draws", "text"]

  /// A model over pictures of 12 x 12 with this posterior, or one of text.
  static func model(_ kind: String) throws -> any LatentVariableModel {
    var random = RandomStream(seed: 1)
    let decoder = MLPDecoder(
      latentSize: 2, hidden: [], outputShape: [12, 12, 1], head: BernoulliHead(), using: &random
    ).converted(to: .float64)
    func described(_ description: ModelDescription) throws -> any LatentVariableModel {
      func open(_ model: some LatentVariableModel) -> any LatentVariableModel {
        model.converted(to: .float64)
      }
      return open(try description.makeModel(using: &random))
    }
    let base = MLPEncoder(inputShape: [12, 12, 1], hidden: [], latentSize: 2, using: &random)
      .converted(to: .float64)
    switch kind {
    case "Laplace":
      return VAE(
        encoder: LinearLaplaceEncoder(base: base), decoder: decoder, prior: .standardNormal(2))
    case "draws":
      return VAE(
        encoder: TrapTests.DrawsOnlyEncoder(base: base), decoder: decoder,
        prior: .standardNormal(2))
    case "text":
      return try described(
        ModelDescription(
          GRUTextNetwork(width: 4, hidden: 5, latentSize: 3), inputShape: [6],
          likelihood: .categorical))
    default:
      return try described(
        ModelDescription(
          MLPNetwork(hidden: [4], latentSize: 2), inputShape: [12, 12, 1],
          posterior: kind == "point" ? PointPosterior() : DiagonalPosterior()))
    }
  }

  struct LinearLaplaceEncoder: LatentModels.Encoder {
    var base: MLPEncoder
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      visitor.visit(&base, "base")
    }
    func callAsFunction(_ x: Tensor) -> Laplace {
      let q = base(x)
      return Laplace(mean: q.mean, logScale: q.logVariance)
    }
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    /// What the objective needs that these models lack, and what it has found.
    let refusals: [String: String]
    var testDescription: String { name }
  }

  private static func rows(_ names: [String], _ refusals: [String: String] = [:]) -> [Row] {
    names.map { Row(name: $0, refusals: refusals) }
  }

  private static let density = "a posterior with a density: found Delta"
  private static let anyValue = "a posterior whose density is known at any value: found DrawsOnly"
  private static let meanOfDraws = "a posterior with a mean: found DrawsOnly"
  private static let mean = "a likelihood with a mean: found Autoregressive"
  private static let meanOrCost =
    "a likelihood with a mean, or the cost 'likelihood': found Autoregressive"
  private static let diagonal = Dictionary(
    uniqueKeysWithValues: [("point", "Delta"), ("Laplace", "Laplace"), ("draws", "DrawsOnly")].map {
      ($0, "the posterior 'diagonal' (DiagonalNormal): found \($1)")
    })

  private static let inPlace = "pictures and latents in their place [height, width, channels]"
  private static let dictionary =
    "the network 'sparse' with a posterior that is a point, such as 'topk', and a normal likelihood"
  private static let student = "Student's t at both ends (the posterior 'student')"
  private static let onSphere = "codes on a sphere (the posterior 'sphere-point')"

  static let rows: [Row] =
    rows(["elbo", "wae-gan", "aae"])
    + rows(
      ["iwae", "miwae", "piwae", "ciwae", "renyi", "capacity", "factor", "info"],
      ["point": density])
    + rows(["vimco", "rws", "lagging"], ["point": density, "draws": anyValue])
    + rows(["beta-tc", "dip1", "dip2"], diagonal)
    + rows(["wae-mmd", "sliced-wae"], ["text": meanOrCost])
    + rows(["ae"], ["draws": meanOfDraws])
    + rows(["rae-l2", "rae-sn"], ["draws": meanOfDraws, "text": meanOrCost])
    + rows(["rae-gp"], ["draws": meanOfDraws, "text": mean])
    + rows(["log-cosh", "ms-ssim", "gan", "wgan-gp"], ["text": mean])
    + rows(["vae-gan"], ["point": density, "text": mean])
    + rows(["nested-dropout", "two-stage"]) + rows(["variance-floor"], diagonal)
    + rows(["aligned"], ["draws": meanOfDraws])
    + rows(["augmented"], ["text": "floating-point data: found data of int32"])
    + rows(["perceptual", "style"], ["text": mean])
    + rows(["equivariant"], Dictionary(uniqueKeysWithValues: kinds.map { ($0, inPlace) }))
    + rows(
      ["sparse", "matryoshka"],
      Dictionary(uniqueKeysWithValues: kinds.map { ($0, dictionary) }))
    + rows(
      ["spherical"],
      Dictionary(uniqueKeysWithValues: kinds.map { ($0, $0 == "draws" ? meanOfDraws : onSphere) }))
    + rows(["t3"], Dictionary(uniqueKeysWithValues: kinds.map { ($0, student) }))
    + rows(
      ["vq"], Dictionary(uniqueKeysWithValues: kinds.map { ($0, "codes (the posterior 'codes')") }))

  /// Each is made for the models that it takes, gives finite losses and derivatives, the same ones again, and
  /// refuses the others in one sentence.
  @Test(arguments: rows, kinds) func modelsThatAreTaken(row: Row, kind: String) throws {
    let description = try ObjectiveSettings(named: row.name).description
    func check<Model: LatentVariableModel>(_ model: Model) throws {
      let objective: any TrainingObjective<Model>
      do {
        objective = try description.make(for: model, Self.facts)
      } catch let error as ModelRequirementError {
        let wanted = "objective '\(row.name)' needs \(row.refusals[kind] ?? "nothing")"
        #expect(error.description.hasPrefix(wanted), "\(error)")
        return
      }
      #expect(row.refusals[kind] == nil)
      if kind == "text" { return }
      func losses<Rule: TrainingObjective>(_ rule: Rule) -> [Double] where Rule.Model == Model {
        let x = numbers([4, 12, 12, 1], 3) * 0.5 + 0.5
        return (0..<2).map { _ in
          var random = RandomStream(seed: 7)
          let parts = rule.makeParts(for: model, using: &random).converted(to: .float64)
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
    try check(try Self.model(kind))
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

  /// What depends on settings and shapes.
  @Test func furtherRequirements() throws {
    func needs(
      _ description: any ObjectiveDescription, _ model: any LatentVariableModel, _ shape: Shape
    ) throws -> String {
      func make(_ model: some LatentVariableModel) throws {
        _ = try description.make(for: model, TrainingFacts(examples: 4, inputShape: shape))
      }
      return "\(try #require(throws: (any Error).self) { try make(model) })"
    }
    let tiny = Tiny.model(BernoulliHead())
    #expect(
      try needs(StructuralSimilarityDescription(), tiny, [3])
        == "objective 'ms-ssim' needs pictures [height, width, channels] of 11 x 11 pixels or more: "
        + "found inputs of shape [3]")
    var bound = IWAEDescription()
    bound.estimator = .dreg
    #expect(
      try needs(bound, Self.model("draws"), [12, 12, 1])
        == "objective 'iwae' needs a posterior that can be had with constant parameters "
        + "(DetachableDistribution) for the estimator 'dreg': found DrawsOnly")
    // Small pictures have fewer layers than the settings name.
    var learned = VAEGANDescription()
    learned.featureLayer = 2
    #expect(
      try needs(learned, Tiny.model(BernoulliHead(), inputShape: [8, 8, 1]), [8, 8, 1])
        == "objective.featureLayer is 2, expected 1 to 1, the hidden layers of a critic of [8, 8, 1]"
    )
  }

  // MARK: Files

  @Test(arguments: rows) func files(row: Row) throws {
    let settings = try ObjectiveSettings(named: row.name)
    try settings.description.validate()
    #expect(settings.name == row.name)
    let data = try JSONEncoder().encode(settings)
    #expect(try JSONDecoder().decode(ObjectiveSettings.self, from: data) == settings)
  }

  @Test func everyObjectiveHasARow() {
    #expect(Set(Self.rows.map(\.name)).count == Self.rows.count)
    for type in ObjectiveSettings.all { #expect(Self.rows.contains { $0.name == type.name }) }
  }

  /// A name, its settings in the order of their keys, and the rule that is made of them, which says them all.
  @Test(arguments: [
    (
      #"{"estimates":2,"estimator":"stl","name":"miwae","samples":3}"#,
      "miwae(estimates: 2, samples: 3, estimator: stl)"
    ),
    (
      #"{"alpha":-1.5,"estimator":"dreg","name":"renyi","samples":3}"#,
      "renyi(samples: 3, alpha: -1.5, estimator: dreg)"
    ),
    (#"{"name":"rws","phase":"sleep","samples":3}"#, "rws(samples: 3, phase: sleep)"),
    (
      #"{"diagonal":2,"name":"dip2","offDiagonal":"linear(0.0, 4.0, 10)"}"#,
      "dip2(offDiagonal: linear(0.0, 4.0, 10), diagonal: 2.0)"
    ),
  ]) func summaries(json: String, summary: String) throws {
    let settings = try JSONDecoder().decode(ObjectiveSettings.self, from: Data(json.utf8))
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    #expect(String(decoding: try encoder.encode(settings), as: UTF8.self) == json)
    let model = Tiny.model(BernoulliHead())
    #expect(try settings.description.make(for: model, Self.facts).summary == summary)
  }

  /// Numbers that cannot be, by the words of the error.
  @Test(arguments: [
    (#""name":"iwae","samples":0"#, "objective.samples is 0, expected 1 to 10000"),
    (#""name":"iwae","estimator":"best""#, "estimator is 'best', expected pathwise, stl, dreg"),
    (#""name":"miwae","estimates":0"#, "objective.estimates is 0, expected 1 to 10000"),
    (
      #""name":"piwae","estimates":200,"samples":51"#,
      "objective.samples is 51, expected at most 50 for 200 estimates"
    ),
    (#""name":"ciwae","beta":1.5"#, "objective.beta is 1.5, expected 0 to 1"),
    (#""name":"vimco","samples":1"#, "objective.samples is 1, expected 2 to 10000"),
    (#""name":"rws","phase":"nap""#, "phase is 'nap', expected wake, sleep"),
    (
      #""name":"info","alpha":0.5,"lambda":0.03"#,
      "objective.lambda is 0.03, expected 0.5 or more (alpha + lambda >= 1)"
    ),
    (#""name":"info","alpha":1.5"#, "objective.alpha is 1.5, expected 1 or less"),
    (#""name":"wae-mmd","scales":[]"#, "objective.scales is [], expected 1 to 64 positive numbers"),
    (#""name":"wae-mmd","kernel":"box""#, "'box', expected rbf, imq"),
    (#""name":"beta-tc","estimator":"exact""#, "'exact', expected weighted, stratified, symmetric"),
    (#""name":"beta-tc","examples":-1"#, "objective.examples is -1, expected 0 or more"),
    (#""name":"dip1","diagonal":-1"#, "objective.diagonal is -1.0, expected 0 or more"),
    (#""name":"rae-l2","weight":-1"#, "objective.weight is -1.0, expected 0 or more"),
    (#""name":"sliced-wae","directions":0"#, "objective.directions is 0, expected 1 to 10000"),
    (#""name":"ms-ssim","range":0"#, "objective.range is 0.0, expected a positive number"),
    (#""name":"factor","gamma":-1"#, "objective.gamma is -1.0, expected 0 or more"),
    (#""name":"factor","criticHidden":[10,0]"#, "objective.criticHidden is [10, 0]"),
    (#""name":"factor","criticHidden":[1048576,1048576]"#, "objective.criticHidden is [1048576, "),
    (#""name":"wgan-gp","criticSteps":0"#, "objective.criticSteps is 0, expected 1 to 1000000"),
    (
      #""name":"wgan-gp","criticLearningRate":0"#,
      "objective.criticLearningRate is 0.0, expected more than 0"
    ),
    (
      #""name":"gan","decoderLearningRate":0"#,
      "objective.decoderLearningRate is 0.0, expected more than 0"
    ),
    (#""name":"vae-gan","featureLayer":4"#, "objective.featureLayer is 4, expected 1 to"),
    (#""name":"lagging","limit":0"#, "objective.limit is 0, expected 1 to 1000000"),
    (#""name":"sparse","deadAfter":0"#, "objective.deadAfter is 0, expected a positive number"),
    (#""name":"sparse","auxiliary":-1"#, "objective.auxiliary is -1.0, expected 0 or more"),
    (#""name":"matryoshka","levels":17"#, "objective.levels is 17, expected 1 to 16"),
    (#""name":"what""#, "objective.name is 'what', expected elbo, iwae, "),
  ]) func wrongNumbers(json: String, sentence: String) throws {
    // Files say everything: what is said here replaces the standard settings.
    let said = try #require(
      JSONSerialization.jsonObject(with: Data("{\(json)}".utf8)) as? [String: Any])
    let name = try #require(said["name"] as? String)
    let known = (try? ObjectiveSettings(named: name)) ?? ObjectiveSettings()
    let standard = try JSONEncoder().encode(known)
    let all = try #require(JSONSerialization.jsonObject(with: standard) as? [String: Any])
    let data = try JSONSerialization.data(withJSONObject: all.merging(said) { $1 })
    do {
      try JSONDecoder().decode(ObjectiveSettings.self, from: data).description.validate()
      Issue.record("nothing was refused")
    } catch {
      #expect("\(error)".contains(sentence), "\(error)")
    }
  }

  // MARK: Mistakes in programs

  static let mistakes = [
    Mistake(
      name: "setting",
      words: [
        "objective 'ciwae': objective.beta is 1.5, expected 0 to 1", "ObjectiveDescriptionTests",
      ]),
    Mistake(
      name: "examples", words: ["TotalCorrelation needs the training set's number of examples"]),
    Mistake(name: "order", words: ["the encoder's turn of wake-sleep comes after the decoder's"]),
    Mistake(
      name: "point",
      words: ["importance weights need the density of the posterior: found a point"]),
    Mistake(
      name: "flow", words: ["the estimator stl needs a DetachableDistribution: found DrawsOnly"]),
    Mistake(
      name: "batch of 1",
      words: ["the covariance of latents over a batch of 1: expected 2 or more"]),
    Mistake(
      name: "codes",
      words: ["the discrepancy of codes [1, 2] and [1, 2]", "of 2 and more codes"]),
    Mistake(
      name: "stratified",
      words: ["stratified weights of a batch of 1: expected 2 or more examples"]),
    Mistake(name: "small pictures", words: ["structural similarity of pictures [1, 10, 12, 1]"]),
  ]

  static func make(_ name: String) {
    typealias Model = Tiny.Model<BernoulliHead>
    let model = Tiny.model(BernoulliHead())
    var context = Tiny.training()
    switch name {
    case "setting": _ = CIWAE<Model> { $0.beta = 1.5 }
    case "examples": _ = TotalCorrelation<Model> { $0.beta = 2 }
    case "order":
      _ = ReweightedWakeSleep<Model>().loss(of: 1, model, NoParts(), Tiny.x, &context)
    case "point":
      _ = IWAE { $0.samples = 2 }(CodeDistanceTests.point, Tiny.x, &context)
    case "flow":
      let encoder = TrapTests.DrawsOnlyEncoder(base: model.encoder)
      let flow = VAE(encoder: encoder, decoder: model.decoder, prior: model.prior)
      _ = IWAE { ($0.samples, $0.estimator) = (2, .stl) }(flow, Tiny.x, &context)
    case "batch of 1":
      _ = DisentangledPrior<_, DisentangledMeansDescription>()(model, Tiny.x[0..<1], &context)
    case "codes": _ = MaximumMeanDiscrepancy()(numbers([1, 2]), numbers([1, 2]))
    case "stratified": _ = AggregateEstimator.stratified.logWeights(batch: 1, examples: 3)
    case "small pictures":
      _ = StructuralSimilarity()(.ones([1, 10, 12, 1]), .ones([1, 10, 12, 1]))
    default: break
    }
  }

  @Test(arguments: mistakes) func traps(mistake: Mistake) async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [mistake] in
      ObjectiveDescriptionTests.make(mistake.name)
    }
    #expect(mistake.missing(in: result?.standardErrorContent) == nil)
  }
}
