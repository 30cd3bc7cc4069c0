// Every distribution with a few settings of its parameters: the table that the laws run over.
// Parameters are float64; `make` rebuilds the distribution from tensors of any type, so that the
// same rows serve gradient checks and the comparison of precisions.

import LatentAutodiff
import LatentDistributions
import LatentNumerics
import Testing

/// What all distributions of the table can do.
typealias FullDistribution = EvaluableDistribution & DistributionWithMean & DistributionWithMode

/// Where a distribution's values lie, and so how its density is added up.
enum Support: Sendable {
  case line, plane
  /// Between two parameters, by their position, or 0 and 1.
  case bounded(low: Int, high: Int)
  case unit
  case flips
  case classes(Int)
}

struct Row: Sendable, CustomTestStringConvertible {
  let name: String
  let parameters: [Tensor]
  let support: Support
  /// Inside the support, away from kinks; `[batch, event]`.
  let value: Tensor
  let make: @Sendable ([Tensor]) -> any FullDistribution

  var testDescription: String { name }
  var distribution: any FullDistribution { make(parameters) }
}

/// Float64 in one batch axis.
func vector(_ values: [Double]) -> Tensor { Tensor(values) }
func array(_ shape: Shape, _ values: [Double]) -> Tensor { Tensor(values, shape: shape) }
func classes(_ values: [Int32]) -> Tensor { Tensor(values) }

/// Distributions over single numbers (or one class), and over the plane: those whose density can
/// be added up.
let smallRows: [Row] = [
  Row(
    name: "DiagonalNormal",
    parameters: [vector([0, 1.5, -3, 0.2]), vector([0, -4, 3, 10])], support: .line,
    value: vector([0.3, 1.4, -9, 80])
  ) { DiagonalNormal(mean: $0[0], logVariance: $0[1], eventRank: 0) },
  Row(
    name: "DiagonalNormal(standardDeviation:)",
    parameters: [vector([0, 1.5, -3]), vector([0.5])], support: .line,
    value: vector([0.3, 1.4, -3.5])
  ) { DiagonalNormal(mean: $0[0], standardDeviation: $0[1], eventRank: 0) },
  Row(
    name: "StandardNormal", parameters: [], support: .line, value: vector([0.3, -1.4])
  ) { _ in StandardNormal(eventShape: [], batchShape: [2], dtype: .float64) },
  Row(
    name: "Laplace", parameters: [vector([0, 1.5, -3]), vector([0, -4, 3])], support: .line,
    value: vector([0.3, 1.4, -9])
  ) { Laplace(mean: $0[0], logScale: $0[1], eventRank: 0) },
  Row(
    name: "Uniform", parameters: [vector([0, -3, 1e6]), vector([1, 5, 1.001e6])],
    support: .bounded(low: 0, high: 1), value: vector([0.3, 1.4, 1.0002e6])
  ) { Uniform(low: $0[0], high: $0[1], eventRank: 0) },
  Row(
    name: "ContinuousBernoulli",
    parameters: [vector([-40, -3, -0.4, -1e-3, 0, 1e-9, 0.3, 0.6, 2, 30])], support: .unit,
    value: vector([0.1, 0.4, 0.7, 0.2, 0.9, 0.6, 0.5, 0.3, 0.8, 0.97])
  ) { ContinuousBernoulli(logits: $0[0], eventRank: 0) },
  Row(
    name: "Bernoulli", parameters: [vector([-7, -0.5, 0, 2, 12])], support: .flips,
    value: vector([0, 1, 0, 1, 1])
  ) { Bernoulli(logits: $0[0], eventRank: 0) },
  Row(
    name: "Categorical",
    parameters: [array([3, 4], [0, 1, 2, 3, -9, 4, 0.5, 0, 1, 1, 1, 1])], support: .classes(4),
    value: classes([2, 1, 3])
  ) { Categorical(logits: $0[0]) },
  Row(
    name: "FullCovarianceNormal, 1 element",
    parameters: [array([2, 1], [0.4, -2]), array([2, 1, 1], [0.3, 5])], support: .line,
    value: array([2, 1], [0.3, -9])
  ) { FullCovarianceNormal(mean: $0[0], scaleTriangle: $0[1]) },
  Row(
    name: "FullCovarianceNormal, 2 elements",
    parameters: [
      array([2, 2], [0.4, -2, 0, 1]), array([2, 2, 2], [1, 0, -0.9, 0.5, 0.1, 0, 3, 4]),
    ], support: .plane, value: array([2, 2], [1, -1.5, 0.1, 4])
  ) { FullCovarianceNormal(mean: $0[0], scaleTriangle: $0[1]) },
  Row(
    name: "FullCovarianceNormal(unconstrained:)",
    parameters: [array([2, 2], [0.4, -2, 0, 1]), array([2, 3], [1, -0.9, 0.5, 0.1, 0.7, -1])],
    support: .plane, value: array([2, 2], [1, -1.5, 0.1, 1.4])
  ) { FullCovarianceNormal(mean: $0[0], unconstrained: $0[1]) },
  Row(
    name: "Mixture of normals",
    parameters: [
      array([2, 3], [0, 1, -2, 0.1, 0.2, 0.3]), array([2, 3], [0, 4, -5, 1, 1, 1.5]),
      array([2, 3], [0, -2, 1, 0.3, 0.1, 0]),
    ], support: .line, value: vector([0.3, 1.4])
  ) { p in
    Mixture(
      logWeights: p[0], components: DiagonalNormal(mean: p[1], logVariance: p[2], eventRank: 0))
  },
  Row(
    name: "Mixture of full covariances",
    parameters: [
      vector([0.5, -0.2]), array([2, 2], [0.4, -2, 0, 1]),
      array([2, 2, 2], [1, 0, -0.9, 0.5, 0.7, 0, 0.3, 0.8]),
    ], support: .plane, value: vector([1, -1.5])
  ) { p in
    Mixture(
      logWeights: p[0], components: FullCovarianceNormal(mean: p[1], scaleTriangle: p[2]))
  },
  Row(
    name: "Mixture of categoricals",
    parameters: [vector([0.5, -0.2]), array([2, 3], [0.4, -2, 0, 1, 3, -0.5])],
    support: .classes(3), value: Tensor([Int32(2)], shape: [])
  ) { Mixture(logWeights: $0[0], components: Categorical(logits: $0[1])) },
]

