// Objectives that look through a network, against PyTorch (scripts/references/features.py), central differences and
// cases that are exact; what they look through stays as it is.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import LatentOptimizers
import LatentTraining
import Testing

@testable import LatentModels

/// The model, the network and the data of the reference.
enum Looking {
  typealias Model = VAE<
    FixedNoiseEncoder<MLPEncoder>, MLPDecoder<BernoulliHead>, StandardNormalPrior
  >

  static let shape: Shape = [8, 8, 2]
  static let x = waves([3, 8, 8, 2], 5) * 0.4 + 0.5

  static func model() -> Model {
    var random = RandomStream(seed: 1)
    var model = VAE(
      encoder: FixedNoiseEncoder(
        base: MLPEncoder(inputShape: shape, hidden: [6], latentSize: 2, using: &random),
        noise: waves([3, 2], 7)),
      decoder: MLPDecoder(
        latentSize: 2, hidden: [6], outputShape: shape, head: BernoulliHead(), using: &random),
      prior: .standardNormal(2)
    ).converted(to: .float64)
    model.setParameters(
      model.parameters.enumerated().map { waves($1.shape, Double($0 + 1)) * 0.3 })
    return model
  }

  /// Looked through: two convolutions and a layer of five, without its head.
  static func network() -> ConvEncoder<DiagonalHead> {
    var random = RandomStream(seed: 2)
    var network = ConvEncoder<DiagonalHead>(
      inputShape: shape, channels: [3, 4], hidden: 5, latentSize: 1, using: &random
    ).converted(to: .float64)
    network.setParameters(
      network.parameters.enumerated().map { waves($1.shape, Double($0 + 20)) * 0.4 })
    return network
  }
}

