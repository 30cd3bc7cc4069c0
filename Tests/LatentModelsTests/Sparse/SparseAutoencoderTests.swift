// Sparse autoencoders: dictionaries that say all, directions of length 1, levels, latents that are dead.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import TestSupport
import Testing

@Suite struct SparseAutoencoderTests {
  typealias Model<Head: PosteriorHead> = VAE<
    DictionaryEncoder<Head>, DictionaryDecoder<NormalHead>, StandardNormalPrior
  >

  /// Every positive number stays.
  struct ReLUHead: PosteriorHead {
    func outputs(latents: Int) -> [RawOutputs] { [RawOutputs(latents)] }
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
    func callAsFunction(_ raw: Tensor, eventRank: Int, _ context: inout LayerContext) -> Delta {
      Delta(relu(raw), eventRank: eventRank)
    }
  }

  static func model<Head: PosteriorHead>(
    _ head: Head, latents: Int = 10, size: Int = 6, seed: UInt64 = 1
  ) -> Model<Head> {
    var random = RandomStream(seed: seed)
    let decoder = DictionaryDecoder(
      latentSize: latents, outputShape: [size], head: NormalHead(.fixed(1)), using: &random)
    var model = Model(
      encoder: DictionaryEncoder(directions: decoder.weight, posterior: head, using: &random),
      decoder: decoder, prior: .standardNormal(latents)
    ).converted(to: .float64)
    // Length 1 to the last digit of double.
    let lengths = sqrt(square(model.decoder.weight).sum(axes: [1], keepingDimensions: true))
    model.decoder.weight = model.decoder.weight / lengths
    return model
  }

  typealias Rule<Head: PosteriorHead> = SparseAutoencoder<Model<Head>, SparseDescription>
  where Head.Posterior == Delta

  static let x = SparseCodeTests.noise([9, 6], seed: 4)

  private func loss<Head: PosteriorHead, Settings: SparseObjectiveDescription>(
    _ model: Model<Head>, _ settings: Settings, silence: Tensor? = nil, isTraining: Bool = true
  ) -> (terms: LossTerms, gradient: [String: Tensor], context: LayerContext)
  where Head.Posterior == Delta {
    let rule = SparseAutoencoder<Model<Head>, Settings>(settings)
    var random = RandomStream(seed: 1)
    var parts = rule.makeParts(for: model, using: &random)
    if let silence { parts.silence = silence }
    var context = Tiny.training()
    context.isTraining = isTraining
    let names = model.namedParameters.filter(\.isTrained).map(\.path)
    let result = valueAndGradient(
      at: model.parameters,
      withAuxiliary: { tensors in
        var copy = model
        copy.setParameters(tensors)
        let terms = rule.loss(of: 0, copy, parts, Self.x, &context)
        return (terms.total, terms)
      })
    let pairs = zip(names, result.gradients).compactMap { name, slope in slope.map { (name, $0) } }
    return (result.auxiliary, Dictionary(uniqueKeysWithValues: pairs), context)
  }

