// Bounds from several draws: values and derivatives against PyTorch, the numbers of two weights, and what
// the bounds are to each other and to log p(x).

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import LatentOptimizers
import LatentTraining
import Testing

@Suite struct MultiSampleBoundTests {
  typealias Model = Toy.Model

  /// Every bound of this kind, of `draws` draws.
  static func bounds(
    _ draws: Int, _ estimator: EncoderEstimator = .pathwise
  ) -> [(name: String, rule: any MultiSampleBound<Model>)] {
    [
      ("iwae", Toy.iwae(draws, estimator)),
      ("miwae", Toy.miwae(2, draws / 2, estimator)),
      ("ciwae 0.3", Toy.ciwae(draws, 0.3, estimator)),
      ("renyi 0.5", Toy.renyi(draws, 0.5, estimator)),
      ("renyi 2", Toy.renyi(draws, 2, estimator)),
    ]
  }

  // MARK: Against PyTorch

  struct Reference: Sendable, CustomTestStringConvertible {
    let name: String
    let bound: Double
    /// By m, v: pathwise, stl, dreg. By a, b: whatever the estimator.
    let encoder: [[Double]]
    let decoder: [Double]
    var testDescription: String { name }
  }

  /// `scripts/references/bounds.py`.
  static let references = [
    Reference(
      name: "iwae", bound: -1.36123235289278,
      encoder: [
        [-0.246382747941788, 0.196233608058984], [0.00150110829884013, -0.0713350408771974],
        [-0.00079066987110602, -0.0165417583112869],
      ], decoder: [-0.0608862459494795, 0.374726810415685]),
    Reference(
      name: "miwae", bound: -1.36128579192653,
      encoder: [
        [-0.239762554155178, 0.196926198550789], [0.00318410490825929, -0.0712762619069534],
        [-4.6582936870055e-05, -0.0330202599756998],
      ], decoder: [-0.0606994373399413, 0.37801861948085]),
    Reference(
      name: "ciwae 0.3", bound: -1.36215336655096,
      encoder: [
        [-0.240140809799013, 0.190023739497498], [0.00308794413312379, -0.0730243147578293],
        [0.00148369941416148, -0.0346690169616919],
      ], decoder: [-0.0675350812133567, 0.377830536564027]),
    Reference(
      name: "renyi 0.5", bound: -1.36276401346219,
      encoder: [
        [-0.236295438418703, 0.185876196629999], [0.00406552080287451, -0.074146839892213],
        [0.00222068655755217, -0.0460039681541939],
      ], decoder: [-0.0719512726950513, 0.379742599681308]),
    Reference(
      name: "renyi 2", bound: -1.36739059569997,
      encoder: [
        [-0.202275804218032, 0.155027453582273], [0.0127140484531093, -0.0825919973465949],
        [0.0205871563007545, -0.143011175516761],
      ], decoder: [-0.105209012686181, 0.396658439891586]),
  ]

  static let model = Toy.model(
    mean: 0.4, logVariance: -0.3, a: 0.9, b: 0.1, noise: [0.3, -0.8, 1.1, 0.2])

  @Test(arguments: references.indices, EncoderEstimator.allCases.indices)
  func valuesAndDerivatives(index: Int, estimator: Int) {
    let reference = Self.references[index]
    let (name, rule) = Self.bounds(4, EncoderEstimator.allCases[estimator])[index]
    #expect(name == reference.name)
    let (terms, gradients) = Toy.gradients(rule, Self.model, Toy.x())
    #expect(distance([-terms.total.item], [reference.bound]) < 1e-12)
    #expect(terms.terms.map(\.name) == ["reconstruction", "kl", "ess"])
    let expected = (reference.encoder[estimator] + reference.decoder).map { -$0 }
    let found = gradients.map(\.item)
    #expect(distance(found, expected) < 1e-12, "\(found), expected \(expected)")
  }

  /// The plain estimator is the derivative of the value; so is each player's of PIWAE of its own loss.
  @Test func differences() {
    let model = Toy.model(mean: 0.4, logVariance: -0.3, a: 0.9, b: 0.1, count: 3)
    let piwae = Toy.piwae(3, 2)
    var losses = Self.bounds(6).map { (name: $0.name, loss: Self.loss($0.rule)) }
    for turn in 0...1 {
      losses.append(
        ("piwae \(turn)", { piwae.loss(of: turn, $0, NoParts(), Toy.x(3), &$1).total }))
    }
    for (name, loss) in losses {
      let error = gradientError(at: model.parameters) { parameters in
        var (copy, context) = (model, Tiny.training())
        copy.setParameters(parameters)
        return loss(copy, &context)
      }
      #expect(error < 1e-7, "\(name): \(error)")
    }
  }

  static func loss(
    _ rule: any MultiSampleBound<Model>
  ) -> (Model, inout LayerContext) -> Tensor {
    { rule($0, Toy.x(3), &$1).total }
  }

  // MARK: Two weights

  static let twoWeights = Tensor([0, log(3)] as [Double], shape: [2, 1])

