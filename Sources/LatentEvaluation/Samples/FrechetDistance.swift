// The Frechet distance between the normals that have the means and covariances of two samples (Dowson and Landau 1982;
// Heusel et al. 2017, equation 6), and where it goes as samples grow (Chong and Forsyth 2020).
//
//   d² = |m1 - m2|² + tr C1 + tr C2 - 2 tr (C1 C2)^(1/2)
//
// No general matrix root is taken, which has imaginary parts of any size for covariances without full rank. With
// C1 = F1 F1^T and C2 = F2 F2^T the last trace is the nuclear norm of F1^T F2. Factors are the eigenvectors times the
// roots of the eigenvalues, or, where there are no more examples than dimensions, the centred examples themselves.

import LatentAutodiff
import LatentNumerics

/// The squared Frechet distance over features, and its extrapolation to infinitely many examples.
public struct FrechetDistance: TwoSampleMetric {
  /// What happens to samples of fewer than d + 1 examples, whose covariances cannot have full rank.
  public enum SmallSamples: Sendable, Hashable {
    /// An error.
    case refused
    /// A number that says in its settings (`smallSample`) that it is far too large.
    case measured
  }

  /// What happens to small samples.
  public let smallSamples: SmallSamples
  /// The sizes at which the distance is taken for the extrapolation.
  public let points: Int

  /// The smallest sample of the extrapolation: this, or a tenth of all where that is smaller.
  static let largestStart = 5000

  /// The distance as usual: small samples are refused. Traps unless the line has three points at least.
  public init(
    smallSamples: SmallSamples = .refused, points: Int = 15, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    require(points >= 3, "an extrapolation from \(points) sizes", file: file, line: line)
    self.smallSamples = smallSamples
    self.points = points
  }

  public static let metrics: [Metric] = [.frechetDistance, .frechetDistanceAtInfinity]

  /// Both numbers; the second only where a tenth of the smaller sample has d + 1 examples, so that every point of the
  /// line is one.
  public func callAsFunction(
    real: Tensor, fake: Tensor, using random: inout RandomStream
  ) throws -> [MetricValue] {
    let pair = try SamplePair(.frechetDistance, real: real, fake: fake, least: 2)
    var settings: [String: String] = [:]
    let smaller = min(pair.n, pair.m)
    if smaller <= pair.d {
      guard smallSamples == .measured else {
        throw SampleError.tooFewExamples(
          metric: Metric.frechetDistance.title, found: smaller,
          expected: "\(pair.d + 1) or more for features of \(pair.d) dimensions")
      }
      settings["smallSample"] =
        "\(smaller) examples of at least \(pair.d + 1): covariances without full rank"
    }
    let moments = (SampleMoments(pair.real), SampleMoments(pair.fake))
    let value = try frechetDistance(moments.0, moments.1)
    let error =
      smaller > pair.d ? try standardError(moments.0, moments.1, pair) : nil
    var found = [
      MetricValue(
        .frechetDistance, value, standardError: error, ceiling: 0, count: pair.count,
        settings: settings)
    ]
    let start = min(FrechetDistance.largestStart, smaller / 10)
    if start > pair.d {
      found.append(try extrapolated(pair, from: start, to: smaller, using: &random))
    }
    return found
  }

