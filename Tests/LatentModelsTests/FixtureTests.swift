// The benchmarked networks end to end against PyTorch in float64: outputs, loss terms, every gradient,
// and the weights after three steps of Adam, through the objective and optimiser that users call.

import Foundation
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
    if: fixtureNetworks.allSatisfy { FileManager.default.fileExists(atPath: $0.path) },
    "no fixtures at \(fixtureFolder.path): they are not part of the package")
) struct FixtureTests {
  struct Precision: Sendable, CustomTestStringConvertible {
    let dtype: DType
    let tolerance: Double
    var testDescription: String { "\(dtype)" }
  }

  static let precisions = [
    Precision(dtype: .float64, tolerance: 1e-9), Precision(dtype: .float32, tolerance: 2e-4),
  ]

  /// The rule gives the stored weights and inputs: to the bit, or to rounding where only sums are
  /// stored.
  @Test(arguments: fixtureNetworks.indices) func weightsAndInputsFollowTheRule(index: Int) throws {
    let network = fixtureNetworks[index]
    let file = try HDF5File(path: network.path)
    func compare(_ found: Tensor, _ name: String) throws {
      let stored = try file.array(name)
      let error = fixtureError(found, stored)
      let isWhole = stored.shape == found.shape
      #expect(isWhole ? error == 0 : error < 1e-12, "\(network.name) \(name): \(error)")
    }
    try compare(network.inputs(), "input/x")
    for (position, parameter) in network.parameters.enumerated() {
      try compare(parameter.firstValue(position), "weight/\(parameter.name)")
    }
  }

  @Test(arguments: fixtureNetworks.indices, precisions)
  func outputsLossesGradientsAndSteps(index: Int, precision: Precision) throws {
    try check(fixtureNetworks[index], precision)
  }

  private func check<Network: FixtureNetwork>(_ network: Network, _ precision: Precision) throws {
    let file = try HDF5File(path: network.path)
    let noise = Tensor(try file.array("input/eps"))
    let inputs = network.inputs()
    let x = network.channelsLast(
      inputs.dtype.isFloatingPoint ? inputs.converted(to: precision.dtype) : inputs)
    var model = try network.model(precision.dtype, noise: noise)
    var compared = 0
    func compare(_ found: Tensor?, _ name: String) throws {
      let expected = try file.array(name)
      let error = found.map { fixtureError($0, expected) } ?? .infinity
      compared += 1
      let place = "\(network.name) \(precision.dtype) \(name)"
      let tolerance = network.tolerance(of: name, precision.tolerance)
      #expect(error < tolerance, "\(place): \(error)")
    }

    let posterior = model.encode(x)
    var random = RandomStream(seed: 0)
    let z = posterior.reparameterizedSample(using: &random)
    try compare(network.channelsFirst(posterior.mean), "output/mean")
    try compare(network.channelsFirst(posterior.base.logVariance), "output/logvar")
    let output = network.output(model.decode(z))
    try compare(network.channelsFirst(output), "output/recon")

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
          "\(network.name) \(precision.dtype) \(name) after \(step) steps: \(error)")
      }
      if step == 0 {
        let gradients = result.gradients.tensors.compactMap { $0 }
        #expect(gradients.count == model.parameters.count)
        for (name, gradient) in network.named(gradients, of: model) {
          try compare(gradient, "grad/\(name)")
        }
      }
      if step < 3 { optimizer.update(&model, along: result.gradients) }
    }
    for (name, weight) in network.named(model.parameters, of: model) {
      try compare(weight, "after3/\(name)")
    }
    #expect(
      compared == 3 + 12 + 2 * network.parameters.count, "everything that is stored was compared")
  }
}
