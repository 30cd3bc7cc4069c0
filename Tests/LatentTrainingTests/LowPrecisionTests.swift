// What low precision costs a trained model: nats, measured with the same noise as before.

import Foundation
import Latent
import Testing

@Suite struct LowPrecisionTests {
  private typealias Model = VAE<MLPEncoder, MLPDecoder<BernoulliHead>, StandardNormalPrior>

  /// The negative evidence lower bound of `data`, in nats per example.
  private func loss(_ model: some ReparameterizedModel, _ data: Tensor) -> Double {
    func value<M: ReparameterizedModel>(_ model: M) -> Double {
      var context = LayerContext(isTraining: false, random: RandomStream(seed: 4))
      return ELBO<M>(samples: 4)(model, data, &context).total.item
    }
    return value(model)
  }

  private func check(_ model: some ReparameterizedModel, _ data: Tensor) throws {
    let before = loss(model, data)
    for (precision, limit) in [(LowPrecision.bfloat16, 0.1), (LowPrecision.int8, 0.3)] {
      let quantized = model.quantized(precision, calibratedOn: data.sliced(0, 0..<256))
      let after = loss(quantized, data)
      #expect(abs(after - before) <= limit, "\(precision): \(before) to \(after)")
      #expect(quantized.encode(data).pointEstimate?.dtype == .float32)
      // Saved and loaded into a float32 model: the same bits.
      var checkpoint = Checkpoint()
      for (path, array) in quantized.namedArrays { checkpoint.arrays["model/\(path)"] = array }
      let read = try Checkpoint(decoding: checkpoint.encoded())
      var other = model
      try other.load(read.arrays(under: "model/"))
      #expect(other.reconstruct(data).array == quantized.reconstruct(data).array)
      var random = RandomStream(seed: 1)
      #expect(quantized.generate(3, using: &random).shape[0] == 3)
    }
  }

  @Test func fullyConnected() throws {
    let sprites = Sprites(side: 28)
    let indices = Array(stride(from: 0, to: sprites.count, by: max(1, sprites.count / 3000)))
    let pictures = try sprites.batch(at: indices).inputs
    var random = RandomStream(seed: 2)
    let model = Model(
      encoder: MLPEncoder(inputShape: [28, 28, 1], hidden: [400], latentSize: 20, using: &random),
      decoder: MLPDecoder(
        latentSize: 20, hidden: [400], outputShape: [28, 28, 1], head: BernoulliHead(),
        using: &random), prior: .standardNormal(20))
    var trainer = Trainer(
      model, objective: ELBO<Model>(), optimizer: Adam(learningRate: 1e-3), seed: 3)
    try trainer.fit(
      ArrayDataset(inputs: pictures, name: "sprites"), epochs: 2, batchSize: 64,
      handlesSignals: false)
    let data = Tensor(pictures.rows(0..<500))
    #expect(loss(trainer.model, data) < loss(model, data) / 2)
    try check(trainer.model, data)
  }

  @Test func convolutional() throws {
    typealias Model = VAE<
      ConvEncoder<DiagonalHead>, ConvDecoder<BernoulliHead>, StandardNormalPrior
    >
    let sprites = Sprites(side: 16)
    let indices = Array(stride(from: 0, to: sprites.count, by: max(1, sprites.count / 1500)))
    let pictures = try sprites.batch(at: indices).inputs
    var random = RandomStream(seed: 2)
    let model = Model(
      encoder: ConvEncoder(
        inputShape: [16, 16, 1], channels: [16, 32], hidden: 64, latentSize: 8, using: &random),
      decoder: ConvDecoder(
        latentSize: 8, hidden: 64, channels: [16, 32], outputShape: [16, 16, 1],
        head: BernoulliHead(), using: &random), prior: .standardNormal(8))
    var trainer = Trainer(
      model, objective: ELBO<Model>(), optimizer: Adam(learningRate: 2e-3), seed: 3)
    try trainer.fit(
      ArrayDataset(inputs: pictures, name: "sprites"), epochs: 2, batchSize: 64,
      handlesSignals: false)
    try check(trainer.model, Tensor(pictures.rows(0..<400)))
  }
}
