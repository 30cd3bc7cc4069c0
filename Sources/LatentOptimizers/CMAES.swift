// Search without derivatives: for scores that have none, and for landscapes of many hills.

import Foundation
import LatentAutodiff
import LatentNumerics

/// The evolution strategy with covariance matrix adaptation (Hansen and Ostermeier 2001; numbers and equations of
/// Hansen 2016, "The CMA evolution strategy: a tutorial", figure 6 and table 1 without negative weights).
///
/// ```swift
/// var random = RandomStream(seed: 1)
/// let result = CMAES().minimize(start, using: &random) { square($0 - target).sum(axes: [1]) }
/// result.point
/// ```
///
/// Only the order of values counts: a growing function of them leads along the same points. The work beside the
/// function is that of an eigenvalue problem of as many rows as there are numbers, now and then.
public struct CMAES: Sendable, Hashable {
  /// The most generations.
  public var generations = 1000
  /// Points of a generation, at least 4; nil for `4 + 3 ln n`. More of them find a way past more hills.
  public var population: Int?
  /// The standard deviation of the first generation, in the units of the point: about a third of how far the best
  /// point may be away.
  public var deviation = 0.5
  /// The search is over where the best values of the last generations differ by no more than this.
  public var valueTolerance = 1e-12
  /// It is also over where the largest standard deviation is this share of the first one.
  public var deviationTolerance = 1e-12

  /// 1000 generations unless told otherwise. Traps where a number is not positive.
  public init(generations: Int = 1000, population: Int? = nil, deviation: Double = 0.5) {
    require(
      generations > 0 && population.map { $0 >= 4 } ?? true && deviation > 0 && deviation.isFinite,
      "CMA-ES of \(generations) generations of \(population.map { "\($0)" } ?? "any") points, deviation "
        + "\(deviation)")
    self.generations = generations
    self.population = population
    self.deviation = deviation
  }

  /// Why a search ended.
  public enum Ending: String, Sendable, Hashable {
    /// The best values hardly differ any more.
    case value
    /// Points hardly differ any more.
    case deviation
    /// All generations are done.
    case generations
    /// The caller said so.
    case stopped
  }

  /// Where a search ended.
  public struct Result: Sendable {
    /// The point with the lowest value that was seen, `[n]`.
    public let point: Tensor
    /// The value there.
    public let value: Double
    /// Generations that were made.
    public let generations: Int
    /// Points that were evaluated.
    public let evaluations: Int
    /// Why there are no more.
    public let ending: Ending
  }

  /// Minimises a function of `n` numbers from a point `[n]`, whose type all points have.
  ///
  /// `function` gets a generation `[population, n]` and returns its values `[population]`. Values that are no number
  /// count as worse than all others. `progress` gets the number of the generation, from 1, the best point and
  /// its value, and returns whether to go on.
  public func minimize(
    _ start: Tensor, using random: inout RandomStream, file: StaticString = #fileID,
    line: UInt = #line,
    progress: (_ generation: Int, _ point: Tensor, _ value: Double) -> Bool = { _, _, _ in true },
    _ function: (Tensor) -> Tensor
  ) -> Result {
    require(
      start.rank == 1 && start.count > 0 && start.dtype.isFloatingPoint,
      "CMA-ES from a point \(start.shape) of \(start.dtype): expected [n]", file: file, line: line)
    let n = start.count
    let rates = Rates(size: n, population: population ?? 4 + Int(3 * Foundation.log(Double(n))))
    var state = State(mean: start.detached.converted(to: .float64), deviation: deviation)
    var best = (point: start.detached, value: Double.infinity)
    var recent: [Double] = []
    func result(_ generation: Int, _ ending: Ending) -> Result {
      Result(
        point: best.point, value: best.value, generations: generation,
        evaluations: generation * rates.population, ending: ending)
    }
    for generation in 1...generations {
      let steps = state.draw(rates.population, using: &random)
      let points = (state.mean + steps * state.deviation).converted(to: start.dtype)
      let values = function(points)
      require(
        values.shape == [rates.population],
        "CMA-ES: values \(values.shape) of \(rates.population) points", file: file, line: line)
      let list = values.doubles.map { $0.isNaN ? Double.infinity : $0 }
      let order = list.indices.sorted { list[$0] < list[$1] }
      if list[order[0]] < best.value { best = (points.selecting(order[0]), list[order[0]]) }
      let parents = Tensor(order.prefix(rates.weights.count).map { Int32($0) })
      state.move(along: steps.gathering(parents), rates, generation: generation)
      if !progress(generation, best.point, best.value) { return result(generation, .stopped) }
      recent.append(list[order[0]])
      if recent.count > 10 + 30 * n / rates.population { recent.removeFirst() } else { continue }
      let (low, high) = (recent.min() ?? 0, recent.max() ?? 0)
      if high - low <= valueTolerance { return result(generation, .value) }
      if state.largestDeviation <= deviationTolerance * deviation {
        return result(generation, .deviation)
      }
    }
    return result(generations, .generations)
  }

