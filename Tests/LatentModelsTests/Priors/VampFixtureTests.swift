// A small model with a VampPrior against PyTorch in float64: the density of the prior, losses, every gradient, that of the
// learned inputs among them, some of which are clipped, and three steps of Adam.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import LatentOptimizers
import LatentStorage
import Testing

/// A VampPrior that asks the encoder within one of fixed noise: its components are normals, as in use.
private struct PlainVampPrior: Prior {
  var prior: VampPrior

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    prior.visitParameters(&visitor)
  }

  func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution {
    guard let encoder = encoder as? FixedNoiseEncoder<MLPEncoder> else {
      fatalError("another encoder: \(type(of: encoder))")
    }
    return prior(encoder: encoder.base, dtype: dtype, &context)
  }
}

private struct VampFixture: FixtureNetwork {
  typealias Model = VAE<
    FixedNoiseEncoder<MLPEncoder>, MLPDecoder<BernoulliHead>, PlainVampPrior
  >
  let name = "zoo-vamp500-tiny"
  let inputShape = [64]

  var parameters: [FixtureParameter] {
    FixtureParameter.linear("enc.fc0", 64, 12, "encoder.hidden.0")
      + FixtureParameter.linear("enc.fc1", 12, 12, "encoder.hidden.1")
      + fixtureHead(12, 3)
      + FixtureParameter.linear("dec.fc0", 3, 12, "decoder.hidden.0")
      + FixtureParameter.linear("dec.fc1", 12, 12, "decoder.hidden.1")
      + FixtureParameter.linear("dec.out", 12, 64, "decoder.output")
      + [
        FixtureParameter(
          name: "prior.inputs", shape: [6, 64], start: .shift, path: "prior.inputs")
      ]
  }

  func emptyModel(noise: Tensor) -> Model {
    var random = RandomStream(seed: 0)
    return VAE(
      encoder: FixedNoiseEncoder(
        base: MLPEncoder(inputShape: [64], hidden: [12, 12], latentSize: 3, using: &random),
        noise: noise),
      decoder: MLPDecoder(
        latentSize: 3, hidden: [12, 12], outputShape: [64], head: BernoulliHead(), using: &random),
      prior: PlainVampPrior(
        prior: VampPrior(inputShape: [64], components: 6, using: &random)))
  }

  func output(_ likelihood: Bernoulli) -> Tensor { likelihood.logits }
}

@Suite(
  .enabled(
    if: FileManager.default.fileExists(atPath: VampFixture().path),
    "no fixtures at \(fixtureFolder.path): they are not part of the package")
) struct VampFixtureTests {
  @Test func outputsLossesGradientsAndSteps() throws {
    let network = VampFixture()
    let file = try HDF5File(path: network.path)
    let x = Tensor(try file.array("input/x"))
    var model = network.emptyModel(noise: Tensor(try file.array("input/eps"))).converted(
      to: .float64)
    var parts: [String: [Tensor]] = [:]
    for parameter in network.parameters {
      parts[parameter.path, default: []].append(Tensor(try file.array("weight/\(parameter.name)")))
    }
    let report = try model.load(
      parts.mapValues { Tensor.concatenate($0, axis: 0).array }, partial: true)
    #expect(report.kept == ["prior.range"])
    func compare(_ found: Tensor, _ name: String) throws {
      let error = fixtureError(found, try file.array(name))
      #expect(error < 1e-9, "\(name): \(error)")
    }
    func compare(_ tensors: [Tensor], _ group: String) throws {
      let named = network.named(tensors, of: model)
      #expect(named.count == 15)
      for (name, tensor) in named { try compare(tensor, "\(group)/\(name)") }
    }
    var context = Tiny.training()
    let pass = model.variationalPass(x, &context)
    #expect(pass.prior is Mixture<DiagonalNormal>)
    try compare(pass.posterior.mean, "output/mean")
    try compare(pass.logPrior, "output/log_prior")

    let losses = try file.array("loss/per_step").doubles
    var optimizer = Adam(learningRate: 1e-3)
    for step in 0..<4 {
      let result = valueAndGradient(
        at: model,
        withAuxiliary: { model in
          let terms = ELBO()(model, x, &context)
          return (terms.total, terms)
        })
      let found = [result.value.item] + result.auxiliary.terms.prefix(2).map(\.value.item)
      // The divergence is a small difference of densities of several nats.
      for (found, expected) in zip(found, losses[(3 * step)..<(3 * step + 3)]) {
        #expect(abs(found - expected) < 1e-9 * max(1, abs(expected)), "step \(step)")
      }
      if step == 0 { try compare(result.gradients.tensors.compactMap { $0 }, "grad") }
      if step < 3 { optimizer.update(&model, along: result.gradients) }
    }
    try compare(model.parameters, "after3")
  }
}
