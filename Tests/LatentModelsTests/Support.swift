// What the tests of this module share: a tiny model with round numbers, an encoder that is nothing
// but its parameters, fixed noise, and the bound computed by loops over plain numbers.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

/// The largest difference, relative to the expected value where that is above 1.
func distance(_ found: [Double], _ expected: [Double]) -> Double {
  guard found.count == expected.count else { return .infinity }
  return zip(found, expected).reduce(0) { worst, pair in
    let error = Swift.abs(pair.0 - pair.1) / max(1, Swift.abs(pair.1))
    return error.isNaN ? .infinity : max(worst, pair.0 == pair.1 ? 0 : error)
  }
}

func distance(_ found: Tensor, _ expected: Tensor) -> Double {
  found.shape == expected.shape ? distance(found.doubles, expected.doubles) : .infinity
}

/// Round numbers between -1 and 1.
func numbers(_ shape: Shape, _ start: Int = 0) -> Tensor {
  Tensor((0..<shape.count).map { Double(($0 * 7 + start * 3) % 11 - 5) / 8 }, shape: shape)
}

/// KL(N(m, e^v) || N(pm, e^pv)) of one element.
func normalKL(_ m: Double, _ v: Double, _ pm: Double = 0, _ pv: Double = 0) -> Double {
  let shift: Double = (m - pm) * (m - pm) * exp(-pv)
  let ratio: Double = exp(v - pv) - 1 - (v - pv)
  return (shift + ratio) / 2
}

/// A posterior that is the same free parameters whatever the data.
struct FreeEncoder: Encoder {
  /// `[batch, latent]`
  var mean, logVariance: Tensor

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&mean, "mean")
    visitor.visit(&logVariance, "logVariance")
  }

  func callAsFunction(_ x: Tensor) -> DiagonalNormal {
    DiagonalNormal(mean: mean, logVariance: logVariance)
  }
}

/// A diagonal normal that draws the given noise instead of the stream's.
struct FixedNoise: ReparameterizedDistribution, EvaluableDistribution, DistributionWithMean {
  let base: DiagonalNormal
  let noise: Tensor
  var batchShape: Shape { base.batchShape }
  var eventShape: Shape { base.eventShape }
  var dtype: DType { base.dtype }
  var mean: Tensor { base.mean }
  var entropy: Tensor? { base.entropy }

  func logProbability(of value: Tensor) -> Tensor { base.logProbability(of: value) }
  func closedFormKL(to other: any Distribution) -> Tensor? { base.closedFormKL(to: other) }
  func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    reparameterized(mean: base.mean, logVariance: base.logVariance, noise: noise)
  }
}

/// Any encoder to a diagonal normal, with given noise.
struct FixedNoiseEncoder<Base: Encoder>: Encoder where Base.Posterior == DiagonalNormal {
  var base: Base
  let noise: Tensor

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    base.visitParameters(&visitor)
  }
  func callAsFunction(_ x: Tensor) -> FixedNoise { FixedNoise(base: base(x), noise: noise) }
}

/// Three numbers, two latents, float64.
enum Tiny {
  typealias Model<Head: LikelihoodHead> = VAE<MLPEncoder, MLPDecoder<Head>, StandardNormalPrior>

  /// Linear, with round weights.
  static func model<Head: LikelihoodHead>(_ head: Head, inputShape: Shape = [3]) -> Model<Head> {
    var random = RandomStream(seed: 1)
    var model = VAE(
      encoder: MLPEncoder(inputShape: inputShape, hidden: [], latentSize: 2, using: &random),
      decoder: MLPDecoder(
        latentSize: 2, hidden: [], outputShape: inputShape, head: head, using: &random),
      prior: .standardNormal(2)
    ).converted(to: .float64)
    model.encoder.head.weight = numbers([4, inputShape.count], 1)
    model.encoder.head.bias = numbers([4], 2)
    model.decoder.output.weight = numbers(model.decoder.output.weight.shape, 3)
    model.decoder.output.bias = numbers(model.decoder.output.bias?.shape ?? [], 4)
    return model
  }

  static let x = Tensor([0, 1, 1, 1, 0, 0.25, 0.5, 1, 0, 0, 0, 1] as [Double], shape: [4, 3])

  static func training(_ seed: UInt64 = 3, step: Int = 0) -> LayerContext {
    LayerContext(isTraining: true, random: RandomStream(seed: seed), step: step)
  }

  /// The noise that a posterior of four examples draws first.
  static func noise(_ sampleShape: Shape = [], seed: UInt64 = 3) -> Tensor {
    var random = RandomStream(seed: seed)
    return random.normalTensor(sampleShape + [4, 2], .float64)
  }

  /// Reconstruction and divergence of a linear model, in loops; `density(raw, x)` is the
  /// log-probability of one element.
  static func byHand(
    _ model: Model<some LikelihoodHead>, _ x: Tensor, noise: Tensor,
    density: (Double, Double) -> Double
  ) -> (reconstruction: Double, kl: Double) {
    let (w, b) = (model.encoder.head.weight.doubles, model.encoder.head.bias?.doubles ?? [])
    let (v, c) = (model.decoder.output.weight.doubles, model.decoder.output.bias?.doubles ?? [])
    let (x, noise) = (x.doubles, noise.doubles)
    var (logDensity, kl) = (0.0, 0.0)
    for example in 0..<4 {
      var z: [Double] = []
      for latent in 0..<2 {
        func output(_ row: Int) -> Double {
          (0..<3).reduce(b[row]) { $0 + w[row * 3 + $1] * x[example * 3 + $1] }
        }
        let (mean, logVariance) = (output(latent), output(latent + 2))
        z.append(mean + exp(logVariance / 2) * noise[example * 2 + latent])
        kl += normalKL(mean, logVariance)
      }
      for pixel in 0..<3 {
        let raw = c[pixel] + v[pixel * 2] * z[0] + v[pixel * 2 + 1] * z[1]
        logDensity += density(raw, x[example * 3 + pixel])
      }
    }
    return (-logDensity / 4, kl / 4)
  }

  static func bernoulli(_ raw: Double, _ x: Double) -> Double { x * raw - log1p(exp(raw)) }
  static func normal(_ deviation: Double) -> (Double, Double) -> Double {
    { -($1 - $0) * ($1 - $0) / (2 * deviation * deviation) - log(deviation * sqrt(2 * .pi)) }
  }
}
