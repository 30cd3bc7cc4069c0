// Parts that a user could have written: no protocol, no case and no line of the library was added
// for any of them.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics

/// Laplace posteriors as free parameters: no closed form against a normal prior.
struct LaplaceEncoder: Encoder {
  var mean, logScale: Tensor
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&mean, "mean")
    visitor.visit(&logScale, "logScale")
  }
  func callAsFunction(_ x: Tensor) -> Laplace { Laplace(mean: mean, logScale: logScale) }
}

/// A linear encoder whose log-variances are one free vector.
struct LinearEncoder: Encoder {
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

/// Correlated latents: a Cholesky factor for each example.
struct FullCovarianceEncoder: Encoder {
  var mean, triangle: Linear
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&mean, "mean")
    visitor.visit(&triangle, "triangle")
  }
  func callAsFunction(_ x: Tensor) -> FullCovarianceNormal {
    FullCovarianceNormal(mean: mean(x), unconstrained: triangle(x))
  }
}

/// An encoder that needs its context: noise on the input while training, and a condition.
struct NoisyConditionalEncoder: Encoder {
  var layer: Linear
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&layer, "layer")
  }
  func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> DiagonalNormal {
    var input = x
    if let condition = context.fields["condition"] { input = input + condition }
    if context.isTraining { input = input + context.random.normalTensor(x.shape, x.dtype) * 0.1 }
    let halves = layer(input).split(into: 2, axis: -1)
    return DiagonalNormal(mean: halves[0], logVariance: halves[1])
  }
}

/// A decoder with dropout, for whichever of the two methods is called.
struct DropoutDecoder: Decoder {
  var layers: Sequential
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&layers, "layers")
  }
  func callAsFunction(_ z: Tensor, _ context: inout LayerContext) -> Laplace {
    let raw = layers(z, &context)
    return Laplace(mean: raw, logScale: raw.zerosLike)
  }
}

struct LearnedNormalPrior: Prior {
  var mean, logVariance: Tensor
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&mean, "mean")
    visitor.visit(&logVariance, "logVariance")
  }
  func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution {
    DiagonalNormal(mean: mean, logVariance: logVariance)
  }
}

/// A mixture of normals with learned weights, means and variances.
struct LearnedMixturePrior: Prior {
  var logWeights, means, logVariances: Tensor
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&logWeights, "logWeights")
    visitor.visit(&means, "means")
    visitor.visit(&logVariances, "logVariances")
  }
  func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution {
    Mixture(
      logWeights: logWeights,
      components: DiagonalNormal(mean: means, logVariance: logVariances))
  }
}

/// Tomczak and Welling 2018: an equal mixture of the posteriors at learned pseudo-inputs.
struct PosteriorsPrior: Prior {
  /// `[K, input]`
  var inputs: Tensor
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&inputs, "inputs")
  }
  func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution {
    let posteriors = encoder(inputs, &context).evaluable
    return mixture(posteriors)
  }
  private func mixture(_ posteriors: some EvaluableDistribution) -> any Distribution {
    Mixture(
      logWeights: .zeros([inputs.shape[0]], posteriors.dtype), components: posteriors)
  }
}

/// Remembers which precision it was asked for.
struct DTypeProbe: Prior {
  let size: Int
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution {
    require(dtype == .float64, "the prior was asked for \(dtype)")
    return StandardNormal(eventShape: [size], dtype: dtype)
  }
}

/// Tokens to a posterior, int32 `[batch, length]`.
struct TokenEncoder: Encoder {
  var table: Tensor
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&table, "table")
  }
  func callAsFunction(_ x: Tensor) -> DiagonalNormal {
    let halves = table.gathering(x, axis: 0).mean(axes: [1]).split(into: 2, axis: -1)
    return DiagonalNormal(mean: halves[0], logVariance: halves[1])
  }
}

struct TokenDecoder: Decoder {
  var layer: Linear
  let length, classes: Int
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&layer, "layer")
  }
  func callAsFunction(_ z: Tensor) -> Categorical {
    Categorical(
      logits: layer(z).reshaped(z.shape.prefix(z.rank - 1) + [length, classes]), eventRank: 1)
  }
}
