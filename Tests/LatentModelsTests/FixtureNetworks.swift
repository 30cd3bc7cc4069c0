// The networks that the fixtures describe, under our names and under PyTorch's.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics

let fixtureNetworks: [any FixtureNetwork] = [
  MLPFixture(name: "mlp-tiny", hidden: 48, latentSize: 8),
  MLPFixture(name: "mlp-full", hidden: 400, latentSize: 20),
  ConvFixture(
    name: "conv28-tiny", inputShape: [1, 28, 28], channels: [8, 16], hidden: 32, latentSize: 4),
  ConvFixture(
    name: "conv28-full", inputShape: [1, 28, 28], channels: [32, 64], hidden: 256, latentSize: 16),
  ConvFixture(
    name: "conv64-tiny", inputShape: [3, 64, 64], channels: [8, 8, 16, 16], hidden: 32,
    latentSize: 4),
  ConvFixture(
    name: "conv64-full", inputShape: [3, 64, 64], channels: [32, 32, 64, 64], hidden: 256,
    latentSize: 10),
  TextFixture(name: "seq-tiny", width: 32, latentSize: 8),
  TextFixture(name: "seq-full", width: 128, latentSize: 32),
]

/// Means and log-variances are one layer here and two in PyTorch.
func fixtureHead(_ inputs: Int, _ latents: Int) -> [FixtureParameter] {
  FixtureParameter.linear("enc.mu", inputs, latents, "encoder.head", rows: 0..<latents)
    + FixtureParameter.linear(
      "enc.logvar", inputs, latents, "encoder.head", rows: latents..<(2 * latents))
}

/// 784 -> hidden -> latent, mirrored, Bernoulli.
struct MLPFixture: FixtureNetwork {
  typealias Model = VAE<
    FixedNoiseEncoder<MLPEncoder>, MLPDecoder<BernoulliHead>, StandardNormalPrior
  >
  let name: String
  let hidden, latentSize: Int
  let inputShape = [784]

  var parameters: [FixtureParameter] {
    FixtureParameter.linear("enc.fc", 784, hidden, "encoder.hidden.0")
      + fixtureHead(hidden, latentSize)
      + FixtureParameter.linear("dec.fc", latentSize, hidden, "decoder.hidden.0")
      + FixtureParameter.linear("dec.out", hidden, 784, "decoder.output")
  }

  func emptyModel(noise: Tensor) -> Model {
    var random = RandomStream(seed: 0)
    return VAE(
      encoder: FixedNoiseEncoder(
        base: MLPEncoder(
          inputShape: [784], hidden: [hidden], latentSize: latentSize, using: &random), noise: noise
      ),
      decoder: MLPDecoder(
        latentSize: latentSize, hidden: [hidden], outputShape: [784], head: BernoulliHead(),
        using: &random),
      prior: .standardNormal(latentSize))
  }

  func output(_ likelihood: Bernoulli) -> Tensor { likelihood.logits }
}

/// Convolutions of kernel 4 and stride 2, one hidden layer, mirrored, Bernoulli.
struct ConvFixture: FixtureNetwork {
  typealias Model = VAE<
    FixedNoiseEncoder<ConvEncoder>, ConvDecoder<BernoulliHead>, StandardNormalPrior
  >
  let name: String
  let inputShape: [Int]
  let channels: [Int]
  let hidden, latentSize: Int

  var parameters: [FixtureParameter] {
    let widths = [inputShape[0]] + channels
    let side = inputShape[1] >> channels.count
    let flat = [widths[channels.count], side, side]
    let count = flat.reduce(1, *)
    var list: [FixtureParameter] = []
    for (index, pair) in zip(widths, widths.dropFirst()).enumerated() {
      list += FixtureParameter.convolution(
        "enc.conv\(index)", [pair.1, pair.0, 4, 4], inputs: pair.0, outputs: pair.1,
        "encoder.convolutions.\(index)")
    }
    list += FixtureParameter.linear(
      "enc.fc", count, hidden, "encoder.hidden", layout: .columns(flat))
    list += fixtureHead(hidden, latentSize)
    list += FixtureParameter.linear("dec.fc0", latentSize, hidden, "decoder.hidden")
    list += FixtureParameter.linear("dec.fc1", hidden, count, "decoder.image", layout: .rows(flat))
    let up = Array(widths.reversed())
    for (index, pair) in zip(up, up.dropFirst()).enumerated() {
      list += FixtureParameter.convolution(
        "dec.conv\(index)", [pair.0, pair.1, 4, 4], inputs: pair.0, outputs: pair.1,
        "decoder.convolutions.\(index)")
    }
    return list
  }

  func emptyModel(noise: Tensor) -> Model {
    var random = RandomStream(seed: 0)
    let shape: Shape = [inputShape[1], inputShape[2], inputShape[0]]
    return VAE(
      encoder: FixedNoiseEncoder(
        base: ConvEncoder(
          inputShape: shape, channels: channels, hidden: hidden, latentSize: latentSize,
          using: &random), noise: noise),
      decoder: ConvDecoder(
        latentSize: latentSize, hidden: hidden, channels: channels, outputShape: shape,
        head: BernoulliHead(), using: &random),
      prior: .standardNormal(latentSize))
  }

  func output(_ likelihood: Bernoulli) -> Tensor { likelihood.logits }
}