/// Numbers in no particular order between -1 and 1.
func spread(_ shape: Shape, scale: Double = 1, _ seed: UInt64 = 1) -> Tensor {
  var random = RandomStream(seed: seed)
  return (random.uniformTensor(shape, .float64) * 2 - 1) * scale
}

/// The same kinds with events of several elements and parameters that broadcast.
let eventRows: [Row] = [
  Row(
    name: "DiagonalNormal [2, 3]", parameters: [spread([2, 3]), spread([2, 3], scale: 2, 2)],
    support: .line, value: spread([2, 3], 3)
  ) { DiagonalNormal(mean: $0[0], logVariance: $0[1]) },
  Row(
    name: "DiagonalNormal [2, 3, 2, 1], scalar variance",
    parameters: [spread([2, 3, 2, 1]), spread([])], support: .line, value: spread([2, 3, 2, 1], 3)
  ) { DiagonalNormal(mean: $0[0], logVariance: $0[1], eventRank: 3) },
  Row(
    name: "DiagonalNormal [2, 3], mean of a row, variance of a column",
    parameters: [spread([3]), spread([2, 1], scale: 2, 2)], support: .line,
    value: spread([2, 3], 3)
  ) { DiagonalNormal(mean: $0[0], logVariance: $0[1]) },
  Row(
    name: "StandardNormal [2, 3]", parameters: [], support: .line, value: spread([2, 3], 3)
  ) { _ in StandardNormal(eventShape: [3], batchShape: [2], dtype: .float64) },
  Row(
    name: "Bernoulli [2, 3, 2, 1]", parameters: [spread([2, 3, 2, 1], scale: 6)], support: .flips,
    value: spread([2, 3, 2, 1], 3) .> 0
  ) { Bernoulli(logits: $0[0], eventRank: 3) },
  Row(
    name: "ContinuousBernoulli [2, 5]", parameters: [spread([2, 5], scale: 2)], support: .unit,
    value: spread([2, 5], scale: 0.5, 3) + 0.5
  ) { ContinuousBernoulli(logits: $0[0]) },
  Row(
    name: "Categorical [2, 3] of 4", parameters: [spread([2, 3, 4], scale: 3)],
    support: .classes(4), value: Tensor([Int32(0), 1, 2, 3, 0, 1], shape: [2, 3])
  ) { Categorical(logits: $0[0], eventRank: 1) },
  Row(
    name: "Laplace [2, 3]", parameters: [spread([2, 3]), spread([2, 1], scale: 2, 2)],
    support: .line, value: spread([2, 3], scale: 4, 3)
  ) { Laplace(mean: $0[0], logScale: $0[1]) },
  Row(
    name: "Uniform [2, 3]", parameters: [spread([2, 3]) - 2, spread([3], 2) + 2],
    support: .bounded(low: 0, high: 1), value: spread([2, 3], 3)
  ) { Uniform(low: $0[0], high: $0[1]) },
  Row(
    name: "FullCovarianceNormal [4, 2, 3], shared triangle",
    parameters: [spread([4, 2, 3]), spread([3, 3], 2) + Tensor.identity(3, .float64) * 2],
    support: .line, value: spread([4, 2, 3], scale: 2, 3)
  ) { FullCovarianceNormal(mean: $0[0], scaleTriangle: $0[1]) },
  Row(
    name: "FullCovarianceNormal [2, 3], shared mean, exponential diagonal",
    parameters: [spread([3]), spread([2, 6], 2)], support: .line,
    value: spread([2, 3], scale: 2, 3)
  ) { FullCovarianceNormal(mean: $0[0], unconstrained: $0[1], diagonal: .exponential) },
  Row(
    name: "Mixture [2, 3] of 4 normals",
    parameters: [spread([4]), spread([2, 4, 3], 2), spread([2, 4, 3], 3)], support: .line,
    value: spread([2, 3], 4)
  ) { p in
    Mixture(logWeights: p[0], components: DiagonalNormal(mean: p[1], logVariance: p[2]))
  },
  Row(
    name: "Mixture [2, 3] of 2 Bernoullis",
    parameters: [spread([2, 2]), spread([2, 2, 3], scale: 3, 2)], support: .flips,
    value: spread([2, 3], 4) .> 0
  ) { Mixture(logWeights: $0[0], components: Bernoulli(logits: $0[1])) },
]
