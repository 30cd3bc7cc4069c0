// FactorVAE against PyTorch (../shared/fixtures/README.md), exact total correlations, and what each player may
// not do.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import LatentOptimizers
import LatentStorage
import Testing

@testable import LatentModels

/// Any encoder to a diagonal normal, with the noise of the batch's field `eps`.
struct FieldNoiseEncoder<Base: LatentModels.Encoder>: LatentModels.Encoder
where Base.Posterior == DiagonalNormal {
  var base: Base
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    base.visitParameters(&visitor)
  }
  func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> FixedNoise {
    let q = base(x, &context)
    return FixedNoise(base: q, noise: context.fields["eps"] ?? q.mean.zerosLike)
  }
}

/// Codes are the data.
struct IdentityEncoder: LatentModels.Encoder {
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  func callAsFunction(_ x: Tensor) -> DiagonalNormal {
    DiagonalNormal(mean: x, logVariance: x.zerosLike)
  }
}

@Suite struct FactorVAETests {
  typealias Model = VAE<
    FieldNoiseEncoder<IdentityEncoder>, MLPDecoder<NormalHead>, StandardNormalPrior
  >

  /// Codes are the data, of two numbers.
  static func model() -> Model {
    var random = RandomStream(seed: 1)
    return VAE(
      encoder: FieldNoiseEncoder(base: IdentityEncoder()),
      decoder: MLPDecoder(
        latentSize: 2, hidden: [], outputShape: [2], head: NormalHead(.fixed(1)), using: &random),
      prior: .standardNormal(2)
    ).converted(to: .float64)
  }

  static func parts(_ rule: FactorVAE<Model>) -> CriticParts<CodeCritic> {
    var random = RandomStream(seed: 2)
    return rule.makeParts(for: model(), using: &random).converted(to: .float64)
  }

  /// Codes of two bits, equal with probability 3/4: the optimal critic is known, and with it the total
  /// correlation is exact, 3/4 log 3/2 + 1/4 log 1/2, and the critic has nothing to learn.
  @Test func theOptimalCritic() {
    let rule = FactorVAE<Model> { ($0.gamma, $0.criticHidden) = (2, [2]) }
    var parts = FactorVAETests.parts(rule)
    // leaky(a - b) + leaky(b - a) = 0.8 |a - b|.
    let gap = (log(0.5) - log(1.5)) / 0.8
    parts.critic.layers[0] = Linear(
      weight: Tensor([1, -1, -1, 1] as [Double], shape: [2, 2]),
      bias: Tensor.zeros([2], .float64))
    parts.critic.layers[1] = Linear(
      weight: Tensor([gap, gap, 0, 0], shape: [2, 2]),
      bias: Tensor([log(1.5), 0] as [Double]))
    let codes = Tensor(
      [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0] as [Double], shape: [8, 2])
    let uniform = Tensor(
      [0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 1] as [Double], shape: [8, 2])
    var context = LayerContext.inference
    let terms = rule.loss(of: 0, FactorVAETests.model(), parts, codes, &context)
    let exact = 0.75 * log(1.5) + 0.25 * log(0.5)
    #expect(abs((terms["total correlation"]?.item ?? 0) - exact) < 1e-15)
    #expect(terms.terms.map(\.name) == ["reconstruction", "kl", "total correlation"])
    let total = terms.terms[0].value.item + terms.terms[1].value.item + 2 * exact
    #expect(abs(terms.total.item - total) < 1e-12)
    let slopes = valueAndGradient(at: parts.critic) {
      FactorVAE<Model>.criticLoss($0, codes: codes, permuted: uniform)
    }.gradients
    #expect(slopes.norm < 1e-15)
  }

  @Test func aCriticOfZeros() {
    let rule = FactorVAE<Model> { $0.criticHidden = [3] }
    var parts = FactorVAETests.parts(rule)
    parts.critic.setParameters(parts.critic.parameters.map(\.zerosLike))
    for isTraining in [false, true] {
      var context = LayerContext(isTraining: isTraining, random: RandomStream(seed: 3))
      let (model, x) = (FactorVAETests.model(), waves([5, 2], 1))
      let terms = rule.loss(of: 0, model, parts, x, &context)
      #expect(terms["total correlation"]?.item == 0)
      let loss = rule.loss(of: 1, model, parts, x, &context).total.item
      #expect(abs(loss - log(2)) < 1e-15)
    }
  }

