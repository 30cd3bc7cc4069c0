// The tail of the chi-square distribution: whether counts are what they should be.

import Foundation

enum ChiSquare {
  /// P(X > x) of a chi-square variable with so many degrees of freedom: the regularised incomplete gamma function
  /// Q(k/2, x/2), by its series for small x and its continued fraction for large ones (Press et al. 2007, section 6.2).
  static func tail(_ x: Double, degreesOfFreedom: Int) -> Double {
    let (a, half) = (Double(degreesOfFreedom) / 2, x / 2)
    if half <= 0 { return 1 }
    let scale = exp(a * log(half) - half - lgamma(a))
    if half < a + 1 {
      var (term, sum, n) = (1 / a, 1 / a, a)
      while term > sum * .ulpOfOne {
        n += 1
        term *= half / n
        sum += term
      }
      return max(0, 1 - sum * scale)
    }
    // Lentz's method, with the fraction's even part.
    var b = half + 1 - a
    var (c, d) = (1 / Double.leastNormalMagnitude, 1 / b)
    var fraction = d
    for i in 1...10_000 {
      let numerator = Double(i) * (a - Double(i))
      b += 2
      d = 1 / (numerator * d + b)
      c = b + numerator / c
      fraction *= c * d
      if abs(c * d - 1) < 4 * .ulpOfOne { break }
    }
    return scale * fraction
  }

  /// How likely counts are to differ so much from equal ones, or more (Pearson 1900), and their statistic.
  static func uniformity(of counts: [Int]) -> (statistic: Double, pValue: Double) {
    let expected = Double(counts.reduce(0, +)) / Double(counts.count)
    let statistic = counts.reduce(0.0) { sum, count in
      let difference = Double(count) - expected
      return sum + difference * difference / expected
    }
    return (statistic, tail(statistic, degreesOfFreedom: counts.count - 1))
  }
}
