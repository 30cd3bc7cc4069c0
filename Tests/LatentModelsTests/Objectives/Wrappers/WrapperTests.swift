// What every wrapper promises: where it changes nothing, the objective inside is as it was, to the bit; turns, parts and
// requirements are those of the objective inside; all turns of a step see the same change.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import LatentOptimizers
import TestSupport
import Testing

@testable import LatentModels

@Suite struct WrapperTests {
  static let facts = TrainingFacts(examples: 40, inputShape: [8, 8, 1])

  /// `resnet` is the smallest one whose latents keep their place, `[4, 4, 2]`.
  static func model(_ network: String) throws -> any LatentVariableModel {
    var random = RandomStream(seed: 1)
    let description: any NetworkDescription =
      network == "resnet"
      ? ResidualNetwork(channels: [4, 4], groups: 2, latentChannels: 2)
      : MLPNetwork(hidden: [5], latentSize: 3)
    func open(_ model: some LatentVariableModel) -> any LatentVariableModel {
      model.converted(to: .float64)
    }
    return open(
      try ModelDescription(description, inputShape: [8, 8, 1], likelihood: .normal)
        .makeModel(using: &random))
  }

  static func x(_ shape: Shape = [4, 8, 8, 1]) -> Tensor { numbers(shape, 3) * 0.5 + 0.5 }

  /// Losses and derivatives of all turns of a training step, one after the other, with what is handed over.
  static func step<Model: LatentVariableModel, Rule: TrainingObjective<Model>>(
    _ rule: Rule, _ model: Model, _ x: Tensor, seed: UInt64 = 3, isTraining: Bool = true
  ) -> [[Double]] {
    var random = RandomStream(seed: 2)
    let parts = rule.makeParts(for: model, using: &random).converted(to: .float64)
    var context = LayerContext(isTraining: isTraining, random: RandomStream(seed: seed))
    return rule.turns.indices.map { turn in
      context.random = RandomStream(seed: seed).split(UInt64(turn))
      let result = valueAndGradient(at: Pair(model: model, parts: parts)) { both in
        let terms = rule.loss(of: turn, both.model, both.parts, x, &context)
        context.fields.merge(terms.handover.mapValues(\.detached)) { $1 }
        return terms.total
      }
      return [result.value.item] + result.gradients.tensors.flatMap { $0?.doubles ?? [] }
    }
  }

