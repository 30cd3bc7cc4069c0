// Spectral normalisation of a decoder against PyTorch (scripts/references/spectral_autoencoder.py), and that the
// model as it stands is the one that is trained.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import LatentOptimizers
import LatentTraining
import Testing

@Suite struct SpectralAutoencoderTests {
  typealias Model = VAE<MLPPointEncoder, MLPDecoder<NormalHead>, StandardNormalPrior>
  typealias Rule = SpectralAutoencoder<Model>

  static let x = waves([4, 3], 5)

  /// With weights and singular vectors by the rule of the reference.
  static func trainer(learningRate: Double = 0.05) -> Trainer<Model, Rule> {
    var random = RandomStream(seed: 1)
    var model = VAE(
      encoder: MLPPointEncoder(inputShape: [3], hidden: [], latentSize: 2, using: &random),
      decoder: MLPDecoder(
        latentSize: 2, hidden: [4], outputShape: [3], head: NormalHead(.fixed(1)),
        activation: .tanh, using: &random),
      prior: .standardNormal(2)
    ).converted(to: .float64)
    model.setParameters(
      model.parameters.enumerated().map { waves($1.shape, Double($0 + 1)) })
    var trainer = Trainer(
      model, objective: Rule { $0.embedding = 0.3 }, optimizer: SGD(learningRate: learningRate),
      seed: 1)
    trainer.parts.directions = trainer.parts.directions.enumerated().map { index, old in
      let direction = waves(old.shape, Double(index + 7))
      return direction / sqrt(square(direction).sum())
    }
    return trainer
  }

  static func squares(_ tensors: [Tensor]) -> [Double] { tensors.map { square($0).sum().item } }

  @Test func againstPyTorch() throws {
    var trainer = SpectralAutoencoderTests.trainer()
    let expected = [
      [3.792115439662361, 3.289476877157558, 1.67546187501601],
      [3.332434031582039, 2.8452961882456775, 1.623792811121204],
      [2.7119723330168215, 2.239695692000387, 1.574255470054782],
      [2.323546242878609, 1.864757954147716, 1.5292942957696447],
    ]
    var context = Tiny.training()
    let gradients = valueAndGradient(at: trainer.model) {
      trainer.objective.loss(of: 0, $0, trainer.parts, SpectralAutoencoderTests.x, &context).total
    }.gradients.tensors.compactMap { $0 }
    #expect(
      distance(
        SpectralAutoencoderTests.squares(gradients),
        [
          0.40666499470992146, 0.020777570456486115, 0.3522980107599653, 0.5306261210040248,
          1.7597941424867012, 6.663546908244116,
        ]) < 1e-12)
    var parameters: [Double] = []
    for (step, numbers) in expected.enumerated() {
      let report = try trainer.step(SpectralAutoencoderTests.x)
      #expect(report.terms.map(\.name) == ["reconstruction", "embedding"])
      #expect(distance([report.loss] + report.terms.map(\.value), numbers) < 1e-12, "step \(step)")
      if step == 2 { parameters = SpectralAutoencoderTests.squares(trainer.model.parameters) }
    }
    #expect(
      distance(
        parameters,
        [
          2.589798946087274, 1.074662619092045, 1.0918136337044417, 1.7645494622694318,
          1.1625513343211389, 0.554331051974487,
        ]) < 1e-12)
    let directions = [
      [0.2247910300823533, 0.9744069954564748],
      [0.43966373920040275, -0.6115629305947057, -0.23107219426335457, 0.6158670468478195],
    ]
    for (found, expected) in zip(trainer.parts.directions, directions) {
      #expect(distance(found.doubles, expected) < 1e-12)
    }
  }

  /// What is evaluated and saved is what the next step trains; where nothing moves any more, its largest
  /// singular value is 1.
  @Test func theModelAsItStands() throws {
    var trainer = SpectralAutoencoderTests.trainer()
    try trainer.step(SpectralAutoencoderTests.x)
    var context = LayerContext.inference
    let standing = trainer.objective.loss(
      of: 0, trainer.model, trainer.parts, SpectralAutoencoderTests.x, &context)
    #expect(
      distance([try trainer.step(SpectralAutoencoderTests.x).loss], [standing.total.item]) < 1e-14)
    var still = SpectralAutoencoderTests.trainer(learningRate: 1e-15)
    for _ in 0..<300 { try still.step(SpectralAutoencoderTests.x) }
    let weight = still.model.decoder.hidden.layers[0].weight
    let gram = matmul(weight, weight, transpose: .left).doubles
    // The larger eigenvalue of the two by two.
    let (middle, gap) = ((gram[0] + gram[3]) / 2, (gram[0] - gram[3]) / 2)
    #expect(abs(middle + (gap * gap + gram[1] * gram[1]).squareRoot() - 1) < 1e-12)
  }

  @Test func frozenWeightsStay() throws {
    var trainer = SpectralAutoencoderTests.trainer()
    trainer.frozen = ["decoder.output.weight"]
    let before = trainer.model.decoder
    try trainer.step(SpectralAutoencoderTests.x)
    #expect(trainer.model.decoder.output.weight.array == before.output.weight.array)
    #expect(
      trainer.model.decoder.hidden.layers[0].weight.array != before.hidden.layers[0].weight.array)
  }

  /// A convolution's weight is a matrix too; who has none of either is refused.
  @Test func whatIsNormalised() throws {
    var random = RandomStream(seed: 1)
    let facts = TrainingFacts(examples: 4, inputShape: [8, 8, 1])
    let model = try ModelDescription(named: "conv", inputShape: [8, 8, 1])
      .makeModel(using: &random)
    func directions<Model: LatentVariableModel>(_ model: Model) -> [Shape] {
      var random = RandomStream(seed: 1)
      return SpectralAutoencoder<Model>().makeParts(for: model, using: &random)
        .directions.map(\.shape)
    }
    #expect(
      directions(model).count
        == model.namedParameters.filter {
          $0.path.hasPrefix("decoder.") && $0.path.hasSuffix("weight")
        }.count)
    let product = VAE(
      encoder: FreeEncoder(mean: numbers([4, 1]), logVariance: numbers([4, 1])),
      decoder: Toy.decoder(1, 0), prior: .standardNormal(1))
    let error = #expect(throws: ModelRequirementError.self) {
      try RegularizedSpectralDescription().make(for: product, facts)
    }
    #expect(error?.expected == "fully connected or convolutional layers below 'decoder'")
  }
}
