// Any objective, for the adapters of a model (Hu et al. 2021). It sees the merged model, which has the type
// that it was made for, and the derivatives of its loss go on to the factors.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// An objective that trains the adapters of a model in place of the model.
///
/// ```swift
/// var trainer = Trainer(
///   adapted, objective: try AdaptedObjective(ELBO(), of: adapted), optimizer: Adam(), seed: 1)
/// ```
public struct AdaptedObjective<Rule: TrainingObjective>: TrainingObjective {
  /// What is minimised.
  public let rule: Rule
  /// The rule, and the numbers of the adapters.
  public let summary: String

  /// `rule` for the adapters of `model`.
  /// - Throws: `ModelRequirementError` where a player of the rule would have nothing to move, because
  ///   nothing of its part of the model is adapted, and of rules that change weights themselves.
  public init(_ rule: Rule, of model: Adapted<Rule.Model>) throws {
    self.rule = rule
    let adapted = model.adapters.map(\.path)
    summary =
      "\(rule.summary), adapters(rank: \(model.rank), scale: \(model.scale), weights: \(adapted.count))"
    if rule.settlesParameters {
      throw ModelRequirementError(
        purpose: "\(rule.summary)", found: "adapters beside them",
        expected: "weights that it can change after each step")
    }
    var random = RandomStream(seed: 0)
    let paths =
      model.namedParameters.filter(\.isTrained).map(\.path)
      + rule.makeParts(for: model.base, using: &random).namedParameters.filter(\.isTrained)
      .map { "\(Turn.partsName).\($0.path)" }
    for turn in rule.turns where !paths.contains(where: turn.parameters.match) {
      throw ModelRequirementError(
        purpose: "the player \(turn.name)",
        found: "adapters of \(adapted.joined(separator: ", "))",
        expected: "an adapter of \(turn.parameters.map(\.description).joined(separator: " or "))")
    }
  }

  public func makeParts(
    for model: Adapted<Rule.Model>, using random: inout RandomStream
  ) -> Rule.Parts {
    rule.makeParts(for: model.merged, using: &random)
  }

  public var turns: [Turn] { rule.turns }
  public var order: TurnOrder { rule.order }
  public var smallestBatch: Int { rule.smallestBatch }

  public func isDue(_ turn: Int, step: Int, _ parts: Rule.Parts) -> Bool {
    rule.isDue(turn, step: step, parts)
  }

  public func loss(
    of turn: Int, _ model: Adapted<Rule.Model>, _ parts: Rule.Parts, _ x: Tensor,
    _ context: inout LayerContext
  ) -> LossTerms {
    rule.loss(of: turn, model.merged, parts, x, &context)
  }
}
