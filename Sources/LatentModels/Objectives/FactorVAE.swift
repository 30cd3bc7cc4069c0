// FactorVAE (Kim and Mnih 2018): the total correlation of the aggregate posterior, a divergence between two
// densities that nobody knows, by the ratio that a critic learns of them.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The evidence lower bound less `gamma` times the total correlation of the codes (Kim and Mnih 2018,
/// equation 2 and algorithm 2), in nats per example.
///
/// A batch is two: the model moves on the first half (the larger one of an odd batch), and the second half,
/// each latent in an order of its own, shows the critic what codes without correlation are like. A
/// single example stands for both. The critic has two logits; `total correlation` is their
/// difference at the codes and may be negative, as estimates may. Both players move along losses of
/// the same parameters. Outside training the loss is that of the whole batch.
public struct FactorVAE<Model: LatentVariableModel>: DescribedObjective
where Model.Posterior: ReparameterizedDistribution {
  public let settings: FactorVAEDescription

  public init(_ settings: FactorVAEDescription) { self.settings = settings }

  public var turns: [Turn] {
    [
      Turn("model", moves: Turn.modelParts),
      .critic(learningRate: settings.criticLearningRate, beta2: 0.9),
    ]
  }

  public func makeParts(
    for model: Model, using random: inout RandomStream
  ) -> CriticParts<CodeCritic> {
    CriticParts(
      critic: CodeCritic(
        model.latentShape, hidden: settings.criticHidden, outputs: 2, using: &random))
  }

  public func loss(
    of turn: Int, _ model: Model, _ parts: CriticParts<CodeCritic>, _ x: Tensor,
    _ context: inout LayerContext
  ) -> LossTerms {
    let count = x.shape[0]
    let first = 0..<(turn == 0 && !context.isTraining ? count : count - count / 2)
    if turn == 0 {
      return context.onRows(first, of: x) { modelLoss(model, parts.critic, $0, &$1) }
    }
    let second = first.count < count ? first.count..<count : first
    func draw(_ rows: Range<Int>) -> Tensor {
      context.onRows(rows, of: x) { model.draw(of: $0, &$1).detached }
    }
    let codes = context.fields[codesField] ?? draw(first)
    return LossTerms(
      total: FactorVAE.criticLoss(
        parts.critic, codes: codes,
        permuted: permutingColumns(of: draw(second), using: &context.random)), terms: [])
  }

  private func modelLoss(
    _ model: Model, _ critic: CodeCritic, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let pass = model.variationalPass(x, &context)
    let (reconstruction, kl) = pass.means(for: Settings.purpose)
    let correlation = logRatio(critic(pass.z)).mean()
    var terms = LossTerms(
      context, weights: [settings.gamma],
      terms: [
        ("reconstruction", reconstruction), ("kl", kl), ("total correlation", correlation),
      ], klMethod: pass.divergenceMethod
    ) { reconstruction + kl + correlation.weighted($0[0]) }
    terms.handover = [codesField: pass.z]
    return terms
  }

  /// Half the cross-entropy of codes `[batch, latent]` and half that of permuted ones.
  static func criticLoss(_ critic: CodeCritic, codes: Tensor, permuted: Tensor) -> Tensor {
    let (real, fake) = critic.judge(codes, permuted)
    return discrimination(real: logRatio(real), fake: logRatio(fake))
  }
}

/// The first logit less the second, `[batch]`: what a critic thinks that log q(z) - log prod q(z_j) is.
private func logRatio(_ logits: Tensor) -> Tensor {
  logits.selecting(0, axis: 1) - logits.selecting(1, axis: 1)
}

/// What the model's turn leaves for the critic's.
private let codesField = "factor.codes"

/// Codes `[batch, latent...]` with the rows of each latent in a random order of its own, which keeps every
/// marginal and no correlation.
func permutingColumns(of z: Tensor, using random: inout RandomStream) -> Tensor {
  let flat = z.flattened(from: 1)
  let (rows, columns) = (flat.shape[0], flat.shape[1])
  var order = [Int32](repeating: 0, count: rows * columns)
  for column in 0..<columns {
    for (row, source) in random.permutation(rows).enumerated() {
      order[row * columns + column] = Int32(source)
    }
  }
  return flat.gathering(along: 0, Tensor(order, shape: flat.shape)).reshaped(z.shape)
}

extension LayerContext {
  /// `body` of some rows of x `[batch, ...]` and of every field that has as many.
  mutating func onRows<Result>(
    _ rows: Range<Int>, of x: Tensor, _ body: (Tensor, inout LayerContext) -> Result
  ) -> Result {
    if rows == 0..<x.shape[0] { return body(x, &self) }
    let fields = self.fields
    self.fields = fields.mapValues {
      $0.rank > 0 && $0.shape[0] == x.shape[0] ? $0.sliced(0, rows) : $0
    }
    defer { self.fields = fields }
    return body(x.sliced(0, rows), &self)
  }
}

extension LatentVariableModel where Posterior: ReparameterizedDistribution {
  /// A draw of the posterior of each example, `[batch, latent]`, with derivatives.
  func draw(of x: Tensor, _ context: inout LayerContext) -> Tensor {
    checkedPosterior(of: x, &context).reparameterizedSample(using: &context.random)
  }
}

/// FactorVAE in words.
public struct FactorVAEDescription: ReparameterizedObjectiveDescription {
  public static let name = "factor"
  public static let origin = Origin(
    "the bound less the total correlation that a critic sees in the codes",
    paper: "Kim and Mnih 2018", equation: "2, algorithm 2",
    test: "LatentModelsTests/FactorVAETests.swift")

  public static let requirement = "a reparameterised posterior with a density"

  /// The weight of the total correlation.
  public var gamma: WeightSchedule = 35
  /// Widths of the critic's hidden layers.
  public var criticHidden = [1000, 1000, 1000, 1000, 1000, 1000]
  /// The critic's learning rate.
  public var criticLearningRate = 1e-4

  public init() {}

  public func validate() throws {
    try check(weight: gamma, "gamma")
    try check(widths: criticHidden, "criticHidden")
    try check(learningRate: criticLearningRate, "criticLearningRate")
  }

  public func makeReparameterized<Model: ReparameterizedModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requireDivergence(of: model)
    return FactorVAE<Model>(self)
  }
}
