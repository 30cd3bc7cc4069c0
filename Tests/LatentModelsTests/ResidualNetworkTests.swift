// Residual networks of sizes that the fixtures do not have, and latents that keep their place in all
// that is done with latents.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct ResidualNetworkTests {
  typealias Model = VAE<
    ResidualEncoder<DiagonalHead>, ResidualDecoder<NormalHead>, StandardNormalPrior
  >

  static func model(_ shape: Shape, _ network: ResidualNetwork, _ scale: NormalHead.Scale) -> Model
  {
    var random = RandomStream(seed: 4)
    return VAE(
      encoder: ResidualEncoder(inputShape: shape, network: network, using: &random),
      decoder: ResidualDecoder(
        outputShape: shape, head: NormalHead(scale), network: network, using: &random),
      prior: StandardNormalPrior(network.latentShape(of: shape)))
  }

  static let networks: [(shape: Shape, network: ResidualNetwork, latents: Shape)] = [
    ([6, 5, 1], ResidualNetwork(channels: [4], groups: 2, latentChannels: 3), [6, 5, 3]),
    ([8, 4, 3], ResidualNetwork(channels: [4, 4], blocks: 2, groups: 1), [4, 2, 4]),
    (
      [8, 12, 2], ResidualNetwork(channels: [2, 6, 4], blocks: 3, groups: 2, latentChannels: 1),
      [2, 3, 1]
    ),
  ]

  @Test(arguments: networks.indices) func shapes(index: Int) {
    let (shape, network, latents) = ResidualNetworkTests.networks[index]
    let model = ResidualNetworkTests.model(shape, network, .elementwise)
    var random = RandomStream(seed: 5)
    let posterior = model.encode(random.uniformTensor([2] + shape))
    #expect(posterior.batchShape == [2] && posterior.eventShape == latents)
    #expect(model.latentShape == latents)
    let decoded = model.decode(random.normalTensor([3, 2] + latents))
    #expect(decoded.batchShape == [3, 2] && decoded.eventShape == shape)
    #expect(model.unvisitedTensors == [])
    let blocks = model.encoder.levels.map(\.blocks.count)
    #expect(blocks == network.channels.map { _ in network.blocks })
  }

  /// Leading axes are nothing but a larger batch.
  @Test func samplesAreDecodedAlike() {
    let (shape, network, latents) = ResidualNetworkTests.networks[1]
    let model = ResidualNetworkTests.model(shape, network, .fixed(1)).converted(to: .float64)
    var random = RandomStream(seed: 6)
    let z = random.normalTensor([3, 2] + latents, .float64)
    let whole = model.decode(z).mean
    for sample in 0..<3 {
      #expect(distance(whole.selecting(sample), model.decode(z.selecting(sample)).mean) < 1e-12)
    }
  }

  @Test func latentsWithAPlace() {
    let (shape, network, latents) = ResidualNetworkTests.networks[1]
    let model = ResidualNetworkTests.model(shape, network, .shared())
    var random = RandomStream(seed: 7)
    let (start, end) = (random.normalTensor(latents), random.normalTensor(latents))
    for path in Interpolation.allCases {
      let strip = model.interpolate(from: start, to: end, steps: 4, path)
      #expect(strip.shape == [4] + shape)
      #expect(distance(strip.selecting(0), model.decode(start).mean) < 1e-5)
      #expect(distance(strip.selecting(3), model.decode(end).mean) < 1e-5)
    }
    let pairs = model.interpolate(
      from: random.normalTensor([5] + latents), to: random.normalTensor([5] + latents), steps: 3)
    #expect(pairs.shape == [3, 5] + shape)
    let last = latents.count - 1
    let walk = model.traverse(start, dimension: last, values: [-1, start.doubles[last], 2])
    #expect(walk.shape == [3] + shape)
    #expect(distance(walk.selecting(1), model.decode(start).mean) < 1e-5)
    let x = random.uniformTensor([2] + shape)
    let bound = model.logLikelihood(of: x, importanceSamples: 3, using: &random)
    #expect(bound.shape == [2] && bound.array.nonFiniteCount == 0)
  }
}
