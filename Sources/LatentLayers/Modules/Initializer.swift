// How weights start. Fans are those of a linear weight [out, in] (fan in: in, fan out: out);
// convolutions multiply both by the kernel's size.

import Foundation
import LatentAutodiff
import LatentNumerics

/// A rule for the first values of a weight.
public enum Initializer: Sendable, Hashable {
  /// Uniform with limit sqrt(6 / (in + out)) (Glorot and Bengio 2010, equation 16).
  case glorotUniform
  /// Normal with deviation sqrt(2 / (in + out)).
  case glorotNormal
  /// Uniform with limit sqrt(6 / in), for relu (He et al. 2015, equation 10).
  case heUniform
  /// Normal with deviation sqrt(2 / in).
  case heNormal
  /// Orthonormal rows or columns, whichever are fewer, times `gain` (Saxe et al. 2014).
  case orthogonal(gain: Double = 1)
  /// What PyTorch's linear and convolution layers do: uniform with limit 1 / sqrt(in), for
  /// weights and biases.
  case pyTorch
  /// Uniform between `-limit` and `limit`.
  case uniform(limit: Double)
  /// Normal with mean 0.
  case normal(deviation: Double)
  /// The same number everywhere.
  case constant(Double)

  /// First values of `shape`. `fanIn` and `fanOut` default to those of a matrix [out, in].
  public func callAsFunction(
    _ shape: Shape, fanIn: Int? = nil, fanOut: Int? = nil, _ dtype: DType = .float32,
    using random: inout RandomStream
  ) -> Tensor {
    let fanIn = Double(fanIn ?? (shape.rank > 1 ? shape.suffix(shape.rank - 1).count : shape.count))
    let fanOut = Double(fanOut ?? (shape.rank > 0 ? shape[0] : 1))
    switch self {
    case .glorotUniform:
      return uniform(shape, dtype, limit: sqrt(6 / (fanIn + fanOut)), &random)
    case .glorotNormal: return random.normalTensor(shape, dtype) * sqrt(2 / (fanIn + fanOut))
    case .heUniform: return uniform(shape, dtype, limit: sqrt(6 / fanIn), &random)
    case .heNormal: return random.normalTensor(shape, dtype) * sqrt(2 / fanIn)
    case .pyTorch: return uniform(shape, dtype, limit: fanIn > 0 ? 1 / sqrt(fanIn) : 0, &random)
    case .uniform(let limit): return uniform(shape, dtype, limit: limit, &random)
    case .normal(let deviation): return random.normalTensor(shape, dtype) * deviation
    case .constant(let value): return Tensor(repeating: value, shape: shape, dtype)
    case .orthogonal(let gain):
      let rows = shape.rank > 0 ? shape[0] : 1
      let columns = rows == 0 ? 0 : shape.count / rows
      let gaussian = random.normal([max(rows, columns), min(rows, columns)], dtype)
      let basis = Tensor(gaussian.orthonormalColumns())
      return (rows < columns ? basis.transposed : basis).reshaped(shape) * gain
    }
  }

  private func uniform(
    _ shape: Shape, _ dtype: DType, limit: Double, _ random: inout RandomStream
  ) -> Tensor {
    (random.uniformTensor(shape, dtype) * 2 - 1) * limit
  }
}
