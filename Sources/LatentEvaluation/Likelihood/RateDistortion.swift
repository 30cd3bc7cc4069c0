// Rate and distortion (Alemi et al. 2018, "Fixing a broken ELBO"): how many nats latents carry, R, and what is lost of
// the data, D; ELBO = -(R + D), and along a curve of best models dD/dR = -beta.
//
// There are two such curves, which answer two questions. That of trained runs compares models: each has a decoder and
// an encoder of its own (`RateDistortionPoint(trained:)`). That of one decoder asks what it could do with the best
// encoder at each rate: annealing visits p_beta(z | x) = p(z) p(x | z)^beta / Z_beta, which is that encoder (Huang et
// al. 2020, "Evaluating lossy compression rates of deep generative models"):
//
//   D = E_(p_beta) [-log p(x | z)],   R = KL(p_beta || p) = -beta D - log Z_beta

import Foundation
import LatentAutodiff
import LatentLayers
import LatentModels
import LatentNumerics

/// Nats that latents carry, and what is lost of the data.
public struct RateDistortionPoint: Sendable, Hashable {
  /// Where its numbers are from.
  public enum Source: String, Sendable, Hashable {
    /// A trained encoder, with a decoder of its own.
    case trained
    /// The best encoder for a fixed decoder, by annealing: its rate is an upper bound in expectation.
    case annealed
  }

  /// The weight of a nat of distortion against one of rate: of annealing the inverse temperature; of a trained run 1 over
  /// the weight of the divergence that it was trained with, nil where that is not known.
  public let beta: Double?
  /// The mean of KL(q(z | x) || p(z)) over examples.
  public let rate: Double
  /// The mean of -E_q log p(x | z) over examples.
  public let distortion: Double
  /// The standard errors of rate and distortion over examples, sd / sqrt n; nil of one example.
  public let rateError, distortionError: Double?
  /// Where the numbers are from.
  public let source: Source

  /// The point of a trained model, from the parts of its bound.
  public init(trained parts: BoundParts, divergenceWeight: Double? = nil) {
    self.init(
      beta: divergenceWeight.map { 1 / $0 }, rates: parts.divergence,
      distortions: parts.reconstruction, .trained)
  }

  init(beta: Double?, rates: [Double], distortions: [Double], _ source: Source) {
    let (rate, distortion) = (MeanWithError(rates), MeanWithError(distortions))
    self.beta = beta
    self.rate = rate.mean
    self.rateError = rate.error
    self.distortion = distortion.mean
    self.distortionError = distortion.error
    self.source = source
  }
}

extension LatentVariableModel {
  /// The rate-distortion curve of the decoder for examples x `[batch, ...]`, a point for each temperature above 0 of the
  /// schedule, by annealing: expectations under p_beta by the chains with their weights.
  ///
  /// - Throws: `ModelRequirementError` unless latents are all points of flat space and the prior has a density at each.
  public func rateDistortion(
    of x: Tensor, _ sampling: AnnealedImportanceSampling = AnnealedImportanceSampling(),
    fields: [String: Tensor] = [:]
  ) throws -> [RateDistortionPoint] {
    let temperatures = sampling.schedule.temperatures
    // The last temperature twice, so that there is a move at it too.
    let path = temperatures + [1]
    var rates = Array(repeating: [Double](), count: temperatures.count)
    var distortions = rates
    try eachDensity(of: x, fields, sampling) { density, _, random in
      let kernel = HamiltonianKernel(
        pilotOf: density, temperatures: path, sampling.moves, using: &random)
      let start = density.samplePrior(sampling.chains, using: &random)
      _ = density.annealed(from: start, path, kernel, using: &random) { step, logWeights, place in
        let costs = (-place.logLikelihood).columns
        for (logWeights, costs) in zip(logWeights.columns, costs) {
          let normalizer = ImportanceEstimate(logWeights: logWeights).logLikelihood
          let top = logWeights.max() ?? 0
          let weights = logWeights.map { exp($0 - top) }
          let distortion =
            zip(weights, costs).reduce(0) { $0 + $1.0 * $1.1 } / weights.reduce(0, +)
          distortions[step].append(distortion)
          rates[step].append(-temperatures[step] * distortion - normalizer)
        }
      }
    }
    return (1..<temperatures.count).map { step in
      RateDistortionPoint(
        beta: temperatures[step], rates: rates[step], distortions: distortions[step], .annealed)
    }
  }
}
