// Metrics and shortest paths: exact for linear decoders and paraboloids.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct GeodesicTests {
  /// (z, |z|²/2), whose metric is I + z z^T.
  static func paraboloid(_ z: Tensor) -> Tensor {
    Tensor.concatenate([z, square(z).sum(axes: [1], keepingDimensions: true) * 0.5], axis: 1)
  }

  @Test(arguments: [1, 2, 5]) func metricOfAParaboloid(size: Int) {
    var random = RandomStream(seed: 1)
    let z = random.normalTensor([4, size], .float64)
    let columns = z.expandingDimension(at: 2)
    let expected =
      Tensor.identity(size, .float64) + matmul(columns, columns, transpose: .right)
    #expect(distance(pullbackMetric(at: z, of: Self.paraboloid), expected) < 1e-12)
  }

  /// The metric of a likelihood is J^T F J, of means or probabilities and their Fisher information.
  @Test func metricsOfLikelihoods() throws {
    var random = RandomStream(seed: 2)
    let z = random.normalTensor([3, 2], .float64)
    func jacobian(_ map: (Tensor) -> Tensor) -> Tensor {
      let step = 1e-5
      let columns = (0..<2).map { latent in
        let move = Tensor.identity(2, .float64)[latent] * step
        return (map(z + move) - map(z - move)) / (2 * step)
      }
      return Tensor.stack(columns, axis: 2)
    }
    let coin = Tiny.model(BernoulliHead())
    let slopes = jacobian { coin.decode($0).mean }
    let p = coin.decode(z).mean
    let weights = (1 / (p * (1 - p))).expandingDimension(at: 2)
    let expected = matmul(slopes, slopes * weights, transpose: .left)
    #expect(distance(try coin.metric(at: z), expected) < 1e-8)

    let fixed = Tiny.model(NormalHead(.fixed(0.5)))
    let means = jacobian { fixed.decode($0).mean }
    #expect(
      distance(try fixed.metric(at: z), matmul(means, means, transpose: .left) * 4) < 1e-8)

    let learned = Tiny.model(NormalHead(.elementwise))
    let both = jacobian { z in
      let p = learned.decode(z)
      return Tensor.concatenate([p.mean, exp(p.logVariance * 0.5)], axis: 1)
    }
    #expect(distance(try learned.metric(at: z), matmul(both, both, transpose: .left)) < 1e-8)

    let none = Tiny.model(ContinuousBernoulliHead())
    let error = #expect(throws: ModelRequirementError.self) { try none.metric(at: z) }
    #expect(
      error?.description == "a metric of latents needs a normal, Laplace, Bernoulli or categorical "
        + "likelihood: found ContinuousBernoulli")
  }

  @Test func metricOfCategories() {
    // F = diag(p) - p p^T over logits.
    let z = numbers([3, 4], 2)
    let p = Categorical(logits: z).probabilities
    let column = p.expandingDimension(at: 2)
    let expected = p.diagonalMatrix - matmul(column, column, transpose: .right)
    #expect(
      distance(pullbackMetric(at: z) { Categorical(logits: $0).flatEmbedding }, expected) < 1e-12)
  }

  /// A linear decoder sees straight lines: energy |W (b - a)|²/2, and no path is shorter.
  @Test func linearDecoder() throws {
    let model = Tiny.model(NormalHead(.fixed(1)))
    let (a, b) = (Tensor([1, -2] as [Double]), Tensor([0.5, 3] as [Double]))
    let path = try model.geodesic(from: a, to: b, points: 9)
    let move = matmul(
      (b - a).expandingDimension(at: 0), model.decoder.output.weight, transpose: .right)
    let squares = square(move).sum().item
    #expect(distance(path.points, interpolated(from: a, to: b, steps: 9, .linear)) < 1e-7)
    #expect(distance([path.energy, path.length], [squares / 2, squares.squareRoot()]) < 1e-10)
    #expect(distance([path.straight.energy], [squares / 2]) < 1e-12)
  }

  /// Through the apex of the paraboloid the shortest path is the parabola, of length
  /// `r sqrt(1 + r²) + asinh r` from -r to r; equal times are equal lengths of it.
  @Test func throughTheApex() {
    let r = 1.5
    let (a, b) = (Tensor([-r, 0] as [Double]), Tensor([r, 0] as [Double]))
    let path = geodesic(from: a, to: b, points: 101, iterations: 2000, under: Self.paraboloid)
    let length = r * (1 + r * r).squareRoot() + asinh(r)
    // Chords are shorter than arcs by the square of their number.
    #expect(abs(path.length - length) < 1e-3 * length)
    #expect(path.length * path.length <= 2 * path.energy * (1 + 1e-12))
    #expect(2 * path.energy < path.length * path.length * (1 + 1e-6))
    #expect(abs(path.points.sliced(1, 1..<2)).max().item < 1e-6)
  }

  /// Past the apex: length against the boundary value problem of the geodesic equation (scripts/references/geodesic.py),
  /// and the moment `r² dθ/dt` of Clairaut, which is the same all along.
  @Test func pastTheApex() {
    let (a, b) = (Tensor([1.5, 0] as [Double]), Tensor([-0.6, 1.2] as [Double]))
    let path = geodesic(from: a, to: b, points: 201, iterations: 4000, under: Self.paraboloid)
    #expect(abs(path.length - GeodesicTests.reference) < 2e-4 * GeodesicTests.reference)
    #expect(path.length < path.straight.length)
    let z = path.points.doubles
    let moments = (0..<200).map { i -> Double in
      let (x, y, u, v) = (z[2 * i], z[2 * i + 1], z[2 * i + 2], z[2 * i + 3])
      return (x * v - y * u) * 200
    }
    let middle = moments.reduce(0, +) / 200
    #expect(moments.allSatisfy { abs($0 - middle) < 2e-3 * middle })
  }

  static let reference = 2.721704350971876

  @Test func corners() throws {
    let model = Tiny.model(BernoulliHead())
    let a = Tensor([1, -2] as [Double])
    let still = try model.geodesic(from: a, to: a, points: 4)
    #expect(still.length == 0 && still.points.array.nonFiniteCount == 0)
    #expect(try model.geodesic(from: a, to: -a, points: 2).iterations == 0)
    let path = try model.geodesic(from: a, to: -a, points: 12)
    #expect(path.points[0].array == a.array && path.points[11].array == (-a).array)
    #expect(path.energy <= path.straight.energy)
  }
}
