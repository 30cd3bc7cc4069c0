// Maps of latents to a few dimensions by principal components (Pearson 1901; Hotelling 1933).

import LatentAutodiff
import LatentNumerics

/// The directions in which codes vary most.
public struct PrincipalComponents: Sendable {
  /// The mean of the codes, float64, `[latent]`.
  public let mean: Tensor
  /// Unit vectors, the one of the largest variance first, float64, `[components, latent]`. The largest element of
  /// each is positive.
  public let axes: Tensor
  /// The variance along each axis (of n codes with the divisor n - 1), float64, `[components]`.
  public let variances: Tensor
  /// The variance along all axes together.
  public let totalVariance: Double

  /// Of codes `[codes, latent]`, at least 2.
  ///
  /// - Throws: `NumericsError.noConvergence` where codes are not finite.
  public init(
    of codes: Tensor, components: Int = 2, file: StaticString = #fileID, line: UInt = #line
  ) throws {
    require(
      codes.rank == 2 && codes.shape[0] >= 2 && (1...max(1, codes.shape[1])).contains(components),
      "\(components) principal components of codes \(codes.shape)", file: file, line: line)
    let wide = codes.detached.converted(to: .float64)
    mean = wide.mean(axes: [0])
    let centered = wide - mean
    let covariance = matmul(centered, centered, transpose: .left) / Double(codes.shape[0] - 1)
    let (values, vectors) = try covariance.array.symmetricEigen()
    let size = codes.shape[1]
    // LAPACK has the smallest first.
    let chosen = Tensor((0..<components).map { Int32(size - 1 - $0) })
    let rows = Tensor(vectors.transposed).gathering(chosen)
    let largest = rows.gathering(along: 1, abs(rows).argMax(axis: 1).expandingDimension(at: 1))
    axes = rows * sign(largest)
    variances = maximum(Tensor(values).gathering(chosen), .scalar(0, .float64))
    totalVariance = covariance.diagonal.sum().item
  }

  /// The share of the variance that the axes have together, from 0 to 1; NaN of codes that are all the same.
  public var explained: Double { variances.sum().item / totalVariance }

  /// Places along the axes, `[codes, latent] -> [codes, components]`.
  public func callAsFunction(_ codes: Tensor) -> Tensor {
    matmul(codes.converted(to: .float64) - mean, axes, transpose: .right)
      .converted(to: codes.dtype)
  }

  /// The codes nearest to the mean that have these places, `[codes, components] -> [codes, latent]`.
  public func codes(at places: Tensor) -> Tensor {
    (matmul(places.converted(to: .float64), axes) + mean).converted(to: places.dtype)
  }
}
