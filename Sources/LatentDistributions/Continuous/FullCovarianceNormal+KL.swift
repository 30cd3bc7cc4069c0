// Divergences between normals of which at least one has a full covariance.
//
//   KL(p || q) = 1/2 (|M|^2 - n - 2 sum log M_ii + |L_q^-1 (mean_p - mean_q)|^2),  M = L_q^-1 L_p
//
// The diagonal's part is e^(2 d) - 1 - 2 d with d = log L_p,ii - log L_q,ii, and what is below the
// diagonal of M is that of L_q^-1 (L_p - L_q): exactly 0 for equal factors, nothing cancels.

import LatentAutodiff
import LatentNumerics

extension DiagonalNormal {
  /// The same distribution with a (diagonal) factor; event rank 1.
  var fullCovariance: FullCovarianceNormal {
    let deviation = standardDeviation
    return FullCovarianceNormal(
      mean: mean, scaleTriangle: deviation.diagonalMatrix,
      logDiagonal: (logVariance * 0.5).broadcast(to: deviation.shape), file: #fileID, line: #line)
  }
}

extension FullCovarianceNormal {
  public func closedFormKL(to other: any Distribution) -> Tensor? {
    switch other {
    case let q as FullCovarianceNormal:
      requireSameEvent(as: q)
      let batch = commonBatch(with: q)
      let shift = (location - q.location).expandingDimension(at: -1)
      let lead = batch + [size]
      let difference = Tensor.concatenate(
        [
          (scaleTriangle - q.scaleTriangle).broadcast(to: lead.appending(size)),
          shift.broadcast(to: lead.appending(1)),
        ], axis: -1)
      let solved = square(triangularSolve(q.scaleTriangle, difference))
      return combined(
        strictSquares: solved.sliced(-1, 0..<size), scores: solved.selecting(size, axis: -1),
        logRatio: logDiagonal - q.logDiagonal, batch)
    case let q as DiagonalNormal:
      requireSameEvent(as: q)
      let inverse = exp(q.logVariance.broadcast(to: q.shape) * -0.5)
      return combined(
        strictSquares: square(scaleTriangle * inverse.expandingDimension(at: -1)),
        scores: square((location - q.mean) * inverse),
        logRatio: logDiagonal - q.logVariance * 0.5, commonBatch(with: q))
    case let q as StandardNormal:
      requireSameEvent(as: q)
      return combined(
        strictSquares: square(scaleTriangle), scores: square(location), logRatio: logDiagonal,
        commonBatch(with: q))
    default:
      return nil
    }
  }

  public func closedFormKL(from other: any Distribution) -> Tensor? {
    switch other {
    case let p as DiagonalNormal where p.eventShape.rank == 1:
      p.fullCovariance.closedFormKL(to: self)
    case let p as StandardNormal where p.eventShape.rank == 1:
      p.diagonal.fullCovariance.closedFormKL(to: self)
    default: nil
    }
  }

  /// The sum of the three parts; the diagonal of `strictSquares` is not read.
  private func combined(
    strictSquares: Tensor, scores: Tensor, logRatio: Tensor, _ batch: Shape
  ) -> Tensor {
    let below = Tensor.identity(size, dtype) .== 0
    let off = Tensor.where(below, strictSquares, strictSquares.zerosLike).sum(axes: [-1])
    let twice = logRatio * 2
    return (off + scores + (expMinusOne(twice) - twice))
      .broadcast(to: batch.appending(size)).sum(axes: [-1]) * 0.5
  }
}