  /// A model and what an objective brings along, under the paths of a trainer.
  struct Pair<Model: Module, Parts: Module>: Module {
    var model: Model
    var parts: Parts
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      model.visitParameters(&visitor)
      visitor.visit(&parts, Turn.partsName)
    }
  }

  struct Idle: Sendable, CustomTestStringConvertible {
    let wrapper: any WrapperDescription
    var network = "mlp"
    var testDescription: String { type(of: wrapper).name }
  }

  /// Each wrapper with numbers that let it change nothing.
  static let idle: [Idle] = {
    var (still, whole, flat) = (
      EquivarianceDescription(), NestedDropoutDescription(), VarianceFloorDescription()
    )
    var (same, other) = (AugmentationDescription(), EquivarianceDescription())
    (still.probability, whole.probability, flat.weight, same.shift) = (0, 0, 0, 0)
    (other.probability, other.smallest, other.turns) = (1, 1, false)
    return [
      Idle(wrapper: still, network: "resnet"), Idle(wrapper: other, network: "resnet"),
      Idle(wrapper: whole), Idle(wrapper: whole, network: "resnet"), Idle(wrapper: flat),
      Idle(wrapper: same),
    ]
  }()

  /// Objectives of all kinds: draws, several draws, moments, critics, gates, successive turns, two phases.
  static let kinds = ["elbo", "iwae", "beta-tc", "factor", "aae", "rws", "rae-gp", "lagging"]

  @Test(arguments: idle, kinds + ["vae-gan"]) func identity(row: Idle, kind: String) throws {
    if kind == "vae-gan" && row.network == "resnet" { return }
    func check<Model: LatentVariableModel>(_ model: Model) throws {
      var wrapper: any WrapperDescription = row.wrapper
      wrapper.inside = try ObjectiveSettings(named: kind)
      let (plain, wrapped) = (
        try wrapper.inside.description.make(for: model, WrapperTests.facts),
        try wrapper.make(for: model, WrapperTests.facts)
      )
      func losses(_ rule: some TrainingObjective<Model>) -> [[Double]] {
        WrapperTests.step(rule, model, WrapperTests.x())
      }
      #expect(losses(plain) == losses(wrapped))
    }
    try check(WrapperTests.model(row.network))
  }

  /// Outside of training a batch is what it is.
  @Test(arguments: ["augmented", "nested-dropout", "equivariant"], ["elbo", "factor"])
  func evaluation(name: String, kind: String) throws {
    func check<Model: LatentVariableModel>(_ model: Model) throws {
      let rule = try ObjectiveSettings(chain: [name, kind]).description.make(
        for: model, WrapperTests.facts)
      let plain = try ObjectiveSettings(named: kind).description.make(
        for: model, WrapperTests.facts)
      func losses(_ rule: some TrainingObjective<Model>) -> [[Double]] {
        WrapperTests.step(rule, model, WrapperTests.x(), isTraining: false)
      }
      #expect(losses(plain) == losses(rule))
    }
    try check(WrapperTests.model(name == "equivariant" ? "resnet" : "mlp"))
  }

  /// Players, their parameters and what is compared in a batch are those inside, at any depth.
  @Test func whatIsInsideIsKept() throws {
    func check<Model: LatentVariableModel>(_ model: Model) throws {
      let chain = ["augmented", "nested-dropout", "variance-floor", "factor"]
      let rule = try ObjectiveSettings(chain: chain).description.make(
        for: model, WrapperTests.facts)
      let plain = try ObjectiveSettings(named: "factor").description.make(
        for: model, WrapperTests.facts)
      #expect(rule.turns.map(\.name) == plain.turns.map(\.name))
      #expect(rule.smallestBatch == plain.smallestBatch && rule.order == plain.order)
      func paths(_ rule: some TrainingObjective<Model>) -> [String] {
        var random = RandomStream(seed: 1)
        return rule.makeParts(for: model, using: &random).namedParameters.map(\.path)
      }
      #expect(paths(rule) == paths(plain))
      #expect(
        rule.summary.hasPrefix("augmented(flips: 0.0, shift: 2, ")
          && rule.summary.contains("inside: nested-dropout(probability: 1.0, ratio: 1.0, inside: "))
    }
    try check(WrapperTests.model("mlp"))
  }

  /// A player that comes later sees the change that the first one saw.
  @Test func turnsOfAStepSeeTheSame() throws {
    func check<Model: LatentVariableModel>(_ model: Model) throws {
      let rule = try ObjectiveSettings(chain: ["augmented", "augmented", "vae-gan"]).description
        .make(for: model, WrapperTests.facts)
      func open(_ rule: some TrainingObjective<Model>) {
        var random = RandomStream(seed: 2)
        let parts = rule.makeParts(for: model, using: &random).converted(to: .float64)
        func critic(after first: Int?) -> Double {
          var context = LayerContext(isTraining: true, random: RandomStream(seed: 5))
          if let first {
            let terms = rule.loss(of: first, model, parts, WrapperTests.x(), &context)
            // What the players made, but not what they have drawn.
            context.fields = terms.handover.filter { $0.key.hasSuffix("seed") }
          }
          #expect(context.fields.keys.allSatisfy { $0.hasSuffix("seed") })
          context.random = RandomStream(seed: 9)
          return rule.loss(of: 2, model, parts, WrapperTests.x(), &context).total.item
        }
        #expect(critic(after: 0) == critic(after: 1))
        #expect(critic(after: 0) != critic(after: nil))
      }
      open(rule)
    }
    try check(WrapperTests.model("mlp"))
  }

  /// What wrappers put among the fields is gone afterwards, and a mask is back.
  @Test(arguments: ["augmented:augmented", "variance-floor:augmented:variance-floor"])
  func fields(chain: String) throws {
    func check<Model: LatentVariableModel>(_ model: Model) throws {
      let names = chain.split(separator: ":").map(String.init) + ["elbo"]
      let rule = try ObjectiveSettings(chain: names).description.make(
        for: model, WrapperTests.facts)
      func open<Rule: TrainingObjective<Model>>(_ rule: Rule) throws {
        var random = RandomStream(seed: 2)
        let parts = rule.makeParts(for: model, using: &random)
        let mask = (numbers([4, 8, 8, 1]) .> 0)
        var context = LayerContext(
          isTraining: true, random: RandomStream(seed: 5), fields: ["mask": mask, "label": mask])
        _ = rule.loss(of: 0, model, parts, WrapperTests.x(), &context)
        #expect(Set(context.fields.keys) == ["mask", "label"])
        #expect(context.fields["mask"]?.array == mask.array)
      }
      try open(rule)
    }
    try check(WrapperTests.model("mlp"))
  }

  /// From Swift a wrapper is a line, and its model is found out.
  @Test func fromSwift() {
    let model = Tiny.model(NormalHead(.fixed(0.7)))
    func losses<Rule: TrainingObjective>(_ rule: Rule, of model: Rule.Model) -> [[Double]]
    where Rule.Model: LatentVariableModel { WrapperTests.step(rule, model, Tiny.x) }
    let nested = losses(
      NestedDropout(around: VarianceFloor(around: ELBO(beta: 4)) { $0.deviation = 2 }) {
        $0.probability = 0
      }, of: model)
    let floor = losses(VarianceFloor(around: ELBO(beta: 4)) { $0.deviation = 2 }, of: model)
    #expect(nested == floor)
    #expect(floor != losses(ELBO(beta: 4), of: model))
  }

  // MARK: Words

  @Test func chains() throws {
    var settings = try ObjectiveSettings(chain: ["augmented", "nested-dropout", "iwae"])
    #expect(settings.chain == ["augmented", "nested-dropout", "iwae"])
    #expect(try ObjectiveSettings(named: "augmented").chain == ["augmented", "elbo"])
    #expect(settings.innermost.name == "iwae")
    settings.innermost = try ObjectiveSettings(named: "factor")
    #expect(settings.chain == ["augmented", "nested-dropout", "factor"])
    let copy = try JSONDecoder().decode(
      ObjectiveSettings.self, from: JSONEncoder().encode(settings))
    #expect(copy == settings && copy.chain == settings.chain)
    var plain = ObjectiveSettings()
    plain.inside = settings
    #expect(plain.inside == nil && plain.innermost == plain)
  }

  @Test func wrongChains() throws {
    #expect {
      try ObjectiveSettings(chain: ["iwae", "elbo"])
    } throws: {
      "\($0)".hasPrefix("objective.name is 'iwae:elbo', expected only ")
        && "\($0)".hasSuffix(" before a colon")
    }
    #expect {
      try ObjectiveSettings(chain: ["augmented", "elb"])
    } throws: {
      "\($0)".hasPrefix("objective.name is 'elb', expected elbo")
    }
  }

  /// Keys are those of files, however deep.
  @Test func keysOfErrors() throws {
    var bound = ELBODescription()
    bound.samples = 0
    var settings = try ObjectiveSettings(chain: ["augmented", "nested-dropout", "elbo"])
    settings.innermost = ObjectiveSettings(bound)
    #expect {
      try settings.description.validate()
    } throws: {
      "\($0)" == "objective.inside.inside.samples is 0, expected 1 to 10000"
    }
    for (chain, key) in [
      (["two-stage", "augmented", "two-stage"], "objective.inside.name"),
      (["augmented", "two-stage", "two-stage"], "objective.inside.inside.name"),
    ] {
      #expect {
        try ObjectiveSettings(chain: chain).description.validate()
      } throws: {
        ($0 as? SettingError)?.key == key
      }
    }
  }

  struct Range: Sendable {
    let key: String
    let wrapper: any WrapperDescription

    init<Wrapper: WrapperDescription>(_ key: String, _ change: (inout Wrapper) -> Void) {
      self.key = key
      var wrapper = Wrapper()
      change(&wrapper)
      self.wrapper = wrapper
    }
  }

  static let ranges = [
    Range("probability") { (it: inout EquivarianceDescription) in it.probability = 1.1 },
    Range("smallest") { (it: inout EquivarianceDescription) in it.smallest = 0 },
    Range("probability") { (it: inout NestedDropoutDescription) in it.probability = -0.1 },
    Range("ratio") { (it: inout NestedDropoutDescription) in it.ratio = 1.5 },
    Range("deviation") { (it: inout VarianceFloorDescription) in it.deviation = 0 },
    Range("weight") { (it: inout VarianceFloorDescription) in it.weight = -1 },
    Range("flips") { (it: inout AugmentationDescription) in it.flips = 2 },
    Range("shift") { (it: inout AugmentationDescription) in it.shift = -1 },
    Range("brightness") { (it: inout AugmentationDescription) in it.brightness = 1.5 },
    Range("noise") { (it: inout AugmentationDescription) in it.noise = .nan },
    Range("stageSteps") { (it: inout TwoStageDescription) in it.stageSteps = -1 },
    Range("hidden") { (it: inout TwoStageDescription) in it.hidden = [0] },
    Range("learningRate") { (it: inout TwoStageDescription) in it.learningRate = 0 },
  ]

  @Test(arguments: ranges) func numbersOutOfRange(range: Range) {
    #expect {
      try range.wrapper.validate()
    } throws: {
      ($0 as? SettingError)?.key == "objective.\(range.key)"
    }
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    let chain: String
    var network = "mlp"
    var inputShape: Shape = [8, 8, 1]
    var posterior: any PosteriorDescription = DiagonalPosterior()
    let sentence: String
    var testDescription: String { "\(chain), \(network)" }
  }

  static let refusals = [
    Refusal(
      chain: "equivariant:elbo",
      sentence: "objective 'equivariant' needs pictures and latents in their place [height, width, "
        + "channels], as of the network 'resnet': found latents of shape [3] for data of shape [8, 8, 1]"
    ),
    Refusal(
      chain: "equivariant:nested-dropout:vae-gan", network: "resnet",
      sentence:
        "objective 'equivariant' needs an objective inside that asks only about the batch and its "
        + "reconstructions: found 'nested-dropout'"),
    Refusal(
      chain: "equivariant:augmented:elbo", network: "resnet",
      sentence:
        "objective 'equivariant' needs an objective inside that asks only about the batch and its "
        + "reconstructions: found 'augmented'"),
    Refusal(
      chain: "equivariant:ms-ssim", network: "resnet",
      sentence:
        "objective 'ms-ssim' needs pictures [height, width, channels] of 11 x 11 pixels or more: "
        + "found inputs of shape [2, 2, 1]"),
    Refusal(
      chain: "augmented:elbo", inputShape: [6],
      sentence:
        "objective 'augmented' needs pictures [height, width, channels], or flips, shift and "
        + "brightness 0: found data of shape [6]"),
    Refusal(
      chain: "nested-dropout:variance-floor:elbo", posterior: PointPosterior(),
      sentence:
        "objective 'variance-floor' needs the posterior 'diagonal' (DiagonalNormal): found Delta"),
    Refusal(
      chain: "nested-dropout:factor", posterior: PointPosterior(),
      sentence: "objective 'factor' needs a posterior with a density: found Delta"),
    Refusal(
      chain: "nested-dropout:spherical",
      sentence:
        "objective 'spherical' needs codes on a sphere (the posterior 'sphere-point'): found "
        + "DiagonalNormal with the prior StandardNormal"),
  ]

  /// What a model lacks is said by whoever lacks it.
  @Test(arguments: refusals) func requirements(row: Refusal) throws {
    var random = RandomStream(seed: 1)
    let network: any NetworkDescription =
      row.network == "resnet"
      ? ResidualNetwork(channels: [4, 4], groups: 2, latentChannels: 2)
      : MLPNetwork(hidden: [5], latentSize: 3)
    let model = try ModelDescription(
      network, inputShape: row.inputShape.dimensions, posterior: row.posterior, likelihood: .normal
    ).makeModel(using: &random)
    let chain = row.chain.split(separator: ":").map(String.init)
    let facts = TrainingFacts(examples: 40, inputShape: row.inputShape)
    func check(_ model: some LatentVariableModel) throws {
      #expect {
        try ObjectiveSettings(chain: chain).description.make(for: model, facts)
      } throws: {
        "\($0)" == row.sentence
      }
    }
    try check(model)
  }
}
