// The modified Bessel function of the first kind, as distributions on spheres need it: its logarithm, because it
// underflows for large orders and overflows for large arguments, and the ratio of neighbouring orders, which would
// be the quotient of two such numbers.
//
// Ratios: r_v = I_{v+1}(x) / I_v(x) satisfies r_{v-1} = x / (2v + x r_v) (Gauss' continued fraction), which
// forgets its start when it runs downwards; the start is Amos' bound (1974, equation 9). Where x is far larger
// than the order, it would forget slowly: there the series in 1/x is used that solves Riccati's equation
// r' = 1 - r^2 - (2v + 1) r / x term by term.

import Foundation

extension SpecialFunctions {
  /// r = I_{v+1}(x) / I_v(x), and what of it would cancel where it is near 1 or 0.
  public struct BesselRatio: Sendable, Hashable {
    /// I_{v+1}(x) / I_v(x), from 0 to 1.
    public let value: Double
    /// 1 - value, without cancellation.
    public let complement: Double
    /// The derivative by x, above 0.
    public let derivative: Double
  }

  /// I_{order+1}(x) / I_order(x) of an order that is not negative and x from 0 on.
  public static func besselIRatio(order: Double, _ x: Double) -> BesselRatio {
    require(order >= 0 && x >= 0, "the ratio of Bessel functions of order \(order) at \(x)")
    if x > 500 + 50 * (order + 1) * (order + 1) { return asymptoticRatio(order, x) }
    let pairs = ratios(from: order, through: order + 1, x)
    let (this, next) = (pairs[0], pairs[1])
    // r' = r (1/x + r_{v+1} - r_v), Riccati's equation with the recurrence put in.
    let overX = 1 / (2 * (order + 1) + x * next.value)
    let slope = overX * (1 + x * (this.complement - next.complement))
    return BesselRatio(value: this.value, complement: this.complement, derivative: slope)
  }

  /// Ratios of the orders `first`, `first + 1`, ..., `last`, at x > 0 or 0, with their complements.
  private static func ratios(
    from first: Double, through last: Double, _ x: Double
  ) -> [(value: Double, complement: Double)] {
    let wanted = Int((last - first).rounded()) + 1
    // Errors shrink by about exp(-k^2 / x) in k steps.
    let steps = wanted + 30 + Int((40 * x).squareRoot())
    let top = first + Double(steps)
    let root = ((top + 1.5) * (top + 1.5) + x * x).squareRoot()
    let denominator = top + 0.5 + root
    var value = x / denominator
    var complement = (top + 0.5 + (top + 1.5) * (top + 1.5) / (root + x)) / denominator
    var result: [(Double, Double)] = []
    for step in stride(from: steps, to: 0, by: -1) {
      let twice = 2 * (first + Double(step))
      let denominator = twice + x * value
      (value, complement) = (x / denominator, (twice - x * complement) / denominator)
      if step <= wanted { result.append((value, complement)) }
    }
    return result.reversed()
  }

  /// r = 1 + c_1 / x + c_2 / x^2 + ..., from r' = 1 - r^2 - (2v + 1) r / x.
  private static func asymptoticRatio(_ order: Double, _ x: Double) -> BesselRatio {
    var coefficients = [1.0]
    var (complement, slope, power) = (0.0, 0.0, 1.0)
    for n in 1...12 {
      var sum = (Double(n - 1) - (2 * order + 1)) * coefficients[n - 1]
      for i in 1..<max(1, n) { sum -= coefficients[i] * coefficients[n - i] }
      coefficients.append(sum / 2)
      power /= x
      complement -= coefficients[n] * power
      slope -= Double(n) * coefficients[n] * power / x
    }
    return BesselRatio(value: 1 - complement, complement: complement, derivative: slope)
  }

  /// log I_order(x) - x of an order that is not negative, at x > 0; -infinity at 0 but for order 0.
  public static func logScaledBesselI(order: Double, _ x: Double) -> Double {
    require(order >= 0 && x >= 0, "the Bessel function of order \(order) at \(x)")
    if x == 0 { return order == 0 ? 0 : -.infinity }
    if order >= uniformStart { return uniformLogScaledBesselI(order, x) }
    let start = order - order.rounded(.down)
    let base = x > 30 ? hankelLogScaledBesselI(start, x) : seriesLogBesselI(start, x) - x
    if order == start { return base }
    return ratios(from: start, through: order - 1, x).reduce(base) { $0 + log($1.value) }
  }

