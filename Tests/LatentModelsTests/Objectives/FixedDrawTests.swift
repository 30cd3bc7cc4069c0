// Objectives that do not differentiate through draws: VIMCO and reweighted wake-sleep, on latents where
// nothing else works (coin flips, whose expectations are sums) and where it would.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import LatentOptimizers
import LatentTraining
import Testing

@Suite struct FixedDrawTests {
  static let count = 100_000

  static func flips(_ logit: Double, count: Int = count) -> Toy.Flips {
    VAE(
      encoder: FlipEncoder(logits: Tensor(repeating: logit, shape: [count, 1], .float64)),
      decoder: Toy.decoder(1.5, -0.5), prior: FlipPrior(logits: Tensor([0.4] as [Double])))
  }

  /// log w of z = 0 and 1 at x = 1, and the probability of z = 1.
  static func weights(_ logit: Double) -> (logW: [Double], one: Double) {
    let one = 1 / (1 + exp(-logit))
    let logW = [0.0, 1.0].map { z -> Double in
      let residual = 1 - (1.5 * z - 0.5)
      let prior = z * 0.4 - log1p(exp(0.4))
      let posterior = log(z == 1 ? one : 1 - one)
      return -0.5 * (residual * residual + log(2 * .pi)) + prior - posterior
    }
    return (logW, one)
  }

  /// The expected bound of two draws, as the sum over their four outcomes.
  static func expectedBound(_ logit: Double) -> Double {
    let (logW, one) = weights(logit)
    let p = [1 - one, one]
    var sum = 0.0
    for first in 0...1 {
      for second in 0...1 {
        sum += p[first] * p[second] * log((exp(logW[first]) + exp(logW[second])) / 2)
      }
    }
    return sum
  }

  // MARK: VIMCO

  @Test func signals() {
    func signals(_ logWeights: [Double], _ dtype: DType = .float64) -> [Double] {
      VIMCO<Toy.Model>.signals(
        Tensor(logWeights, shape: [logWeights.count, 1]).converted(to: dtype)
      ).doubles
    }
    #expect(distance(signals([0, log(3)]), [-0.405465, 0.693147]) < 1e-5)
    #expect(distance(signals([7, 7, 7]), [0, 0, 0]) < 1e-14)
    #expect(signals([-5, 2, 2, 900]).map(\.isFinite) == [true, true, true, true])
    // One draw has all of the weight: the rest may not vanish.
    let far = signals([0, -200, -200], .float32)
    #expect(distance([far[0]], [200 - log(3)]) < 1e-6, "\(far)")
    // Against the definition, with plain sums.
    let logW = [0.3, -1.2, 0.9, 2.5, -0.1]
    let expected = logW.indices.map { k -> Double in
      let others = logW.indices.filter { $0 != k }.map { logW[$0] }
      let mean = others.reduce(0, +) / Double(others.count)
      let without = others.map { exp($0) }.reduce(0, +) + exp(mean)
      return log(logW.map { exp($0) }.reduce(0, +)) - log(without)
    }
    #expect(distance(signals(logW), expected) < 1e-13)
  }

  /// Value and derivatives of PyTorch (`scripts/references/bounds.py`).
  @Test func vimcoAgainstPyTorch() {
    let (terms, gradients) = Toy.gradients(
      Toy.vimco(4), MultiSampleBoundTests.model, Toy.x())
    #expect(distance([-terms.total.item], [-1.36123235289278]) < 1e-12)
    let expected = [
      -0.22621147134687, 0.246434733456509, -0.0608862459494795, 0.374726810415685,
    ]
    #expect(distance(gradients.map { -$0.item }, expected) < 1e-12)
  }

  @Test func vimcoOfCoinFlips() {
    let (logit, h) = (0.7, 1e-4)
    let exact =
      (Self.expectedBound(logit + h) - Self.expectedBound(logit - h)) / (2 * h)
    let (terms, gradients) = Toy.gradients(Self.flips(logit), Toy.x(Self.count)) {
      VIMCO { $0.samples = 2 }($0, $1, &$2)
    }
    let (mean, error) = meanAndError(gradients[0].flattened() * -Double(Self.count))
    #expect(abs(mean - exact) < 4 * error, "\(mean) +- \(error), exactly \(exact)")
    #expect(abs(-terms.total.item - Self.expectedBound(logit)) < 0.01)
  }

  // MARK: Wake-sleep

  typealias Rule<Model: LatentVariableModel> = ReweightedWakeSleep<Model>