  /// Weights and rates of learning (table 1).
  private struct Rates {
    let population: Int
    let weights: [Double]
    /// The paper's mu_eff, c_sigma, d_sigma, c_c, c_1, c_mu and the expected norm of n normals.
    let mass, pathRate, damping, covarianceRate, rankOne, rankMany, expectedNorm: Double

    init(size: Int, population: Int) {
      self.population = population
      let half = Foundation.log((Double(population) + 1) / 2)
      let raw = (1...population / 2).map { half - Foundation.log(Double($0)) }
      let sum = raw.reduce(0, +)
      weights = raw.map { $0 / sum }
      mass = 1 / weights.reduce(0) { $0 + $1 * $1 }
      let n = Double(size)
      pathRate = (mass + 2) / (n + mass + 5)
      damping = 1 + 2 * max(0, ((mass - 1) / (n + 1)).squareRoot() - 1) + pathRate
      covarianceRate = (4 + mass / n) / (n + 4 + 2 * mass / n)
      rankOne = 2 / ((n + 1.3) * (n + 1.3) + mass)
      rankMany = min(1 - rankOne, 2 * (mass - 2 + 1 / mass) / ((n + 2) * (n + 2) + mass))
      expectedNorm = n.squareRoot() * (1 - 1 / (4 * n) + 1 / (21 * n * n))
    }
  }

  /// The normal distribution that generations are drawn from, float64.
  private struct State {
    /// `[n]`
    var mean: Tensor
    /// The paper's sigma.
    var deviation: Double
    /// The paper's p_sigma and p_c, `[n]`.
    var path, covariancePath: Tensor
    /// `[n, n]`
    var covariance: Tensor
    /// Eigenvectors in columns and roots of eigenvalues of the covariance as it was at `decomposedAt`.
    var axes, lengths: Tensor
    var decomposedAt = 0

    init(mean: Tensor, deviation: Double) {
      self.mean = mean
      self.deviation = deviation
      path = mean.zerosLike
      covariancePath = path
      covariance = .identity(mean.count, .float64)
      axes = covariance
      lengths = mean.onesLike
    }

    var largestDeviation: Double { deviation * lengths.max().item }

    /// Steps N(0, C), `[count, n]`.
    func draw(_ count: Int, using random: inout RandomStream) -> Tensor {
      let noise = Tensor(random.normal([count, mean.count], .float64))
      return matmul(noise * lengths, axes, transpose: .right)
    }

    /// Equations 41 to 47, of the best steps `[parents, n]`, the best first.
    mutating func move(along steps: Tensor, _ rates: Rates, generation: Int) {
      let weights = Tensor(rates.weights).expandingDimension(at: 1)
      let step = (steps * weights).sum(axes: [0])
      mean = mean + step * deviation
      let whitened = matmul(
        axes,
        (matmul(axes, step.expandingDimension(at: 1), transpose: .left)
          / lengths.expandingDimension(at: 1))
      ).flattened()
      path =
        path * (1 - rates.pathRate)
        + whitened * (rates.pathRate * (2 - rates.pathRate) * rates.mass).squareRoot()
      let norm = square(path).sum().item.squareRoot()
      let started = 1 - Foundation.pow(1 - rates.pathRate, 2 * Double(generation))
      // A path that is long because the first steps all went one way says nothing of the covariance.
      let limit = (1.4 + 2 / (Double(mean.count) + 1)) * rates.expectedNorm
      let isPlain = norm / started.squareRoot() < limit
      let rate = rates.covarianceRate
      covariancePath = covariancePath * (1 - rate)
      if isPlain {
        covariancePath = covariancePath + step * (rate * (2 - rate) * rates.mass).squareRoot()
      }
      let kept =
        1 - rates.rankOne - rates.rankMany + (isPlain ? 0 : rates.rankOne * rate * (2 - rate))
      let column = covariancePath.expandingDimension(at: 1)
      covariance =
        covariance * kept + matmul(column, column, transpose: .right) * rates.rankOne
        + matmul(steps * weights, steps, transpose: .left) * rates.rankMany
      deviation *= Foundation.exp(
        min(1, rates.pathRate / rates.damping * (norm / rates.expectedNorm - 1)))
      let pause = 1 / (10 * Double(mean.count) * (rates.rankOne + rates.rankMany))
      if Double(generation - decomposedAt) > pause { decompose(at: generation) }
    }

    private mutating func decompose(at generation: Int) {
      decomposedAt = generation
      // Numbers that are none have no eigenvectors: the search goes on along the old ones.
      guard let (values, vectors) = try? covariance.array.symmetricEigen() else { return }
      lengths = sqrt(maximum(Tensor(values), .scalar(1e-30, .float64)))
      axes = Tensor(vectors)
    }
  }
}
