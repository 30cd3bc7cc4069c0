// The normal distribution with a full covariance, through its Cholesky factor L: a posterior whose
// latent dimensions may depend on each other, a prior or likelihood with correlations.
//
//   log p(x) = -1/2 |L^-1 (x - mean)|^2 - sum log L_ii - n/2 log 2 pi,   covariance = L L^T

import LatentAutodiff
import LatentNumerics

/// Correlated normals over a vector of `n` elements.
public struct FullCovarianceNormal: ReparameterizedDistribution, EvaluableDistribution,
  DistributionWithMean, DistributionWithMode
{
  let location: Tensor
  /// The lower-triangular Cholesky factor of the covariance, `[batch, n, n]`.
  public let scaleTriangle: Tensor
  /// Of the factor's diagonal, `[batch, n]`.
  let logDiagonal: Tensor
  public let batchShape: Shape
  public let eventShape: Shape

  init(
    mean: Tensor, scaleTriangle: Tensor, logDiagonal: Tensor, file: StaticString, line: UInt
  ) {
    let rank = scaleTriangle.rank
    require(
      rank >= 2 && scaleTriangle.shape[-1] == scaleTriangle.shape[-2] && mean.rank >= 1
        && mean.shape[-1] == scaleTriangle.shape[-1] && mean.dtype == scaleTriangle.dtype,
      "FullCovarianceNormal: mean \(mean.shape), \(mean.dtype) and triangle "
        + "\(scaleTriangle.shape), \(scaleTriangle.dtype): expected [..., n] and [..., n, n]",
      file: file, line: line)
    guard
      let batch = mean.shape.prefix(mean.rank - 1).broadcast(
        with: scaleTriangle.shape.prefix(rank - 2))
    else {
      fatalError(
        "FullCovarianceNormal: batch shapes of mean \(mean.shape) and triangle "
          + "\(scaleTriangle.shape) do not broadcast", file: file, line: line)
    }
    location = mean
    self.scaleTriangle = scaleTriangle
    self.logDiagonal = logDiagonal
    batchShape = batch
    eventShape = mean.shape.suffix(1)
  }

  /// From the Cholesky factor of the covariance.
  ///
  /// - Parameters:
  ///   - mean: `[batch, n]`
  ///   - scaleTriangle: `[batch, n, n]` with a positive diagonal; what is above it is ignored
  public init(
    mean: Tensor, scaleTriangle: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) {
    let lower = scaleTriangle.lowerTriangle
    self.init(
      mean: mean, scaleTriangle: lower, logDiagonal: log(lower.diagonal), file: file, line: line)
  }

  /// From the covariance, which is factorised.
  ///
  /// - Parameters:
  ///   - mean: `[batch, n]`
  ///   - covariance: `[batch, n, n]`, symmetric and positive definite
  /// - Throws: `NumericsError.notPositiveDefinite`, naming the matrix of the batch.
  public init(
    mean: Tensor, covariance: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) throws {
    self.init(
      mean: mean, scaleTriangle: try cholesky(covariance, file: file, line: line), file: file,
      line: line)
  }

  public var dtype: DType { location.dtype }
  var size: Int { eventShape[0] }

  public var mean: Tensor { location.broadcast(to: batchShape + eventShape) }
  public var mode: Tensor { mean }
  /// `[batch, n, n]`
  public var covariance: Tensor {
    matmul(scaleTriangle, scaleTriangle, transpose: .right)
      .broadcast(to: batchShape + eventShape + eventShape)
  }
  /// The covariance's diagonal, `[batch, n]`.
  public var variance: Tensor {
    square(scaleTriangle).sum(axes: [-1]).broadcast(to: batchShape + eventShape)
  }

  private func normalized(_ squares: Tensor) -> Tensor {
    squares * -0.5 - logDiagonal.sum(axes: [-1]) - Double(size) * logTwoPi / 2
  }

  public func logProbability(of value: Tensor) -> Tensor {
    requireEvent(value)
    let difference = value - location
    let full = difference.shape.broadcast(with: batchShape + eventShape) ?? difference.shape
    let (columns, samples) = self.columns(difference.broadcast(to: full))
    let score = triangularSolve(scaleTriangle, columns)
    return normalized(
      rows(square(score).sum(axes: [-2], keepingDimensions: true), samples)
        .squeezed(-1))
  }

  private func draw(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (value: Tensor, noise: Tensor) {
    let noise = random.normalTensor(sampleShape + batchShape + eventShape, dtype)
    let (columns, samples) = self.columns(noise)
    return (location + rows(matmul(scaleTriangle, columns), samples), noise)
  }

  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    draw(sampleShape, using: &random).value
  }

  /// The density comes from the noise: no triangular solve.
  public func sampleAndLogProbability(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor) {
    let (value, noise) = draw(sampleShape, using: &random)
    return (value, normalized(square(noise).sum(axes: [-1])))
  }

  public var entropy: Tensor? {
    (logDiagonal.sum(axes: [-1]) + Double(size) * (1 + logTwoPi) / 2).broadcast(to: batchShape)
  }

  // MARK: Samples as columns, so that one matrix is solved with (or multiplied) once for all.

  /// `[sample, batch, n]` as `[batch, n, samples]`, and the sample shape.
  private func columns(_ x: Tensor) -> (Tensor, samples: Shape) {
    let lead = x.rank - 1 - batchShape.rank
    let samples = x.shape.prefix(lead)
    let rest = x.shape.suffix(x.rank - lead)
    let flat = x.reshaped(Shape([samples.count]) + rest)
    return (flat.permuted(Array(1..<flat.rank) + [0]), samples)
  }

  /// The way back: `[batch, m, samples]` as `[sample, batch, m]`.
  private func rows(_ x: Tensor, _ samples: Shape) -> Tensor {
    let flat = x.permuted([x.rank - 1] + Array(0..<(x.rank - 1)))
    return flat.reshaped(samples + flat.shape.suffix(flat.rank - 1))
  }
}

extension FullCovarianceNormal: DetachableDistribution {
  public var detached: FullCovarianceNormal {
    FullCovarianceNormal(
      mean: location.detached, scaleTriangle: scaleTriangle.detached,
      logDiagonal: logDiagonal.detached, file: #fileID, line: #line)
  }
}
