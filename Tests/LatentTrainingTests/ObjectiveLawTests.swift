// What every objective promises, whoever it is: it trains what it says it can train, to finite numbers and
// mostly downhill; it resumes to the same bits; threads change none.

import Foundation
import Latent
import Testing

@Suite(.serialized) struct ObjectiveLawTests {
  struct Combination: Sendable, CustomTestStringConvertible {
    let objective: String
    let network: String
    let likelihood: ModelDescription.Likelihood
    var testDescription: String { "\(objective), \(network), \(likelihood.rawValue)" }
  }

  /// Wrappers in wrappers, and around rules of several players.
  static let chains = [
    "augmented:nested-dropout:factor", "nested-dropout:variance-floor:rws", "two-stage:vae-gan",
    "augmented:two-stage:aae", "nested-dropout:wgan-gp", "variance-floor:iwae",
    "equivariant:nested-dropout:elbo", "augmented:equivariant:beta-tc", "nested-dropout:spherical",
  ]

  static let combinations = (ObjectiveSettings.all.map { $0.name } + chains).flatMap { objective in
    let isSparse = sparse.contains(objective)
    let networks =
      isSparse ? ["sparse"] : objective.contains("equivariant") ? ["resnet"] : ["mlp", "conv"]
    return networks.flatMap { network in
      [isSparse ? ModelDescription.Likelihood.unitNormal : .bernoulli, .normal].map {
        Combination(objective: objective, network: network, likelihood: $0)
      }
    }
  }

  /// Rules for codes of few active latents.
  static let sparse = [SparseDescription.name, MatryoshkaDescription.name]

  static let shape = [16, 16, 1]
  static let count = 64

  /// Bright squares at random places.
  static let data: ArrayDataset = {
    var random = RandomStream(seed: 5)
    let corners = random.uniform([count, 2]).floats.map { Int($0 * 11) }
    let pixels = (0..<count).flatMap { example in
      (0..<256).map { pixel in
        let (row, column) = (
          pixel / 16 - corners[2 * example], pixel % 16 - corners[2 * example + 1]
        )
        return (0..<5).contains(row) && (0..<5).contains(column) ? Float(0.9) : 0.1
      }
    }
    return ArrayDataset(inputs: NDArray(pixels).reshaped([count] + Shape(shape)), name: "squares")
  }()

  /// The model of a combination, with the posterior that the objective asks for.
  static func model(_ combination: Combination) throws -> any LatentVariableModel {
    let network: any NetworkDescription =
      switch combination.network {
      case "mlp": MLPNetwork(hidden: [24], latentSize: 4)
      case "conv": ConvNetwork(channels: [4, 6], hidden: 16, latentSize: 4)
      case "sparse": SparseNetwork(latentSize: 48)
      default: ResidualNetwork(channels: [4, 8], groups: 2, latentChannels: 2)
      }
    var random = RandomStream(seed: 1)
    let posterior: any PosteriorDescription
    switch String(combination.objective.split(separator: ":").last ?? "") {
    case SphericalDescription.name: posterior = SpherePointPosterior()
    case VectorQuantizationDescription.name: posterior = CodesPosterior()
    case T3Description.name:
      var student = StudentPosterior()
      student.degreesOfFreedom += Double(shape.reduce(1, *))
      posterior = student
    default:
      posterior = combination.network == "sparse" ? TopKPosterior() : DiagonalPosterior()
    }
    return try ModelDescription(
      network, inputShape: shape, posterior: posterior, likelihood: combination.likelihood
    ).makeModel(using: &random)
  }

  @Test(arguments: combinations) func trainsAndResumes(_ combination: Combination) throws {
    let names = combination.objective.split(separator: ":").map(String.init)
    let settings = try ObjectiveSettings(chain: names)
    try settings.description.validate()
    let small = try ObjectiveLawTests.withSmallCritics(settings)
    try check(ObjectiveLawTests.model(combination), small)
  }