  /// The delta method: the derivative of the distance with respect to a sample's mean and covariance, at each of its
  /// examples. With the map T of optimal transport, its value at x is
  /// 2 (m1 - m2)(x - m1) + (x - m1)^T (I - T) (x - m1).
  private func standardError(
    _ first: SampleMoments, _ second: SampleMoments, _ pair: SamplePair
  ) throws -> Double {
    func variance(_ own: SampleMoments, _ other: SampleMoments) throws -> Double {
      // With own = V L V^T: x^T T x = z^T S z, where z = L^(-1/2) V^T x and S² = L^(1/2) V^T other V L^(1/2).
      let (values, vectors) = try own.spectrum()
      let roots = values.unary(.sqrt)
      let basis = vectors.binary(.multiply, roots)
      let inner = basis.matmul(other.covariance.matmul(basis), transpose: .left)
      let (squares, axes) = try inner.symmetricEigen()
      let spread = squares.clamped(0, .infinity).unary(.sqrt).unary(.sqrt)
      let whitened = own.centered.matmul(vectors.binary(.divide, roots))
      let turned = whitened.matmul(axes.binary(.multiply, spread))
      func lengths(_ x: NDArray) -> NDArray {
        x.reduced(.sumOfSquares, axes: [1], keepingDimensions: false)
      }
      let shift = own.mean.binary(.subtract, other.mean)
      let along = own.centered.matmul(shift.reshaped([pair.d, 1])).reshaped([own.count])
      let influence = lengths(own.centered).binary(.subtract, lengths(turned))
        .binary(.add, along).binary(.add, along)
      let error = meanAndError(influence.doubles).standardError ?? 0
      return error * error
    }
    return (try variance(first, second) + variance(second, first)).squareRoot()
  }

  /// The intercept of the line through distances against 1 / size, and its standard error.
  private func extrapolated(
    _ pair: SamplePair, from start: Int, to end: Int, using random: inout RandomStream
  ) throws -> MetricValue {
    var (x, y): ([Double], [Double]) = ([], [])
    for point in 0..<points {
      let size = start + (end - start) * point / (points - 1)
      let draws = random.split(UInt64(point))
      // Both samples are drawn from by the same numbers, so that it does not matter which is the real one.
      let (real, fake) = (
        pair.real.shuffledRows(size, using: draws), pair.fake.shuffledRows(size, using: draws)
      )
      x.append(1 / Double(size))
      y.append(try frechetDistance(SampleMoments(real), SampleMoments(fake)))
    }
    _ = random.next()
    let line = intercept(x, y)
    return MetricValue(
      .frechetDistanceAtInfinity, line.value, standardError: line.standardError, ceiling: 0,
      count: pair.count, settings: ["sizes": "\(points) of \(start)...\(end)"])
  }
}

extension NDArray {
  /// The first `count` rows in an order that depends on the stream and the number of rows alone.
  func shuffledRows(_ count: Int, using random: RandomStream) -> NDArray {
    var random = random
    let order = random.permutation(shape[0]).prefix(count).map { Int32($0) }
    return taking(NDArray(order), axis: 0)
  }
}

/// The value at 0 of the least-squares line through points, and its standard error.
func intercept(_ x: [Double], _ y: [Double]) -> (value: Double, standardError: Double) {
  let count = Double(x.count)
  let (meanX, meanY) = (x.reduce(0, +) / count, y.reduce(0, +) / count)
  let spread = x.reduce(0) { $0 + ($1 - meanX) * ($1 - meanX) }
  let slope = zip(x, y).reduce(0) { $0 + ($1.0 - meanX) * ($1.1 - meanY) } / spread
  let value = meanY - slope * meanX
  let rest = zip(x, y).reduce(0) { sum, point in
    let miss = point.1 - value - slope * point.0
    return sum + miss * miss
  }
  let error = (rest / (count - 2) * (1 / count + meanX * meanX / spread)).squareRoot()
  return (value, error)
}

/// The mean and the covariance of a sample.
struct SampleMoments {
  /// `[d]`.
  let mean: NDArray
  /// The examples without their mean, `[n, d]`.
  let centered: NDArray

  var count: Int { centered.shape[0] }
  var dimensions: Int { centered.shape[1] }

  init(_ sample: NDArray) {
    let share = NDArray(repeating: 1 / Double(sample.shape[0]), shape: [], .float64)
    mean = sample.reduced(.sum, axes: [0], keepingDimensions: false).binary(.multiply, share)
    centered = sample.binary(.subtract, mean)
  }

