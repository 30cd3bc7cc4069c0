// The bound of a small network with an inverse autoregressive flow against PyTorch in float64: latents and densities
// after the flow, losses, every gradient, and three steps of Adam.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import LatentOptimizers
import LatentStorage
import Testing

private let path = fixtureFolder.appending(path: "zoo-iaf2-tiny.h5").path

@Suite(
  .enabled(
    if: FileManager.default.fileExists(atPath: path),
    "no fixtures at \(fixtureFolder.path): they are not part of the package")
) struct FlowFixtureTests {
  typealias Head = FlowHead<AutoregressiveFlow>

  /// The encoder of a flow, whose normal draws the given noise.
  struct GivenNoise: Encoder {
    var base: DenseEncoder<MLP, Head>
    let noise: Tensor
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      base.visitParameters(&visitor)
    }
    func callAsFunction(
      _ x: Tensor
    ) -> TransformedDistribution<FixedNoise, AutoregressiveFlow.Map> {
      var context = LayerContext.inference
      let q = base(x, &context)
      return TransformedDistribution(FixedNoise(base: q.base, noise: noise), q.map)
    }
  }

  typealias Model = VAE<GivenNoise, MLPDecoder<BernoulliHead>, StandardNormalPrior>

  static let parameters: [FixtureParameter] = {
    var list = FixtureParameter.linear("enc.fc0", 64, 12, "encoder.hidden.0")
    list += fixtureHead(12, 4)
    list += FixtureParameter.linear("enc.context", 12, 5, "encoder.head", rows: 8..<13)
    for step in 0..<2 {
      let place = "encoder.posterior.flow.steps.\(step)"
      list += FixtureParameter.linear("flow\(step).in", 4, 8, "\(place).layers.0")
      // The context is added by a layer without a bias.
      list += FixtureParameter.linear("flow\(step).context", 5, 8, "\(place).context").prefix(1)
      list += FixtureParameter.linear("flow\(step).out", 8, 8, "\(place).layers.1")
    }
    list += FixtureParameter.linear("dec.fc0", 4, 12, "decoder.hidden.0")
    return list + FixtureParameter.linear("dec.out", 12, 64, "decoder.output")
  }()

  private func model(_ file: HDF5File) throws -> Model {
    var random = RandomStream(seed: 0)
    let flow = AutoregressiveFlow(
      size: 4, depth: 2, hidden: [8], context: 5, scaling: .gated(bias: 1.5), using: &random)
    var model = Model(
      encoder: GivenNoise(
        base: DenseEncoder(
          inputShape: [64], hidden: [12], latentSize: 4, posterior: Head(flow), using: &random),
        noise: Tensor(try file.array("input/eps"))),
      decoder: MLPDecoder(
        latentSize: 4, hidden: [12], outputShape: [64], head: BernoulliHead(), using: &random),
      prior: .standardNormal(4)
    ).converted(to: .float64)
    var parts: [String: [Tensor]] = [:]
    for parameter in FlowFixtureTests.parameters {
      parts[parameter.path, default: []].append(
        Tensor(try file.array("weight/\(parameter.name)")))
    }
    try model.load(parts.mapValues { Tensor.concatenate($0, axis: 0).array })
    return model
  }

  @Test func outputsLossesGradientsAndSteps() throws {
    let file = try HDF5File(path: path)
    let x = Tensor(try file.array("input/x"))
    var model = try model(file)
    func compare(_ found: Tensor, _ name: String) throws {
      let error = fixtureError(found, try file.array(name))
      #expect(error < 1e-9, "\(name): \(error)")
    }
    let paths = model.namedParameters.map(\.path)
    func compare(_ tensors: [Tensor?], _ group: String) throws {
      #expect(tensors.count == paths.count)
      let ours = Dictionary(uniqueKeysWithValues: zip(paths, tensors))
      for parameter in FlowFixtureTests.parameters {
        let whole = try #require(ours[parameter.path] ?? nil)
        try compare(
          parameter.rows.map { whole.sliced(0, $0) } ?? whole, "\(group)/\(parameter.name)")
      }
    }
    var context = Tiny.training()
    let pass = model.variationalPass(x, &context)
    try compare(pass.posterior.base.base.mean, "output/mean")
    try compare(pass.posterior.base.base.logVariance, "output/logvar")
    try compare(pass.z, "output/z")
    try compare(try #require(pass.logPosterior), "output/log_q")
    try compare(model.likelihood(pass.z, &context).logits, "output/recon")
    // The density of an inverse flow can be asked too, element by element.
    let again = pass.posterior.logProbability(of: pass.z)
    #expect(distance(again, try #require(pass.logPosterior)) < 1e-10)

    let losses = try file.array("loss/per_step").doubles
    var optimizer = Adam(learningRate: 1e-3)
    for step in 0..<4 {
      let result = valueAndGradient(
        at: model,
        withAuxiliary: { model in
          let terms = ELBO<Model>()(model, x, &context)
          return (terms.total, terms)
        })
      let found = [result.value.item] + result.auxiliary.terms.prefix(2).map(\.value.item)
      for (found, expected) in zip(found, losses[(3 * step)..<(3 * step + 3)]) {
        #expect(abs(found - expected) < 1e-9 * abs(expected), "step \(step)")
      }
      if step == 0 { try compare(result.gradients.tensors, "grad") }
      if step < 3 { optimizer.update(&model, along: result.gradients) }
    }
    try compare(model.parameters, "after3")
  }
}
