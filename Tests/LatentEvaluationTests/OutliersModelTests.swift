// Scores of a model whose posterior and likelihood are known exactly.

import Foundation
import Latent
import Testing

@testable import LatentEvaluation

/// p(z) = N(0, I), p(x | z) = N(W z, s²) with orthogonal columns of W, so that the posterior is a diagonal normal; the
/// encoder has it, but for a shift of its mean.
private struct SmallGaussian: DiagonalNormalModel {
  /// `[latent, x]`, orthogonal rows.
  var weight = Tensor([2, 0, 1, 0, 0, 1, 0, 3], shape: [2, 4]).converted(to: .float64)
  let deviation = 0.5
  /// Of the mean, in each latent.
  var shift = 0.0

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&weight, "weight")
  }

  /// Of the exact posterior, `[latent]`.
  var variance: Tensor {
    1 / (square(weight).sum(axes: [1]) / (deviation * deviation) + 1)
  }

  func posterior(_ x: Tensor, _ context: inout LayerContext) -> DiagonalNormal {
    let mean = matmul(x, weight, transpose: .right) * variance / (deviation * deviation)
    return DiagonalNormal(mean: mean + shift, logVariance: log(variance))
  }

  func likelihood(_ z: Tensor, _ context: inout LayerContext) -> DiagonalNormal {
    DiagonalNormal(mean: matmul(z, weight), standardDeviation: deviation)
  }

  func prior(_ dtype: DType, _ context: inout LayerContext) -> any Distribution {
    DiagonalNormal.standard(shape: [2], dtype: dtype)
  }

  /// log p(x) in nats: N(0, W^T W + s²).
  func exactLogLikelihood(of x: Tensor) throws -> Tensor {
    let covariance =
      matmul(weight, weight, transpose: .left) + Tensor.identity(4, .float64)
      * (deviation * deviation)
    return try FullCovarianceNormal(mean: .zeros([4], .float64), covariance: covariance)
      .logProbability(of: x)
  }
}

@Suite struct OutliersModelTests {
  private let x = normals(12, 4, seed: 1) * 2

  @Test("An encoder that has the posterior leaves nothing to regret")
  func noRegret() {
    var random = RandomStream(seed: 1)
    let regret = LikelihoodRegret()(SmallGaussian(), x, using: &random)
    #expect(regret.dtype == .float64 && regret.shape == [12])
    #expect(regret.doubles.allSatisfy { (0...1e-6).contains($0) }, "\(regret)")
  }

  @Test("Else the regret is the divergence from the posterior, for each example by itself")
  func regret() {
    let model = SmallGaussian(shift: 0.4)
    let exact = (0.16 / (model.variance * 2)).sum().item
    let search = LikelihoodRegret(steps: 200, learningRate: 0.05)
    var random = RandomStream(seed: 1)
    let found = search(model, x, using: &random)
    #expect(found.doubles.allSatisfy { abs($0 / exact - 1) < 2e-3 }, "\(found), \(exact)")
    var again = RandomStream(seed: 1)
    let some = search(model, x[3..<5], using: &again)
    for (one, other) in zip(found[3..<5].doubles, some.doubles) { #expect(one.isClose(other)) }
  }

  @Test("Balanced draws have the moments of N(0, I), and come in pairs")
  func noise() {
    var random = RandomStream(seed: 3)
    let noise = balancedNoise(12, [3], .float64, using: &random).reshaped([12, 3])
    #expect(noise.mean(axes: [0]).doubles.allSatisfy { $0.isClose(0) })
    let moments = matmul(noise, noise, transpose: .left) / 12
    for (found, expected) in zip(moments.doubles, Tensor.identity(3).doubles) {
      #expect(found.isClose(expected))
    }
    #expect(balancedNoise(4, [2, 5], .float32, using: &random).shape == [4, 1, 2, 5])
  }

  @Test("Scores are the parts of the bound and the likelihood")
  func scores() throws {
    let model = SmallGaussian()
    var random = RandomStream(seed: 2)
    let scores = try model.outlierScores(
      of: x, samples: 400, entropy: 7, regret: LikelihoodRegret(steps: 10), using: &random)
    #expect(Set(scores.keys) == Set(OutlierScore.allCases).subtracting([.waic]))
    let exact = try model.exactLogLikelihood(of: x)
    for (score, expected) in [
      // With the exact posterior importance weights are constant.
      (OutlierScore.negativeLogLikelihood, -exact),
      (.typicality, abs(-exact - 7)),
      (
        .divergence,
        model.encode(x).closedFormKL(to: StandardNormal(eventShape: [2], dtype: .float64)) ?? exact
      ),
    ] {
      for (found, expected) in zip(scores[score]?.doubles ?? [], expected.doubles) {
        #expect(found.isClose(expected), "\(score)")
      }
    }
    let reconstruction = try #require(scores[.reconstruction]).doubles
    for (index, found) in reconstruction.enumerated() {
      let expected = -exact.doubles[index] - (scores[.divergence]?.doubles[index] ?? .nan)
      #expect(abs(found - expected) < 0.35, "\(found), \(expected)")
    }
  }

  @Test("Reconstructions vary as the posterior's draws do")
  func uncertainty() throws {
    let model = SmallGaussian()
    var random = RandomStream(seed: 2)
    let found = try model.reconstructionUncertainty(of: x, draws: 2000, using: &random)
    let exact = sqrt(matmul(model.variance.reshaped([1, 2]), square(model.weight)))
    let deviation = exact.broadcast(to: [12, 4]).doubles
    let expected = model.reconstruct(x).doubles
    for index in deviation.indices {
      #expect(abs(found.standardDeviation.doubles[index] / deviation[index] - 1) < 0.1)
      #expect(abs(found.mean.doubles[index] - expected[index]) < 0.1 * deviation[index])
    }
  }

  @Test("A model of another posterior has no regret, in a sentence")
  func otherPosterior() throws {
    struct Points: LatentVariableModel {
      mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
      func posterior(_ x: Tensor, _ context: inout LayerContext) -> Laplace {
        Laplace(mean: x, logScale: .zeros([]), eventRank: 1)
      }
      func likelihood(_ z: Tensor, _ context: inout LayerContext) -> DiagonalNormal {
        DiagonalNormal(mean: z, standardDeviation: 1)
      }
      func prior(_ dtype: DType, _ context: inout LayerContext) -> any Distribution {
        StandardNormal(eventShape: [2])
      }
    }
    var random = RandomStream(seed: 1)
    #expect(throws: ModelRequirementError.self) {
      try Points().outlierScores(
        of: .zeros([3, 2]), regret: LikelihoodRegret(), using: &random)
    }
  }
}
