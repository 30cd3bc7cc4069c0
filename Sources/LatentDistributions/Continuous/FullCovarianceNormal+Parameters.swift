// A Cholesky factor from numbers without constraints: what the last layer of an encoder returns.

import LatentAutodiff
import LatentNumerics

extension FullCovarianceNormal {
  /// How an unconstrained number becomes a positive element of the factor's diagonal.
  public enum PositiveDiagonal: Sendable {
    /// log(1 + e^x): grows linearly, so that a large step does not explode.
    case softplus
    /// e^x: x is the logarithm of the scale.
    case exponential
  }

  /// How many numbers a lower triangle of `size` rows takes: n (n + 1) / 2.
  public static func parameterCount(_ size: Int) -> Int { size * (size + 1) / 2 }

  /// From numbers that may be anything, such as the outputs of a network.
  ///
  /// - Parameters:
  ///   - mean: `[batch, n]`
  ///   - unconstrained: `[batch, n (n + 1) / 2]`, the lower triangle row by row
  ///   - diagonal: what makes its diagonal positive
  public init(
    mean: Tensor, unconstrained: Tensor, diagonal: PositiveDiagonal = .softplus,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let size = mean.rank == 0 ? 0 : mean.shape[-1]
    require(
      unconstrained.rank >= 1
        && unconstrained.shape[-1] == FullCovarianceNormal.parameterCount(size),
      "FullCovarianceNormal: mean \(mean.shape) wants "
        + "\(FullCovarianceNormal.parameterCount(size)) parameters of the triangle, found shape "
        + "\(unconstrained.shape)", file: file, line: line)
    func start(_ row: Int) -> Int { row * (row + 1) / 2 }
    let onDiagonal = Tensor((0..<size).map { Int32(start($0) + $0) })
    let places = Tensor(
      (0..<(size * size)).map { place -> Int32 in
        let (row, column) = (place / size, place % size)
        return column < row ? Int32(start(row) + column) : 0
      })
    let raw = unconstrained.gathering(onDiagonal, axis: -1)
    let dense = unconstrained.gathering(places, axis: -1)
      .reshaped(unconstrained.shape.prefix(unconstrained.rank - 1) + [size, size])
    let strict = Tensor(
      (0..<(size * size)).map { $0 % size < $0 / size ? 1.0 : 0.0 }, shape: [size, size]
    ).converted(to: mean.dtype)
    // Where softplus underflows, its logarithm is x itself.
    let tiny = raw.detached .< -20
    let safe = Tensor.where(tiny, raw.zerosLike, raw)
    let logDiagonal =
      diagonal == .exponential ? raw : Tensor.where(tiny, raw, log(softplus(safe)))
    let positive = diagonal == .exponential ? exp(raw) : softplus(raw)
    self.init(
      mean: mean,
      scaleTriangle: Tensor.where(strict, dense, dense.zerosLike) + positive.diagonalMatrix,
      logDiagonal: logDiagonal, file: file, line: line)
  }
}
