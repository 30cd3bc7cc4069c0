// The importance-weighted bound of a small network against PyTorch in float64: weights of the draws,
// losses, every gradient, and three steps of Adam.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import LatentOptimizers
import LatentStorage
import Testing

struct IWAEFixture: FixtureNetwork {
  typealias Model = VAE<
    FixedNoiseEncoder<MLPEncoder>, MLPDecoder<BernoulliHead>, StandardNormalPrior
  >
  let name = "zoo-iwae50-tiny"
  let inputShape = [64]

  var parameters: [FixtureParameter] {
    FixtureParameter.linear("enc.fc0", 64, 12, "encoder.hidden.0")
      + FixtureParameter.linear("enc.fc1", 12, 12, "encoder.hidden.1")
      + fixtureHead(12, 3)
      + FixtureParameter.linear("dec.fc0", 3, 12, "decoder.hidden.0")
      + FixtureParameter.linear("dec.fc1", 12, 12, "decoder.hidden.1")
      + FixtureParameter.linear("dec.out", 12, 64, "decoder.output")
  }

  func emptyModel(noise: Tensor) -> Model {
    var random = RandomStream(seed: 0)
    return VAE(
      encoder: FixedNoiseEncoder(
        base: MLPEncoder(
          inputShape: [64], hidden: [12, 12], latentSize: 3, activation: .tanh, using: &random),
        noise: noise),
      decoder: MLPDecoder(
        latentSize: 3, hidden: [12, 12], outputShape: [64], head: BernoulliHead(),
        activation: .tanh, using: &random),
      prior: .standardNormal(3))
  }

  func output(_ likelihood: Bernoulli) -> Tensor { likelihood.logits }
}

@Suite(
  .enabled(
    if: FileManager.default.fileExists(atPath: IWAEFixture().path),
    "no fixtures at \(fixtureFolder.path): they are not part of the package")
) struct IWAEFixtureTests {
  @Test func outputsLossesGradientsAndSteps() throws {
    let network = IWAEFixture()
    let file = try HDF5File(path: network.path)
    let x = Tensor(try file.array("input/x"))
    // Ours has the draws in front.
    let noise = Tensor(try file.array("input/eps")).permuted([1, 0, 2])
    var model = try network.model(.float64, noise: noise)
    func compare(_ found: Tensor, _ name: String) throws {
      let error = fixtureError(found, try file.array(name))
      #expect(error < 1e-9, "\(name): \(error)")
    }
    func compare(_ tensors: [Tensor], _ group: String) throws {
      let named = network.named(tensors, of: model)
      #expect(named.count == 14)
      for (name, tensor) in named { try compare(tensor, "\(group)/\(name)") }
    }
    try compare(model.parameters, "weight")
    var context = Tiny.training()
    let pass = model.variationalPass(x, samples: 5, density: true, &context)
    try compare(pass.posterior.mean, "output/mean")
    try compare(pass.logWeights.transposed, "output/log_weight")

    let losses = try file.array("loss/per_step").doubles
    var optimizer = Adam(learningRate: 1e-3)
    for step in 0..<4 {
      let result = valueAndGradient(
        at: model,
        withAuxiliary: { model in
          let terms = IWAE { $0.samples = 5 }(model, x, &context)
          return (terms.total, terms)
        })
      let found = [result.value.item] + result.auxiliary.terms.prefix(2).map(\.value.item)
      for (found, expected) in zip(found, losses[(3 * step)..<(3 * step + 3)]) {
        #expect(abs(found - expected) < 1e-9 * abs(expected), "step \(step)")
      }
      if step == 0 { try compare(result.gradients.tensors.compactMap { $0 }, "grad") }
      if step < 3 { optimizer.update(&model, along: result.gradients) }
    }
    try compare(model.parameters, "after3")
  }
}