  /// The standard critics have a hundred times the weights of these models.
  static func withSmallCritics(_ settings: ObjectiveSettings) throws -> ObjectiveSettings {
    func smaller(_ value: Any) -> Any {
      guard var keys = value as? [String: Any] else { return value }
      for (key, widths) in [("criticHidden", [12, 8]), ("criticChannels", [3, 4])]
      where keys[key] != nil {
        keys[key] = widths
      }
      return keys.mapValues(smaller)
    }
    let whole = try JSONSerialization.jsonObject(with: JSONEncoder().encode(settings))
    return try JSONDecoder().decode(
      ObjectiveSettings.self, from: JSONSerialization.data(withJSONObject: smaller(whole)))
  }

  func check<Model: LatentVariableModel>(
    _ model: Model, _ settings: ObjectiveSettings
  ) throws {
    let facts = TrainingFacts(
      examples: ObjectiveLawTests.count, inputShape: Shape(ObjectiveLawTests.shape))
    try check(
      model, rule: settings.description.make(for: model, facts),
      isWrapped: settings.inside != nil)
  }

  private func check<Model: LatentVariableModel, Rule: TrainingObjective<Model>>(
    _ model: Model, rule: Rule, isWrapped: Bool
  ) throws {
    let before = Threads.count
    defer { Threads.count = before }
    let data = ObjectiveLawTests.data
    func trainer() -> Trainer<Model, Rule> {
      Trainer(model, objective: rule, optimizer: Adam(learningRate: 3e-3), seed: 3)
    }
    func run(_ trainer: inout Trainer<Model, Rule>, _ steps: Range<Int>) throws -> [StepReport] {
      try steps.map { step in
        let start = step % 4 * 16
        let x = try data.batch(at: Array(start..<start + 16)).inputs
        return try trainer.step(Tensor(x))
      }
    }
    Threads.count = 1
    var whole = trainer()
    let untrained = try whole.evaluate(data, batchSize: 16)
    var reports = try run(&whole, 0..<11)
    let middle = try whole.checkpoint()
    reports += try run(&whole, 11..<20)
    let trained = try whole.evaluate(data, batchSize: 16)
    let bytes = try whole.bytes
    #expect(trained.values.allSatisfy { $0.value.isFinite }, "\(trained.values)")
    #expect(reports.allSatisfy { !$0.wasSkipped })
    // What one player gains another may lose.
    if isWrapped && rule.turns.count == 1 {
      // What a wrapper draws changes what the losses of steps are losses of.
      #expect(trained.loss < untrained.loss)
    } else if rule.turns.count == 1 {
      let losses = reports.map(\.loss)
      let (first, last) = (losses.prefix(4).reduce(0, +), losses.suffix(4).reduce(0, +))
      #expect(last < first, "\(losses)")
    }
    Threads.count = 2
    var resumed = trainer()
    #expect(try resumed.resume(from: middle).isEmpty)
    _ = try run(&resumed, 11..<20)
    #expect(try resumed.bytes == bytes, "resumed, with another number of threads")
  }

  /// Latents without a place are refused by those who move them.
  @Test(arguments: ["mlp", "conv"]) func latentsInTheirPlace(network: String) throws {
    let facts = TrainingFacts(examples: 64, inputShape: Shape(ObjectiveLawTests.shape))
    let model = try ObjectiveLawTests.model(
      Combination(objective: "equivariant", network: network, likelihood: .normal))
    func check(_ model: some LatentVariableModel) {
      #expect {
        try EquivarianceDescription().make(for: model, facts)
      } throws: {
        "\($0)".hasPrefix("objective 'equivariant' needs pictures and latents in their place ")
      }
    }
    check(model)
  }

  /// A model without a density is refused by name, before anything is computed.
  @Test func requirements() throws {
    var random = RandomStream(seed: 1)
    let model = try ModelDescription(
      MLPNetwork(hidden: [4], latentSize: 2), inputShape: [6], posterior: PointPosterior()
    ).makeModel(using: &random)
    let facts = TrainingFacts(examples: 64, inputShape: [6])
    for type in ObjectiveSettings.all {
      do {
        _ = try type.init().make(for: model, facts)
      } catch let error as ModelRequirementError {
        #expect(error.description.hasPrefix("objective '\(type.name)' needs "), "\(error)")
      }
    }
  }
}
