// Wrappers in training: what is known of where they lead.

import Foundation
import Latent
import Testing

@Suite struct WrapperTrainingTests {
  typealias Linear4 = VAE<MLPPointEncoder, MLPDecoder<NormalHead>, StandardNormalPrior>

  /// A normal of four dimensions, whose principal axes are the columns of a product of rotations, with deviations 3, 2,
  /// 1.4 and 0.5: exact eigenvectors, and data whose covariance is exact too.
  static let (axes, data): ([[Double]], NDArray) = {
    let deviations = [3.0, 2, 1.4, 0.5]
    var axes = (0..<4).map { column in (0..<4).map { $0 == column ? 1.0 : 0 } }
    for (first, second, angle) in [(0, 1, 0.7), (2, 3, 1.1), (1, 2, -0.6), (0, 3, 0.4)] {
      for row in 0..<4 {
        let (a, b) = (axes[first][row], axes[second][row])
        axes[first][row] = cos(angle) * a - sin(angle) * b
        axes[second][row] = sin(angle) * a + cos(angle) * b
      }
    }
    // Corners of a cube in the coordinates of the axes: uncorrelated, each of unit variance.
    let points = (0..<256).flatMap { index -> [Double] in
      let corner = (0..<4).map { index >> $0 & 1 == 0 ? -1.0 : 1 }
      return (0..<4).map { row in
        (0..<4).map { axes[$0][row] * deviations[$0] * corner[$0] }.reduce(0, +)
      }
    }
    return (axes, NDArray(points.map { Float($0) }).reshaped([256, 4]))
  }()

  /// Columns of the decoder after training, each of length 1.
  private func directions(_ wraps: Bool) throws -> (model: Linear4, columns: [[Double]]) {
    var random = RandomStream(seed: 3)
    let model = VAE(
      encoder: MLPPointEncoder(inputShape: [4], hidden: [], latentSize: 3, using: &random),
      decoder: MLPDecoder(
        latentSize: 3, hidden: [], outputShape: [4], head: NormalHead(.fixed(1)), using: &random),
      prior: .standardNormal(3))
    func trained(_ rule: some TrainingObjective<Linear4>) throws -> Linear4 {
      var trainer = Trainer(
        model, objective: rule, optimizer: Adam(learningRate: 2e-2),
        schedule: CosineSchedule(total: 3000, floor: 1e-3), seed: 5)
      for _ in 0..<3000 { try trainer.step(Tensor(WrapperTrainingTests.data)) }
      return trainer.model
    }
    let plain = RegularizedAutoencoder<LensedModel<Linear4>, AutoencoderDescription> {
      $0.cost = .squared
    }
    let result =
      wraps
      ? try trained(NestedDropout(around: plain))
      : try trained(RegularizedAutoencoder<Linear4, _>(plain.settings))
    let weight = result.decoder.output.weight
    let columns = (0..<3).map { column -> [Double] in
      let values = weight.selecting(column, axis: 1).doubles
      let length = values.map { $0 * $0 }.reduce(0, +).squareRoot()
      return values.map { $0 / length }
    }
    return (result, columns)
  }

  private func cosines(_ columns: [[Double]]) -> [Double] {
    zip(columns, WrapperTrainingTests.axes).map { column, axis in
      Swift.abs(zip(column, axis).map { $0 * $1 }.reduce(0, +))
    }
  }

  /// With nested dropout a linear autoencoder finds the principal axes one by one, in their order (Rippel et al. 2014,
  /// section 3); without, it finds the space that they span.
  @Test func principalAxes() throws {
    let (model, columns) = try directions(true)
    let found = cosines(columns)
    #expect(found.allSatisfy { $0 >= 0.99 }, "\(found)")
    let plain = cosines(try directions(false).columns)
    #expect(plain.contains { $0 < 0.9 }, "\(plain)")
    // The more latents are decoded, the smaller the error: by the variance of each axis.
    let x = Tensor(WrapperTrainingTests.data)
    let z = model.codes(of: x)
    let errors = (1...3).map { count -> Double in
      let kept = Tensor.range(3) .< Double(count)
      return square(x - model.decode(z * kept).mean).sum(axes: [1]).mean().item
    }
    let exact = [4 + 1.96 + 0.25, 1.96 + 0.25, 0.25]
    for (error, exact) in zip(errors, exact) { #expect(Swift.abs(error - exact) < 0.05 * exact) }
  }

  /// The first stage rests from its last step on, to the bit, and the second one learns the spread of the codes: codes
  /// that are N(0, I) leave no divergence, and the deviation becomes the error.
  @Test func twoStages() throws {
    let start = tinyModel()
    let rule = TwoStage(around: ELBO<TinyModel>()) {
      ($0.stageSteps, $0.hidden, $0.learningRate) = (5, [16], 1e-2)
    }
    var trainer = Trainer(start, objective: rule, optimizer: Adam(learningRate: 1e-2), seed: 3)
    let x = Tensor(try tinyData().batch(0..<44).inputs)
    let begin = trainer.parts.second.parameters.map(\.floats)
    for _ in 0..<5 { try trainer.step(x) }
    let (first, second) = (
      trainer.model.parameters.map(\.floats), trainer.parts.second.parameters.map(\.floats)
    )
    #expect(second == begin && first != start.parameters.map(\.floats))
    let before = try trainer.evaluate(tinyData())
    for _ in 0..<200 { try trainer.step(x) }
    #expect(trainer.model.parameters.map(\.floats) == first)
    #expect(trainer.parts.second.parameters.map(\.floats) != second)
    let after = try trainer.evaluate(tinyData())
    #expect(try #require(after["second"]) < #require(before["second"]))
    // An epoch without a step of the first stage has no loss of it, and goes on.
    let history = try trainer.fit(tinyData(), epochs: 2, batchSize: 11, validation: tinyData())
    #expect(history.allSatisfy { $0.selectionLoss.isFinite })
    #expect(history.allSatisfy { $0.training["second"]?.isFinite == true })
  }

  @Test func secondStageOfNormalCodes() throws {
    var random = RandomStream(seed: 7)
    let stage = SecondStage(codes: 2, hidden: [16], using: &random)
    var trainer = Trainer(stage, objective: ELBO(), optimizer: Adam(learningRate: 5e-3), seed: 3)
    trainer.schedule = CosineSchedule(total: 1500, floor: 0.01)
    for _ in 0..<1500 { try trainer.step(random.normalTensor([128, 2])) }
    let z = random.normalTensor([4000, 2])
    var context = LayerContext(isTraining: false, random: random)
    let terms = ELBO()(trainer.model, z, &context)
    let entropy = 1 + log(2 * Double.pi)
    #expect(Swift.abs(terms.total.item - entropy) < 0.1, "\(terms.total.item), \(entropy)")
    // gamma² is the mean squared error that is left.
    let q = trainer.model.encode(z)
    let u = q.reparameterizedSample(using: &context.random)
    let error = square(trainer.model.decode(u).mean - z).mean().item
    let gamma = exp(try #require(trainer.model.decoder.head.logVariance).item)
    #expect(Swift.abs(gamma / error - 1) < 0.05)
    // What it draws is spread as the codes are.
    let drawn = trainer.model.decode(trainer.model.samplePrior(20_000, using: &random))
      .sample(using: &random)
    #expect(Swift.abs(square(drawn).mean().item - 1) < 0.1 && Swift.abs(drawn.mean().item) < 0.1)
  }
}