@Suite struct FeatureObjectiveTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let isStyle: Bool
    let layers: [LayerWeight]
    /// The loss, then reconstruction, difference and divergence.
    let terms: [Double]
    /// Of the derivative by each parameter: the sum of squares, and the product with a wave.
    let squares, products: [Double]
    var testDescription: String { name }

    func loss(
      _ model: Looking.Model, _ network: any FeatureNetwork, _ context: inout LayerContext
    ) -> LossTerms {
      func loss<Settings: FeatureObjectiveDescription>(
        _ rule: FeatureObjective<Looking.Model, Settings>, _ context: inout LayerContext
      ) -> LossTerms {
        let parts = FeatureParts(features: FrozenFeatures(network))
        return rule.loss(of: 0, model, parts, Looking.x, &context)
      }
      func change<Settings: FeatureObjectiveDescription>(_ settings: inout Settings) {
        (settings.layers, settings.weight) = (layers, 7)
        (settings.reconstruction, settings.beta) = (0.25, 3)
      }
      return isStyle
        ? loss(Style(through: network, change), &context)
        : loss(Perceptual(through: network, change), &context)
    }
  }

  static let rows = [
    Row(
      name: "perceptual, places", isStyle: false,
      layers: [],
      terms: [
        71.53437728488983, 90.40056237801224, 0.3128453537809081, 15.58143973797347,
      ],
      squares: [
        3832.0547650036087, 90.22577645941567, 63418.53812573481, 547.3928328689584,
        0.46928498861460644, 0.04312425265737382, 1.8306764893572542, 0.4105310263255257,
      ],
      products: [
        -88.59683260247765, 3.6709980476233484, 454.1409863512941, 15.739371039995282,
        -0.164311819461757, -0.06704963634717923, -0.16999162490937825, 2.5989348336935927,
      ]),
    Row(
      name: "perceptual, weights", isStyle: false,
      layers: [LayerWeight("convolutions.1", 0.5), LayerWeight("hidden", 2)],
      terms: [
        69.76887416887062, 90.40056237801224, 0.06063062292102154, 15.58143973797347,
      ],
      squares: [
        3833.020876668794, 90.24847390410548, 63429.53046813351, 547.5009220508991,
        0.7459661439560772, 0.06606443322160799, 0.8217419342460567, 0.14461796056727833,
      ],
      products: [
        -88.60719155585466, 3.67051665086177, 454.22440432837357, 15.737456919563602,
        -0.2970822480407949, -0.07330499369486701, -0.2239650018396781, 1.8869711096553279,
      ]),
    Row(
      name: "style, places", isStyle: true,
      layers: [],
      terms: [
        69.64180301501352, 90.40056237801224, 0.04247760094143649, 15.58143973797347,
      ],
      squares: [
        3833.9055084422243, 90.26925467420824, 63442.34029433298, 547.6325756795915,
        0.8682048107881583, 0.08330777268415229, 0.6073495255444343, 0.06713407434035285,
      ],
      products: [
        -88.62347697402616, 3.670848554168564, 454.2748985333612, 15.7356853269314,
        -0.34620786696502004, -0.08352388091798771, -0.25478535106954325, 1.4932268066818897,
      ]),
    Row(
      name: "style, weights", isStyle: true,
      layers: [LayerWeight("convolutions.1", 0.5), LayerWeight("hidden", 2)],
      terms: [
        69.36892389972458, 90.40056237801224, 0.0034948701858715163, 15.58143973797347,
      ],
      squares: [
        3833.929007588502, 90.26985222639073, 63444.28135777632, 547.6609890821909,
        0.9444790493553122, 0.08681048616265341, 0.5756885901785015, 0.060629672023132845,
      ],
      products: [
        -88.6140617058791, 3.6698413655731192, 454.2925717530443, 15.733085985911554,
        -0.3430344762657237, -0.07174811303149647, -0.2773183820380984, 1.4616285389533301,
      ]),
  ]

  @Test(arguments: rows) func againstPyTorch(row: Row) {
    let model = Looking.model()
    let result = valueAndGradient(
      at: model,
      withAuxiliary: { model in
        var context = Tiny.training()
        let terms = row.loss(model, Looking.network(), &context)
        return (terms.total, terms)
      })
    let found = [result.value.item] + result.auxiliary.terms.map(\.value.item)
    #expect(distance(found, row.terms) < 1e-9, "\(found)")
    let slopes = result.gradients.tensors.map { $0 ?? .zeros([], .float64) }
    #expect(distance(slopes.map { square($0).sum().item }, row.squares) < 1e-9)
    #expect(distance(slopes.map { ($0 * waves($0.shape, 9)).sum().item }, row.products) < 1e-9)
  }

  @Test(arguments: rows) func againstDifferences(row: Row) {
    let model = Looking.model()
    let error = gradientError(at: model.decoder.parameters) { parameters in
      var copy = model
      copy.decoder.setParameters(parameters)
      var context = Tiny.training()
      return row.loss(copy, Looking.network(), &context).total
    }
    #expect(error < 1e-6, "\(error)")
  }

  /// A perfect reconstruction costs nothing in any layer, to the bit.
  @Test(arguments: [false, true]) func equalPictures(isStyle: Bool) {
    let features = Looking.network().features(of: Looking.x)
    let compare = LayerComparison(
      layers: features.map { LayerWeight($0.name) },
      difference: isStyle ? gramDifference : meanSquareDifference)
    #expect(compare(features, features).doubles == [0, 0, 0])
  }

  /// A constant activation of 3 on four channels: 9 / 4 everywhere, whatever the size; a single channel that is on
  /// has the share of the channels as its only number.
  @Test func gramMatricesOfConstants() {
    let flat = gramMatrices(Tensor(repeating: 3, shape: [2, 5, 7, 4], .float64))
    #expect(flat.shape == [2, 4, 4] && flat.doubles.allSatisfy { $0 == 2.25 })
    let one = gramMatrices(Tensor([0, 2] as [Double], shape: [1, 1, 1, 2]))
    #expect(one.doubles == [0, 0, 0, 2])
    #expect(
      gramMatrices(Tensor([1, 3] as [Double], shape: [1, 2])).doubles == [0.5, 1.5, 1.5, 4.5])
    // Places may change places.
    let x = waves([1, 2, 3, 2], 3)
    let expected = [
      0.16313813015049242, 0.1157806575994987, 0.1157806575994987, 0.2987260174391518,
    ]
    #expect(distance(gramMatrices(x).doubles, expected) < 1e-14)
    #expect(distance(gramMatrices(x.reversed(axis: 2)).doubles, expected) < 1e-14)
  }

  // MARK: What is looked through stays as it is

  /// A network with statistics of its batches, which it keeps.
  struct Normalized: FeatureNetwork {
    var linear: Linear
    var norm: BatchNorm
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      visitor.visit(&linear, "linear")
      visitor.visit(&norm, "norm")
    }
    func features(of x: Tensor) -> [Feature] { [Feature("norm", norm(linear(x)))] }
  }

  @Test func nothingMoves() throws {
    var random = RandomStream(seed: 4)
    var network = Normalized(linear: Linear(3, 4, using: &random), norm: BatchNorm(4))
    network.norm.runningMean = Tensor([0.1, -0.2, 0.3, 0.4] as [Float])
    let model = Tiny.model(NormalHead(.fixed(1))).converted(to: .float32)
    let rule = Perceptual<Tiny.Model<NormalHead>>(through: network) { $0.weight = 5 }
    var trainer = Trainer(model, objective: rule, optimizer: Adam(learningRate: 1e-2), seed: 1)
    #expect(trainer.parts.parameters.isEmpty)
    let paths = trainer.parts.namedParameters.map(\.path)
    #expect(paths == network.namedParameters.map { "features.\($0.path)" })
    let x = Tiny.x.converted(to: .float32)
    let losses = try (0..<40).map { _ in try trainer.step(x).loss }
    #expect(losses.suffix(5).reduce(0, +) < losses.prefix(5).reduce(0, +))
    let kept = trainer.parts.namedParameters.map(\.tensor.array)
    #expect(
      kept == network.namedParameters.map(\.tensor.array), "weights and statistics, to the bit")
    #expect(trainer.optimizer.state["moment1"]?.count ?? 0 < 100)

    // What is resumed comes from the checkpoint, whatever network the program brings.
    let saved = try trainer.checkpoint()
    var other = Normalized(linear: Linear(3, 4, using: &random), norm: BatchNorm(4))
    other.norm.runningMean = Tensor([9, 9, 9, 9] as [Float])
    var resumed = Trainer(
      model, objective: Perceptual<Tiny.Model<NormalHead>>(through: other) { $0.weight = 5 },
      optimizer: Adam(learningRate: 1e-2), seed: 1)
    try resumed.resume(from: saved)
    let next = (try trainer.step(x).loss, try resumed.step(x).loss)
    #expect(next.0 == next.1)
    #expect(try trainer.checkpoint().arrays == resumed.checkpoint().arrays)
  }

  /// What they may not see, and what they can do without.
  @Test func pointsAndWeights() {
    let model = Looking.model()
    var context = Tiny.training()
    let rule = Perceptual<Looking.Model>(through: Looking.network()) {
      ($0.reconstruction, $0.weight, $0.beta) = (0, 2, 0)
    }
    let parts = rule.makeParts(for: model, using: &context.random)
    let terms = rule.loss(of: 0, model, parts, Looking.x, &context)
    let seen = terms["perceptual"]?.item ?? .nan
    #expect(terms.total.item == 2 * seen)
    #expect(terms.terms.map(\.name) == ["reconstruction", "perceptual", "kl"])
    #expect(rule.summary.contains("perceptual(") && rule.summary.contains("reconstruction: 0.0"))
  }

  // MARK: In words

  @Test func words() throws {
    var random = RandomStream(seed: 1)
    let model = try ModelDescription(
      ConvNetwork(channels: [3], hidden: 4, latentSize: 2), inputShape: [8, 8, 1]
    ).makeModel(using: &random)
    let other = try ModelDescription(
      MLPNetwork(hidden: [5], latentSize: 2), inputShape: [6, 6, 1]
    ).makeModel(using: &random)
    let text = try ModelDescription(named: "gru-text", inputShape: [8]).makeModel(using: &random)
    var facts = TrainingFacts(examples: 9, inputShape: [8, 8, 1])
    func error(
      _ change: (inout PerceptualDescription) -> Void, _ facts: TrainingFacts,
      _ model: any LatentVariableModel
    ) -> String {
      var settings = PerceptualDescription()
      change(&settings)
      do {
        try settings.validate()
        _ = try settings.make(for: model, facts)
        return ""
      } catch { return "\(error)" }
    }
    #expect(error({ $0.features = "random:7" }, facts, model) == "")
    #expect(error({ $0.layers = [LayerWeight("convolutions.0", 0.5)] }, facts, model) == "")
    #expect(
      error({ $0.features = "random:x" }, facts, model)
        == "objective.features is 'random:x', expected random, random:SEED or the folder of a run")
    #expect(
      error({ $0.layers = [LayerWeight("conv9")] }, facts, model)
        == "objective.layers is 'conv9', expected layers of convolutions.0")
    #expect(
      error({ $0.features = "run/" }, facts, model)
        == "objective.features is 'run/', expected random or random:SEED: nothing opens runs here")
    facts.openFeatures = { try RunFeatures(other, inputShape: [6, 6, 1], run: $0) }
    #expect(
      error({ $0.features = "run/" }, facts, model)
        == "objective.features is the run run/ on data of shape [6, 6, 1], expected one whose encoder takes "
        + "data of shape [8, 8, 1]: of 1 channels, and of this size where it is fully connected")
    facts.openFeatures = { try RunFeatures(text, inputShape: [8], run: $0) }
    #expect(
      error({ $0.features = "run/" }, facts, model).hasPrefix(
        "features of the run run/ needs a model whose encoder is a FeatureNetwork: found "))
    #expect(error({ $0.reconstruction = -1 }, facts, model).hasPrefix("objective.reconstruction"))
    let read = try JSONDecoder().decode(
      PerceptualDescription.self,
      from: JSONEncoder().encode(Perceptual<Looking.Model> { $0.layers = [.init("a", 2)] }.settings)
    )
    #expect(read.layers == [LayerWeight("a", 2)])
  }
}