  private func scaled(_ x: NDArray, _ factor: Double) -> NDArray {
    x.binary(.multiply, NDArray(repeating: factor, shape: [], .float64))
  }

  /// With the divisor n - 1, `[d, d]`.
  var covariance: NDArray {
    scaled(centered.matmul(centered, transpose: .left), 1 / Double(count - 1))
  }

  /// The sum of the variances.
  var totalVariance: Double { centered.sumOfSquares / Double(count - 1) }

  /// The eigenvalues of the covariance that are more than rounding, `[r]`, and their eigenvectors `[d, r]`.
  func spectrum() throws -> (values: NDArray, vectors: NDArray) {
    let (values, vectors) = try covariance.symmetricEigen()
    let all = values.doubles
    let least = (all.last ?? 0) * Double(dimensions) * 2.220446049250313e-16
    let first = all.firstIndex { $0 > least } ?? all.count
    return (values.sliced(0, first..<all.count), vectors.sliced(1, first..<all.count))
  }

  /// F with F F^T the covariance, transposed: `[r, d]`.
  func factor() throws -> NDArray {
    if count <= dimensions { return scaled(centered, 1 / Double(count - 1).squareRoot()) }
    let (values, vectors) = try spectrum()
    return vectors.binary(.multiply, values.unary(.sqrt)).transposed
  }
}

/// d² of two samples; 0 and more but for rounding.
func frechetDistance(_ first: SampleMoments, _ second: SampleMoments) throws -> Double {
  let shift = first.mean.binary(.subtract, second.mean).sumOfSquares
  let overlap = try nuclearNorm(
    try first.factor().matmul(try second.factor(), transpose: .right))
  return shift + first.totalVariance + second.totalVariance - 2 * overlap
}

/// The sum of the singular values of a matrix `[r, s]`: of the positive eigenvalues of the symmetric matrix that has it
/// and its transpose beside its diagonal (Jordan and Wielandt). Its square would have half the digits.
func nuclearNorm(_ matrix: NDArray) throws -> Double {
  let (rows, columns) = (matrix.shape[0], matrix.shape[1])
  if matrix.count == 0 { return 0 }
  let upper = NDArray.concatenate(
    [NDArray(repeating: 0, shape: [rows, rows], .float64), matrix], axis: 1)
  let lower = NDArray.concatenate(
    [matrix.transposed, NDArray(repeating: 0, shape: [columns, columns], .float64)], axis: 1)
  let values = try NDArray.concatenate([upper, lower], axis: 0).symmetricEigen().values.doubles
  return values.suffix(min(rows, columns)).reduce(0) { $0 + max(0, $1) }
}

extension Metric {
  /// The squared Frechet distance.
  public static let frechetDistance = Metric(
    "fd", title: "Frechet distance",
    formula: """
      |m1 - m2|² + tr(C1 + C2) - 2 tr (C1 C2)^(1/2) of features' means and covariances (divisor n - 1), the last trace \
      as a nuclear norm; refused below d + 1 examples. Standard error by the delta method. Its bias is positive and \
      falls with 1/n: compare samples of one size only
      """,
    paper: "Heusel et al. 2017, equation 6", unit: .plain, better: .lower,
    chance: "depends on the features", ceiling: "0 for infinitely many examples", cost: "n d² + d³",
    test: "LatentEvaluationTests/SamplesFrechetTests.swift")

  /// The squared Frechet distance for infinitely many examples.
  public static let frechetDistanceAtInfinity = Metric(
    "fd-infinity", title: "Frechet distance at infinity",
    formula: """
      the value at 1/N = 0 of the line through the Frechet distances of 15 sizes from min(5000, N/10) to N, of equally \
      many examples of both samples; standard error of the intercept
      """,
    paper: "Chong and Forsyth 2020, section 3.3", unit: .plain, better: .lower,
    chance: "depends on the features", ceiling: "0", cost: "15 Frechet distances",
    test: "LatentEvaluationTests/SamplesFrechetTests.swift")
}
