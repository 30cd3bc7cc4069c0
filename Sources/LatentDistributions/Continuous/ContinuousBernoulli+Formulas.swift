// The continuous Bernoulli's functions of its logit l, stable at and near l = 0.
//
// log Z(l) = l/2 + log(sinh(l/2) / (l/2)) is analytic; its series is
// l/2 + sum over n of B_2n l^2n / (2n (2n)!) with the Bernoulli numbers B_2n, and the mean and
// variance are its first and second derivative. Series are used for |l| < 1/2, where seven terms
// leave less than 1e-15 (four, for float32, less than 1e-8); closed forms elsewhere, for l <= 0 so
// that no exponential overflows.

import LatentAutodiff
import LatentNumerics

extension ContinuousBernoulli {
  enum Formulas {
    /// B_2n / (2n)! for n = 1...7.
    private static let allCoefficients: [Double] = [
      1.0 / 12, -1.0 / 720, 1.0 / 30_240, -1.0 / 1_209_600, 1.0 / 47_900_160,
      -691.0 / 1_307_674_368_000, 1.0 / 74_724_249_600,
    ]

    /// As many of them as the type can see.
    private static func coefficients(_ dtype: DType) -> ArraySlice<Double> {
      allCoefficients.prefix(dtype == .float32 ? 4 : 7)
    }

    private static func isSmall(_ l: Tensor) -> Tensor { abs(l.detached) .< 0.5 }

    /// Polynomial in `x` of degree 1 at least, constant term first.
    private static func polynomial(_ coefficients: [Double], _ x: Tensor) -> Tensor {
      let falling = Array(coefficients.reversed())
      return falling.dropFirst(2).reduce(x * falling[0] + falling[1]) { $0 * x + $1 }
    }

    /// `series` where |l| is small, else `formula`; neither sees the other's arguments.
    private static func joined(
      _ l: Tensor, series: (Tensor) -> Tensor, formula: (Tensor) -> Tensor
    ) -> Tensor {
      let small = isSmall(l)
      let near = Tensor.where(small, l, l.zerosLike)
      let far = Tensor.where(small, -l.onesLike, l)
      return Tensor.where(small, series(near), formula(far))
    }

    /// log Z(l) for l <= 0; for positive l it is l + log Z(-l).
    static func logNormalizer(_ l: Tensor) -> Tensor {
      let even = coefficients(l.dtype).enumerated().map { $1 / Double(2 * $0 + 2) }
      return joined(l) { near in
        let square = square(near)
        return near * 0.5 + square * polynomial(even, square)
      } formula: { far in
        log(-expMinusOne(far)) - log(-far)
      }
    }

    /// The mean for l <= 0; for positive l it is 1 minus that of -l.
    static func meanBelow(_ l: Tensor) -> Tensor {
      joined(l) { near in
        near * polynomial(Array(coefficients(near.dtype)), square(near)) + 0.5
      } formula: { far in
        exp(far) / expMinusOne(far) - 1 / far
      }
    }

    /// The variance; even, wanted for l <= 0.
    static func variance(_ l: Tensor) -> Tensor {
      let derived = coefficients(l.dtype).enumerated().map { $1 * Double(2 * $0 + 1) }
      return joined(l) { near in
        polynomial(derived, square(near))
      } formula: { far in
        // Each root alone, so that nothing overflows where l is large.
        square(1 / far) - square(exp(far * 0.5) / expMinusOne(far))
      }
    }

    /// The inverse distribution function log(1 + u (e^l - 1)) / l for u in (0, 1).
    ///
    /// Near 0 its derivative would cancel: there the series in l is used, whose coefficients are
    /// the cumulants of a Bernoulli variable with mean u over factorials. Where it ends depends on
    /// the type, so that both the series' remainder and the cancellation stay below 1e-12
    /// (float64) and 1e-5 (float32) in the derivative.
    static func quantile(_ u: Tensor, _ logits: Tensor) -> Tensor {
      let positive = logits.detached .> 0
      let l = logits.negativeMagnitude
      let limit = logits.dtype == .float32 ? -0.3 : -0.02
      let small = l.detached .> limit
      let series = quantileSeries(u, Tensor.where(small, logits, logits.zerosLike))
      let far = Tensor.where(small, -l.onesLike, l)
      let v = Tensor.where(positive, 1 - u, u)
      // Both are log(1 + v (e^l - 1)); the second keeps the small sum of two positive numbers.
      let moderate = far.detached .> -1
      let close = log(onePlus: v * expMinusOne(Tensor.where(moderate, far, -far.onesLike)))
      let wide = log((1 - v) + v * exp(far))
      let x = Tensor.where(moderate, close, wide) / far
      return Tensor.where(small, series, Tensor.where(positive, 1 - x, x))
    }

    private static func quantileSeries(_ u: Tensor, _ l: Tensor) -> Tensor {
      let s = u * (1 - u)
      let r = 1 - u * 2
      let two = s / 2
      let three = s * r / 6
      let four = s * polynomial([1, -6], s) / 24
      let five = s * r * polynomial([1, -12], s) / 120
      let six = s * polynomial([1, -30, 120], s) / 720
      let seven = s * r * polynomial([1, -60, 360], s) / 5040
      var result = seven * l + six
      for coefficient in [five, four, three, two] { result = result * l + coefficient }
      return result * l + u
    }

    /// KL of logits p to q, elementwise, for p <= 0:
    /// (p - q) mean(p) - log Z(p) + log Z(q).
    ///
    /// For close logits that cancels; there it is d^2 times the integral over [0, 1] of
    /// t variance(q + t d), d = p - q, by Gauss-Legendre with three points (exact to 1e-14).
    static func divergence(_ p: Tensor, _ q: Tensor) -> Tensor {
      let difference = p - q
      let near = abs(difference.detached) .< 0.1
      let d = Tensor.where(near, difference, difference.zerosLike)
      var integral = d.zerosLike
      for (node, weight) in [
        (0.112_701_665_379_258_31, 5.0 / 18), (0.5, 8.0 / 18),
        (0.887_298_334_620_741_7, 5.0 / 18),
      ] {
        let l = (p - d * (1 - node)).negativeMagnitude
        integral += variance(l) * (weight * node)
      }
      let positive = q.detached .> 0
      let logZq = logNormalizer(q.negativeMagnitude) + Tensor.where(positive, q, q.zerosLike)
      let apart = difference * meanBelow(p) - logNormalizer(p) + logZq
      return Tensor.where(near, square(d) * integral, apart)
    }
  }
}
