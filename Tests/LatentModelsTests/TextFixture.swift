// The Transformer text model of the benchmark, under our names and under PyTorch's.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics

/// 64 bytes, 4 heads, 2 + 2 layers, categorical.
struct TextFixture: FixtureNetwork {
  typealias Model = VAE<
    FixedNoiseEncoder<TransformerTextEncoder<DiagonalHead>>, TransformerTextDecoder,
    StandardNormalPrior
  >
  let name: String
  let width, latentSize: Int
  let inputShape = [64]
  private static let layers = 2

  var parameters: [FixtureParameter] {
    func embedding(_ name: String, _ shape: Shape, _ path: String) -> [FixtureParameter] {
      [FixtureParameter(name: name, shape: shape, start: .embedding, path: path)]
    }
    func norm(_ name: String, _ path: String) -> [FixtureParameter] {
      [
        FixtureParameter(
          name: "\(name).weight", shape: [width], start: .scale, path: "\(path).scale"),
        FixtureParameter(
          name: "\(name).bias", shape: [width], start: .shift, path: "\(path).shift"),
      ]
    }
    func blocks(_ name: String, _ path: String) -> [FixtureParameter] {
      (0..<TextFixture.layers).flatMap { index -> [FixtureParameter] in
        let (name, path) = ("\(name).layer\(index)", "\(path).blocks.\(index)")
        return norm("\(name).norm1", "\(path).attentionNorm")
          + FixtureParameter.linear("\(name).qkv", width, 3 * width, "\(path).attention.qkv")
          + FixtureParameter.linear("\(name).proj", width, width, "\(path).attention.output")
          + norm("\(name).norm2", "\(path).networkNorm")
          + FixtureParameter.linear("\(name).fc1", width, 4 * width, "\(path).expand")
          + FixtureParameter.linear("\(name).fc2", 4 * width, width, "\(path).contract")
      }
    }
    return embedding("enc.tok", [256, width], "encoder.tokens.weight")
      + embedding("enc.pos", [64, width], "encoder.positions.table")
      + blocks("enc", "encoder") + norm("enc.norm_out", "encoder.norm")
      + fixtureHead(width, latentSize)
      + embedding("dec.tok", [256, width], "decoder.tokens.weight")
      + embedding("dec.pos", [64, width], "decoder.positions.table")
      + embedding("dec.bos", [width], "decoder.start")
      + FixtureParameter.linear("dec.z", latentSize, width, "decoder.condition")
      + blocks("dec", "decoder") + norm("dec.norm_out", "decoder.norm")
      + FixtureParameter.linear("dec.out", width, 256, "decoder.output")
  }

  /// Bytes by the rule.
  func inputs() -> Tensor {
    let values = FixtureRule.uniform(stream: 1000, count: 4 * 64).map { Int32($0 * 256) }
    return Tensor(values, shape: [4, 64])
  }

  /// A key's bias adds the same to all scores of a query: its gradient is zero but for rounding,
  /// which Adam makes into steps of up to the learning rate, 1e-3. In float64 even those agree.
  func tolerance(of name: String, _ usual: Double) -> Double {
    let isRounding = name.hasPrefix("after3/") && name.hasSuffix("qkv.bias") && usual > 1e-6
    return isRounding ? 0.05 : usual
  }

  func emptyModel(noise: Tensor) -> Model {
    var random = RandomStream(seed: 0)
    let size = TransformerSize(width: width, heads: 4, layers: TextFixture.layers)
    return VAE(
      encoder: FixedNoiseEncoder(
        base: TransformerTextEncoder(
          length: 64, latentSize: latentSize, size, using: &random), noise: noise),
      decoder: TransformerTextDecoder(
        latentSize: latentSize, length: 64, size, using: &random),
      prior: .standardNormal(latentSize))
  }

  func output(_ likelihood: AutoregressiveCategorical<TransformerTextDecoder>) -> Tensor {
    likelihood.logits(of: inputs())
  }
}
