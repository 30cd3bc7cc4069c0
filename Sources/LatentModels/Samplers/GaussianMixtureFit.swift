// Expectation and maximisation for normals with full covariances (Bishop 2006, section 9.2.2), in float64. Second moments
// are taken about the means of the round before, so that nothing cancels where a component is far from zero.

import LatentAutodiff
import LatentDistributions
import LatentNumerics

/// What the rounds have come to.
struct GaussianMixtureFit {
  /// `[components]`, which sum to 1.
  private(set) var weights: Tensor
  /// `[components, latents]`.
  private(set) var means: Tensor
  /// `[components, latents, latents]`.
  private(set) var covariances: Tensor
  /// The mean log-likelihood of a code before each round, in nats.
  private(set) var logLikelihoods: [Double] = []

  /// Points that are looked at together.
  private static let chunk = 2048
  /// What a component without any point counts, so that nothing is divided by zero (scikit-learn).
  private static let smallestCount = 10 * Double.ulpOfOne

  /// Starts from the clusters of k-means.
  /// - Throws: `NumericsError.notPositiveDefinite`.
  init(
    _ settings: GaussianMixtureDescription, of codes: Tensor, using random: inout RandomStream
  ) throws {
    let codes = codes.converted(to: .float64)
    let count = min(settings.components, codes.shape[0])
    let clusters = KMeans(clusters: count, of: codes, using: &random)
    means = clusters.centers
    weights = .zeros([count], .float64)
    covariances = .zeros([count, means.shape[1], means.shape[1]], .float64)
    let members = Tensor.oneHot(clusters.members, classes: count, .float64)
    maximize(sums(of: codes) { members.sliced(0, $0) }, settings)
    for _ in 0..<settings.iterations {
      let components = try FullCovarianceNormal(mean: means, covariance: covariances)
      var total = 0.0
      let sums = sums(of: codes) { rows in
        let points = codes.sliced(0, rows).expandingDimension(at: 1)
        let joint = components.logProbability(of: points) + log(weights)
        total += joint.logSumExp(axes: [1]).sum().item
        return exp(logSoftmax(joint))
      }
      let logLikelihood = total / Double(codes.shape[0])
      maximize(sums, settings)
      let change = logLikelihood - (logLikelihoods.last ?? -.infinity)
      logLikelihoods.append(logLikelihood)
      if Swift.abs(change) < settings.tolerance { break }
    }
  }

  /// Sums over points of their shares in a component: of 1, of distances from its mean and of their products.
  private struct Sums {
    var counts, shifts, products: Tensor
  }

  /// `shares` are those of some rows, `[rows, components]`.
  private func sums(of codes: Tensor, shares: (Range<Int>) -> Tensor) -> Sums {
    var sums = Sums(
      counts: weights.zerosLike, shifts: means.zerosLike, products: covariances.zerosLike)
    for start in stride(from: 0, to: codes.shape[0], by: GaussianMixtureFit.chunk) {
      let rows = start..<min(start + GaussianMixtureFit.chunk, codes.shape[0])
      let share = shares(rows).transposed.expandingDimension(at: 2)  // [components, rows, 1]
      let distances = codes.sliced(0, rows) - means.expandingDimension(at: 1)
      let shared = distances * share
      sums.counts = sums.counts + share.sum(axes: [1, 2])
      sums.shifts = sums.shifts + shared.sum(axes: [1])
      sums.products = sums.products + matmul(shared, distances, transpose: .left)
    }
    return sums
  }

  private mutating func maximize(_ sums: Sums, _ settings: GaussianMixtureDescription) {
    let counts = sums.counts + GaussianMixtureFit.smallestCount
    let shift = sums.shifts / counts.expandingDimension(at: 1)
    let second = sums.products / counts.reshaped([counts.count, 1, 1])
    let size = means.shape[1]
    let outer = shift.expandingDimension(at: 2) * shift.expandingDimension(at: 1)
    covariances = second - outer + Tensor.identity(size, .float64) * settings.regularization
    means = means + shift
    weights = counts / counts.sum()
  }
}

/// Clusters of points: centres that are chosen far apart (Arthur and Vassilvitskii 2007) and then moved to the means of
/// their points until no point changes its cluster (Lloyd 1982).
struct KMeans {
  /// `[clusters, size]`, float64.
  private(set) var centers: Tensor
  /// The cluster of each point, int32 `[points]`.
  private(set) var members: Tensor

  private static let iterations = 300

  /// Of points `[points, size]`, float64, no fewer than clusters.
  init(clusters: Int, of points: Tensor, using random: inout RandomStream) {
    let count = points.shape[0]
    var chosen = [Int.random(in: 0..<count, using: &random)]
    var nearest = KMeans.squares(points, points.selecting(chosen[0], axis: 0))
    while chosen.count < clusters {
      let next = KMeans.index(nearest, using: &random)
      chosen.append(next)
      let distances = KMeans.squares(points, points.selecting(next, axis: 0))
      for index in nearest.indices { nearest[index] = min(nearest[index], distances[index]) }
    }
    centers = points.gathering(Tensor(chosen.map { Int32($0) }), axis: 0)
    members = .zeros([count], .int32)
    for iteration in 0..<KMeans.iterations {
      let distances = (0..<clusters).map {
        square(points - centers.selecting($0, axis: 0)).sum(axes: [1])
      }
      let found = (Tensor.stack(distances) * -1).argMax(axis: 0)
      if iteration > 0 && found.array == members.array { break }
      members = found
      move(points, distances)
    }
  }

  /// Centres to the means of their points; one without any to the point that is farthest from its own.
  private mutating func move(_ points: Tensor, _ distances: [Tensor]) {
    let clusters = centers.shape[0]
    let shares = Tensor.oneHot(members, classes: clusters, .float64)
    let counts = shares.sum(axes: [0])
    let sums = matmul(shares, points, transpose: .left)
    let means = sums / maximum(counts, counts.onesLike).expandingDimension(at: 1)
    var rows = (0..<clusters).map { means.selecting($0, axis: 0) }
    var own = distances.reduce(distances[0]) { minimum($0, $1) }.doubles
    for (cluster, count) in counts.doubles.enumerated() where count == 0 {
      let farthest = own.indices.max { own[$0] < own[$1] } ?? 0
      own[farthest] = 0
      rows[cluster] = points.selecting(farthest, axis: 0)
    }
    centers = Tensor.stack(rows)
  }

  private static func squares(_ points: Tensor, _ center: Tensor) -> [Double] {
    square(points - center).sum(axes: [1]).doubles
  }

  /// A position by chance in proportion to its weight; any where all are zero.
  private static func index(_ weights: [Double], using random: inout RandomStream) -> Int {
    let total = weights.reduce(0, +)
    guard total > 0 else { return Int.random(in: weights.indices, using: &random) }
    var left = Double.random(in: 0..<total, using: &random)
    for (index, weight) in weights.enumerated() {
      left -= weight
      if left < 0 { return index }
    }
    return weights.lastIndex { $0 > 0 } ?? 0
  }
}
