// What a model says of each example: how strange it is, and how sure its reconstruction. Arrays with one row for each
// example, to be looked at or written to a file.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics

extension LatentVariableModel {
  /// Scores of strangeness of x `[batch, ...]`, float64 `[batch]` each, larger ones being stranger.
  ///
  /// - Parameters:
  ///   - samples: draws of the posterior, for the estimate of log p(x) by importance and for the bound
  ///   - entropy: the mean of -log p over training data in nats, without which there is no typicality
  ///   - regret: the search for better posteriors; none where nil
  ///   - fields: the other fields of the batch
  /// - Throws: `Unmeasurable` where draws have no importance weights, `ModelRequirementError` where a regret is asked for
  ///   and the posterior is no diagonal normal.
  public func outlierScores(
    of x: Tensor, samples: Int = 64, entropy: Double? = nil, regret: LikelihoodRegret? = nil,
    fields: [String: Tensor] = [:], using random: inout RandomStream, file: StaticString = #fileID,
    line: UInt = #line
  ) throws -> [OutlierScore: Tensor] {
    try checkImportanceWeights(of: x, fields: fields)
    let logLikelihood = logLikelihood(
      of: x, importanceSamples: samples, fields: fields, using: &random, file: file, line: line
    ).converted(to: .float64)
    let bound = try boundParts(of: x, samples: samples, fields: fields, using: &random)
    var scores: [OutlierScore: Tensor] = [
      .negativeLogLikelihood: -logLikelihood, .reconstruction: Tensor(bound.reconstruction),
      .divergence: Tensor(bound.divergence),
    ]
    if let entropy {
      scores[.typicality] = OutlierScore.typicality(logLikelihood, entropy: entropy)
    }
    if let regret {
      func search<Model: DiagonalNormalModel>(_ model: Model) -> Tensor {
        regret(model, x, fields: fields, using: &random)
      }
      scores[.regret] = search(try diagonalNormal(for: "likelihood regret"))
    }
    return scores
  }

  /// What the likelihood expects of each example of x `[batch, ...]` over `draws` of its posterior, and how much that
  /// varies: mean and standard deviation (divisor draws - 1), float64 `[batch, ...]` each.
  ///
  /// Where the deviation is large, the latents leave open what was there. It says nothing of noise in the data, which
  /// is the likelihood's own.
  /// - Throws: `ModelRequirementError` where the likelihood has neither a mean nor a mode.
  public func reconstructionUncertainty(
    of x: Tensor, draws: Int = 32, fields: [String: Tensor] = [:], using random: inout RandomStream,
    file: StaticString = #fileID, line: UInt = #line
  ) throws -> (mean: Tensor, standardDeviation: Tensor) {
    require(draws > 1, "a deviation of \(draws) draws", file: file, line: line)
    let q = encode(x, fields: fields, file: file, line: line)
    var (mean, squares) = (Tensor.scalar(0, .float64), Tensor.scalar(0, .float64))
    for draw in 1...draws {
      let z = q.sample(using: &random)
      let point = try decode(z, fields: fields, file: file, line: line)
        .point(for: "the uncertainty of reconstructions").converted(to: .float64)
      // Welford 1962: sums of squares would cancel.
      let difference = point - mean
      mean = mean + difference / Double(draw)
      squares = squares + difference * (point - mean)
    }
    return (mean, sqrt(squares / Double(draws - 1)))
  }
}
