// The `mlp` network end to end against PyTorch in float64: outputs, loss terms, every gradient,
// and the weights after three steps of Adam, through the objective and optimiser that users call.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import LatentOptimizers
import LatentStorage
import Testing

@Suite(
  .enabled(
    if: Fixture.areThere, "no fixtures at \(Fixture.folder.path): they are not part of the package")
) struct FixtureTests {
  struct Precision: Sendable, CustomTestStringConvertible {
    let dtype: DType
    let tolerance: Double
    var testDescription: String { "\(dtype)" }
  }

  static let precisions = [
    Precision(dtype: .float64, tolerance: 1e-9), Precision(dtype: .float32, tolerance: 2e-4),
  ]

  /// The rule gives the stored weights and inputs, to the bit.
  @Test(arguments: Fixture.all) func weightsAndInputsFollowTheRule(fixture: Fixture) throws {
    let file = try HDF5File(path: fixture.path)
    #expect(Fixture.inputs().array == (try file.array("input/x")))
    for (name, weight) in fixture.weights() {
      let stored = try file.array("weight/\(name)")
      let error = fixture.error(weight, stored, reduced: fixture.isReduced)
      #expect(fixture.isReduced ? error < 1e-12 : error == 0, "\(fixture.name) \(name): \(error)")
    }
  }

  @Test(arguments: Fixture.all, precisions)
  func outputsLossesGradientsAndSteps(fixture: Fixture, precision: Precision) throws {
    let file = try HDF5File(path: fixture.path)
    let noise = Tensor(try file.array("input/eps"))
    let x = Tensor(try file.array("input/x")).converted(to: precision.dtype)
    var model = try fixture.model(precision.dtype, noise: noise)
    var compared = 0
    func compare(_ found: Tensor?, _ name: String, reduced: Bool = false) throws {
      let expected = try file.array(name)
      let error = found.map { fixture.error($0, expected, reduced: reduced) } ?? .infinity
      compared += 1
      let place = "\(fixture.name) \(precision.dtype) \(name)"
      #expect(error < precision.tolerance, "\(place): \(error)")
    }

    let posterior = model.encode(x)
    var random = RandomStream(seed: 0)
    let z = posterior.reparameterizedSample(using: &random)
    try compare(posterior.mean, "output/mean")
    try compare(posterior.base.logVariance, "output/logvar")
    try compare(model.decode(z).logits, "output/recon")

    let losses = try file.array("loss/per_step").doubles
    var optimizer = Adam(learningRate: 1e-3)
    for step in 0..<4 {
      let result = valueAndGradient(
        at: model,
        withAuxiliary: { model in
          var context = LayerContext(isTraining: true, random: random, step: step)
          let terms = ELBO()(model, x, &context)
          return (terms.total, terms)
        })
      let terms = [result.value.item] + result.auxiliary.terms.map(\.value.item)
      for (index, name) in ["total", "reconstruction", "kl"].enumerated() {
        let expected = losses[step * 3 + index]
        let error = abs(terms[index] - expected) / abs(expected)
        compared += 1
        #expect(
          error < precision.tolerance,
          "\(fixture.name) \(precision.dtype) \(name) after \(step) steps: \(error)")
      }
      if step == 0 {
        let gradients = result.gradients.tensors.compactMap { $0 }
        #expect(gradients.count == 8)
        for (name, gradient) in fixture.named(gradients, of: model) {
          try compare(gradient, "grad/\(name)", reduced: fixture.isReduced)
        }
      }
      if step < 3 { optimizer.update(&model, along: result.gradients) }
    }
    for (name, weight) in fixture.named(model.parameters, of: model) {
      try compare(weight, "after3/\(name)", reduced: fixture.isReduced)
    }
    #expect(compared == 3 + 12 + 20, "everything that is stored was compared")
  }
}
