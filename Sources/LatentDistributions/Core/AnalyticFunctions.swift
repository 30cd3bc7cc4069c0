// Functions whose formula is 0/0 where they are smooth: a power series there, the formula elsewhere, and neither
// sees the other's arguments, so that derivatives of any order are right on both sides.

import LatentAutodiff
import LatentNumerics

/// `formula` of x where it is at least `limit`, else the sum of `coefficients` times rising powers of x.
func analytic(
  _ x: Tensor, below limit: Double, coefficients: [Double], formula: (Tensor) -> Tensor
) -> Tensor {
  let isSmall = x.detached .< limit
  let near = Tensor.where(isSmall, x, x.zerosLike)
  let far = Tensor.where(isSmall, x.zerosLike + limit, x)
  let falling = Array(coefficients.reversed())
  let series = falling.dropFirst(2).reduce(near * falling[0] + falling[1]) { $0 * near + $1 }
  return Tensor.where(isSmall, series, formula(far))
}

/// asinh(sqrt x) / sqrt x of x from 0 on.
func areaSineRatio(_ x: Tensor) -> Tensor {
  // (-1)^k (2k)! / (4^k k!^2 (2k + 1))
  let coefficients: [Double] = [
    1, -1.0 / 6, 3.0 / 40, -15.0 / 336, 105.0 / 3456, -945.0 / 42_240, 10_395.0 / 599_040,
    -135_135.0 / 9_676_800, 2_027_025.0 / 175_472_640,
  ]
  return analytic(x, below: 0.01, coefficients: coefficients) { x in
    let root = sqrt(x)
    return log(root + sqrt(x + 1)) / root
  }
}

/// tanh(sqrt x / 2) / sqrt x of x from 0 on.
func halfTangentRatio(_ x: Tensor) -> Tensor {
  let coefficients: [Double] = [
    1.0 / 2, -1.0 / 24, 1.0 / 240, -17.0 / 40_320, 31.0 / 725_760, -691.0 / 159_667_200,
    5461.0 / 12_454_041_600, -929_569.0 / 20_922_789_888_000,
  ]
  return analytic(x, below: 0.05, coefficients: coefficients) { x in
    let root = sqrt(x)
    return tanh(root * 0.5) / root
  }
}

/// log(sinh(sqrt x) / sqrt x) of x from 0 on.
func logHyperbolicSineRatio(_ x: Tensor) -> Tensor {
  let coefficients: [Double] = [
    0, 1.0 / 6, -1.0 / 180, 1.0 / 2835, -1.0 / 37_800, 1.0 / 467_775, -691.0 / 3_831_077_250,
    2.0 / 127_702_575, -3617.0 / 2_605_132_530_000,
  ]
  return analytic(x, below: 0.05, coefficients: coefficients) { x in
    let root = sqrt(x)
    return root + log(-expMinusOne(root * -2)) - log(root * 2)
  }
}