  /// Columns keep their values, rows do not; one row stays.
  @Test func permutationsKeepMarginals() {
    var random = RandomStream(seed: 4)
    let z = waves([50, 4], 2)
    let permuted = permutingColumns(of: z, using: &random)
    func columns(_ z: Tensor) -> [[Double]] { (0..<4).map { z.selecting($0, axis: 1).doubles } }
    #expect(columns(permuted).map { $0.sorted() } == columns(z).map { $0.sorted() })
    let orders = zip(columns(permuted), columns(z)).map { new, old in
      new.map { old.firstIndex(of: $0) ?? -1 }
    }
    #expect(Set(orders).count == 4)
    let one = waves([1, 4], 2)
    #expect(permutingColumns(of: one, using: &random).doubles == one.doubles)
    let place = waves([6, 2, 3], 2)
    #expect(permutingColumns(of: place, using: &random).shape == place.shape)
  }

  /// The critic's other codes are those of the second half, wherever the model's are from; fields go with
  /// their rows; one example stands for both halves.
  @Test(arguments: [8, 7, 2, 1]) func theSecondHalfIsAnother(count: Int) {
    let rule = FactorVAE<Model> { $0.criticHidden = [3] }
    let (model, parts) = (FactorVAETests.model(), FactorVAETests.parts(rule))
    let first = count - count / 2
    var numbers = waves([count, 2], 1).doubles
    // Equal rows in the second half: their order does not matter.
    for index in (2 * first)..<max(2 * first, 2 * count) { numbers[index] = 0.5 }
    let x = Tensor(numbers, shape: [count, 2])
    let eps = waves([count, 2], 3) * 0.1
    var shifted = eps.doubles
    for index in (2 * first)..<max(2 * first, 2 * count) { shifted[index] = 0.25 }
    let noise = Tensor(shifted, shape: [count, 2])
    var context = LayerContext(
      isTraining: true, random: RandomStream(seed: 3), fields: ["eps": noise, "other": .ones([3])])
    let terms = rule.loss(of: 0, model, parts, x, &context)
    let codes = (x + noise).sliced(0, 0..<first)
    #expect(terms.handover.values.first?.doubles == codes.doubles)
    let permuted =
      count == 1 ? codes : (x + noise).sliced(0, first..<count)
    let expected = FactorVAE<Model>.criticLoss(parts.critic, codes: codes, permuted: permuted)
    // With the codes handed over and without them.
    for fields in [terms.handover, [:]] {
      var context = context
      context.fields.merge(fields) { _, new in new }
      let found = rule.loss(of: 1, model, parts, x, &context).total.item
      #expect(abs(found - expected.item) < 1e-15)
      #expect(context.fields["eps"]?.shape == [count, 2])
    }
  }

  /// Outside training the whole batch counts, with the last weight.
  @Test func validation() {
    let rule = FactorVAE<Model> {
      ($0.gamma, $0.criticHidden) = (.linear(from: 0, to: 4, steps: 10), [3])
    }
    let (model, parts) = (FactorVAETests.model(), FactorVAETests.parts(rule))
    let x = waves([6, 2], 1)
    func terms(_ x: Tensor, isTraining: Bool) -> LossTerms {
      var context = LayerContext(isTraining: isTraining, random: RandomStream(seed: 3))
      return rule.loss(of: 0, model, parts, x, &context)
    }
    let whole = terms(x, isTraining: false)
    let half = terms(x.sliced(0, 0..<3), isTraining: false)
    let training = terms(x, isTraining: true)
    #expect(training["kl"]?.item == half["kl"]?.item && whole["kl"]?.item != half["kl"]?.item)
    #expect(abs((training.afterWarmup?.item ?? 0) - half.total.item) < 1e-14)
    #expect(training.total.item != half.total.item && whole.afterWarmup == nil)
  }

  // MARK: Against PyTorch

  static let path = fixtureFolder.appending(path: "zoo-factor-tiny.h5").path