  struct Number: Sendable, CustomTestStringConvertible {
    let rule: any MultiSampleBound<Model>
    let value: Double
    /// (c - dc / dlog w) / c for the two, by hand.
    let shares: [Double]
    var testDescription: String { rule.summary }
  }

  /// w = (1, 3): w~ = (1/4, 3/4), not the other way round.
  static let numbers = [
    Number(rule: Toy.iwae(2), value: 0.693147, shares: [0.25, 0.75]),
    Number(rule: Toy.miwae(1, 2), value: 0.693147, shares: [0.25, 0.75]),
    Number(rule: Toy.miwae(2, 1), value: 0.549306, shares: [1, 1]),
    Number(rule: Toy.ciwae(2, 0), value: 0.693147, shares: [0.25, 0.75]),
    Number(rule: Toy.ciwae(2, 1), value: 0.549306, shares: [1, 1]),
    Number(
      rule: Toy.ciwae(2, 0.5), value: 0.6212266,
      shares: [0.28125 / 0.375, 0.53125 / 0.625]),
    Number(rule: Toy.renyi(2, 0), value: 0.693147, shares: [0.25, 0.75]),
    Number(rule: Toy.renyi(2, 1), value: 0.549306, shares: [1, 1]),
    Number(rule: Toy.renyi(2, 2), value: 0.405465, shares: [1.25, 1.75]),
    Number(
      rule: Toy.renyi(2, 0.5), value: 0.623811,
      shares: [0.5 + 0.5 / (1 + sqrt(3)), 0.5 + 0.5 * sqrt(3) / (1 + sqrt(3))]),
    Number(rule: Toy.renyi(2, -1e5), value: log(3), shares: [1, 1]),
  ]

  @Test(arguments: numbers) func valuesAndShares(number: Number) {
    let value = number.rule.bound(Self.twoWeights)
    #expect(value.shape == [1] && distance(value.doubles, [number.value]) < 1e-5)
    if abs(number.value - log(3)) > 1e-3 {
      let shares = number.rule.doublyReparameterizedShare(Self.twoWeights)
      #expect(distance(shares.doubles, number.shares) < 1e-12, "\(shares.doubles)")
    }
  }

  /// A share of a weight that underflows is no NaN.
  @Test func vanishingWeights() {
    let weights = Tensor([0, -300, -1e30])
    let far = weights.reshaped([3, 1])
    for beta in [0, 0.5] {
      let rule = Toy.ciwae(3, beta)
      #expect(rule.doublyReparameterizedShare(far).doubles == (beta == 0 ? [1, 0, 0] : [1, 1, 1]))
      let slope = gradient(at: far) { rule.bound($0).sum() }
      #expect(slope.array.nonFiniteCount == 0)
    }
  }

  // MARK: Among each other

  /// On the same draws: one draw in each of several bounds is the evidence lower bound, one bound the
  /// importance-weighted one; Renyi's falls as its order rises.
  @Test func specialCases() {
    let model = Toy.model(mean: 0.9, logVariance: 0.4, count: 7)
    func result(_ rule: any Objective<Model>) -> [[Double]] {
      let (terms, gradients) = Toy.gradients(rule, model, Toy.x(7))
      return [[terms.total.item]] + gradients.map(\.doubles)
    }
    func same(_ first: [[Double]], _ second: [[Double]]) -> Bool {
      zip(first, second).allSatisfy { distance($0, $1) < 1e-13 }
    }
    for estimator in EncoderEstimator.allCases {
      let iwae = result(Toy.iwae(6, estimator))
      let mean = result(Toy.ciwae(6, 1, estimator))
      #expect(same(result(Toy.miwae(1, 6, estimator)), iwae))
      #expect(same(result(Toy.ciwae(6, 0, estimator)), iwae))
      #expect(same(result(Toy.renyi(6, 0, estimator)), iwae))
      #expect(same(result(Toy.miwae(6, 1, estimator)), mean))
      #expect(same(result(Toy.renyi(6, 1, estimator)), mean))
      #expect(!same(iwae, mean))
    }
    let values = [-3, -1, 0, 0.5, 0.999, 1, 1.001, 2, 5].map {
      result(Toy.renyi(6, $0))[0][0]
    }
    #expect(values == values.sorted(), "losses rise with the order: \(values)")
  }

