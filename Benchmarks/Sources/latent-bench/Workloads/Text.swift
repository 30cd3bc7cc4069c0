// The `seq` workload: Transformers over 64 bytes, width 128, 4 heads, 2 + 2 layers, categorical. 921,152
// parameters. Decoding is teacher-forced; generation is greedy, byte by byte, with a cache of keys
// and values.

import Latent

struct TextWorkload: Workload {
  let name = "seq"
  let batch = 32
  var width = 1.0
  private let length = 64
  private let latentSize = 32
  private let heads = 4

  /// Embeddings are looked up: no layer reads the data by a product.
  var arithmetic: Arithmetic {
    let width = widened(128, multipleOf: heads)
    let layers = 2 * Arithmetic.transformer(length: length, width: width)
    return Arithmetic(
      encoder: layers + width * 2 * latentSize,
      decoder: layers + latentSize * width + length * width * 256)
  }

  func makeModel(
    using random: inout RandomStream
  ) -> VAE<TransformerTextEncoder<DiagonalHead>, TransformerTextDecoder, StandardNormalPrior> {
    let size = TransformerSize(width: widened(128, multipleOf: heads), heads: heads, layers: 2)
    return VAE(
      encoder: TransformerTextEncoder(
        length: length, latentSize: latentSize, size, using: &random),
      decoder: TransformerTextDecoder(
        latentSize: latentSize, length: length, size, using: &random),
      prior: .standardNormal(latentSize))
  }

  func inputs(_ count: Int, stream: Int) -> Tensor {
    let bytes = Rules.uniform(stream: stream, count: count * length).map { Int32($0 * 256) }
    return Tensor(bytes, shape: [count, length])
  }

  func latents(_ count: Int) -> Tensor { Rules.normals([count, latentSize]) }

  func parameters(
    of likelihood: AutoregressiveCategorical<TransformerTextDecoder>, at x: Tensor
  ) -> Tensor { likelihood.logits(of: x) }
}
