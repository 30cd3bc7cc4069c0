// What holds for every sampler of the list, and the small ones.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

/// Codes around a few places, in batches, with the place as the label.
func placedCodes(_ count: Int, deviation: Double = 0.3) -> EncodedData {
  let places = [[2.0, 0, -1], [-1, 1, 3], [0, -2, 0]].map { Tensor($0) }
  let labels = Tensor((0..<count).map { Int32($0 % 3) })
  let means = Tensor.stack((0..<count).map { places[$0 % 3] }).converted(to: .float32)
  let half = count / 2
  let posteriors = [0..<half, half..<count].map {
    DiagonalNormal(
      mean: means.sliced(0, $0), standardDeviation: Tensor.scalar(deviation, .float32))
  }
  return EncodedData(posteriors, labels: labels)
}

@Suite struct SamplerTests {
  typealias Model = VAE<FreeEncoder, MLPDecoder<BernoulliHead>, StandardNormalPrior>

  static let model: Model = {
    var random = RandomStream(seed: 1)
    return VAE(
      encoder: FreeEncoder(mean: .zeros([1, 3]), logVariance: .zeros([1, 3])),
      decoder: MLPDecoder(
        latentSize: 3, hidden: [], outputShape: [4], head: BernoulliHead(), using: &random),
      prior: .standardNormal(3))
  }()

  /// With few steps.
  static func quick(_ type: any SamplerDescription.Type) -> any SamplerDescription {
    let description = type.init()
    if var flow = description as? FlowMatchingDescription {
      (flow.hidden, flow.steps, flow.batchSize, flow.solverSteps) = ([8], 20, 16, 5)
      return flow
    }
    if var stage = description as? TwoStageSamplerDescription {
      (stage.hidden, stage.steps, stage.batchSize) = ([8], 20, 16)
      return stage
    }
    switch description {
    case var flow as MaskedAutoregressiveSamplerDescription:
      (flow.hidden, flow.steps, flow.batchSize) = ([8], 20, 16)
      return flow
    case var flow as InverseAutoregressiveSamplerDescription:
      (flow.hidden, flow.steps, flow.batchSize) = ([8], 20, 16)
      return flow
    case var network as PixelCNNSamplerDescription:
      (network.channels, network.layers, network.steps, network.batchSize) = (4, 2, 10, 8)
      return network
    case var network as TransformerSamplerDescription:
      (network.width, network.layers, network.steps, network.batchSize) = (8, 1, 10, 8)
      return network
    case var ball as PoincareSamplerDescription:
      (ball.components, ball.steps, ball.batchSize) = (2, 20, 16)
      return ball
    case var volume as RiemannianSamplerDescription:
      (volume.points, volume.chain, volume.leapfrog) = (20, 5, 3)
      return volume
    default: return description
    }
  }

  /// A model, and codes of 60 examples in three classes, on a space that the sampler knows.
  static func world(
    _ type: any SamplerDescription.Type
  ) throws -> (model: any LatentVariableModel, data: EncodedData) {
    if type.draws(on: .vectors) { return (model, placedCodes(60)) }
    var codes = VectorCodes()
    codes.codes = 3
    let posterior: any PosteriorDescription =
      type.draws(on: .codes) ? CodesPosterior(codes) : WrappedNormalPosterior()
    let network: any NetworkDescription =
      type.draws(on: .codes)
      ? ConvMapNetwork(channels: [3], latentChannels: 2) : MLPNetwork(hidden: [], latentSize: 3)
    var random = RandomStream(seed: 1)
    let model = try ModelDescription(network, inputShape: [4, 4, 1], posterior: posterior)
      .makeModel(using: &random)
    func encoded(_ model: some LatentVariableModel) -> EncodedData {
      EncodedData(
        [model.encode(random.uniformTensor([60, 4, 4, 1]))],
        labels: Tensor((0..<60).map { Int32($0 % 3) }))
    }
    return (model, encoded(model))
  }