  /// With all latents it is the autoencoder of ReLUs, to the bit.
  @Test func allOfThem() {
    let few = loss(Self.model(TopKHead(active: 10)), SparseDescription())
    let all = loss(Self.model(ReLUHead()), SparseDescription())
    #expect(few.terms.total.array == all.terms.total.array)
    #expect(few.gradient.count == 4 && Set(few.gradient.keys) == Set(all.gradient.keys))
    for (name, slope) in few.gradient { #expect(slope.array == all.gradient[name]?.array) }
    // And so is the batch's choice.
    let batch = loss(Self.model(BatchTopKHead(active: 10)), SparseDescription())
    #expect(batch.terms.total.array == all.terms.total.array)
  }

  /// Data that are sums of three of an orthonormal dictionary's directions leave nothing.
  @Test(arguments: [6, 17]) func orthonormalDictionary(size: Int) {
    var random = RandomStream(seed: 2)
    let directions = Tensor(
      random.normalTensor([size, size], .float64).array.orthonormalColumns())
    var model = Self.model(TopKHead(active: 3), latents: size, size: size)
    model.encoder.layer.weight = directions
    model.decoder.weight = directions
    let places = random.uniformTensor([40, size], .float64).largestMask(3)
    let code = places * (random.uniformTensor([40, size], .float64) + 0.5)
    let x = matmul(code, directions)
    var figures = SparseFigures()
    figures.add(x[..<25], model)
    figures.add(x[25...], model)
    #expect(figures.unexplained < 1e-28 && figures.active == 3 && figures.examples == 40)
    let rule = Rule<TopKHead>()
    let parts = rule.makeParts(for: model, using: &random)
    var context = Tiny.training()
    #expect(rule.loss(of: 0, model, parts, x, &context).total.item < 1e-28)
    let densities = (code .!= 0).mean(axes: [0]).doubles
    #expect(distance(figures.densities, densities) < 1e-15)
    #expect(figures.dead == Double(densities.count { $0 == 0 }) / Double(size))
    #expect(abs(meanMaximalCosine(of: model.dictionary, to: directions * 3) - 1) < 1e-12)
  }

  /// What the figures say over batches is what one look at all examples says.
  @Test func figures() {
    let model = Self.model(TopKHead(active: 2))
    let x = Self.x + 100
    var figures = SparseFigures()
    for range in [0..<4, 4..<5, 5..<9] { figures.add(x[range], model) }
    let error = square(x - model.reconstruct(x)).sum().item
    let variance = square(x - x.mean(axes: [0])).sum().item
    #expect(abs(figures.unexplained / (error / variance) - 1) < 1e-10)
    #expect(SparseFigures().unexplained.isNaN)
  }

  /// Derivatives along the directions are nothing; after a step they have length 1, and frozen ones stay.
  @Test func directionsOfLengthOne() {
    let model = Self.model(TopKHead(active: 3))
    let result = loss(model, SparseDescription())
    let slope = result.gradient["decoder.weight"] ?? .zeros([10, 6], .float64)
    #expect((slope * model.dictionary).sum(axes: [1]).doubles.allSatisfy { abs($0) < 1e-14 })
    #expect(abs(slope).max().item > 1e-4)
    let rule = Rule<TopKHead>()
    var (long, random) = (model, RandomStream(seed: 1))
    long.dictionary = model.dictionary * 3 + slope
    let parts = rule.makeParts(for: long, using: &random)
    var frozen = long
    rule.settle(&frozen, parts, except: ["decoder.*"])
    #expect(frozen.dictionary.array == long.dictionary.array)
    rule.settle(&long, parts, except: ["encoder.**"])
    #expect(distance(square(long.dictionary).sum(axes: [1]), .ones([10], .float64)) < 1e-14)
    // The length that is taken off changes no loss of training.
    var twice = model
    twice.dictionary = model.dictionary * 2
    let other = loss(twice, SparseDescription()).terms.total.item
    #expect(abs(other - result.terms.total.item) < 1e-14)
  }

  /// Each level is the share that a dictionary of the first latents leaves.
  @Test(arguments: [1, 3, 16]) func levels(levels: Int) throws {
    let model = Self.model(TopKHead(active: 4))
    var settings = MatryoshkaDescription()
    settings.levels = levels
    try settings.validate()
    let found = loss(model, settings).terms
    let code = model.codes(of: Self.x)
    let variance = square(Self.x - Self.x.mean(axes: [0])).sum().item
    let ends = (0..<levels).map { 10 >> $0 }.filter { $0 > 0 }
    let shares = ends.map { end -> Double in
      let first = matmul(code.sliced(1, 0..<end), model.dictionary.sliced(0, 0..<end))
      return square(Self.x - first - model.center).sum().item / variance
    }
    #expect(abs(found.total.item - shares.reduce(0, +) / Double(shares.count)) < 1e-12)
    #expect(abs((found["unexplained"]?.item ?? 0) - shares[0]) < 1e-12)
    #expect((found["levels"] == nil) == (ends.count == 1))
  }

  /// Dead latents say what is left, the largest half as many as there are elements; only they learn from it.
  @Test func deadLatents() throws {
    var model = Self.model(TopKHead(active: 2))
    model.encoder.layer.bias = Tensor((0..<10).map { $0 < 5 ? 1 : -0.2 } as [Double])
    var settings = SparseDescription()
    (settings.deadAfter, settings.auxiliary) = (100, 0.25)
    let silence = Tensor((0..<10).map { $0 < 5 ? 0 : 100 } as [Double])
    let with = loss(model, settings, silence: silence)
    let values = model.preactivations(of: Self.x)
    let code = model.codes(of: Self.x)
    let rest = Self.x - model.center - matmul(code, model.dictionary)
    let late = values.sliced(1, 5..<10)
    let said = matmul(relu(late) * late.largestMask(3), model.dictionary.sliced(0, 5..<10))
    let share =
      square(rest - said).sum().item / square(rest - rest.mean(axes: [0])).sum().item
    #expect(abs(try #require(with.terms["auxiliary"]).item - share) < 1e-12)
    #expect(try #require(with.terms["dead"]).item == 0.5)
    let total = try #require(with.terms["unexplained"]).item + 0.25 * share
    #expect(abs(with.terms.total.item - total) < 1e-12)
    // Without them the slopes of the others are the same.
    let without = loss(model, settings)
    #expect(try #require(without.terms["auxiliary"]).item == 0)
    let (a, b) = (
      try #require(with.gradient["encoder.layer.weight"]),
      try #require(without.gradient["encoder.layer.weight"])
    )
    #expect(distance(a.sliced(0, 0..<5), b.sliced(0, 0..<5)) < 1e-13)
    #expect(abs(a.sliced(0, 5..<10) - b.sliced(0, 5..<10)).max().item > 1e-4)
    // Evaluation counts nothing.
    #expect(loss(model, settings, isTraining: false).context.bufferUpdates.isEmpty)
  }

  @Test func silenceIsCounted() {
    let model = Self.model(TopKHead(active: 2))
    let rule = Rule<TopKHead>()
    var random = RandomStream(seed: 1)
    var parts = rule.makeParts(for: model, using: &random)
    for _ in 0..<3 {
      var context = Tiny.training()
      _ = rule.loss(of: 0, model, parts, Self.x, &context)
      parts.apply(context.bufferUpdates)
    }
    let active = (model.codes(of: Self.x) .!= 0).max(axes: [0]).doubles
    #expect(parts.silence.doubles == active.map { $0 == 1 ? 0 : 27 })
  }

  /// Data without any variance, and codes that say all, are no division by zero.
  @Test func nothingToExplain() {
    let model = Self.model(TopKHead(active: 2))
    let rule = Rule<TopKHead> { $0.deadAfter = 1 }
    var random = RandomStream(seed: 1)
    var parts = rule.makeParts(for: model, using: &random)
    parts.silence = parts.silence + 1
    var context = Tiny.training()
    let same = Tensor.zeros([4, 6], .float64)
    let terms = rule.loss(of: 0, model, parts, same, &context)
    #expect(terms.total.item == 0)
  }

  /// The encoder starts as the decoder's transpose, around the mean of the data.
  @Test func firstWeights() throws {
    var random = RandomStream(seed: 3)
    let description = ModelDescription(
      SparseNetwork(latentSize: 20), inputShape: [6], posterior: TopKPosterior(),
      likelihood: .unitNormal)
    let made = try description.makeModel(using: &random)
    var model = try #require(made as? Model<TopKHead>)
    #expect(distance(model.encoder.layer.weight, model.decoder.weight) < 1e-6)
    #expect(square(model.dictionary).sum(axes: [1]).doubles.allSatisfy { abs($0 - 1) < 1e-6 })
    var statistics = DataStatistics(shape: [6])
    let x = (Self.x * 2 + 5).converted(to: .float32)
    statistics.add(x.array, indices: Array(0..<9))
    model.initialize(from: statistics)
    #expect(distance(model.center, x.mean(axes: [0])) < 1e-5)
    let values = model.preactivations(of: x)
    #expect(distance(values.mean(axes: [0]), .zeros([20])) < 1e-5)
  }

  @Test func otherModelsAreRefused() throws {
    let facts = TrainingFacts(examples: 4, inputShape: [3])
    let error = #expect(throws: ModelRequirementError.self) {
      try SparseDescription().make(for: Tiny.model(NormalHead()), facts)
    }
    #expect(
      error?.description.hasPrefix(
        "objective 'sparse' needs the network 'sparse' with a posterior that is a point, such as "
          + "'topk', and a normal likelihood: found VAE<") == true)
  }

  @Test func masksAreRefused() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      let model = SparseAutoencoderTests.model(TopKHead(active: 2))
      let rule = Rule<TopKHead>()
      var (random, context) = (RandomStream(seed: 1), Tiny.training())
      context.fields["mask"] = SparseAutoencoderTests.x
      let parts = rule.makeParts(for: model, using: &random)
      _ = rule.loss(of: 0, model, parts, SparseAutoencoderTests.x, &context)
    }
    let mistake = Mistake(name: "mask", words: ["objective 'sparse' of data with a mask"])
    #expect(mistake.missing(in: result?.standardErrorContent) == nil)
  }
}
