// A table of a model's layers, shapes and parameters, as people expect to see before training.

import LatentAutodiff
import LatentNumerics

extension Module {
  /// One line for each parameter: path, shape, count; then the totals.
  public var summary: String {
    let rows = namedParameters.map {
      (
        path: $0.path + ($0.isTrained ? "" : " (buffer)"), shape: "\($0.tensor.shape)",
        count: "\($0.tensor.count)"
      )
    }
    let width = (rows.map(\.path.count) + [9]).reduce(0, max)
    let shapeWidth = (rows.map(\.shape.count) + [5]).reduce(0, max)
    func line(_ a: String, _ b: String, _ c: String) -> String {
      a.padded(to: width) + "  " + b.padded(to: shapeWidth) + "  " + c
    }
    let bytes = namedParameters.reduce(0) { $0 + $1.tensor.array.byteCount }
    return
      ([line("parameter", "shape", "count")] + rows.map { line($0.path, $0.shape, $0.count) }
      + ["\(parameterCount) parameters, \(bytes) bytes"]).joined(separator: "\n")
  }
}

extension Layer {
  /// The parameters, and the shape that an input of `inputShape` leads to. Sequential layers
  /// show the shape after each step.
  public func summary(inputShape: Shape, _ dtype: DType = .float32) -> String {
    var lines: [String] = ["input \(inputShape)"]
    var context = LayerContext.inference
    var value = Tensor.zeros(inputShape, dtype)
    for (index, layer) in ((self as? Sequential)?.layers ?? [self]).enumerated() {
      value = layer(value, &context)
      lines.append(
        "\(index) \(type(of: layer)): \(value.shape), \(layer.parameterCount) parameters")
    }
    return lines.joined(separator: "\n") + "\n" + summary
  }
}

extension String {
  func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }
}
