// Networks that go through the indices of codes: what they may see, that densities are densities, that drawing one code
// after the other is the same network, and models with such a prior.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import LatentOptimizers
import Testing

@testable import LatentModels

@Suite struct CodeNetworkTests {
  enum Kind: String, CaseIterable, Sendable { case pixelcnn, transformer }

  /// A small network of one kind, with weights away from their start.
  private func with(
    _ kind: Kind, _ map: CodeMap, conditions: Int = 1,
    _ body: (any AutoregressiveNetwork) throws -> Void
  ) rethrows {
    var random = RandomStream(seed: 1)
    func moved(_ network: some AutoregressiveNetwork) -> any AutoregressiveNetwork {
      network.mapParameters { $0 + random.normalTensor($0.shape) * 0.3 }
    }
    switch kind {
    case .pixelcnn:
      let size = PixelCNNSize(channels: 4, layers: 3, kernel: 3)
      let network = size.makeNetwork(map, conditions: conditions, using: &random)
      #expect(
        Double(network.parameterCount) == size.parameterCount(map, conditions: conditions))
      #expect(network.unvisitedTensors == [])
      try body(moved(network))
    case .transformer:
      let size = TransformerSize(width: 8, heads: 2, layers: 2)
      let network = size.makeNetwork(map, conditions: conditions, using: &random)
      #expect(
        Double(network.parameterCount) == size.parameterCount(map, conditions: conditions))
      try body(moved(network))
    }
  }

  /// Logits `[rows, length, classes]` of codes `[rows, length]`.
  private func logits(_ network: some AutoregressiveNetwork, _ x: Tensor) -> Tensor {
    var context = LayerContext.inference
    let condition = CodeCondition.none(classes: 0).broadcast(to: [x.shape[0], 1])
    return network.logits(condition, x, &context)
  }

  private func codes(_ rows: Int, _ map: CodeMap, seed: UInt64 = 2) -> Tensor {
    var random = RandomStream(seed: seed)
    let all = Int32(map.codes)
    return Tensor(
      (0..<rows * map.length).map { _ in Int32.random(in: 0..<all, using: &random) },
      shape: [rows, map.length])
  }

  /// A code changes nothing at its own place and before it, and something at every place after it, also where that is
  /// below and to the left: there is no blind spot.
  @Test(arguments: Kind.allCases) func whatIsSeen(kind: Kind) {
    let map = CodeMap(height: 3, width: 3, codes: 5)
    with(kind, map) { network in
      func check(_ network: some AutoregressiveNetwork) {
        let x = codes(2, map)
        let before = logits(network, x)
        for place in 0..<map.length {
          let isHere = Tensor((0..<map.length).map { Int32($0 == place ? 1 : 0) })
          let changed = Tensor.where(
            isHere.broadcast(to: x.shape),
            Tensor(x.array.int32s.map { ($0 + 1) % 5 }, shape: x.shape),
            x)
          let after = logits(network, changed)
          for other in 0..<map.length {
            let (old, new) = (before.selecting(other, axis: 1), after.selecting(other, axis: 1))
            #expect(
              (old.doubles == new.doubles) == (other <= place), "\(kind): \(place) seen at \(other)"
            )
          }
        }
      }
      check(network)
    }
  }

  /// Rows, a single row and a single column.
  @Test(arguments: Kind.allCases, [[3, 4], [1, 6], [4, 1]])
  func oneCodeAfterTheOther(kind: Kind, size: [Int]) {
    let map = CodeMap(height: size[0], width: size[1], codes: 5)
    with(kind, map) { network in
      func check(_ network: some AutoregressiveNetwork) {
        let x = codes(3, map)
        let whole = logits(network, x)
        var progress = network.start(CodeCondition.none(classes: 0).broadcast(to: [3, 1]))
        var parts: [Tensor] = []
        for place in 0..<map.length {
          let previous = place == 0 ? nil : x.selecting(place - 1, axis: 1)
          parts.append(network.next(previous, &progress))
        }
        #expect(distance(Tensor.stack(parts, axis: 1), whole) < 1e-5)
      }
      check(network)
    }
  }

  /// Over all 81 maps of 2 by 2 places with 3 codes the probabilities add up to 1, and draws occur as often.
  @Test(arguments: Kind.allCases) func probabilities(kind: Kind) {
    let map = CodeMap(height: 2, width: 2, codes: 3)
    with(kind, map) { network in
      func check(_ network: some AutoregressiveNetwork) {
        let all = Tensor(
          (0..<81).flatMap { number in [27, 9, 3, 1].map { Int32(number / $0 % 3) } },
          shape: [81, 4])
        let sampler = CodeSampler(network, classes: 0)
        let p = exp(sampler.logProbability(ofIndices: all)).doubles
        #expect(Swift.abs(p.reduce(0, +) - 1) < 1e-5)
        var random = RandomStream(seed: 5)
        let count = 20_000
        let drawn = sampler.indices(count, using: &random).array.int32s.map(Int.init)
        var seen = [Int](repeating: 0, count: 81)
        for row in 0..<count {
          seen[(0..<4).reduce(0) { $0 * 3 + drawn[row * 4 + $1] }] += 1
        }
        // The sum of 81 squares, with 80 degrees of freedom: 4 standard deviations.
        let square = zip(seen, p).reduce(0.0) { sum, pair in
          let expected = pair.1 * Double(count)
          return sum + (Double(pair.0) - expected) * (Double(pair.0) - expected) / expected
        }
        #expect(square < 80 + 4 * 160.0.squareRoot(), "\(kind): \(square)")
      }
      check(network)
    }
  }

  /// Stages that were left out cost nothing; those that are there cost the same.
  @Test func stagesLeftOut() throws {
    var random = RandomStream(seed: 3)
    let quantizer = ResidualQuantizer.small(using: &random)
    let codes = LatentCodes(quantizer, latentShape: [2])
    let map = try CodeMap(latentShape: [2], counts: codes.counts, for: "a test")
    let network = PixelCNN(map, conditions: 1, using: &random)
    var context = LayerContext.inference
    let p = AutoregressiveCodes(
      codes, network, condition: CodeCondition.none(classes: 0), &context)
    let indices = Tensor([2, 1, 0, 2, -1, -1] as [Int32], shape: [2, 3])
    let found = p.logProbability(ofIndices: indices).doubles
    let first = logits(network, Tensor([2, 0, 0] as [Int32], shape: [1, 3])).selecting(0, axis: 1)
    #expect(Swift.abs(found[1] - logSoftmax(first).doubles[2]) < 1e-5 && found[0] < found[1])
  }

  // MARK: As priors

  static func description(_ kind: Kind, _ network: any NetworkDescription) -> ModelDescription {
    var codes = VectorCodes()
    codes.codes = 6
    if network is MLPNetwork { codes.dimension = 4 }
    return ModelDescription(
      network, inputShape: [4, 4, 1], posterior: CodesPosterior(codes), prior: prior(kind),
      likelihood: .normal)
  }

  static func prior(_ kind: Kind) -> any PriorDescription {
    var pixels = PixelCNNPriorDescription()
    (pixels.channels, pixels.layers, pixels.kernel) = (4, 2, 3)
    var transformer = TransformerPriorDescription()
    (transformer.width, transformer.heads, transformer.layers) = (8, 2, 1)
    return kind == .pixelcnn ? pixels : transformer
  }

  static let networks: [any NetworkDescription] = [
    MLPNetwork(hidden: [6], latentSize: 8), ConvMapNetwork(channels: [3], latentChannels: 4),
  ]

  /// The divergence is -log p of the indices; the prior learns from codes, and codes not from it.
  @Test(arguments: Kind.allCases, 0..<2) func models(kind: Kind, place: Int) throws {
    var random = RandomStream(seed: 1)
    let description = Self.description(kind, Self.networks[place])
    let model = try description.makeModel(using: &random).reparameterized(for: "a test")
    #expect(Double(model.parameterCount) == description.parameterCount)
    let data = try JSONEncoder().encode(description)
    #expect(try JSONDecoder().decode(ModelDescription.self, from: data) == description)
    func check<Model: ReparameterizedModel>(_ model: Model) throws {
      var (model, optimizer) = (model, Adam(learningRate: 1e-2))
      let x = random.uniformTensor([16, 4, 4, 1])
      var context = LayerContext.inference
      let p = try #require(model.prior(.float32, &context) as? any CodeDistribution)
      let rate = try #require(model.encode(x).closedFormKL(to: p))
      #expect(
        distance(rate, -p.logProbability(ofIndices: try model.indices(of: x))) < 1e-6)
      #expect(model.generate(3, using: &random).shape == [3, 4, 4, 1])
      let (value, density) = p.sampleAndLogProbability([2, 3], using: &random)
      #expect(value.shape == [2, 3] + model.latentShape && density.shape == [2, 3])
      var losses: [Double] = []
      for _ in 0..<40 {
        let (value, gradients) = valueAndGradient(at: model) { model in
          var context = LayerContext.inference
          return ELBO<Model>()(model, x, &context)["kl"] ?? .zeros([])
        }
        let paths = zip(model.namedParameters.filter(\.isTrained), gradients.tensors).compactMap {
          $1?.doubles.contains { $0 != 0 } == true ? $0.path : nil
        }
        #expect(!paths.isEmpty && paths.allSatisfy { $0.hasPrefix("prior.") }, "\(paths)")
        losses.append(value.item)
        optimizer.update(&model, along: gradients)
      }
      #expect(losses[39] < losses[0])
    }
    try check(model)
  }

  @Test func refusals() throws {
    for kind in Kind.allCases {
      let prior = Self.prior(kind)
      let plain = ModelDescription(
        MLPNetwork(hidden: [4], latentSize: 8), inputShape: [6], prior: prior)
      #expect(throws: ModelDescriptionError.self) { try plain.validate() }
      var codes = LookupFreeCodes()
      codes.bits = 18
      let large = ModelDescription(
        MLPNetwork(hidden: [4], latentSize: 18), inputShape: [6], posterior: CodesPosterior(codes),
        prior: prior)
      let error = #expect(throws: ModelDescriptionError.self) { try large.validate() }
      #expect(error?.expected == "equally many codes for every index, at most 65536")
    }
    var pixels = PixelCNNPriorDescription()
    pixels.kernel = 4
    let even = #expect(throws: SettingError.self) { try pixels.validate() }
    #expect(even?.key == "model.prior.kernel" && even?.expected == "an odd number, 3 to 63")
    var transformer = TransformerPriorDescription()
    transformer.heads = 5
    let heads = #expect(throws: SettingError.self) { try transformer.validate() }
    #expect(heads?.key == "model.prior.heads")
  }
}

extension ResidualQuantizer {
  /// Three stages of three codes, of two numbers.
  fileprivate static func small(using random: inout RandomStream) -> any Quantizer {
    var inside = VectorCodes()
    inside.codes = 3
    var codes = ResidualCodes()
    (codes.stages, codes.inside) = (3, CodesSettings(inside))
    return codes.makeQuantizer(dimension: 2, using: &random)
  }
}
