// A small network with a code book of moving averages against PyTorch in float64: codes, losses, every gradient, weights
// and code book after three steps of Adam.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import LatentOptimizers
import LatentStorage
import Testing

private let path = fixtureFolder.appending(path: "zoo-vq28-tiny.h5").path

@Suite(
  .enabled(
    if: FileManager.default.fileExists(atPath: path),
    "no fixtures at \(fixtureFolder.path): they are not part of the package")
) struct VectorQuantizationFixtureTests {
  typealias Model = VAE<
    ConvMapEncoder<CodesHead>, ConvMapDecoder<NormalHead>, UniformPriorOverCodes
  >

  static let parameters: [FixtureParameter] = {
    func conv(_ name: String, _ shape: Shape, _ inputs: Int, _ outputs: Int, _ path: String)
      -> [FixtureParameter]
    { FixtureParameter.convolution(name, shape, inputs: inputs, outputs: outputs, path) }
    return conv("enc.conv0", [4, 1, 4, 4], 1, 4, "encoder.convolutions.0")
      + conv("enc.conv1", [6, 4, 4, 4], 4, 6, "encoder.convolutions.1")
      + conv("enc.proj", [6, 6, 1, 1], 6, 6, "encoder.head")
      + conv("dec.proj", [6, 6, 1, 1], 6, 6, "decoder.input")
      + conv("dec.conv0", [6, 4, 4, 4], 6, 4, "decoder.convolutions.0")
      + conv("dec.conv1", [4, 1, 4, 4], 4, 1, "decoder.convolutions.1")
  }()

  static func model() throws -> Model {
    var codes = VectorCodes()
    (codes.codes, codes.kmeans) = (7, 0)
    var random = RandomStream(seed: 0)
    let description = ModelDescription(
      ConvMapNetwork(channels: [4, 6], latentChannels: 6), inputShape: [8, 8, 1],
      posterior: CodesPosterior(codes), likelihood: .unitNormal)
    let model = try description.makeModel(using: &random)
    #expect(Double(model.parameterCount) == description.parameterCount)
    return try #require(model as? Model)
  }

  static func loaded(_ file: HDF5File, _ group: String, _ state: String) throws -> Model {
    var arrays: [String: NDArray] = [:]
    for parameter in parameters {
      let value = Tensor(try file.array("\(group)/\(parameter.name)"))
      arrays[parameter.path] = parameter.toOurs(value).array
    }
    for (ours, theirs) in [("book", "codebook"), ("counts", "count"), ("sums", "sum")] {
      arrays["encoder.posterior.quantizer.\(ours)"] = try file.array(
        "\(state)/quantizer.\(theirs)")
    }
    var model = try model().converted(to: .float64)
    try model.load(arrays)
    return model
  }

  @Test func everythingThatIsStored() throws {
    let file = try HDF5File(path: path)
    var model = try Self.loaded(file, "weight", "state")
    let x = Tensor(try file.array("input/x")).permuted([0, 2, 3, 1])
    #expect(
      try model.indices(of: x).reshaped([4, 2, 2]).doubles == file.array("output/index").doubles)
    let recon = model.reconstruct(x).permuted([0, 3, 1, 2])
    #expect(fixtureError(recon, try file.array("output/recon")) < 1e-9)
    let losses = try file.array("loss/per_step").doubles
    var optimizer = Adam(learningRate: 1e-3)
    for step in 0..<4 {
      var context = LayerContext(isTraining: true, random: RandomStream(seed: 1), step: step)
      let result = valueAndGradient(
        at: model,
        withAuxiliary: { model in
          let terms = VectorQuantization<Model>().wholeLoss(
            of: 0, model, NoParts(), x, &context)
          return (terms.total, terms)
        })
      let terms = result.auxiliary
      let found = [terms.total, terms["reconstruction"], terms["commitment"]].map {
        $0?.item ?? .nan
      }
      for (found, expected) in zip(found, losses[(3 * step)..<(3 * step + 3)]) {
        #expect(abs(found - expected) < 1e-9 * abs(expected), "step \(step)")
      }
      if step == 0 {
        let paths = model.namedParameters.filter(\.isTrained).map(\.path)
        let gradients = Dictionary(uniqueKeysWithValues: zip(paths, result.gradients.tensors))
        for parameter in Self.parameters {
          let gradient = try #require(gradients[parameter.path] ?? nil)
          let error = fixtureError(
            parameter.toTheirs(gradient), try file.array("grad/\(parameter.name)"))
          #expect(error < 1e-9, "\(parameter.name): \(error)")
        }
      }
      if step < 3 {
        optimizer.update(&model, along: result.gradients)
        #expect(model.apply(context.bufferUpdates).isEmpty)
      }
    }
    let expected = try Self.loaded(file, "after3", "state3").namedParameters
    for (found, expected) in zip(model.namedParameters, expected) {
      let error = fixtureError(found.tensor, expected.tensor.array)
      #expect(error < 1e-9, "\(found.path): \(error)")
    }
  }
}