  /// One bound of PIWAE is the importance-weighted one for both players; with more, the decoder's is of
  /// all draws and the encoder's the mean, not their sum.
  @Test func bothPlayers() {
    let model = Toy.model(mean: 0.9, logVariance: 0.4, count: 7)
    for (estimates, samples) in [(1, 6), (3, 2)] {
      let rule = Toy.piwae(estimates, samples, .dreg)
      let whole = Toy.gradients(Toy.iwae(6, .dreg), model, Toy.x(7))
      let mean = Toy.gradients(
        Toy.miwae(estimates, samples, .dreg), model, Toy.x(7))
      let (decoder, encoder) = (
        Toy.gradients(model, Toy.x(7)) { rule.loss(of: 0, $0, NoParts(), $1, &$2) },
        Toy.gradients(model, Toy.x(7)) { rule.loss(of: 1, $0, NoParts(), $1, &$2) }
      )
      #expect(distance(decoder.terms.total, whole.terms.total) < 1e-14)
      #expect(distance(encoder.terms.total, mean.terms.total) < 1e-14)
      for index in 0..<2 {
        #expect(distance(encoder.gradients[index], mean.gradients[index]) < 1e-14)
        #expect(distance(decoder.gradients[2 + index], whole.gradients[2 + index]) < 1e-14)
        let difference = distance(mean.gradients[index], whole.gradients[index])
        #expect(estimates == 1 ? difference < 1e-14 : difference > 1e-4)
      }
    }
  }

  /// A trainer moves the one by the one and the other by the other.
  @Test func trainerOfBothPlayers() throws {
    let model = Tiny.model(BernoulliHead())
    typealias Rule = PIWAE<Tiny.Model<BernoulliHead>>
    var trainer = Trainer(
      model,
      objective: Rule { ($0.estimates, $0.samples, $0.estimator) = (2, 3, .dreg) },
      optimizer: SGD(learningRate: 0.1),
      seed: 1)
    let report = try trainer.step(Tiny.x)
    #expect(report.players.map(\.name) == ["decoder", "encoder"])
    #expect(report.terms.map(\.name) == ["reconstruction", "kl", "ess", "encoder"])
    for (before, after) in zip(model.namedParameters, trainer.model.namedParameters) {
      #expect(before.tensor.array != after.tensor.array, "\(before.path)")
    }
  }

  /// At the exact posterior every bound of any number of draws is log p(x), without variance, and every
  /// draw counts; weights carry no derivative, so the decoder's is the plain mean over the draws.
  @Test(arguments: [2, 8]) func exactPosterior(draws: Int) {
    let model = Toy.model(mean: 0.5, logVariance: -log(2), count: 50)
    let plain = Toy.gradients(Toy.renyi(draws, 1), model, Toy.x(50))
    for (name, rule) in Self.bounds(draws) {
      let (terms, gradients) = Toy.gradients(rule, model, Toy.x(50))
      #expect(abs(-terms.total.item - Toy.logEvidence) < 1e-10, "\(name)")
      #expect(distance([terms["ess"]?.item ?? .nan], [Double(draws)]) < 1e-10)
      #expect(distance(gradients[2], plain.gradients[2]) < 1e-12, "\(name)")
      #expect(distance(gradients[3], plain.gradients[3]) < 1e-12, "\(name)")
    }
  }

  /// Away from it one draw costs KL(q || p(z | x)), and more draws cost less.
  @Test func drawsTighten() {
    let count = 100_000
    let model = Toy.model(mean: 1.2, logVariance: 0.3, count: count)
    let divergence = normalKL(1.2, 0.3, 0.5, -log(2))
    let results = [1, 2, 4, 16].map { draws -> Double in
      var context = Tiny.training()
      return -Toy.iwae(draws)(model, Toy.x(count), &context).total.item
    }
    #expect(abs(results[0] - (Toy.logEvidence - divergence)) < 0.02, "\(results)")
    #expect(results == results.sorted() && results[3] < Toy.logEvidence, "\(results)")
    #expect(results[3] > Toy.logEvidence - 0.05)
  }

  /// The effective number of draws of w = (1, 3) is 16/10.
  @Test func effectiveDraws() {
    let model = VAE(
      encoder: FlipEncoder(logits: .zeros([1, 1], .float64)), decoder: Toy.decoder(1, 0),
      prior: FlipPrior(logits: .zeros([1], .float64)))
    // Posterior and prior are the same, and log N(x; 1, 1) - log N(x; 0, 1) = x - 1/2 is log 3.
    let x = Tensor([log(3) + 0.5] as [Double], shape: [1, 1])
    var seen: Set<Int> = []
    for seed in 0..<20 {
      var context = Tiny.training(UInt64(seed))
      let terms = VIMCO { $0.samples = 2 }(model, x, &context)
      let ess = terms["ess"]?.item ?? .nan
      #expect(abs(ess - 1.6) < 1e-12 || abs(ess - 2) < 1e-12, "\(ess)")
      seen.insert(ess < 1.8 ? 1 : 2)
    }
    #expect(seen == [1, 2])
  }

  /// Hidden entries do not count, whatever they hold.
  @Test func masks() {
    let model = Tiny.model(BernoulliHead())
    let mask = Tensor([1, 0, 1, 0, 0, 0, 1, 1, 1, 0, 1, 0] as [Double], shape: [4, 3])
    func loss(_ x: Tensor) -> Double {
      var context = Tiny.training()
      context.fields["mask"] = mask
      return IWAE { $0.samples = 3 }(model, x, &context).total.item
    }
    let hidden = Tensor.where(mask, Tiny.x, Tiny.x.zerosLike + .nan)
    #expect(loss(hidden) == loss(Tiny.x) && loss(hidden).isFinite)
  }
}