  /// The decoder's gradient is that of the importance-weighted bound, the encoder's is PyTorch's
  /// (`scripts/references/bounds.py`).
  @Test func wake() throws {
    let model = MultiSampleBoundTests.model
    let rule = Rule<Toy.Model> { $0.samples = 4 }
    let decoder = Toy.gradients(model, Toy.x()) { rule.loss(of: 0, $0, NoParts(), $1, &$2) }
    #expect(distance([-decoder.terms.total.item], [-1.36123235289278]) < 1e-12)
    #expect(decoder.terms.terms.map(\.name) == ["reconstruction", "kl", "ess"])
    let found = decoder.gradients.suffix(2).map { -$0.item }
    #expect(distance(found, [-0.0608862459494795, 0.374726810415685]) < 1e-12)
    let handover = decoder.terms.handover.mapValues(\.detached)
    let encoder = Toy.gradients(model, Toy.x(), fields: handover) {
      rule.loss(of: 1, $0, NoParts(), $1, &$2)
    }
    #expect(distance([encoder.terms.total.item], [1.00136988426849]) < 1e-12)
    #expect(
      distance(encoder.gradients.map(\.item), [-0.247883856240629, 0.267568648936181, 0, 0]) < 1e-12
    )
  }

  /// With many draws the wake gradient becomes that of the cross entropy from the true posterior.
  @Test func wakeOfCoinFlips() {
    let rule = Rule<Toy.Flips> { $0.samples = 2000 }
    let model = Self.flips(0.7, count: 50)
    let decoder = Toy.gradients(model, Toy.x(50)) { rule.loss(of: 0, $0, NoParts(), $1, &$2) }
    let encoder = Toy.gradients(
      model, Toy.x(50), fields: decoder.terms.handover.mapValues(\.detached)
    ) { rule.loss(of: 1, $0, NoParts(), $1, &$2) }
    // d/dlogit of -E log q(z) under the posterior is q(1) - p(1 | x).
    let (logW, one) = Self.weights(0.7)
    let joint = [(1 - one) * exp(logW[0]), one * exp(logW[1])]
    let (mean, error) = meanAndError(encoder.gradients[0].flattened() * 50)
    let exact = one - joint[1] / (joint[0] + joint[1])
    #expect(abs(mean - exact) < 4 * error + 1e-3, "\(mean) +- \(error), exactly \(exact)")
  }

  /// Dreams of the model: with a posterior that ignores them, the cross entropy from the prior.
  @Test func sleep() {
    let (mean, logVariance) = (0.6, -0.4)
    let model = Toy.model(mean: mean, logVariance: logVariance, count: Self.count)
    let rule = Rule<Toy.Model> { ($0.samples, $0.phase) = (1, .sleep) }
    var fields = ["mask": Tensor.zeros([1], .float64)]
    fields["other"] = .zeros([1])
    let (terms, gradients) = Toy.gradients(model, Toy.x(Self.count), fields: fields) {
      let terms = rule.loss(of: 1, $0, NoParts(), $1, &$2)
      #expect($2.fields.keys.sorted() == ["mask", "other"])
      return terms
    }
    let exact = 0.5 * ((1 + mean * mean) * exp(-logVariance) + logVariance + log(2 * .pi))
    #expect(abs(terms.total.item - exact) < 0.02, "\(terms.total.item), exactly \(exact)")
    let each = gradients.map { $0.flattened() * Double(Self.count) }
    let slope = meanAndError(each[0])
    #expect(abs(slope.mean - mean * exp(-logVariance)) < 4 * slope.error)
    #expect(each[2].item == 0 && each[3].item == 0, "the decoder dreams, and learns nothing of it")
  }

  /// Both phases train a model of coin flips until its bound is near log p(x) of the data, each player
  /// moving its own parameters only.
  @Test(arguments: EncoderPhase.allCases) func trains(phase: EncoderPhase) throws {
    var random = RandomStream(seed: 1)
    let model = VAE(
      encoder: LearnedFlips(layer: Linear(1, 1, using: &random)), decoder: Toy.decoder(0.5, 0.1),
      prior: FlipPrior(logits: .zeros([1], .float64))
    ).converted(to: .float64)
    // Two clumps, one twice as large as the other.
    let noise = random.normalTensor([90, 1], .float64)
    let centres = Tensor((0..<90).map { $0 % 3 == 0 ? -2.0 : 2.0 } as [Double], shape: [90, 1])
    let x = centres + noise
    var trainer = Trainer(
      model,
      objective: Rule<VAE<LearnedFlips, ToyDecoder, FlipPrior>> {
        ($0.samples, $0.phase) = (8, phase)
      },
      optimizer: Adam(learningRate: 0.03), seed: 2)
    #expect(trainer.players.map(\.name) == ["decoder", "encoder"])
    let first = try trainer.step(x)
    #expect(first.terms.map(\.name) == ["reconstruction", "kl", "ess", "encoder"])
    for _ in 0..<600 { _ = try trainer.step(x) }
    let (a, b) = (trainer.model.decoder.a.item, trainer.model.decoder.b.item)
    #expect(abs(abs(a) - 4) < 0.8, "\(phase): the clumps are \(a) apart")
    #expect(abs(min(b, b + a) + 2) < 0.6, "\(phase): the lower one is at \(min(b, b + a))")
    let last = try trainer.step(x)
    #expect(last.loss < first.loss - 0.3, "\(phase): \(first.loss) to \(last.loss)")
  }

  struct LearnedFlips: Encoder {
    var layer: Linear
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      visitor.visit(&layer, "layer")
    }
    func callAsFunction(_ x: Tensor) -> Bernoulli { Bernoulli(logits: layer(x)) }
  }
}
