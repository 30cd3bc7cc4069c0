// The network of sparse autoencoders in words.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// `DictionaryEncoder` and `DictionaryDecoder`: one linear layer each way and many latents.
public struct SparseNetwork: HeadedNetworkDescription {
  public static let architecture = "sparse"
  public static let presets = [
    NetworkPreset(
      architecture, "one layer each way, few latents of many active",
      likelihood: .unitNormal, posterior: TopKPosterior()
    ) { inputShape in
      SparseNetwork(latentSize: min(1 << 15, 8 * inputShape.reduce(1, *)))
    }
  ]

  /// Latents of an example: directions of the dictionary.
  public var latentSize: Int

  /// So many latents.
  public init(latentSize: Int = 4096) { self.latentSize = latentSize }

  public func latentShape(inputShape: [Int]) -> [Int] { [latentSize] }

  public func validate(inputShape: [Int]) throws { try check(size: latentSize, "latentSize") }

  public func parameterCount(
    inputShape: [Int], posteriorOutputs: Int, outputsPerElement: Int
  ) -> Double {
    let inputs = inputShape.reduce(1, *)
    return LayerParameters.linear(inputs, posteriorOutputs)
      + LayerParameters.linear(latentSize, inputs * outputsPerElement)
  }

  public func makeModel(
    inputShape: Shape, posterior: some PosteriorHead, prior: some Prior, head: some LikelihoodHead,
    using random: inout RandomStream
  ) -> any LatentVariableModel {
    let decoder = DictionaryDecoder(
      latentSize: latentSize, outputShape: inputShape, head: head, using: &random)
    let inputs = inputShape.count
    // Where a likelihood takes more than one output for each element, the means come first.
    let directions = decoder.weight.sliced(1, 0..<inputs).unitRows
    let encoder = DictionaryEncoder(
      directions: directions, posterior: posterior, using: &random)
    return VAE(encoder: encoder, decoder: decoder, prior: prior)
  }
}
