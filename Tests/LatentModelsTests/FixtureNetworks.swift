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
  ResidualFixture(
    name: "resnet64-tiny", side: 32, network: ResidualNetwork(channels: [8, 16, 32], groups: 4)),
  ResidualFixture(name: "resnet64-full", side: 64, network: ResidualNetwork()),
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
    FixedNoiseEncoder<ConvEncoder<DiagonalHead>>, ConvDecoder<BernoulliHead>, StandardNormalPrior
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

/// Residual blocks and spatial latents, mirrored, normal of unit variance.
struct ResidualFixture: FixtureNetwork {
  typealias Model = VAE<
    FixedNoiseEncoder<ResidualEncoder<DiagonalHead>>, ResidualDecoder<NormalHead>,
    StandardNormalPrior
  >
  let name: String
  let side: Int
  let network: ResidualNetwork
  var inputShape: [Int] { [3, side, side] }

  private func conv(
    _ name: String, _ inputs: Int, _ outputs: Int, _ path: String, kernel: Int = 3
  ) -> [FixtureParameter] {
    FixtureParameter.convolution(
      name, [outputs, inputs, kernel, kernel], inputs: inputs, outputs: outputs, path)
  }

  private func norm(_ name: String, _ count: Int, _ path: String) -> [FixtureParameter] {
    [
      FixtureParameter(
        name: "\(name).weight", shape: [count], start: .scale, path: "\(path).scale"),
      FixtureParameter(name: "\(name).bias", shape: [count], start: .shift, path: "\(path).shift"),
    ]
  }

  private func block(
    _ name: String, _ inputs: Int, _ outputs: Int, _ path: String
  ) -> [FixtureParameter] {
    norm("\(name).norm1", inputs, "\(path).norm1")
      + conv("\(name).conv1", inputs, outputs, "\(path).conv1")
      + norm("\(name).norm2", outputs, "\(path).norm2")
      + conv("\(name).conv2", outputs, outputs, "\(path).conv2")
      + (inputs == outputs
        ? [] : conv("\(name).skip", inputs, outputs, "\(path).shortcut", kernel: 1))
  }

  var parameters: [FixtureParameter] {
    let (widths, latents) = (network.channels, network.latentChannels)
    let last = widths.count - 1
    var list = conv("enc.conv_in", 3, widths[0], "encoder.input")
    for (index, width) in widths.enumerated() {
      let level = "encoder.levels.\(index)"
      list += block("enc.res\(index)", widths[max(0, index - 1)], width, "\(level).blocks.0")
      if index < last { list += conv("enc.down\(index)", width, width, "\(level).resampling") }
    }
    list += block("enc.mid", widths[last], widths[last], "encoder.middle")
    list += norm("enc.norm_out", widths[last], "encoder.norm")
    list += conv("enc.conv_out", widths[last], 2 * latents, "encoder.head")
    list += conv("dec.conv_in", latents, widths[last], "decoder.input")
    list += block("dec.mid", widths[last], widths[last], "decoder.middle")
    for (index, width) in widths.enumerated().reversed() {
      let level = "decoder.levels.\(last - index)"
      list += block("dec.res\(index)", widths[min(last, index + 1)], width, "\(level).blocks.0")
      if index > 0 { list += conv("dec.up\(index)", width, width, "\(level).resampling") }
    }
    list += norm("dec.norm_out", widths[0], "decoder.norm")
    list += conv("dec.conv_out", widths[0], 3, "decoder.output")
    return list
  }

  func emptyModel(noise: Tensor) -> Model {
    var random = RandomStream(seed: 0)
    let shape: Shape = [side, side, 3]
    return VAE(
      encoder: FixedNoiseEncoder(
        base: ResidualEncoder(inputShape: shape, network: network, using: &random), noise: noise),
      decoder: ResidualDecoder(
        outputShape: shape, head: NormalHead(.fixed(1)), network: network, using: &random),
      prior: StandardNormalPrior(network.latentShape(of: shape)))
  }

  func output(_ likelihood: DiagonalNormal) -> Tensor { likelihood.mean }
}