  @Test(arguments: SamplerSettings.all.map { $0.name }) func laws(name: String) throws {
    let type = type(of: try SamplerSettings(named: name).description)
    let description = SamplerTests.quick(type)
    try description.validate()
    let (model, data) = try SamplerTests.world(type)
    try description.validate(for: model)
    #expect(type.origin.test.hasPrefix("LatentModelsTests/Samplers/"))
    // Words to files and back.
    let settings = SamplerSettings(description)
    let json = try JSONEncoder().encode(settings)
    let read = try JSONDecoder().decode(SamplerSettings.self, from: json)
    #expect(read == settings)

    var random = RandomStream(seed: 4)
    let sampler = try description.fit(data, using: &random, progress: { _ in })
    func drawn(_ sampler: some LatentSampler) -> Tensor {
      var random = RandomStream(seed: 6)
      func latents(_ model: some LatentVariableModel) -> Tensor {
        sampler.latents(30, of: model, fields: [:], using: &random)
      }
      return latents(model)
    }
    let z = drawn(sampler)
    #expect(z.shape == [30] + model.latentShape && z.doubles.allSatisfy(\.isFinite))
    // What was learned is in the parameters and buffers, whose shapes follow from the facts.
    func loaded(_ other: some LatentSampler) throws -> Tensor {
      var other = other
      try other.load(sampler.namedArrays)
      return drawn(other)
    }
    let restored = try loaded(description.makeSampler(data.facts, using: &random))
    #expect(restored.array == z.array)
    var again = RandomStream(seed: 4)
    let second = try description.fit(data, using: &again, progress: { _ in })
    #expect(second.namedArrays == sampler.namedArrays)
  }

  @Test func unknownNames() {
    let error = #expect(throws: SettingError.self) { try SamplerSettings(named: "other") }
    #expect(error?.expected.contains("gmm") == true)
  }

  @Test func encodedDataAreDrawnInOrder() {
    let data = placedCodes(10, deviation: 1e-6)
    #expect(data.facts == SamplerFacts(latentShape: [3], examples: 10, classes: 3))
    var random = RandomStream(seed: 1)
    let codes = data.codes(using: &random)
    #expect(codes.shape == [10, 3])
    let first = codes.sliced(1, 0..<1).doubles
    for (row, value) in first.enumerated() {
      #expect(Swift.abs(value - [2, -1, 0][row % 3]) < 1e-4)
    }
    #expect(EncodedData(data.posteriors).labels == nil)
  }

  /// All of one length, that of the codes in the root mean square, and in every direction.
  @Test func hypersphere() throws {
    let data = EncodedData([
      DiagonalNormal(mean: .zeros([4000, 3]), standardDeviation: Tensor.scalar(2, .float32))
    ])
    var random = RandomStream(seed: 2)
    let sampler = HypersphereDescription().fit(data, using: &random, progress: { _ in })
    let z = sampler.latents(5000, of: SamplerTests.model, fields: [:], using: &random)
    let lengths = sqrt(square(z).sum(axes: [1])).doubles
    #expect((lengths.max() ?? 0) - (lengths.min() ?? 0) < 1e-4)
    #expect(Swift.abs(lengths[0] - 2 * 3.0.squareRoot()) < 0.05)
    for mean in z.mean(axes: [0]).doubles { #expect(Swift.abs(mean) < 0.12) }
  }

  /// A mixture of the posteriors of examples at equal distances, which come equally often, one draw at a time (bug 41).
  @Test func vamp() throws {
    var description = VampSamplerDescription()
    description.components = 3
    var random = RandomStream(seed: 2)
    let sampler = try description.fit(
      placedCodes(30, deviation: 0.01), using: &random, progress: { _ in })
    let means = (sampler as? VampSampler)?.mean.doubles ?? []
    // Examples 0, 10 and 20 are of three places.
    #expect(means == [2, 0, -1, -1, 1, 3, 0, -2, 0])
    var counts = [0, 0, 0]
    for _ in 0..<9000 {
      let z = sampler.latents(1, of: SamplerTests.model, fields: [:], using: &random).doubles
      counts[z[0] > 1 ? 0 : z[0] < -0.5 ? 1 : 2] += 1
    }
    let deviation = (9000.0 * 2 / 9).squareRoot()
    for count in counts { #expect(Swift.abs(Double(count) - 3000) < 4 * deviation) }
  }

  @Test func vampNeedsNormals() {
    var random = RandomStream(seed: 1)
    let model = VAE(
      encoder: MLPPointEncoder(inputShape: [4], hidden: [], latentSize: 3, using: &random),
      decoder: SamplerTests.model.decoder, prior: .standardNormal(3))
    #expect(throws: ModelRequirementError.self) {
      try VampSamplerDescription().validate(for: model)
    }
  }
}
