// Densities on a line that are proportional to e^(b(s) + k T(s)): angles and radii of distributions on curved spaces.
// Their normalisers and moments come from quadrature, draws from rejection under a hat that fits every log-concave
// density (Devroye 1986, chapter VII.2), and derivatives of draws from the distribution function F (Figurnov, Mohamed
// and Mnih 2018): ds/dk = -(dF/dk) / p(s), with dF/dk the integral of p (T - E T) up to s.

import Foundation
import LatentAutodiff
import LatentNumerics

/// A family of densities on an interval, with a parameter k.
protocol LineFamily: Sendable {
  /// b(s), -infinity where there is nothing.
  func logBase(_ s: Double) -> Double
  /// T(s), monotonic.
  func statistic(_ s: Double) -> Double
  /// Where the density of parameter k is largest.
  func mode(_ k: Double) -> Double
  /// An interval around s outside of which there is nothing of the density that counts.
  func interval(around s: Double, _ k: Double) -> (low: Double, high: Double)
}

/// Points and weights of Gauss-Legendre quadrature on [-1, 1] with 16 points.
private let gaussLegendre: [(point: Double, weight: Double)] = {
  let count = 16
  return (0..<count).map { index in
    var x = cos(Double.pi * (Double(index) + 0.75) / (Double(count) + 0.5))
    var slope = 1.0
    for _ in 0..<20 {
      var (below, value) = (1.0, x)
      for k in 2...count {
        (below, value) = (
          value, (Double(2 * k - 1) * x * value - Double(k - 1) * below) / Double(k)
        )
      }
      slope = Double(count) * (x * value - below) / (x * x - 1)
      x -= value / slope
    }
    return (x, 2 / ((1 - x * x) * slope * slope))
  }
}()

/// What is e^-45 of the largest counts for nothing.
private let negligible = 45.0
private let panels = 8

extension LineFamily {
  /// b(s) + k T(s).
  func exponent(_ s: Double, _ k: Double) -> Double { logBase(s) + k * statistic(s) }

  /// Calls `body` with points from `start` towards `end` and the weight of each, which has p(point) / p(start) in it.
  private func forEachPoint(
    from start: Double, towards end: Double, _ k: Double, _ body: (Double, Double) -> Void
  ) {
    if start == end { return }
    let top = exponent(start, k)
    var reach = end - start
    while !(top - exponent(start + reach / 2, k) < negligible) && reach != 0 { reach /= 2 }
    let half = reach / Double(2 * panels)
    for panel in 0..<panels {
      let middle = start + half * Double(2 * panel + 1)
      for (point, weight) in gaussLegendre {
        let s = middle + half * point
        body(s, weight * abs(half) * exp(exponent(s, k) - top))
      }
    }
  }

  /// The derivative of a draw `s` by k; `expectation` is that of T.
  func slope(at s: Double, _ k: Double, expectation: Double) -> Double {
    // Of the two sides of s the one where T - E T does not change its sign: nothing cancels there.
    let (low, high) = interval(around: s, k)
    let isRising = statistic(high) > statistic(low)
    let goesUp = (statistic(s) > expectation) == isRising
    var integral = 0.0
    forEachPoint(from: s, towards: goesUp ? high : low, k) { point, weight in
      integral += weight * (statistic(point) - expectation)
    }
    return goesUp ? integral : -integral
  }

  /// The derivative of order `order` by k of the logarithm of the integral of e^(b + k T): itself for order 0, the mean
  /// of T for 1, its variance for 2, then its third and fourth cumulant.
  func cumulant(_ order: Int, _ k: Double) -> Double {
    require((0...4).contains(order), "the cumulant of order \(order) is not known")
    let mode = mode(k)
    let (low, high) = interval(around: mode, k)
    let peak = statistic(mode)
    var points: [(statistic: Double, weight: Double)] = []
    for end in [low, high] {
      forEachPoint(from: mode, towards: end, k) { points.append((statistic($0) - peak, $1)) }
    }
    let mass = points.reduce(0) { $0 + $1.weight }
    if order == 0 { return exponent(mode, k) + log(mass) }
    let mean = points.reduce(0) { $0 + $1.weight * $1.statistic } / mass
    if order == 1 { return peak + mean }
    func moment(_ power: Int) -> Double {
      points.reduce(0) { $0 + $1.weight * pow($1.statistic - mean, Double(power)) } / mass
    }
    return order < 4 ? moment(order) : moment(4) - 3 * moment(2) * moment(2)
  }

  /// A draw of parameter k; `logNormalizer` is the cumulant of order 0. For log-concave densities.
  func draw(_ k: Double, logNormalizer: Double, using random: inout RandomStream) -> Double {
    let mode = mode(k)
    let logPeak = exponent(mode, k) - logNormalizer
    let width = exp(-logPeak)
    while true {
      // The density is at most the peak, and at most e^(1 - |s - mode| / width) of it.
      let side = random.nextUniform() < 0.5 ? -1.0 : 1.0
      let u = 2 * random.nextUniform()
      let decay = u > 1 ? log(u - 1) : 0
      let s = mode + side * width * (u > 1 ? 1 - decay : u)
      let accepted = log(random.nextUniform()) + decay
      if exponent(s, k) - logNormalizer - logPeak >= accepted { return s }
    }
  }
}

extension RandomStream {
  /// In (0, 1), in double precision; takes one draw.
  mutating func nextUniform() -> Double { (Double(next() >> 11) + 0.5) * 0x1p-53 }

  /// A number for each index, from streams of their own, so that each may take as many draws as it needs: results
  /// depend neither on threads nor on each other. Takes one draw.
  mutating func independentDraws(
    _ count: Int, _ draw: @Sendable (Int, inout RandomStream) -> Double
  ) -> [Double] {
    let root = RandomStream(seed: next())
    return [Double](unsafeUninitializedCapacity: count) { result, initialized in
      // Each task writes its own element.
      nonisolated(unsafe) let pointer = result
      parallelFor(count) { index in
        var own = root.split(UInt64(index))
        pointer.initializeElement(at: index, to: draw(index, &own))
      }
      initialized = count
    }
  }
}

extension LineFamily {
  /// Draws of this shape for parameters k, which broadcast to it, with their derivatives by k. Takes one draw of
  /// `random`.
  func draws(
    _ shape: Shape, _ k: Tensor, using random: inout RandomStream,
    draw: @Sendable (Double, inout RandomStream) -> Double,
    expectation: @Sendable (Double) -> Double
  ) -> Tensor {
    let parameters = k.detached.broadcast(to: shape).doubles
    let values = random.independentDraws(parameters.count) { draw(parameters[$0], &$1) }
    let constant = Tensor(values, shape: shape).converted(to: k.dtype)
    if !k.isRecorded { return constant }
    let slopes = elementwise("slope", of: .range(parameters.count, .float64)) {
      let index = Int($0)
      return slope(
        at: values[index], parameters[index], expectation: expectation(parameters[index]))
    } derivative: {
      $0.zerosLike
    }
    return constant.depending(on: k, slope: slopes.reshaped(shape).converted(to: k.dtype))
  }
}
