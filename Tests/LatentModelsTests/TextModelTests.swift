// Text models: what is generated follows the likelihood, every tool of latent variable models
// accepts sequences, and training lowers the bound.

import Foundation
import Latent
import Testing

@Suite struct TextModelTests {
  static let length = 12

  /// A text model with any decoder, in float64.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let model: any LatentVariableModel
    var testDescription: String { name }
  }

  static let cases: [Case] = {
    var rows: [Case] = []
    for policy in PositionEncoding.Policy.allCases {
      var random = RandomStream(seed: 41)
      let size = TransformerSize(width: 16, heads: 2, layers: 2, positions: policy)
      let model = VAE(
        encoder: TransformerTextEncoder(
          length: length, vocabulary: 7, latentSize: 3, size, using: &random),
        decoder: TransformerTextDecoder(
          latentSize: 3, length: length, vocabulary: 7, size, using: &random),
        prior: .standardNormal(3))
      rows.append(Case(name: "Transformer, \(policy)", model: livelier(model)))
    }
    var random = RandomStream(seed: 42)
    let gru = VAE(
      encoder: GRUTextEncoder(vocabulary: 7, width: 6, hidden: 8, latentSize: 3, using: &random),
      decoder: GRUTextDecoder(
        latentSize: 3, length: length, vocabulary: 7, width: 6, hidden: 8, layers: 2,
        using: &random),
      prior: .standardNormal(3))
    return rows + [Case(name: "GRU", model: livelier(gru))]
  }()

  /// Larger weights, so that sequences differ.
  static func livelier<Model: Module>(_ model: Model) -> Model {
    model.converted(to: .float64).mapParameters { $0.rank == 2 ? $0 * 3 : $0 }
  }

  static func text(_ count: Int, _ length: Int = length) -> Tensor {
    Tensor((0..<(count * length)).map { Int32($0 * $0 % 7) }, shape: [count, length])
  }

  /// Each greedy element is the most probable one given those before it, by teacher forcing.
  @Test(arguments: cases) func greedySequencesFollowTheLikelihood(row: Case) throws {
    func check(_ model: some LatentVariableModel) throws {
      var random = RandomStream(seed: 43)
      let z = random.normalTensor([5, 3], .float64)
      let likelihood = model.decode(z)
      let mode = try #require(likelihood.pointEstimate)
      #expect(mode.shape == [5, Self.length] && mode.dtype == .int32)
      #expect(Set(mode.doubles).count > 2, "sequences should differ")
      #expect(model.generate(4, using: &random).shape == [4, Self.length])
      // Any other choice of one element is less probable up to there.
      let best = Self.logits(likelihood, mode).argMax(axis: -1)
      #expect(best.array == mode.array)
    }
    try check(row.model)
  }

  private static func logits(_ likelihood: some Distribution, _ x: Tensor) -> Tensor {
    if let text = likelihood as? AutoregressiveCategorical<TransformerTextDecoder> {
      return text.logits(of: x)
    }
    guard let text = likelihood as? AutoregressiveCategorical<GRUTextDecoder> else {
      fatalError("a likelihood of another type: \(type(of: likelihood))")
    }
    return text.logits(of: x)
  }

  /// The probabilities of all sequences add up to 1, and samples have them.
  @Test func samplesHaveTheirProbabilities() {
    var random = RandomStream(seed: 44)
    let decoder = Self.livelier(
      TransformerTextDecoder(
        latentSize: 2, length: 3, vocabulary: 3, TransformerSize(width: 8, heads: 2, layers: 1),
        using: &random))
    let likelihood = decoder(random.normalTensor([2], .float64))
    #expect(likelihood.batchShape == [] && likelihood.eventShape == [3])
    let digits = (0..<27).flatMap { (number: Int) -> [Int] in
      [number / 9, number / 3 % 3, number % 3]
    }
    let all = Tensor(digits.map(Int32.init), shape: [27, 3])
    let probabilities = exp(likelihood.logProbability(of: all)).doubles
    #expect(abs(probabilities.reduce(0, +) - 1) < 1e-12)
    let draws = likelihood.sample([20_000], using: &random).array.int32s
    var counts = [Double](repeating: 0, count: 27)
    for row in 0..<20_000 {
      let place = draws[(3 * row)..<(3 * row + 3)].reduce(0) { 3 * $0 + Int($1) }
      counts[place] += 1
    }
    // Five standard errors.
    for (count, p) in zip(counts, probabilities) {
      let deviation = (20_000 * p * (1 - p) + 1).squareRoot()
      #expect(abs(count - 20_000 * p) < 5 * deviation)
    }
  }

  /// Sample axes lead; values and latents broadcast; no class is impossible and nothing traps.
  @Test(arguments: cases) func axesBroadcast(row: Case) {
    func check(_ model: some LatentVariableModel) {
      var random = RandomStream(seed: 45)
      let x = Self.text(2)
      let z = random.normalTensor([3, 2, 3], .float64)
      let together = model.decode(z).logProbability(of: x)
      #expect(together.shape == [3, 2])
      for sample in 0..<3 {
        let one = model.decode(z.selecting(sample)).logProbability(of: x)
        #expect(distance(one, together.selecting(sample)) < 1e-12)
      }
      let many = model.decode(z.selecting(0)).logProbability(of: Tensor.stack([x, x]))
      #expect(distance(many.selecting(1), together.selecting(0)) < 1e-12)
      let wrong = Tensor((0..<Self.length).map { Int32($0 == 4 ? 9 : 1) }, shape: [1, Self.length])
      #expect(
        model.decode(z.selecting(0)).logProbability(of: wrong).doubles
          == [-.infinity, -.infinity])
      let bound = model.logLikelihood(
        of: x, importanceSamples: 10, samplesAtOnce: 4, using: &random)
      #expect(bound.shape == [2] && bound.array.nonFiniteCount == 0)
      #expect(model.reconstruct(x).shape == [2, Self.length])
    }
    check(row.model)
  }

  /// A short text in a long row: what fills the row does not count, whatever it is.
  @Test(arguments: cases) func masks(row: Case) throws {
    func check(_ model: some LatentVariableModel) throws {
      var random = RandomStream(seed: 47)
      let x = Self.text(2)
      let likelihood = model.decode(random.normalTensor([2, 3], .float64))
      let masked = try #require(likelihood as? any MaskableDistribution)
      let all = masked.logProbability(of: x, mask: Tensor(repeating: 1, shape: [1]))
      #expect(distance(all, likelihood.logProbability(of: x)) < 1e-12)
      let known = Tensor((0..<Self.length).map { $0 < 3 ? 0.5 : 0 }, shape: [Self.length])
      func filled(_ value: Int32) -> Tensor {
        let here = Tensor((0..<Self.length).map { $0 < 3 ? 1 : 0 }, shape: [Self.length])
        return Tensor.where(
          here.converted(to: .int32), x, Tensor(repeating: Double(value), shape: x.shape, .int32))
      }
      let short = masked.logProbability(of: filled(0), mask: known)
      #expect(distance(short, masked.logProbability(of: filled(-1), mask: known)) == 0)
      var expected = Tensor.zeros([2], .float64)
      for length in 1...3 {
        // The chain rule: each element adds log p(x_t | x_<t).
        let prefix = Tensor((0..<Self.length).map { $0 < length ? 1 : 0 }, shape: [Self.length])
        let next = masked.logProbability(of: x, mask: prefix)
        #expect(zip(next.doubles, expected.doubles).allSatisfy { $0 < $1 })
        expected = next
      }
      #expect(distance(short, expected) < 1e-12)
    }
    try check(row.model)
  }

  /// Generating inside a derivative records nothing, and dropout is repeated by the same stream.
  @Test func derivativesAndDropout() {
    var random = RandomStream(seed: 46)
    let size = TransformerSize(width: 8, heads: 2, layers: 1, dropout: 0.5)
    let decoder = TransformerTextDecoder(
      latentSize: 2, length: 5, vocabulary: 4, size, using: &random
    ).converted(to: .float64)
    let x = Tensor([0, 1, 2, 3, 0] as [Int32], shape: [1, 5])
    let z = random.normalTensor([1, 2], .float64)
    _ = gradient(at: z) { z in
      let likelihood = decoder(z)
      #expect(!likelihood.mode.isRecorded)
      return likelihood.logProbability(of: x).sum()
    }
    var training = LayerContext(isTraining: true, random: random)
    let likelihood = decoder(z, &training)
    let other = decoder(z, &training)
    let value = likelihood.logProbability(of: x)
    #expect(value.array == likelihood.logProbability(of: x).array)
    #expect(value.array != other.logProbability(of: x).array)
    #expect(value.array != decoder(z).logProbability(of: x).array)
  }

  /// Second derivatives through a whole text model.
  @Test func secondDerivatives() {
    var random = RandomStream(seed: 47)
    let decoder = TransformerTextDecoder(
      latentSize: 2, length: 4, vocabulary: 3,
      TransformerSize(width: 4, heads: 2, layers: 1, positions: .rotary), using: &random
    ).converted(to: .float64)
    let x = Tensor([0, 1, 2, 2] as [Int32], shape: [1, 4])
    let error = gradientError(at: [random.normalTensor([1, 2], .float64)]) { inputs in
      square(gradient(at: inputs[0]) { decoder($0).logProbability(of: x).sum() }).sum()
    }
    #expect(error < 1e-6)
  }

  /// A trainer takes sequences as they come from a file.
  @Test(arguments: [true, false]) func trainingLearnsAText(isTransformer: Bool) throws {
    let path = FileManager.default.temporaryDirectory
      .appending(path: "latent-text-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let words = String(repeating: "to be or not to be, that is the question. ", count: 60)
    try Data(words.utf8).write(to: URL(fileURLWithPath: path))
    let text = try ByteText(path: path, length: 16)
    func train<E: Encoder, D: Decoder>(_ model: VAE<E, D, StandardNormalPrior>) throws
    where E.Posterior: ReparameterizedDistribution {
      var trainer = Trainer(
        model, objective: ELBO(), optimizer: Adam(learningRate: 3e-3), seed: 1)
      let before = try trainer.evaluate(text)
      let order = BatchOrder(count: text.count, batchSize: 32, seed: 1)
      for epoch in 0..<16 {
        for indices in order.batches(epoch: epoch) {
          try trainer.step(Tensor(try text.batch(at: indices).inputs))
        }
      }
      let after = try trainer.evaluate(text)
      #expect(before.loss > 80)
      #expect(after.loss < 25, "\(after.loss) nats for each 16 bytes")
    }
    var random = RandomStream(seed: 48)
    if isTransformer {
      let size = TransformerSize(width: 32, heads: 2, layers: 1)
      try train(
        VAE(
          encoder: TransformerTextEncoder(length: 16, latentSize: 4, size, using: &random),
          decoder: TransformerTextDecoder(latentSize: 4, length: 16, size, using: &random),
          prior: .standardNormal(4)))
    } else {
      try train(
        VAE(
          encoder: GRUTextEncoder(width: 16, hidden: 32, latentSize: 4, using: &random),
          decoder: GRUTextDecoder(
            latentSize: 4, length: 16, width: 16, hidden: 64, using: &random),
          prior: .standardNormal(4)))
    }
  }
}
