// The Transformer over the indices of codes: the decoder of texts, whose tokens are codes and whose latent is the class
// (Esser, Rombach and Ommer 2021, section 3.2). It remembers keys and values of the indices before.

import LatentAutodiff
import LatentLayers
import LatentNumerics

extension TransformerSize: CodeNetworkSize {
  func validate(_ check: (Bool, String, Any, String) throws -> Void) rethrows {
    try check((1...16384).contains(width), "width", width, "1 to 16384")
    try check(
      heads > 0 && width % max(1, heads) == 0, "heads", heads,
      "a number that divides the width \(width)")
    try check((1...1000).contains(layers), "layers", layers, "1 to 1000")
  }

  func parameterCount(_ map: CodeMap, conditions: Int) -> Double {
    let size = Double(width)
    let block =
      4 * size + LayerParameters.linear(width, 3 * width) + LayerParameters.linear(width, width)
      + LayerParameters.linear([width, hidden ?? 4 * width, width])
    let table = positions == .learned ? Double(map.length) * size : 0
    return Double(map.codes) * size + table + size + LayerParameters.linear(conditions, width)
      + Double(layers) * block + 2 * size + LayerParameters.linear(width, map.codes)
  }

  func makeNetwork(
    _ map: CodeMap, conditions: Int, using random: inout RandomStream
  ) -> TransformerTextDecoder {
    TransformerTextDecoder(
      latentSize: conditions, length: map.length, vocabulary: map.codes, self, using: &random)
  }
}
