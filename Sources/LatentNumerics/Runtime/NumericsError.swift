/// What can go wrong with numbers that come from data.
public enum NumericsError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The matrix has no Cholesky factor.
  case notPositiveDefinite(batch: Int, pivot: Int, shape: Shape)
  /// The matrix has no inverse.
  case singular(batch: Int, pivot: Int, shape: Shape)
  /// The iteration of an eigenvalue routine ended without a result.
  case noConvergence(batch: Int, shape: Shape)
  /// What is missing for the computation.
  case unavailable(String)

  public var description: String {
    switch self {
    case .notPositiveDefinite(let batch, let pivot, let shape):
      "Cholesky: matrix \(batch) of \(shape) is not positive definite: "
        + "its leading minor of order \(pivot) is not positive (add a small diagonal?)"
    case .singular(let batch, let pivot, let shape):
      "inverse: matrix \(batch) of \(shape) is singular: pivot \(pivot) is exactly zero"
    case .noConvergence(let batch, let shape):
      "eigenvalues: matrix \(batch) of \(shape) did not converge (does it hold NaN or infinity?)"
    case .unavailable(let missing): "missing: \(missing)"
    }
  }
}