  @Test(.enabled(if: FileManager.default.fileExists(atPath: path), "no fixtures"))
  func fixture() throws {
    typealias Model = VAE<
      FieldNoiseEncoder<MLPEncoder>, MLPDecoder<BernoulliHead>, StandardNormalPrior
    >
    let file = try HDF5File(path: FactorVAETests.path)
    func stored(_ name: String) throws -> Tensor { Tensor(try file.array(name)) }
    var random = RandomStream(seed: 1)
    var model = VAE(
      encoder: FieldNoiseEncoder(
        base: MLPEncoder(inputShape: [64], hidden: [12], latentSize: 3, using: &random)),
      decoder: MLPDecoder(
        latentSize: 3, hidden: [12], outputShape: [64], head: BernoulliHead(), using: &random),
      prior: .standardNormal(3)
    ).converted(to: .float64)
    let rule = FactorVAE<Model> {
      ($0.gamma, $0.criticHidden, $0.criticLearningRate) = (35, [10, 10, 10, 10, 10, 10], 1e-4)
    }
    var parts = rule.makeParts(for: model, using: &random).converted(to: .float64)

    /// Our arrays of one kind, in visiting order: the head of the encoder is two layers of theirs.
    func ours(_ kind: String) throws -> (model: [Tensor], critic: [Tensor]) {
      func layers(_ names: [[String]]) throws -> [Tensor] {
        try names.flatMap { names in
          try ["weight", "bias"].map { end in
            Tensor.concatenate(try names.map { try stored("\(kind)/\($0).\(end)") }, axis: 0)
          }
        }
      }
      return (
        try layers([["enc.fc0"], ["enc.mu", "enc.logvar"], ["dec.fc0"], ["dec.out"]]),
        try layers((0..<6).map { ["critic.fc\($0)"] } + [["critic.out"]])
      )
    }
    let start = try ours("weight")
    model.setParameters(start.model)
    parts.setParameters(start.critic)

    let (x, eps) = (try stored("input/x"), try stored("input/eps"))
    // Theirs names the sources of each latent by row of its own.
    let order = try stored("input/permutation").converted(to: .int32).transposed
    let losses = try stored("loss/per_step").doubles
    var optimizer: any Optimizer = Adam(learningRate: 1e-4)
    var criticOptimizer = try #require(rule.turns[1].optimizer)
    for step in 0..<4 {
      var context = LayerContext(
        isTraining: true, random: random, step: step, fields: ["eps": eps])
      let first = valueAndGradient(
        at: model,
        withAuxiliary: { model in
          let terms = rule.loss(of: 0, model, parts, x, &context)
          return (terms.total, terms)
        })
      let codes = try #require(first.auxiliary.handover.values.first).detached
      let others = context.onRows(4..<8, of: x) { model.draw(of: $0, &$1) }
      let permuted = others.gathering(along: 0, order)
      if step == 0 { #expect(fixtureError(permuted, try file.array("output/permuted")) < 1e-12) }
      let second = valueAndGradient(at: parts) {
        FactorVAE<Model>.criticLoss($0.critic, codes: codes, permuted: permuted)
      }
      let found =
        [first.value.item] + first.auxiliary.terms.map(\.value.item) + [second.value.item]
      #expect(distance(found, Array(losses[(step * 5)..<(step * 5 + 5)])) < 1e-9, "step \(step)")
      if step == 0 {
        let expected = try ours("grad")
        let pairs =
          Array(zip(first.gradients.tensors, expected.model))
          + Array(zip(second.gradients.tensors, expected.critic))
        for (index, pair) in pairs.enumerated() {
          let error = pair.0.map { fixtureError($0, pair.1.array) } ?? .infinity
          #expect(error < 1e-9, "gradient \(index)")
        }
      }
      if step < 3 {
        optimizer.update(&model, along: first.gradients)
        criticOptimizer.update(&parts, along: second.gradients)
      }
    }
    let end = try ours("after3")
    for (found, expected) in zip(model.parameters + parts.parameters, end.model + end.critic) {
      #expect(fixtureError(found, expected.array) < 1e-9)
    }
  }
}
