// Rows of PyTorch's numbers in float64, as scripts/references/ writes them to Resources: of each result
// three projections and the first elements.

import Foundation
import LatentAutodiff
import LatentNumerics
import Testing

/// One row of a file in Resources.
protocol StoredCase: Decodable, Sendable, CustomTestStringConvertible {
  /// The file's name.
  static var file: String { get }
  /// Differences count relative to a result's length, which is taken as at least this.
  static var leastLength: Double { get }
  /// The relative difference that is allowed in float32.
  static var float32Tolerance: Double { get }
  var kind: String { get }
  var expected: [String: [Double]] { get }
}

extension StoredCase {
  static func load() -> [Self] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "Resources/\(file)")
    return try! JSONDecoder().decode([Self].self, from: Data(contentsOf: file))
  }

  /// Compares a result with the stored numbers of that name.
  func check(
    _ found: Tensor?, _ name: String, _ dtype: DType,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    guard let found, let expected = expected[name] else {
      Issue.record("\(testDescription): \(name) is missing", sourceLocation: sourceLocation)
      return
    }
    let values = found.doubles
    let length = max(Self.leastLength, values.reduce(0) { $0 + $1 * $1 }.squareRoot())
    let projections = (0..<3).map { k in
      values.enumerated().reduce(0) { $0 + $1.element * cos(0.37 * Double((k + 1) * $1.offset)) }
    }
    let numbers = projections + values.prefix(12)
    #expect(found.dtype == dtype, sourceLocation: sourceLocation)
    #expect(
      numbers.count == expected.count, "\(testDescription) \(name)", sourceLocation: sourceLocation)
    let worst = zip(numbers, expected).map { abs($0 - $1) / length }.reduce(0) {
      $1.isNaN ? .infinity : max($0, $1)
    }
    let tolerance = dtype == .float64 ? 1e-9 : Self.float32Tolerance
    #expect(
      worst < tolerance, "\(testDescription) \(name) \(dtype): \(worst)",
      sourceLocation: sourceLocation)
  }
}

/// The tensor of a shape whose elements are a function of their positions: what both sides compute.
func rule(_ shape: Shape, _ dtype: DType, _ value: (Double) -> Double) -> Tensor {
  Tensor((0..<shape.count).map { value(Double($0)) }, shape: shape).converted(to: dtype)
}