  /// log I_order(x); see `logScaledBesselI`, which does not overflow the difference of two large numbers.
  public static func logBesselI(order: Double, _ x: Double) -> Double {
    logScaledBesselI(order: order, x) + x
  }

  /// log of Gamma(v + 1) (x / 2)^-v I_v(x) = sum over k of (x^2 / 4)^k / (k! (v + 1)_k), the confluent
  /// hypergeometric limit function 0F1(; v + 1; x^2 / 4), minus x.
  public static func logScaledHypergeometric(order: Double, _ x: Double) -> Double {
    if x * x <= 40 * (order + 1) { return log1p(hypergeometricTail(order, x)) - x }
    return logScaledBesselI(order: order, x) + lgamma(order + 1) - order * log(x / 2)
  }

  /// The sum above from k = 1 on: positive terms, so nothing cancels.
  private static func hypergeometricTail(_ order: Double, _ x: Double) -> Double {
    let quarter = x * x / 4
    var (sum, term, k) = (0.0, 1.0, 1.0)
    repeat {
      term *= quarter / (k * (order + k))
      sum += term
      k += 1
    } while term > 1e-18 * sum
    return sum
  }

  private static func seriesLogBesselI(_ order: Double, _ x: Double) -> Double {
    order * log(x / 2) - lgamma(order + 1) + log1p(hypergeometricTail(order, x))
  }

  /// Hankel's expansion for large x (Abramowitz and Stegun 1964, equation 9.7.1), of orders below 1, where its
  /// terms fall until far below rounding.
  private static func hankelLogScaledBesselI(_ order: Double, _ x: Double) -> Double {
    let square = 4 * order * order
    var (sum, term) = (0.0, 1.0)
    for k in 1...30 {
      let odd = Double(2 * k - 1)
      term *= -(square - odd * odd) / (Double(k) * 8 * x)
      sum += term
    }
    return log1p(sum) - log(2 * Double.pi * x) / 2
  }

  // MARK: Large orders

  /// From this order on six terms of the uniform expansion leave less than 1e-13.
  private static let uniformStart = 100.0

  /// u_1, ..., u_6 of Debye's expansion as coefficients of rising powers of p, from
  /// u_{k+1} = p^2 (1 - p^2) u_k' / 2 + 1/8 of the integral of (1 - 5 p^2) u_k (Abramowitz and Stegun 1964,
  /// equation 9.3.10).
  private static let debyePolynomials: [[Double]] = {
    var polynomials = [[1.0]]
    for _ in 1...6 {
      let u = polynomials[polynomials.count - 1]
      var next = [Double](repeating: 0, count: u.count + 3)
      for (power, coefficient) in u.enumerated() {
        let k = Double(power)
        next[power + 1] += coefficient * (k / 2 + 1 / (8 * (k + 1)))
        next[power + 3] -= coefficient * (k / 2 + 5 / (8 * (k + 3)))
      }
      polynomials.append(next)
    }
    return Array(polynomials.dropFirst())
  }()

  /// I_v(v t) ~ e^(v eta) / sqrt(2 pi v) / (1 + t^2)^(1/4) sum_k u_k(p) / v^k, p = (1 + t^2)^(-1/2)
  /// (Abramowitz and Stegun 1964, equation 9.7.7).
  private static func uniformLogScaledBesselI(_ order: Double, _ x: Double) -> Double {
    let root = (order * order + x * x).squareRoot()
    let p = order / root
    var (sum, power) = (0.0, 1.0)
    for polynomial in debyePolynomials {
      power /= order
      sum += power * polynomial.reversed().reduce(0) { $0 * p + $1 }
    }
    // root - x, and log(t / (1 + sqrt(1 + t^2))), without cancellation.
    let excess = order * order / (root + x)
    return excess - order * asinh(order / x) - log(2 * Double.pi * root) / 2 + log1p(sum)
  }
}
