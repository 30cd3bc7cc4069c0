// Axis maps and max pooling against the slowest possible reading, and the laws that need no oracle.

import Foundation
import LatentNumerics
import TestSupport
import Testing

@Suite struct SpatialTests {
  /// One array shape and maps that fit it, of every kind.
  struct Example: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var shape: Shape
    var maps: [AxisMap]

    init(_ name: String, _ shape: Shape, _ maps: [AxisMap]) {
      testDescription = "\(name) \(shape)"
      self.shape = shape
      self.maps = maps
    }
  }

  /// Shapes with a batch large enough for several chunks, with more channels than a tile holds, and
  /// with nothing in them.
  static let shapes: [Shape] = [
    [3, 7, 2], [40, 12, 11, 16], [2, 6, 5, 300], [2, 4, 3, 5, 3], [0, 4, 4, 2], [2, 4, 4, 0],
    [1, 3, 3, 1],
  ]

  static let windows: [Example] = shapes.flatMap { shape in
    [
      Example(
        "windows", shape,
        AxisMap.windows(
          over: shape, kernel: 3, stride: 2, padding: 1, countsPadding: true, "pooling")),
      Example(
        "pairs", shape,
        AxisMap.windows(
          over: shape, kernel: 2, stride: 2, padding: 0, countsPadding: false, "pooling")),
      Example("adaptive", shape, AxisMap.adaptiveWindows(over: shape, to: 2, "pooling")),
      Example("all", shape, AxisMap.adaptiveWindows(over: shape, to: 1, "pooling")),
    ]
  }

  static let examples: [Example] =
    shapes.flatMap { shape in
      let axes = shape.rank - 2
      let sizes = shape.dimensions[1...axes].map { 2 * $0 }
      return [
        Example(
          "double", shape, AxisMap.resampling(shape, to: .axes(sizes), .nearest, "resize")),
        Example("linear", shape, AxisMap.resampling(shape, to: .axes(sizes), .linear(), "resize")),
        Example(
          "smaller", shape,
          AxisMap.resampling(shape, to: 2, .bilinear(alignCorners: true), "resize")),
      ]
        + PaddingMode.allCases.map { mode in
          Example(
            "pad \(mode)", shape,
            AxisMap.padding(
              shape, mode, (0..<axes).map { (before: 1, after: $0) }, "padding"))
        }
    } + windows

  private static func normal(_ shape: Shape, _ seed: UInt64, _ dtype: DType) -> NDArray {
    var stream = RandomStream(seed: seed)
    return stream.normal(shape, dtype)
  }

  private static func inner(_ a: NDArray, _ b: NDArray) -> Double {
    zip(a.doubles, b.doubles).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// All axes at once are the axes one by one, each as the product with its matrix (which a map of an
  /// identity matrix is).
  @Test(arguments: examples, [DType.float32, .float64])
  func isAProductWithMatrices(example: Example, dtype: DType) {
    let x = SpatialTests.normal(example.shape, 31, dtype)
    var expected = x.converted(to: .float64)
    for (axis, map) in example.maps.enumerated() {
      let entries = (0..<(map.inputSize * map.inputSize)).map {
        $0 / map.inputSize == $0 % map.inputSize ? 1.0 : 0
      }
      let identity = NDArray(entries, shape: [1, map.inputSize, map.inputSize])
      let matrix = identity.mapped([map]).reshaped([map.outputSize, map.inputSize])
      var order = Array(0..<example.shape.rank)
      order.swapAt(axis + 1, order.count - 1)
      let moved = expected.permuted(order)
      let rows = moved.reshaped([moved.shape.prefix(moved.shape.rank - 1).count, map.inputSize])
      expected = rows.matmul(matrix, transpose: .right)
        .reshaped(moved.shape.replacing(-1, with: map.outputSize)).permuted(order)
    }
    let found = x.mapped(example.maps)
    #expect(found.shape == expected.shape && found.dtype == dtype)
    #expect(distance(found, expected.doubles) < (dtype == .float32 ? 2e-6 : 1e-13), "seed 31")
  }

  /// <A x, y> = <x, A^T y>, and the transpose of the transpose is the map.
  @Test(arguments: examples) func transposeIsAdjoint(example: Example) {
    let x = SpatialTests.normal(example.shape, 32, .float64)
    let image = x.mapped(example.maps)
    let y = SpatialTests.normal(image.shape, 33, .float64)
    let back = y.mapped(example.maps.map(\.transposed))
    #expect(back.shape == x.shape)
    let scale = Double(max(image.count, 1)).squareRoot()
    #expect(
      abs(SpatialTests.inner(image, y) - SpatialTests.inner(x, back)) / scale < 1e-12,
      "seeds 32, 33")
    #expect(x.mapped(example.maps.map(\.transposed.transposed)) == image)
  }

  /// Where a window takes one element after the other, first of equals, NaN above all; the derivative
  /// adds each cotangent where the maximum stood.
  @Test(arguments: windows, [DType.float32, .float64])
  func maximaAndTheirPlaces(example: Example, dtype: DType) throws {
    // Few distinct values, so that many are equal.
    var values = SpatialTests.normal(example.shape, 34, .float64).doubles.map {
      ($0 * 2).rounded() / 2
    }
    if let first = values.indices.first { values[first] = .nan }
    let x = NDArray(values, shape: example.shape).converted(to: dtype)
    let (found, places) = x.maxPooled(example.maps, savingPositions: true)
    let positions = try #require(places)
    #expect(found == x.maxPooled(example.maps, savingPositions: false).values)

    let weights = SpatialTests.normal(found.shape, 35, dtype)
    let (batch, channels) = (example.shape[0], example.shape[-1])
    let inputs = example.maps.reduce(1) { $0 * $1.inputSize }
    let outputs = example.maps.reduce(1) { $0 * $1.outputSize }
    // Which inputs a window sees: where the map's image of that input alone is not zero.
    let sees = (0..<inputs).map { input in
      var unit = [Double](repeating: 0, count: inputs)
      unit[input] = 1
      let shape = [1] + example.shape[1..<(example.shape.rank - 1)].appending(1)
      return NDArray(unit, shape: shape).mapped(example.maps).doubles.map { $0 != 0 }
    }
    var maxima = [Double](repeating: 0, count: found.count)
    var slopes = [Double](repeating: 0, count: x.count)
    let (cotangents, found32) = (weights.doubles, positions.int32s)
    for n in 0..<batch {
      for output in 0..<outputs {
        let window = (0..<inputs).filter { sees[$0][output] }
        for channel in 0..<channels {
          func value(_ input: Int) -> Double { values[(n * inputs + input) * channels + channel] }
          let place =
            window.first { value($0).isNaN }
            ?? window.reduce(window[0]) { value($1) > value($0) ? $1 : $0 }
          let at = (n * outputs + output) * channels + channel
          maxima[at] = value(place)
          slopes[(n * inputs + place) * channels + channel] += cotangents[at]
          #expect(Int(found32[at]) == place)
        }
      }
    }
    #expect(distance(found, maxima) == 0)
    let gradient = weights.maxPoolGradient(positions: positions, windows: example.maps)
    #expect(gradient.shape == x.shape)
    #expect(distance(gradient, slopes) < (dtype == .float32 ? 1e-5 : 1e-13), "seeds 34, 35")
  }

  /// A mean over 256 by 256 elements of about 1 keeps float32's digits.
  @Test func largeMeansAreAccurate() {
    let values = (0..<65536).map { 1 + Double($0 * 7919 % 1009) / 1009 }
    let x = NDArray(values, shape: [1, 256, 256, 1]).converted(to: .float32)
    let mean = x.mapped(AxisMap.adaptiveWindows(over: x.shape, to: 1, "mean")).item
    #expect(abs(mean - x.doubles.reduce(0, +) / 65536) < 5e-6)
  }

  @Test func extentsReadAndWriteAsTheyAreWritten() throws {
    let uniform: Extent = 3
    let each: Extent = [3, 5]
    #expect(uniform.values(rank: 3) == [3, 3, 3] && each.values(rank: 2) == [3, 5])
    #expect("\(uniform) \(each)" == "3 [3, 5]")
    #expect(Set([uniform, each, 3, [3, 5]]).count == 2)
    let text = try JSONEncoder().encode([uniform, each])
    #expect(String(decoding: text, as: UTF8.self) == "[3,[3,5]]")
    #expect(try JSONDecoder().decode([Extent].self, from: text) == [uniform, each])
  }

  static let mistakes = [
    Mistake(name: "rank", words: ["pooling of shape [2, 3]: expected [batch, one to three"]),
    Mistake(name: "sizes", words: ["pooling: kernel [2] has 1 sizes for 2 spatial axes"]),
    Mistake(name: "zero", words: ["pooling: stride 0: expected at least 1"]),
    Mistake(
      name: "window",
      words: ["windows of 5 with padding 0 do not fit 4 elements of spatial axis 0 of [1, 4, 6, 2]"]
    ),
    Mistake(name: "padding", words: ["windows of 3 with padding 2 do not fit 4 elements"]),
    Mistake(name: "empty", words: ["resize of empty axes: [1, 0, 2]"]),
    Mistake(
      name: "reflect",
      words: [
        "reflect padding of 1 and 4 does not fit 4 elements of spatial axis 0 of [1, 4, 6, 2] "
          + "(0 to 3)"
      ]),
    Mistake(name: "negative", words: ["zero padding of -1 and 0 does not fit 4 elements"]),
    Mistake(name: "amounts", words: ["padding: 1 amounts for 2 spatial axes of [1, 4, 6, 2]"]),
    Mistake(name: "map", words: ["spatial map: maps of sizes [6] do not fit [1, 4, 6, 2]"]),
    Mistake(name: "integers", words: ["spatial map of element type int32"]),
    Mistake(name: "positions", words: ["positions [1, 2, 3, 1] of int32 for [1, 2, 3, 2]"]),
  ]

  static func make(_ name: String) {
    let shape: Shape = [1, 4, 6, 2]
    let x = NDArray(repeating: 1, shape: shape)
    func windows(_ shape: Shape, _ kernel: Extent, stride: Extent = 1, padding: Extent = 0) {
      _ = AxisMap.windows(
        over: shape, kernel: kernel, stride: stride, padding: padding, countsPadding: true,
        "pooling")
    }
    func pad(_ mode: PaddingMode, _ before: Int, _ after: Int, axes: Int = 2) {
      _ = AxisMap.padding(
        shape, mode, Array(repeating: (before: before, after: after), count: axes), "padding")
    }
    switch name {
    case "rank": windows([2, 3], 2)
    case "sizes": windows(shape, [2])
    case "zero": windows(shape, 2, stride: 0)
    case "window": windows(shape, 5)
    case "padding": windows(shape, 3, padding: 2)
    case "empty": _ = AxisMap.resampling([1, 0, 2], to: 2, .nearest, "resize")
    case "reflect": pad(.reflect, 1, 4)
    case "negative": pad(.zero, -1, 0)
    case "amounts": pad(.zero, 1, 1, axes: 1)
    case "map": _ = x.mapped(AxisMap.resampling([1, 6, 2], to: 2, .nearest, "resize"))
    case "integers":
      _ = x.converted(to: .int32).mapped(AxisMap.resampling(shape, to: 2, .nearest, "resize"))
    case "positions":
      _ = NDArray(repeating: 1, shape: [1, 2, 3, 2]).maxPoolGradient(
        positions: NDArray(repeating: 0, shape: [1, 2, 3, 1], .int32),
        windows: AxisMap.adaptiveWindows(over: shape, to: [2, 3], "pooling"))
    default: break
    }
  }

  @Test(arguments: mistakes) func traps(mistake: Mistake) async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [mistake] in
      SpatialTests.make(mistake.name)
    }
    #expect(mistake.missing(in: result?.standardErrorContent) == nil)
  }
}
