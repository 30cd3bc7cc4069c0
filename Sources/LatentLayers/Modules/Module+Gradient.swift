// Differentiation with respect to all parameters of a module.

import LatentAutodiff
import LatentNumerics

/// Derivatives with respect to a module's trained parameters, in visiting order; nil where the
/// result does not depend on one.
public struct Gradients: Sendable {
  /// One for each trained parameter, of its shape.
  public var tensors: [Tensor?]

  /// In visiting order.
  public init(_ tensors: [Tensor?]) { self.tensors = tensors }

  /// The Euclidean norm of all of them together.
  public var norm: Double {
    tensors.reduce(0) { $0 + ($1?.array.sumOfSquares ?? 0) }.squareRoot()
  }

  /// The position of the first one with a NaN or infinity.
  public var firstNonFinite: Int? {
    tensors.firstIndex { ($0?.array.nonFiniteCount ?? 0) > 0 }
  }
}

/// The value of a scalar function of a module, its derivatives with respect to the module's
/// parameters, and whatever else the function returns beside the scalar (the terms of a loss).
///
/// A pure function: `module` is not changed, and calls may be nested for derivatives of
/// derivatives. Traps when the result is not a scalar.
public func valueAndGradient<Model: Module, Auxiliary>(
  at module: Model, file: StaticString = #fileID, line: UInt = #line,
  withAuxiliary function: (Model) throws -> (Tensor, Auxiliary)
) rethrows -> (value: Tensor, gradients: Gradients, auxiliary: Auxiliary) {
  var copy = module
  let result = try Evaluation.of(module, file, line) {
    try valueAndGradient(
      at: module.parameters, file: file, line: line,
      withAuxiliary: {
        copy.setParameters($0)
        return try function(copy)
      })
  }
  return (result.value, Gradients(result.gradients), result.auxiliary)
}

/// The value of a scalar function of a module and its derivatives with respect to its parameters.
///
/// Traps where the result depends on none of them, as it does when the function computes with a module from
/// outside instead of the one that it is given.
public func valueAndGradient<Model: Module>(
  at module: Model, file: StaticString = #fileID, line: UInt = #line,
  of function: (Model) throws -> Tensor
) rethrows -> (value: Tensor, gradients: Gradients) {
  let result = try valueAndGradient(
    at: module, file: file, line: line,
    withAuxiliary: {
      (try function($0), ())
    })
  require(
    result.gradients.tensors.isEmpty || result.gradients.tensors.contains { $0 != nil },
    "valueAndGradient: the result depends on no parameter of \(Model.self); compute it with the module "
      + "that the function is given", file: file, line: line)
  return (result.value, result.gradients)
}
