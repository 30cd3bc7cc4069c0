// The code of the article about discrete latents.

import Foundation
import Latent
import Testing

@Suite struct CodeArticles {
  @Test func discreteLatents() throws {
    var codes = VectorCodes()
    (codes.codes, codes.gradient, codes.restart) = (64, .rotation, 0.5)
    var random = RandomStream(seed: 1)
    let described = ModelDescription(
      ConvMapNetwork(channels: [16, 32], latentChannels: 8), inputShape: [16, 16, 1],
      posterior: CodesPosterior(codes), likelihood: .normal)
    let model = try described.makeModel(using: &random)

    let x = Tensor(try Sprites(side: 16).batch(0..<8).inputs)
    let indices = try model.indices(of: x)  // int32 [batch, 16]: 4 by 4 places
    let decoded = try model.decode(indices: indices)
    let packing = IndexPacking(counts: try model.latentCodes().counts)
    let bytes = try packing.packed(indices.array)  // uint8 [batch, 12]: 6 bits each
    #expect(indices.shape == [8, 16] && bytes.shape == [8, 12])
    #expect(decoded.eventShape == [16, 16, 1])
  }
}
