// What networks of first weights make of data and of latents. A signal that fades on its way from layer
// to layer takes hundreds of steps to come back; first pictures that differ by more than the data do
// teach the model to ignore its latents (decision 0029).

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct FirstSignalTests {
  static let names = ["mlp", "mlp-autoencoder", "gated-mlp", "conv", "resnet"]
  static let side = 16

  /// Smooth pictures [64, 16, 16, 3] around `mean` with the deviation `deviation`: waves of some
  /// direction and phase, other ones in each channel.
  static func pictures(mean: Double, deviation: Double) -> Tensor {
    var random = RandomStream(seed: 5)
    let draws = random.uniform([64, 3, 3]).doubles
    let values = (0..<64 * side * side * 3).map { index -> Double in
      let (channel, pixel, example) = (index % 3, index / 3 % 256, index / 768)
      let first = (example * 3 + channel) * 3
      let draw = draws[first..<first + 3].map { $0 - 0.5 }
      let (x, y) = (Double(pixel % side) / 16 - 0.5, Double(pixel / side) / 16 - 0.5)
      return sin(2 * .pi * (draw[0] * x + draw[1] * y + draw[2]))
    }
    let waves = Tensor(values, shape: [64, side, side, 3])
    let spread = square(waves - waves.mean(axes: [0], keepingDimensions: true)).mean().item
    return ((waves - waves.mean()) * (deviation / spread.squareRoot()) + mean)
      .converted(to: .float32)
  }

  private func made(
    _ name: String, _ likelihood: ModelDescription.Likelihood, startingAt x: Tensor, seed: UInt64
  ) throws -> any LatentVariableModel {
    let shape = [FirstSignalTests.side, FirstSignalTests.side, 3]
    var description = try ModelDescription(named: name, inputShape: shape)
    description.likelihood = likelihood
    var random = RandomStream(seed: seed)
    let model = try description.makeModel(using: &random)
    guard var informed = model as? any DataInitializable else { return model }
    informed.initialize(from: DataStatisticsTests.statistics(x))
    return try #require(informed as? any LatentVariableModel)
  }

  /// The deviation from one example to the next, over all elements.
  private func deviation(_ x: Tensor) -> Double {
    square(x - x.mean(axes: [0], keepingDimensions: true)).mean().item.squareRoot()
  }

  /// Latents vary with the data, and by no more than a standard normal prior says.
  @Test(arguments: names, [(0.5, 0.2), (0, 1), (20, 1)])
  func latentsVaryWithTheData(name: String, data: (mean: Double, deviation: Double)) throws {
    let x = FirstSignalTests.pictures(mean: data.mean, deviation: data.deviation)
    for seed in [1, 2] as [UInt64] {
      let model = try made(name, .normal, startingAt: x, seed: seed)
      let found = deviation(model.codes(of: x))
      #expect((0.02...2).contains(found), "\(name): \(found)")
    }
  }

  /// Logits of first pictures vary a little, and not by what makes pictures.
  @Test(arguments: names) func firstPicturesAreFaint(name: String) throws {
    let x = FirstSignalTests.pictures(mean: 0.5, deviation: 0.1)
    for seed in [1, 2] as [UInt64] {
      let model = try made(name, .bernoulli, startingAt: x, seed: seed)
      var random = RandomStream(seed: seed)
      let likelihood = model.decode(model.samplePrior(64, using: &random))
      let found = deviation(try #require(likelihood as? Bernoulli).logits)
      #expect((0.01...0.15).contains(found), "\(name): \(found)")
    }
  }

  /// A fully connected encoder sees the same in data around any mean, to rounding.
  @Test(arguments: ["mlp", "mlp-autoencoder", "gated-mlp"])
  func theMeanDoesNotMatter(name: String) throws {
    let latents = try [0.0, 3].map { mean in
      let x = FirstSignalTests.pictures(mean: mean, deviation: 0.25)
      return try made(name, .normal, startingAt: x, seed: 3).codes(of: x)
    }
    #expect(distance(latents[0], latents[1]) < 1e-3)
  }
}
