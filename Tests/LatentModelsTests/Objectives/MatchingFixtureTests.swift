// Objectives on small networks against PyTorch in float64: losses, every gradient, and the weights after
// three steps of Adam.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import LatentOptimizers
import LatentStorage
import Testing

@testable import LatentModels

private let names = ["zoo-btcvae-tiny", "zoo-waemmd-tiny"]

private func fixturePath(_ name: String) -> String {
  fixtureFolder.appending(path: "\(name).h5").path
}

@Suite(
  .enabled(
    if: names.allSatisfy { FileManager.default.fileExists(atPath: fixturePath($0)) },
    "no fixtures at \(fixtureFolder.path): they are not part of the package")
) struct MatchingFixtureTests {
  /// A prior whose draws are given.
  struct GivenDraws: Prior, Distribution {
    let draws: Tensor
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
    func callAsFunction(
      encoder: some Encoder, dtype: DType, _ context: inout LayerContext
    ) -> any Distribution { self }
    var batchShape: Shape { [] }
    var eventShape: Shape { draws.shape.suffix(1) }
    var dtype: DType { draws.dtype }
    func sample(_ sampleShape: Shape, using random: inout RandomStream) -> Tensor {
      require(sampleShape + eventShape == draws.shape, "draws of \(sampleShape)")
      return draws
    }
    func sampleAndLogProbability(
      _ sampleShape: Shape, using random: inout RandomStream
    ) -> (value: Tensor, logProbability: Tensor) { fatalError("draws without a density") }
  }

  typealias Network = VAE<MLPEncoder, MLPDecoder<BernoulliHead>, StandardNormalPrior>

  @Test func totalCorrelation() throws {
    let file = try HDF5File(path: fixturePath(names[0]))
    let (x, noise) = (Tensor(try file.array("input/x")), Tensor(try file.array("input/eps")))
    var random = RandomStream(seed: 0)
    let model = VAE(
      encoder: MLPEncoder(inputShape: [64], hidden: [12], latentSize: 3, using: &random),
      decoder: MLPDecoder(
        latentSize: 3, hidden: [12], outputShape: [64], head: BernoulliHead(), using: &random),
      prior: .standardNormal(3))
    let parameters =
      FixtureParameter.linear("enc.fc0", 64, 12, "encoder.hidden.0") + fixtureHead(12, 3)
      + FixtureParameter.linear("dec.fc0", 3, 12, "decoder.hidden.0")
      + FixtureParameter.linear("dec.out", 12, 64, "decoder.output")
    let terms = ["reconstruction", "mutualInformation", "totalCorrelation", "marginalKL"]
    try check(file, model, parameters, terms) { model, context in
      let q = model.checkedPosterior(of: x, &context)
      let z = reparameterized(mean: q.mean, logVariance: q.logVariance, noise: noise)
      let likelihood = model.checkedLikelihood(of: z, leading: [4], &context)
      let pass = VariationalPass(
        posterior: q, prior: model.prior(.float64, &context), z: z,
        logLikelihood: likelihood.logProbability(of: x), logPosterior: q.logProbability(of: z),
        exactDivergence: nil)
      let objective = TotalCorrelation<Network> { ($0.beta, $0.examples) = (6, 60000) }
      return objective.terms(of: pass, context)
    }
  }

  @Test func wassersteinAutoencoder() throws {
    let file = try HDF5File(path: fixturePath(names[1]))
    let x = Tensor(try file.array("input/x"))
    var random = RandomStream(seed: 0)
    let model = VAE(
      encoder: MLPPointEncoder(inputShape: [64], hidden: [12], latentSize: 3, using: &random),
      decoder: MLPDecoder(
        latentSize: 3, hidden: [12], outputShape: [64], head: NormalHead(.fixed(1)),
        using: &random),
      prior: GivenDraws(draws: Tensor(try file.array("input/prior"))))
    let parameters =
      FixtureParameter.linear("enc.fc0", 64, 12, "encoder.hidden.0")
      + FixtureParameter.linear("enc.code", 12, 3, "encoder.head")
      + FixtureParameter.linear("dec.fc0", 3, 12, "decoder.hidden.0")
      + FixtureParameter.linear("dec.out", 12, 64, "decoder.output")
    try check(file, model, parameters, ["reconstruction", "mmd"]) { model, context in
      WassersteinAutoencoder<_, WassersteinMMDDescription> { $0.lambda = 10 }(model, x, &context)
    }
  }

  /// Compares everything that is stored; `terms` are ours in the order of the file's, after the total.
  private func check<Model: LatentVariableModel>(
    _ file: HDF5File, _ model: Model, _ parameters: [FixtureParameter], _ terms: [String],
    loss: (Model, inout LayerContext) -> LossTerms
  ) throws {
    var parts: [String: [Tensor]] = [:]
    for parameter in parameters {
      parts[parameter.path, default: []].append(
        Tensor(try file.array("weight/\(parameter.name)")))
    }
    var model = model.converted(to: .float64)
    try model.load(parts.mapValues { Tensor.concatenate($0, axis: 0).array })
    let paths = model.namedParameters.map(\.path)
    func compare(_ tensors: [Tensor?], _ group: String) throws {
      let ours = Dictionary(uniqueKeysWithValues: zip(paths, tensors))
      for parameter in parameters {
        let whole = try #require(ours[parameter.path] ?? nil)
        let error = fixtureError(
          parameter.rows.map { whole.sliced(0, $0) } ?? whole,
          try file.array("\(group)/\(parameter.name)"))
        #expect(error < 1e-9, "\(group)/\(parameter.name): \(error)")
      }
    }
    let losses = try file.array("loss/per_step")
    var optimizer = Adam(learningRate: 1e-3)
    for step in 0..<4 {
      let result = valueAndGradient(
        at: model,
        withAuxiliary: { model in
          var context = Tiny.training(step: step)
          let terms = loss(model, &context)
          return (terms.total, terms)
        })
      let found = [result.value.item] + terms.map { result.auxiliary[$0]?.item ?? .nan }
      let count = terms.count + 1
      let expected = Array(losses.doubles[(step * count)..<((step + 1) * count)])
      #expect(distance(found, expected) < 1e-9, "after \(step) steps: \(found)")
      if step == 0 { try compare(result.gradients.tensors, "grad") }
      if step < 3 { optimizer.update(&model, along: result.gradients) }
    }
    try compare(model.parameters, "after3")
  }
}
