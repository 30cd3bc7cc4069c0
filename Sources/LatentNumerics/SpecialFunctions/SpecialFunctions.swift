// Functions of mathematical physics that densities need, number by number in double precision: the gamma function
// and its logarithmic derivatives. Asymptotic series in 1/x with Bernoulli numbers (Abramowitz and Stegun 1964,
// equations 6.1.41 and 6.4.11) for large x, recurrences towards there for small x.

import Foundation

/// Special functions of real numbers.
///
/// Relative errors are of the order of 1e-14 where nothing else is said.
public enum SpecialFunctions {
  /// B_2, B_4, ..., B_16.
  private static let bernoulliNumbers: [Double] = [
    1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730, 7.0 / 6, -3617.0 / 510,
  ]

  /// From where on eight terms of the series leave less than rounding does, for derivatives of low order.
  private static let seriesStart = 20.0

  /// log Gamma(x) of a positive x.
  public static func logGamma(_ x: Double) -> Double { lgamma(x) }

  /// The derivative of order `order + 1` of log Gamma at a positive x: the digamma function for order 0, the
  /// trigamma function for 1, and so on. Its error is relative to the largest of its terms, which counts near the
  /// zero of digamma.
  public static func polygamma(_ order: Int, _ x: Double) -> Double {
    polygamma(order, x, logarithm: { log($0) }, power: { pow($0, Double(-$1)) })
  }

  /// `polygamma(order, x + shift) - polygamma(order, x)` of a positive x and a shift that is not negative, without
  /// the cancellation of the two where x is large; of order -1 it is `log Gamma(x + shift) - log Gamma(x)`.
  public static func polygammaDifference(_ order: Int, _ x: Double, _ shift: Double) -> Double {
    if order < 0 { return logGammaDifference(x, shift) }
    return polygamma(
      order, x, logarithm: { log1p(shift / $0) }, power: { powerDifference($0, $1, shift) })
  }

  /// (x + shift)^-n - x^-n.
  private static func powerDifference(_ x: Double, _ n: Int, _ shift: Double) -> Double {
    pow(x, Double(-n)) * expm1(-Double(n) * log1p(shift / x))
  }

  /// The series with what stands for log x and for x^-n: these themselves, or their differences at two places.
  private static func polygamma(
    _ order: Int, _ start: Double, logarithm: (Double) -> Double, power: (Double, Int) -> Double
  ) -> Double {
    require(order >= 0 && start > 0, "polygamma of order \(order) at \(start)")
    let n = Double(order)
    let factorial = tgamma(n + 1)
    // The sign of everything but digamma's logarithm is that of -(-1)^n.
    var total = 0.0
    var x = start
    while x < seriesStart + n {
      total += factorial * power(x, order + 1)
      x += 1
    }
    total += factorial / 2 * power(x, order + 1)
    for (index, number) in bernoulliNumbers.enumerated() {
      let k = Double(2 * (index + 1))
      total += number * exp(lgamma(k + n) - lgamma(k + 1)) * power(x, order + 2 * (index + 1))
    }
    if order == 0 { return logarithm(x) - total }
    total += factorial / n * power(x, order)
    return order % 2 == 1 ? total : -total
  }

  private static func logGammaDifference(_ start: Double, _ shift: Double) -> Double {
    require(start > 0 && shift >= 0, "log Gamma(x + \(shift)) - log Gamma(x) at x = \(start)")
    var total = 0.0
    var x = start
    while x < seriesStart {
      total -= log1p(shift / x)
      x += 1
    }
    total += (x - 0.5) * log1p(shift / x) + shift * (log(x + shift) - 1)
    for (index, number) in bernoulliNumbers.enumerated() {
      let k = 2 * (index + 1)
      total += number / Double(k * (k - 1)) * powerDifference(x, k - 1, shift)
    }
    return total
  }
}
