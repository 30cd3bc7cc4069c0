// Discrete posteriors, relaxed and with straight-through derivatives: densities against PyTorch, frequencies against
// probabilities, closed divergences against sums, and what goes together.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite struct DiscretePosteriorTests {
  /// Two groups of three classes for two examples.
  static let logits = Tensor(
    [0.3, -1.2, 0.8, 2.0, 0.0, -0.5, -0.7, 0.4, 0.1, 1.5, -2.5, 0.2] as [Double], shape: [2, 6])

  static func oneHot(
    _ logits: Tensor = DiscretePosteriorTests.logits, classes: Int = 3, temperature: Double = 0.8
  )
    -> OneHotCategorical
  {
    OneHotCategorical(logits: logits, classes: classes, temperature: temperature)
  }

  static func relaxed(
    _ logits: Tensor = DiscretePosteriorTests.logits, classes: Int = 3, temperature: Double = 0.8,
    discrete: Bool = false
  ) -> RelaxedCategorical {
    RelaxedCategorical(
      logits: logits, classes: classes, temperature: temperature, hasDiscreteDivergence: discrete)
  }

  // MARK: Densities

  /// PyTorch's `RelaxedOneHotCategorical` and `RelaxedBernoulli` (`scripts/references/relaxed.py`).
  @Test func relaxedDensities() {
    let y = softmax(
      Tensor(
        [0.2, 0.5, -0.3, 1.0, -1.5, 0.4, 0, 0, 0.9, -0.8, 0.3, 2] as [Double], shape: [2, 2, 3])
    ).reshaped([2, 6])
    #expect(distance(Self.relaxed().logProbability(of: y).doubles, Reference.categorical) < 1e-12)
    let cold = Self.relaxed(temperature: 0.2)
    #expect(distance(cold.logProbability(of: y).doubles, Reference.coldCategorical) < 1e-12)
    let flips = RelaxedBernoulli(logits: Self.logits, temperature: 0.8)
    let z = sigmoid(Self.logits.reversed(axis: 1) * 1.5)
    #expect(distance(flips.logProbability(of: z).doubles, Reference.bernoulli) < 1e-12)
  }

  /// Two classes are a coin: the same density of the first of two elements.
  @Test func twoClassesAreACoin() {
    let l = Tensor([0.3, -1.4, 2.2] as [Double], shape: [3, 1])
    let y = Tensor([0.2, 0.7, 0.99] as [Double], shape: [3, 1])
    let coin = RelaxedBernoulli(logits: l, temperature: 0.6)
    let pair = Self.relaxed(
      .concatenate([l, l.zerosLike], axis: 1), classes: 2, temperature: 0.6)
    let both = Tensor.concatenate([y, 1 - y], axis: 1)
    #expect(distance(coin.logProbability(of: y), pair.logProbability(of: both)) < 1e-12)
  }

  /// A density of the coin's relaxation integrates to 1.
  @Test(arguments: [0.3, 1.0, 2.5]) func relaxedCoinIntegratesToOne(temperature: Double) {
    // With y = sigmoid(a) the ends, where the density may be infinite, are far away.
    let (count, cell) = (4000, 0.03)
    let a = (Tensor.range(count, .float64) + 0.5) * cell - 60
    let logits = Tensor([0.7] as [Double])
    let coin = RelaxedBernoulli(logits: logits, temperature: temperature)
    // Beyond 36 the numbers of the type end.
    let inside = abs(a) .< 30
    let y = sigmoid(a * inside).reshaped([count, 1])
    let measure = y * (1 - y)
    let masses = exp(coin.logProbability(of: y)) * measure.reshaped([count]) * inside
    let total: Double = masses.sum().item * cell
    // What lies beyond, by the logistic distribution of t logit(y) - l.
    func logistic(_ x: Double) -> Double { 1 / (1 + Foundation.exp(x)) }
    let tail: Double = logistic(30 * temperature - 0.7) + logistic(30 * temperature + 0.7)
    #expect(abs(total + tail - 1) < 1e-6, "\(total)")
  }

  // MARK: Draws

  /// Draws of low temperature are the classes with their probabilities; one-hot draws are it at any.
  @Test func frequencies() {
    let count = 100_000
    let expected = Self.oneHot().mean
    let distributions: [(String, any ReparameterizedDistribution)] = [
      ("one-hot", Self.oneHot()), ("relaxed", Self.relaxed(temperature: 0.001)),
    ]
    for (name, q) in distributions {
      var random = RandomStream(seed: 8)
      let draws = q.sample([count], using: &random)
      let frequencies = draws.mean(axes: [0])
      for (found, p) in zip(frequencies.doubles, expected.doubles) {
        let error: Double = (p * (1 - p) / Double(count)).squareRoot()
        #expect(abs(found - p) < 4.5 * error + 1e-4, "\(name): \(found), expected \(p)")
      }
      let sums = draws.reshaped([count, 2, 2, 3]).sum(axes: [-1])
      #expect(abs(sums - 1).max().item < 1e-12, "\(name)")
    }
    var random = RandomStream(seed: 9)
    let coins = StraightThroughBernoulli(logits: Self.logits)
    let draws = coins.sample([count], using: &random)
    for (found, p) in zip(draws.mean(axes: [0]).doubles, coins.mean.doubles) {
      let error: Double = (p * (1 - p) / Double(count)).squareRoot()
      #expect(abs(found - p) < 4.5 * error)
    }
  }

  /// Forward the one-hot vector exactly, backward the softmax of the same noise.
  @Test func straightThrough() {
    func draws(_ logits: Tensor, _ body: (Tensor) -> Tensor) -> Tensor {
      gradient(at: logits) { logits in
        var random = RandomStream(seed: 5)
        let z = Self.oneHot(logits).reparameterizedSample([3], using: &random)
        #expect(z.doubles.allSatisfy { $0 == 0 || $0 == 1 })
        return body(z)
      }
    }
    let weights = Tensor((0..<36).map { Double($0 % 7) - 3 }, shape: [3, 2, 6])
    let hard = draws(Self.logits) { ($0 * weights).sum() }
    let soft = gradient(at: Self.logits) { logits in
      var random = RandomStream(seed: 5)
      let y = Self.relaxed(logits).reparameterizedSample([3], using: &random)
      return (y * weights).sum()
    }
    #expect(distance(hard, soft) < 1e-14)
    var (first, second) = (RandomStream(seed: 5), RandomStream(seed: 5))
    let relaxed = Self.relaxed().sample([3], using: &first).reshaped([3, 2, 2, 3])
    let whole = Self.oneHot().sample([3], using: &second).reshaped([3, 2, 2, 3])
    #expect(relaxed.argMax(axis: -1).array.int32s == whole.argMax(axis: -1).array.int32s)

    func coin(_ sample: @escaping (Tensor, inout RandomStream) -> Tensor) -> Tensor {
      gradient(at: Self.logits) { logits in
        var random = RandomStream(seed: 6)
        return (sample(logits, &random) * weights.sliced(0, 0..<1).reshaped([2, 6])).sum()
      }
    }
    let flips = coin { logits, random in
      let z = StraightThroughBernoulli(logits: logits, temperature: 0.4)
        .reparameterizedSample(using: &random)
      #expect(z.doubles.allSatisfy { $0 == 0 || $0 == 1 })
      return z
    }
    let relaxedFlips = coin { logits, random in
      RelaxedBernoulli(logits: logits, temperature: 0.4).reparameterizedSample(using: &random)
    }
    #expect(distance(flips, relaxedFlips) < 1e-14)
  }

  @Test func derivatives() {
    func draw(_ q: any ReparameterizedDistribution) -> Tensor {
      var random = RandomStream(seed: 7)
      let (z, density) = q.sampleAndLogProbability([2], using: &random)
      return Tensor.concatenate([z.flattened(), density.flattened()], axis: 0)
    }
    #expect(gradientError(at: [Self.logits]) { draw(Self.relaxed($0[0])) } < 1e-6)
    #expect(
      gradientError(at: [Self.logits]) { draw(RelaxedBernoulli(logits: $0[0], temperature: 0.7)) }
        < 1e-6)
    var random = RandomStream(seed: 7)
    let z = Self.oneHot().sample([2], using: &random)
    #expect(gradientError(at: [Self.logits]) { Self.oneHot($0[0]).logProbability(of: z) } < 1e-7)
    let coins = z.detached
    #expect(
      gradientError(at: [Self.logits]) {
        StraightThroughBernoulli(logits: $0[0]).logProbability(of: coins)
      } < 1e-7)
  }

  // MARK: Divergences

  /// 0 of uniform logits, log C of a certain class; the sum over classes; relaxed ones give it where asked to.
  @Test func divergences() throws {
    let logThree = Foundation.log(3.0)
    let uniform = Self.oneHot(.zeros([6], .float64))
    let certain = Tensor([60, 0, 0, 0, 0, 60] as [Double])
    let nothing = try #require(uniform.closedFormKL(to: uniform))
    #expect(nothing.item == 0)
    let most = try #require(Self.oneHot(certain).closedFormKL(to: uniform))
    #expect(abs(most.item - 2 * logThree) < 1e-12)
    let found = try #require(Self.oneHot().closedFormKL(to: uniform))
    let p = Self.oneHot().mean
    let expected = (p * (log(p) + logThree)).sum(axes: [-1])
    #expect(distance(found, expected) < 1e-13)
    let entropy = try #require(Self.oneHot().entropy)
    #expect(distance(entropy + expected, expected.zerosLike + 2 * logThree) < 1e-13)

    let prior = Self.relaxed(.zeros([6], .float64), temperature: 0.5)
    #expect(Self.relaxed().closedFormKL(to: prior) == nil)
    let discrete = try #require(Self.relaxed(discrete: true).closedFormKL(to: prior))
    #expect(distance(discrete, expected) < 1e-13)

    let fair = Bernoulli(logits: .zeros([6], .float64))
    let coins = StraightThroughBernoulli(logits: Self.logits)
    let (heads, tails) = (coins.mean, 1 - coins.mean)
    let terms = heads * log(heads) + tails * log(tails)
    let sums = (terms + Foundation.log(2.0)).sum(axes: [-1])
    let ofCoins = try #require(coins.closedFormKL(to: fair))
    #expect(distance(ofCoins, sums) < 1e-13)
    let reversed = try #require(coins.closedFormKL(from: fair))
    #expect(reversed.shape == [2])
    let relaxedFair = RelaxedBernoulli(logits: .zeros([6], .float64), temperature: 0.5)
    let relaxedCoins = RelaxedBernoulli(
      logits: Self.logits, temperature: 0.3, hasDiscreteDivergence: true)
    let ofRelaxed = try #require(relaxedCoins.closedFormKL(to: relaxedFair))
    #expect(distance(ofRelaxed, sums) < 1e-13)
  }

  /// What is not one-hot has no probability.
  @Test func outsideTheSupport() {
    let values = Tensor(
      [1, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 0.5, 0.5, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0] as [Double],
      shape: [4, 6])
    let q = Self.oneHot(Self.logits[0..<1].broadcast(to: [4, 6]))
    let found = q.logProbability(of: values).doubles
    let logP = log(q.mean[0..<1]).doubles
    #expect(abs(found[0] - logP[0] - logP[4]) < 1e-13)
    #expect(found.dropFirst().allSatisfy { $0 == -.infinity })
  }

  /// Float32 draws of low temperature round to 0 and 1; their densities are numbers.
  @Test func extremes() {
    var random = RandomStream(seed: 11)
    let logits = random.normalTensor([50, 8]) * 20
    let sharp = RelaxedCategorical(logits: logits, classes: 4, temperature: 0.05)
    let flips = RelaxedBernoulli(logits: logits, temperature: 0.05)
    for (z, logP) in [
      sharp.sampleAndLogProbability([20], using: &random),
      flips.sampleAndLogProbability([20], using: &random),
    ] {
      #expect(z.array.nonFiniteCount == 0 && logP.array.nonFiniteCount == 0)
    }
    let slope = gradient(at: logits) { logits in
      var random = RandomStream(seed: 12)
      let q = RelaxedCategorical(logits: logits, classes: 4, temperature: 0.05)
      let b = RelaxedBernoulli(logits: logits, temperature: 0.05)
      return q.sampleAndLogProbability([20], using: &random).logProbability.sum()
        + b.sampleAndLogProbability([20], using: &random).logProbability.sum()
    }
    #expect(slope.array.nonFiniteCount == 0)
  }

  // MARK: In words

  static func model(
    _ posterior: any PosteriorDescription, prior: (any PriorDescription)? = nil, latents: Int = 8
  ) -> ModelDescription {
    ModelDescription(
      MLPNetwork(hidden: [6], latentSize: latents), inputShape: [5], posterior: posterior,
      prior: prior)
  }

  @Test func whatGoesTogether() throws {
    func refusal(_ description: ModelDescription) -> String {
      do { try description.validate() } catch { return "\(error)" }
      return ""
    }
    var classes = StraightThroughPosterior()
    classes.classes = 3
    #expect(
      refusal(Self.model(classes))
        == "model.posterior.classes is 3, expected a number that divides 8, the latents of the "
        + "network [8]")
    #expect(
      refusal(Self.model(StraightThroughPosterior(), prior: UniformCategoriesPrior(classes: 2)))
        == "model.prior.classes is 2, expected 4, as of the posterior")
    #expect(
      refusal(Self.model(RelaxedCategoricalPosterior(), prior: UniformCategoriesPrior()))
        == "model description: prior.name is 'uniform-categories', on one class in each group of "
        + "latents, expected one on probabilities of the classes in each group of latents, as the "
        + "posterior 'relaxed-categorical': relaxed-categories")
    var cold = RelaxedBinaryPosterior()
    cold.temperature = .linear(from: 1, to: 0, steps: 10)
    #expect(
      refusal(Self.model(cold))
        == "model.posterior.temperature is linear(1.0, 0.0, 10), expected positive numbers")
    classes.classes = 8
    #expect(refusal(Self.model(classes)) == "")
  }

  /// The temperature follows the step in training and is the last one afterwards.
  @Test func temperatures() throws {
    var head = RelaxedBinaryHead(temperature: .linear(from: 2, to: 0.5, steps: 4))
    let raw = Tensor.zeros([1, 3])
    func temperature(_ context: LayerContext) -> Double {
      var context = context
      return head(raw, eventRank: 1, &context).temperature
    }
    #expect(temperature(Tiny.training(step: 1)) == 1.25)
    #expect(temperature(.inference) == 0.5)
    head = RelaxedBinaryHead(divergence: .relaxed)
    var context = LayerContext.inference
    #expect(head(raw, eventRank: 1, &context).hasDiscreteDivergence == false)
  }

  /// Where densities are asked for, the bound of one draw is that of relaxed densities, also where the closed form is
  /// that of classes; the weights of discrete ones are probabilities.
  @Test(arguments: ["straight-through", "relaxed-categorical", "binary", "relaxed-binary"])
  func weights(name: String) throws {
    var random = RandomStream(seed: 1)
    let description = Self.model(try PosteriorSettings(named: name).description)
    func check<Model: ReparameterizedModel>(_ model: Model) {
      let x = random.uniformTensor([3, 5], .float64)
      var context = Tiny.training()
      let pass = model.variationalPass(x, samples: 2000, density: true, &context)
      #expect(pass.logWeights.array.nonFiniteCount == 0)
      #expect(pass.divergenceMethod == .closedForm)
      if name == "straight-through" || name == "binary" {
        let (exact, sampled) = (pass.exactDivergence?.doubles ?? [], pass.density - pass.logPrior)
        for (index, expected) in exact.enumerated() {
          let (mean, error) = meanAndError(sampled.sliced(1, index..<index + 1).flattened())
          #expect(abs(mean - expected) < 4.5 * error, "\(mean) +- \(error), exactly \(expected)")
        }
      }
      // Of discrete draws log p(x) >= the bound, and generating gives pictures.
      let images = model.generate(3, using: &random)
      #expect(images.shape == [3, 5] && images.array.nonFiniteCount == 0)
      #expect(model.reconstruct(x[0..<1]).shape == [1, 5])
    }
    let model = try description.makeModel(using: &random).reparameterized(for: "weights")
    func open(_ model: some ReparameterizedModel) { check(model.converted(to: .float64)) }
    open(model)
  }

  /// VIMCO and wake-sleep take them as they are.
  @Test(arguments: ["vimco", "rws", "iwae", "elbo"], ["straight-through", "binary"])
  func objectives(objective: String, posterior: String) throws {
    var random = RandomStream(seed: 1)
    let description = Self.model(try PosteriorSettings(named: posterior).description)
    func check<Model: LatentVariableModel>(_ model: Model) throws {
      let facts = TrainingFacts(examples: 4, inputShape: [5])
      let rule = try ObjectiveSettings(named: objective).description.make(for: model, facts)
      #expect(!rule.turns.isEmpty)
    }
    try check(try description.makeModel(using: &random))
  }
}

/// Computed by `scripts/references/relaxed.py`.
private enum Reference {
  static let categorical: [Double] = [-0.491_016_725_776_418_64, -2.995_526_342_550_314]
  static let coldCategorical: [Double] = [-6.023_143_385_329_083, -6.450_498_955_411_163]
  static let bernoulli: [Double] = [-0.415_650_855_871_985_14, -2.820_201_273_878_350_6]
}
