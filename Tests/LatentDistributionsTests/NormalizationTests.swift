// Row 14 of the reliability table: densities integrate to 1, probabilities sum to 1, and outside
// the support there is nothing.

import LatentAutodiff
import LatentDistributions
import LatentNumerics
import Testing

/// Points and weights of Gauss-Legendre quadrature with five points on equal panels.
func quadrature(from low: Double, to high: Double, panels: Int) -> (points: Tensor, weights: Tensor)
{
  let nodes = [
    (-0.906_179_845_938_663_99, 0.236_926_885_056_189_09),
    (-0.538_469_310_105_683_09, 0.478_628_670_499_366_47), (0, 128.0 / 225),
    (0.538_469_310_105_683_09, 0.478_628_670_499_366_47),
    (0.906_179_845_938_663_99, 0.236_926_885_056_189_09),
  ]
  let half = (high - low) / Double(panels) / 2
  var (points, weights): ([Double], [Double]) = ([], [])
  for panel in 0..<panels {
    let middle = low + half * Double(2 * panel + 1)
    for (node, weight) in nodes {
      points.append(middle + half * node)
      weights.append(half * weight)
    }
  }
  return (Tensor(points), Tensor(weights))
}

/// Mean and standard deviation of each event element, by the distribution or by sampling.
func location(of distribution: some FullDistribution) -> (mean: Tensor, deviation: Tensor) {
  var random = RandomStream(seed: 5)
  let samples = distribution.sample([2000], using: &random)
  return (distribution.mean, sqrt(samples.variance(axes: [0], correction: 1)))
}

@Suite struct NormalizationTests {
  /// The sum or integral of the density, `[batch]`.
  static func total(_ row: Row, _ distribution: some FullDistribution) -> Tensor {
    let batch = distribution.batchShape
    let ones = Shape(Array(repeating: 1, count: batch.rank + distribution.eventShape.rank))
    func column(_ x: Tensor) -> Tensor { x.reshaped(x.shape + ones) }
    func sum(_ values: Tensor, _ weights: Tensor) -> Tensor {
      let lead = Shape([weights.count])
      let density = exp(distribution.logProbability(of: values))
      let fitting = weights.reshaped(lead + Shape(Array(repeating: 1, count: batch.rank)))
      return (density * fitting).sum(axes: [0])
    }
    switch row.support {
    case .flips:
      return sum(column(vector([0, 1])), vector([1, 1]))
    case .classes(let count):
      return sum(column(Tensor((0..<count).map(Int32.init))), .ones([count], .float64))
    case .unit:
      let (points, weights) = quadrature(from: 0, to: 1, panels: 400)
      return sum(column(points), weights)
    case .bounded(let low, let high):
      let (points, weights) = quadrature(from: 0, to: 1, panels: 10)
      let (low, high) = (row.parameters[low], row.parameters[high])
      return sum(low + (high - low) * column(points), weights) * (high - low)
    case .line:
      let (mean, deviation) = location(of: distribution)
      let (points, weights) = quadrature(from: -60, to: 60, panels: 2400)
      let scale = deviation.reshaped(batch)
      return sum(mean + deviation * column(points), weights) * scale
    case .plane:
      let (mean, deviation) = location(of: distribution)
      let (points, weights) = quadrature(from: -9, to: 9, panels: 36)
      let count = points.count
      let x = points.reshaped([count, 1]).broadcast(to: [count, count])
      let grid = Tensor.stack([x, x.transposed], axis: -1)
        .reshaped(Shape([count * count]) + Shape(Array(repeating: 1, count: batch.rank)) + [2])
      let products = (weights.reshaped([count, 1]) * weights).flattened()
      let area = deviation.selecting(0, axis: -1) * deviation.selecting(1, axis: -1)
      return sum(mean + deviation * grid, products) * area
    }
  }

  @Test(arguments: smallRows) func densityAddsUpToOne(_ row: Row) {
    let total = Self.total(row, row.distribution).doubles
    for (index, value) in total.enumerated() {
      #expect(abs(value - 1) < 1e-6, "\(row.name), setting \(index): \(value)")
    }
  }

  @Test func nothingOutsideTheSupport() {
    let outside: [(String, any FullDistribution, Tensor)] = [
      (
        "Uniform", Uniform(low: vector([0]), high: vector([2]), eventRank: 0), vector([-1e-9, 2.1])
      ),
      (
        "ContinuousBernoulli", ContinuousBernoulli(logits: vector([3]), eventRank: 0),
        vector([-0.1, 1.0001])
      ),
      ("Categorical", Categorical(logits: array([1, 2], [0, 1])), classes([-1, 2])),
      ("Delta", Delta(vector([1]), eventRank: 0), vector([0, 1.1])),
    ]
    for (name, distribution, values) in outside {
      let result = distribution.logProbability(of: values.reshaped([2, 1])).doubles
      #expect(result == [-.infinity, -.infinity], "\(name)")
    }
    // One element outside makes the event impossible, and leaves finite derivatives.
    let low = vector([0, 0])
    let gradient = gradient(at: low) {
      Uniform(low: $0, high: vector([1, 1])).elementLogProbabilities(of: vector([0.5, 2])).sum()
    }
    #expect(gradient.doubles == [1, 0])
  }
}
