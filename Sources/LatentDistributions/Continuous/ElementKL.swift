// The divergence between independent normals, dimension by dimension: what free bits and
// active-unit counts look at.

import LatentAutodiff
import LatentNumerics

extension DiagonalNormal {
  /// KL of each element, nats, `[batch, event]`, where `other` is normal with independent
  /// elements too; else nil.
  public func elementKL(to other: any Distribution) -> Tensor? {
    switch other {
    case is StandardNormal:
      return (square(mean) + (expMinusOne(logVariance) - logVariance)) * 0.5
    case let other as DiagonalNormal:
      let difference = logVariance - other.logVariance
      let distance = square(mean - other.mean) * exp(-other.logVariance)
      return (distance + (expMinusOne(difference) - difference)) * 0.5
    default: return nil
    }
  }
}
