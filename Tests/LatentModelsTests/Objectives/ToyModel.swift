// A model of one number whose every expectation is known: p(z) = N(0, 1), p(x | z) = N(a z + b, 1) and a
// normal posterior of free parameters, one row for each example. With N examples the derivative by row i
// is that of draw i alone over N: a hundred thousand independent draws in one pass.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics

/// FreeEncoder with given noise `[sample, batch, 1]`, or the stream's.
struct ToyEncoder: Encoder {
  /// `[batch, 1]`
  var mean, logVariance: Tensor
  var noise: Tensor?

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&mean, "mean")
    visitor.visit(&logVariance, "logVariance")
  }
  func callAsFunction(_ x: Tensor) -> ToyPosterior {
    ToyPosterior(base: DiagonalNormal(mean: mean, logVariance: logVariance), noise: noise)
  }
}

/// A normal that draws given noise, where there is some.
struct ToyPosterior: ReparameterizedDistribution, DetachableDistribution {
  let base: DiagonalNormal
  let noise: Tensor?
  var batchShape: Shape { base.batchShape }
  var eventShape: Shape { base.eventShape }
  var dtype: DType { base.dtype }
  var detached: ToyPosterior { ToyPosterior(base: base.detached, noise: noise) }

  func logProbability(of value: Tensor) -> Tensor { base.logProbability(of: value) }
  func reparameterizedSample(_ sampleShape: Shape, using random: inout RandomStream) -> Tensor {
    guard let noise else { return base.reparameterizedSample(sampleShape, using: &random) }
    return reparameterized(mean: base.mean, logVariance: base.logVariance, noise: noise)
  }
}

/// Coin flips as latents, `[batch, 1]`: nothing can be differentiated through them.
struct FlipEncoder: Encoder {
  var logits: Tensor
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&logits, "logits")
  }
  func callAsFunction(_ x: Tensor) -> Bernoulli { Bernoulli(logits: logits) }
}

struct FlipPrior: Prior {
  var logits: Tensor
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&logits, "logits")
  }
  func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution {
    Bernoulli(logits: logits)
  }
}

/// N(a z + b, 1).
struct ToyDecoder: Decoder {
  var a, b: Tensor
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&a, "a")
    visitor.visit(&b, "b")
  }
  func callAsFunction(_ z: Tensor) -> DiagonalNormal {
    DiagonalNormal(mean: a * z + b, logVariance: .zeros([], z.dtype))
  }
}

enum Toy {
  typealias Model = VAE<ToyEncoder, ToyDecoder, StandardNormalPrior>
  typealias Flips = VAE<FlipEncoder, ToyDecoder, FlipPrior>

  // The bounds, by their numbers.
  static func iwae(_ draws: Int, _ estimator: EncoderEstimator = .pathwise) -> IWAE<Model> {
    IWAE { ($0.samples, $0.estimator) = (draws, estimator) }
  }
  static func miwae(
    _ estimates: Int, _ samples: Int, _ estimator: EncoderEstimator = .pathwise
  ) -> MIWAE<Model> {
    MIWAE { ($0.estimates, $0.samples, $0.estimator) = (estimates, samples, estimator) }
  }
  static func piwae(
    _ estimates: Int, _ samples: Int, _ estimator: EncoderEstimator = .pathwise
  ) -> PIWAE<Model> {
    PIWAE { ($0.estimates, $0.samples, $0.estimator) = (estimates, samples, estimator) }
  }
  static func ciwae(
    _ draws: Int, _ beta: Double, _ estimator: EncoderEstimator = .pathwise
  ) -> CIWAE<Model> {
    CIWAE { ($0.samples, $0.beta, $0.estimator) = (draws, beta, estimator) }
  }
  static func renyi(
    _ draws: Int, _ alpha: Double, _ estimator: EncoderEstimator = .pathwise
  ) -> RenyiBound<Model> {
    RenyiBound { ($0.samples, $0.alpha, $0.estimator) = (draws, alpha, estimator) }
  }
  static func vimco(_ samples: Int) -> VIMCO<Model> { VIMCO { $0.samples = samples } }

  static func number(_ value: Double) -> Tensor { .scalar(value, .float64) }

  static func decoder(_ a: Double, _ b: Double) -> ToyDecoder {
    ToyDecoder(a: number(a), b: number(b))
  }

  /// The same posterior N(mean, e^logVariance) for each of `count` examples.
  static func model(
    mean: Double, logVariance: Double, a: Double = 1, b: Double = 0, count: Int = 1,
    noise: [Double]? = nil
  ) -> Model {
    VAE(
      encoder: ToyEncoder(
        mean: Tensor(repeating: mean, shape: [count, 1], .float64),
        logVariance: Tensor(repeating: logVariance, shape: [count, 1], .float64),
        noise: noise.map { Tensor($0, shape: [$0.count, 1, 1]) }),
      decoder: decoder(a, b), prior: .standardNormal(1))
  }

  /// `count` times x = 1.
  static func x(_ count: Int = 1) -> Tensor { .ones([count, 1], .float64) }

  /// log p(x = 1) of a = 1, b = 0: log N(1; 0, 2).
  static let logEvidence = -1.515_512_123_5

  /// A loss and its derivatives by every parameter, in visiting order, with the noise of a seed.
  static func gradients<Model: LatentVariableModel>(
    _ model: Model, _ x: Tensor, fields: [String: Tensor] = [:], seed: UInt64 = 3,
    of loss: (Model, Tensor, inout LayerContext) -> LossTerms
  ) -> (terms: LossTerms, gradients: [Tensor]) {
    let result = valueAndGradient(
      at: model.parameters,
      withAuxiliary: { parameters in
        var copy = model
        copy.setParameters(parameters)
        var context = LayerContext(
          isTraining: true, random: RandomStream(seed: seed), fields: fields)
        let terms = loss(copy, x, &context)
        return (terms.total, terms)
      })
    return (
      result.auxiliary, zip(result.gradients, model.parameters).map { $0 ?? $1.zerosLike }
    )
  }

  static func gradients(
    _ rule: any Objective<Model>, _ model: Model, _ x: Tensor, seed: UInt64 = 3
  ) -> (terms: LossTerms, gradients: [Tensor]) {
    gradients(model, x, seed: seed) { rule($0, $1, &$2) }
  }
}

/// The mean of independent numbers and its standard error.
func meanAndError(_ x: Tensor) -> (mean: Double, error: Double) {
  (x.mean().item, sqrt(x.variance(correction: 1).item / Double(x.count)))
}
