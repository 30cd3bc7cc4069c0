// Raw outputs of a network whose likelihood has the mean of the data: the inverse of what a head does.

import Foundation
import LatentAutodiff
import LatentNumerics

enum StartingOutputs {
  /// Means of binary data nearer to 0 and 1 than this are taken for it, as by Burda, Grosse and
  /// Salakhutdinov (2016): farther out no derivative would pass through the logistic function.
  private static let margin = 0.001

  /// log(m / (1 - m)).
  static func logits(_ mean: Tensor) -> Tensor {
    let inside = mean.clamped(to: margin...(1 - margin))
    return log(inside) - log(1 - inside)
  }

  /// The logits of continuous Bernoulli variables with these means, 1 / (1 - e^-l) - 1 / l = m, by
  /// halving an interval: the function rises.
  static func continuousLogits(_ mean: Tensor) -> Tensor {
    let solved = mean.doubles.map { mean -> Double in
      var (low, high) = (-50.0, 50.0)  // means of 0.02 and 0.98: beyond, the density is a wall
      for _ in 0..<50 {
        let l = (low + high) / 2
        // Near 0 the two fractions cancel: the series is 1/2 + l/12.
        let value = abs(l) < 1e-4 ? 0.5 + l / 12 : 1 / -expm1(-l) - 1 / l
        if value < mean { low = l } else { high = l }
      }
      return (low + high) / 2
    }
    return Tensor(solved, shape: mean.shape)
  }
}
