// Pooling, resampling, pixel shuffle and padding beside PyTorch's, values and derivatives.
// Resources/spatial.json is written by scripts/references/spatial.py, which states the rules.

import Foundation
import LatentNumerics
import Testing

@testable import LatentAutodiff

@Suite struct SpatialParityTests {
  /// A result without all of its elements: the first twelve, the sum, the sum of squares and the
  /// product with fixed weights.
  struct Digest: Decodable, Sendable {
    var shape: Shape
    var first: [Double]
    var sums: [Double]
  }

  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    var op: String
    var shape: Shape
    var kernel, stride, padding, dilation, size, scale: [Int]?
    var countsPadding, alignCorners, roundsUp: Bool?
    var method: String?
    var mode: PaddingMode?
    var amounts: [[Int]]?
    var factor: Int?
    var output, gradient: Digest

    var testDescription: String {
      let sizes = [kernel, stride, padding, dilation, size, scale].compactMap { $0 }
      let words = [method, mode?.rawValue].compactMap { $0 }.joined()
      return "\(op) \(words) \(shape) \(sizes) \(amounts ?? [])"
    }

    func callAsFunction(_ x: Tensor) throws -> Tensor {
      func extent(_ sizes: [Int]?) throws -> Extent { .axes(try #require(sizes)) }
      let interpolation: Resampling =
        method == "linear" ? .linear(alignCorners: alignCorners ?? false) : .nearest
      switch op {
      case "max":
        return x.maxPooled(
          kernel: try extent(kernel), stride: stride.map { .axes($0) },
          padding: padding.map { .axes($0) } ?? 0, dilation: dilation.map { .axes($0) } ?? 1,
          roundsUp: roundsUp ?? false)
      case "average":
        return x.averagePooled(
          kernel: try extent(kernel), stride: stride.map { .axes($0) },
          padding: padding.map { .axes($0) } ?? 0, roundsUp: roundsUp ?? false,
          countsPadding: countsPadding ?? true)
      case "adaptiveMax": return x.adaptiveMaxPooled(to: try extent(size))
      case "adaptiveAverage": return x.adaptiveAveragePooled(to: try extent(size))
      case "upsample": return x.upsampled(by: try extent(scale), interpolation)
      case "resize": return x.resized(to: try extent(size), interpolation)
      case "shuffle": return x.pixelShuffled(by: try #require(factor))
      case "unshuffle": return x.pixelUnshuffled(by: try #require(factor))
      default:
        let amounts = try #require(amounts).map { (before: $0[0], after: $0[1]) }
        return x.padded(try #require(mode), amounts: amounts)
      }
    }
  }

  static let cases: [Case] = {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "Resources/spatial.json")
    do {
      return try JSONDecoder().decode([Case].self, from: Data(contentsOf: file))
    } catch {
      fatalError("\(file.path): \(error)")
    }
  }()

  /// ((factor i + shift) mod modulus) / ((modulus + 1) / 2) - 1: exact, and no two of the first
  /// `modulus` elements are equal.
  static func rule(_ shape: Shape, _ factor: Int, _ shift: Int, _ modulus: Int) -> Tensor {
    let values = (0..<shape.count).map { index in
      Double((factor * index + shift) % modulus) / Double((modulus + 1) / 2) - 1
    }
    return Tensor(values, shape: shape)
  }

  static func error(_ found: Tensor, _ expected: Digest) -> Double {
    guard found.shape == expected.shape else { return .infinity }
    let values = found.doubles
    let weights = rule([values.count], 1543, 7, 4093).doubles
    let sums = [
      values.reduce(0, +), values.reduce(0) { $0 + $1 * $1 },
      zip(values, weights).reduce(0) { $0 + $1.0 * $1.1 },
    ]
    return max(
      relativeError(Array(values.prefix(12)), expected.first), relativeError(sums, expected.sums))
  }

  @Test(arguments: cases.indices) func equalsPyTorch(index: Int) throws {
    let example = SpatialParityTests.cases[index]
    for (dtype, tolerance) in [(DType.float64, 1e-12), (.float32, 2e-5)] {
      let x = SpatialParityTests.rule(example.shape, 2531, 97 * index, 4099)
      let cotangent = SpatialParityTests.rule(example.output.shape, 1543, 31 * index + 7, 4093)
      var output: Tensor?
      let slope = try gradient(at: x.converted(to: dtype)) { x in
        let y = try example(x)
        output = y.detached
        return (y * cotangent.converted(to: dtype)).sum()
      }
      let found = try #require(output)
      #expect(found.array == (try example(x.converted(to: dtype))).array)
      #expect(
        SpatialParityTests.error(found, example.output) < tolerance,
        "output of \(example.testDescription), \(dtype)")
      #expect(
        SpatialParityTests.error(slope, example.gradient) < tolerance,
        "gradient of \(example.testDescription), \(dtype)")
    }
  }

  @Test func enoughCases() { #expect(SpatialParityTests.cases.count >= 70) }
}
