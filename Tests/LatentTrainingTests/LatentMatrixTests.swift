// Everything with everything: each posterior with each prior, likelihood and objective is either refused in one
// sentence before anything is computed, or trains. Objectives take turns with the likelihoods, so that each meets all of
// them somewhere; with LATENT_CAMPAIGNS=1 every combination is trained.

import Foundation
import Latent
import Testing

@Suite struct LatentMatrixTests {
  struct Ends: Sendable, Equatable, CustomTestStringConvertible {
    let posterior: String
    let prior: String
    var testDescription: String { "\(posterior), \(prior)" }
  }

  /// The data have no labels: priors that need them are refused before a model is made.
  static let ends = PosteriorSettings.all.flatMap { posterior in
    PriorSettings.all.filter { $0.init().fields.isEmpty }.map {
      Ends(posterior: posterior.name, prior: $0.name)
    }
  }

  static let shape = [4, 4, 1]
  static let likelihoods: [ModelDescription.Likelihood] = [
    .bernoulli, .continuousBernoulli, .normal, .unitNormal,
  ]

  /// Two bright pixels of sixteen, at one of four places.
  static let data: ArrayDataset = {
    let pixels = (0..<32).flatMap { example in
      (0..<16).map { $0 / 2 == example % 4 * 2 ? Float(0.9) : 0.1 }
    }
    return ArrayDataset(inputs: NDArray(pixels).reshaped([32] + Shape(shape)), name: "pairs")
  }()

  /// Standard settings are for models a thousand times as large: widths, components and code books shrink.
  static func shrunk<Settings: Codable>(_ settings: Settings) throws -> Settings {
    func smaller(_ value: Any) -> Any {
      switch value {
      case let keys as [String: Any]: return keys.mapValues(smaller)
      case let items as [Any]: return items.map(smaller)
      case let number as NSNumber:
        let isWhole = number.doubleValue == number.doubleValue.rounded()
        return isWhole && number.doubleValue >= 32 && number.doubleValue < 5000 ? 8 : value
      default: return value
      }
    }
    let whole = try JSONSerialization.jsonObject(with: JSONEncoder().encode(settings))
    return try JSONDecoder().decode(
      Settings.self, from: JSONSerialization.data(withJSONObject: smaller(whole)))
  }

  @Test(arguments: ends) func trainsOrIsRefused(_ ends: Ends) throws {
    let posterior = try LatentMatrixTests.shrunk(PosteriorSettings(named: ends.posterior))
    let prior = try LatentMatrixTests.shrunk(PriorSettings(named: ends.prior))
    for likelihood in LatentMatrixTests.likelihoods {
      var description = ModelDescription(
        MLPNetwork(hidden: [12], latentSize: 8), inputShape: LatentMatrixTests.shape,
        posterior: posterior.description, likelihood: likelihood)
      description.prior = prior
      do {
        try description.validate()
      } catch let error as ModelDescriptionError {
        #expect(!error.expected.contains("\n"))
        continue
      }
      #expect(posterior.description.space == prior.description.space)
      var random = RandomStream(seed: 1)
      let model = try description.makeModel(using: &random)
      for (index, type) in ObjectiveSettings.all.enumerated() where isTurn(index, likelihood, ends)
      {
        var objective = try ObjectiveLawTests.withSmallCritics(ObjectiveSettings(type.init()))
        // Evaluation looks at the capacity that comes much later than the steps of a test.
        if var capacity = objective.description as? CapacityDescription {
          capacity.capacity = 0
          objective = ObjectiveSettings(capacity)
        }
        try train(model, objective, "\(description), \(type.name)")
      }
    }
  }

  /// Whether an objective is trained with a likelihood at these ends.
  private func isTurn(
    _ objective: Int, _ likelihood: ModelDescription.Likelihood, _ ends: Ends
  ) -> Bool {
    if ProcessInfo.processInfo.environment["LATENT_CAMPAIGNS"] != nil { return true }
    let place = LatentMatrixTests.ends.firstIndex { $0 == ends } ?? 0
    let all = LatentMatrixTests.likelihoods
    return all[(objective + place) % all.count] == likelihood
  }

  private func train<Model: LatentVariableModel>(
    _ model: Model, _ objective: ObjectiveSettings, _ name: String
  ) throws {
    let facts = TrainingFacts(examples: 32, inputShape: Shape(LatentMatrixTests.shape))
    do {
      let rule = try objective.description.make(for: model, facts)
      try train(model, rule: rule, name)
    } catch let error as ModelRequirementError {
      #expect(!"\(error)".contains("\n"), "\(name)")
    } catch let error as SettingError {
      #expect(!"\(error)".contains("\n"), "\(name)")
    }
  }

  private func train<Model: LatentVariableModel, Rule: TrainingObjective<Model>>(
    _ model: Model, rule: Rule, _ name: String
  ) throws {
    let data = LatentMatrixTests.data
    var trainer = Trainer(model, objective: rule, optimizer: Adam(learningRate: 3e-3), seed: 3)
    let before = try trainer.evaluate(data, batchSize: 32)
    for step in 0..<20 {
      let start = step % 2 * 16
      let x = try data.batch(at: Array(start..<start + 16)).inputs
      #expect(try !trainer.step(Tensor(x)).wasSkipped, "\(name)")
    }
    let after = try trainer.evaluate(data, batchSize: 32)
    #expect(after.values.allSatisfy { $0.value.isFinite }, "\(name): \(after.values)")
    // What one player gains another may lose, and a prior that is made of posteriors moves when they do: the
    // distance between draws of both is none of a step of the encoder alone.
    let isMoving =
      name.contains(", vamp, ")
      && ["info", "wae-mmd", "sliced-wae"].contains { name.hasSuffix($0) }
    if rule.turns.count == 1 && !isMoving { #expect(after.loss < before.loss, "\(name)") }
  }
}
