// What people do with a trained model: encode, decode, reconstruct, generate, walk through the
// latent space, and ask how probable data are.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The path between two latents.
public enum Interpolation: String, Sendable, CaseIterable, Codable {
  /// Along the straight line.
  case linear
  /// Along the great circle (Shoemake 1985; White 2016 for latents), which keeps the norm that
  /// samples of a high-dimensional normal have.
  case spherical
}

extension LatentVariableModel {
  private var dtype: DType { parameters.map(\.dtype).first(where: \.isFloatingPoint) ?? .float32 }

  /// The posterior q(z | x) of data `[batch, ...]`.
  public func encode(_ x: Tensor) -> Posterior {
    var context = LayerContext.inference
    return posterior(x, &context)
  }

  /// The likelihood p(x | z) of latents `[batch, latent]`.
  public func decode(_ z: Tensor) -> Likelihood {
    var context = LayerContext.inference
    return likelihood(z, &context)
  }

  /// The mean of the likelihood at the mean of the posterior: `[batch, ...]`.
  public func reconstruct(_ x: Tensor) -> Tensor { decode(encode(x).mean).mean }

  /// Means of the likelihood at `count` latents from the prior: `[count, ...]`.
  public func generate(_ count: Int, using random: inout RandomStream) -> Tensor {
    decode(samplePrior(count, using: &random)).mean
  }

  /// The shape of one latent: `[latent]`, or `[height, width, channels]` where latents keep a place.
  public var latentShape: Shape {
    var context = LayerContext.inference
    return prior(dtype, &context).eventShape
  }

  /// Latents from the prior: `[count, latent]`.
  public func samplePrior(_ count: Int, using random: inout RandomStream) -> Tensor {
    var context = LayerContext.inference
    return prior(dtype, &context).sample([count], using: &random)
  }

  /// Means of the likelihood along the path from `start` to `end` `[latent]` or `[batch, latent]`,
  /// ends included: `[steps, ...]` or `[steps, batch, ...]`.
  public func interpolate(
    from start: Tensor, to end: Tensor, steps: Int, _ path: Interpolation = .spherical
  ) -> Tensor {
    // The path is one of whole latents, also where they have several axes.
    let rank = latentShape.rank
    func vectors(_ z: Tensor) -> Tensor { z.rank < rank ? z : z.flattened(from: z.rank - rank) }
    let z = interpolated(from: vectors(start), to: vectors(end), steps: steps, path)
    return decode(z.reshaped([steps] + start.shape)).mean
  }

  /// Means of the likelihood as latent `dimension` of `z` `[latent]` takes each of `values`:
  /// `[values, ...]`. Latents of several axes are counted in the order of their elements.
  public func traverse(_ z: Tensor, dimension: Int, values: [Double]) -> Tensor {
    let vectors = traversal(
      of: z.shape == latentShape ? z.flattened() : z, dimension: dimension, values: values)
    return decode(vectors.reshaped([values.count] + latentShape)).mean
  }

  /// The importance-sampled estimate of log p(x) in nats, `[batch]` (Burda, Grosse and
  /// Salakhutdinov 2016, equation 8): a lower bound in expectation, tight as samples grow.
  ///
  /// Samples are drawn in groups of at most `samplesAtOnce`, so that memory stays bounded.
  public func logLikelihood(
    of x: Tensor, importanceSamples: Int, samplesAtOnce: Int = 64, using random: inout RandomStream
  ) -> Tensor {
    require(importanceSamples > 0, "logLikelihood with \(importanceSamples) importance samples")
    require(samplesAtOnce > 0, "logLikelihood with \(samplesAtOnce) samples at once")
    var context = LayerContext.inference
    let q = posterior(x, &context)
    let p = prior(q.dtype, &context)
    var weights: [Tensor] = []
    var left = importanceSamples
    while left > 0 {
      let count = min(left, samplesAtOnce)
      let (z, logQ) = q.sampleAndLogProbability([count], using: &random)
      let logP = p.logProbability(of: z)
      weights.append(likelihood(z, &context).logProbability(of: x) + logP - logQ)
      left -= count
    }
    return Tensor.concatenate(weights, axis: 0).logSumExp(axes: [0])
      - Foundation.log(Double(importanceSamples))
  }
}

/// Points on the path from `start` to `end`, ends included: `[steps] + shape`.
public func interpolated(
  from start: Tensor, to end: Tensor, steps: Int, _ path: Interpolation,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  require(
    start.shape == end.shape && start.rank > 0,
    "interpolation from shape \(start.shape) to \(end.shape)", file: file, line: line)
  require(
    steps >= 2, "an interpolation has at least 2 steps: found \(steps)", file: file, line: line)
  let fractions = (0..<steps).map { Double($0) / Double(steps - 1) }
  if path == .linear {
    return Tensor.stack(fractions.map { start * (1 - $0) + end * $0 })
  }
  // The angle between the two; near 0 the great circle is the line.
  let dot = (start * end).sum(axes: [-1], keepingDimensions: true)
  let norms = sqrt(
    square(start).sum(axes: [-1], keepingDimensions: true)
      * square(end).sum(axes: [-1], keepingDimensions: true))
  let cosines = (dot / maximum(norms, norms.zerosLike + 1e-30)).clamped(to: -1...1).doubles
  func weights(_ fraction: Double) -> (Tensor, Tensor) {
    let pairs = cosines.map { cosine -> (Double, Double) in
      let angle = acos(cosine)
      if angle < 1e-4 || angle > .pi - 1e-4 { return (1 - fraction, fraction) }
      return (
        Foundation.sin((1 - fraction) * angle) / Foundation.sin(angle),
        Foundation.sin(fraction * angle) / Foundation.sin(angle)
      )
    }
    return (
      Tensor(pairs.map(\.0), shape: dot.shape).converted(to: start.dtype),
      Tensor(pairs.map(\.1), shape: dot.shape).converted(to: start.dtype)
    )
  }
  return Tensor.stack(
    fractions.map { fraction in
      let (a, b) = weights(fraction)
      return start * a + end * b
    })
}

/// Copies of `z` `[latent]` with `dimension` at each of `values`: `[values, latent]`.
public func traversal(of z: Tensor, dimension: Int, values: [Double]) -> Tensor {
  require(z.rank == 1, "a traversal starts at one latent [latent]: found \(z.shape)")
  let position = z.shape.checked(0) + dimension
  require(dimension >= 0 && dimension < z.count, "latent \(dimension) of \(z.count)")
  return Tensor.stack(
    values.map { value in
      var list = z.doubles
      list[position] = value
      return Tensor(list).converted(to: z.dtype)
    })
}
