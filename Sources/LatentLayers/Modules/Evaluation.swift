// Where in a model something went wrong. A layer knows neither its path nor who called it; the call
// that evaluates a whole model does, and says so for as long as it lasts. Only traps ask.

import LatentAutodiff
import LatentNumerics

/// The evaluation of a model that is going on.
package enum Evaluation {
  /// Runs `body`, which evaluates `model` for the caller at `file` and `line`. The outermost call
  /// counts: it is the user's.
  package static func of<Result>(
    _ model: some Module, _ file: StaticString, _ line: UInt, _ body: () throws -> Result
  ) rethrows -> Result {
    if TrapScope.current != nil { return try body() }
    // The model stays where it is: a copy would count every tensor of it up and down.
    return try withUnsafePointer(to: model) { model in
      let scope = TrapScope(
        caller: { " (evaluating \(type(of: model.pointee)) for \(file):\(line))" },
        path: { array in
          model.pointee.namedParameters.first { $0.tensor.array.isView(of: array, from: 0) }?.path
        })
      return try scope.run(body)
    }
  }

  /// For the message of a trap: the path of the layer that `parameter` belongs to; empty where no model
  /// is being evaluated, or not one with this parameter.
  static func place(of parameter: Tensor) -> String {
    guard let path = TrapScope.current?.path(parameter.array),
      let dot = path.lastIndex(of: ".")
    else { return "" }
    return ", in the layer \(path[..<dot])"
  }
}

/// Traps unless a layer's input ends in the size that its parameters ask for, has as many spatial `axes`
/// where those are counted, and is made of numbers.
func requireInput(
  _ x: Tensor, last size: Int, axes: Int? = nil, _ layer: String, _ parameter: Tensor,
  file: StaticString = #fileID, line: UInt = #line
) {
  require(
    x.rank > 0 && x.shape[-1] == size && axes.map { x.rank == $0 + 2 } ?? true,
    "\(layer): an input of shape \(x.shape), expected "
      + (axes.map { "\($0 + 2) axes that end in \(size) channels" } ?? "[..., \(size)]")
      + Evaluation.place(of: parameter), file: file, line: line)
  require(
    x.dtype.isFloatingPoint,
    "\(layer): an input of \(x.dtype), expected \(parameter.dtype.computed): convert it with "
      + "converted(to: .\(parameter.dtype.computed))\(Evaluation.place(of: parameter))",
    file: file, line: line)
}
