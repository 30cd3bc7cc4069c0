// A model of which everything is known: p(z) = N(0, 1), p(x | z) = N(z, 1), so that p(x) = N(0, 2) and the posterior is
// N(x / 2, 1 / 2).

import Foundation
import Latent

/// An affine map to the mean of a normal whose log-variances are the same for all data.
struct AffineEncoder: Encoder {
  var mean: Linear
  /// `[latent]`
  var logVariance: Tensor
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&mean, "mean")
    visitor.visit(&logVariance, "logVariance")
  }
  func callAsFunction(_ x: Tensor) -> DiagonalNormal {
    DiagonalNormal(mean: mean(x), logVariance: logVariance)
  }
}

enum LinearGaussian {
  typealias Model = VAE<AffineEncoder, MLPDecoder<NormalHead>, StandardNormalPrior>

  /// With the posterior N(gain x, variance), the exact one unless said otherwise.
  static func model(gain: Double = 0.5, variance: Double = 0.5) -> Model {
    var random = RandomStream(seed: 1)
    var model = VAE(
      encoder: AffineEncoder(
        mean: Linear(1, 1, using: &random), logVariance: Tensor([log(variance)])),
      decoder: MLPDecoder(
        latentSize: 1, hidden: [], outputShape: [1], head: NormalHead(.fixed(1)), using: &random),
      prior: .standardNormal(1)
    ).converted(to: .float64)
    model.encoder.mean.weight = Tensor([gain], shape: [1, 1])
    model.encoder.mean.bias = Tensor([0] as [Double])
    model.decoder.output.weight = Tensor([1] as [Double], shape: [1, 1])
    model.decoder.output.bias = Tensor([0] as [Double])
    return model
  }

  /// Examples `[values, 1]`.
  static func data(_ values: [Double]) -> Tensor { Tensor(values, shape: [values.count, 1]) }

  /// log N(x; 0, 2); -1.5155121235 at x = 1.
  static func logEvidence(_ x: Double) -> Double { -0.5 * log(4 * .pi) - x * x / 4 }

  /// The mean and variance of the density between prior and posterior.
  static func annealed(_ temperature: Double, _ x: Double) -> (mean: Double, variance: Double) {
    (temperature * x / (1 + temperature), 1 / (1 + temperature))
  }

  /// E log p(x | z) under it.
  static func fit(_ temperature: Double, _ x: Double) -> Double {
    let (mean, variance) = annealed(temperature, x)
    return -0.5 * log(2 * .pi) - 0.5 * ((x - mean) * (x - mean) + variance)
  }
}

/// The mean of numbers and the standard error of it.
func meanAndItsError(_ values: [Double]) -> (mean: Double, error: Double) {
  let count = Double(values.count)
  let mean = values.reduce(0, +) / count
  let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  return (mean, (squares / (count - 1) / count).squareRoot())
}
