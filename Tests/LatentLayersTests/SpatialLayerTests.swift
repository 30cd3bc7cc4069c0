// Pooling, upsampling, pixel shuffle and padding as layers: their shapes are those of their
// documentation, their values those of the operations, which are compared with PyTorch's.

import Foundation
import LatentAutodiff
import LatentLayers
import LatentNumerics
import TestSupport
import Testing

@Suite struct SpatialLayerTests {
  /// A layer, the shapes as its documentation gives them, and what the names in them stand for.
  struct Row: Sendable, CustomTestStringConvertible {
    var name: String
    var file: String
    var layer: any Layer
    var shapes: String
    var sizes: [String: Int]
    var operation: @Sendable (Tensor) -> Tensor
    var testDescription: String { "\(name): \(shapes)" }
  }

  static let plane = ["batch": 2, "height": 6, "width": 4, "channels": 3]
  static let pooled =
    "[batch, height, width, channels] -> [batch, (height + 2 padding - kernel) / stride + 1, "
    + "(width + 2 padding - kernel) / stride + 1, channels]"
  static let line = ["batch": 2, "length": 7, "channels": 3]
  static let pooledLine =
    "[batch, length, channels] -> [batch, (length + 2 padding - kernel) / stride + 1, channels]"

  static func with(_ sizes: [String: Int], _ more: [String: Int]) -> [String: Int] {
    sizes.merging(more) { $1 }
  }

  static let rows: [Row] = {
    let window = ["kernel": 3, "stride": 2, "padding": 1]
    return [
      Row(
        name: "MaxPool2D", file: "Pooling", layer: MaxPool2D(kernel: 3, stride: 2, padding: 1),
        shapes: pooled, sizes: with(plane, window)
      ) { $0.maxPooled(kernel: 3, stride: 2, padding: 1) },
      Row(
        name: "MaxPool1D", file: "Pooling", layer: MaxPool1D(kernel: 3, stride: 2, padding: 1),
        shapes: pooledLine, sizes: with(line, window)
      ) { $0.maxPooled(kernel: 3, stride: 2, padding: 1) },
      Row(
        name: "AveragePool2D", file: "Pooling",
        layer: AveragePool2D(kernel: 3, stride: 2, padding: 1, countsPadding: false),
        shapes: pooled, sizes: with(plane, window)
      ) { $0.averagePooled(kernel: 3, stride: 2, padding: 1, countsPadding: false) },
      Row(
        name: "AveragePool1D", file: "Pooling", layer: AveragePool1D(kernel: 2),
        shapes: pooledLine, sizes: with(line, ["kernel": 2, "stride": 2, "padding": 0])
      ) { $0.averagePooled(kernel: 2) },
      Row(
        name: "AdaptiveAveragePool1D", file: "Pooling", layer: AdaptiveAveragePool1D(3),
        shapes: "[batch, size..., channels] -> [batch, outputSize..., channels]",
        sizes: ["batch": 2, "size": 7, "channels": 3, "outputSize": 3]
      ) { $0.adaptiveAveragePooled(to: 3) },
      Row(
        name: "AdaptiveMaxPool1D", file: "Pooling", layer: AdaptiveMaxPool1D(3),
        shapes: "[batch, size..., channels] -> [batch, outputSize..., channels]",
        sizes: ["batch": 2, "size": 7, "channels": 3, "outputSize": 3]
      ) { $0.adaptiveMaxPooled(to: 3) },
      Row(
        name: "GlobalAveragePool", file: "Pooling", layer: GlobalAveragePool(),
        shapes: "[batch, size..., channels] -> [batch, channels]",
        sizes: ["batch": 2, "size": 5, "channels": 3]
      ) { $0.mean(axes: [1]) },
      Row(
        name: "Upsample", file: "Upsample", layer: Upsample(scale: 2),
        shapes: "[batch, size..., channels] -> [batch, size * scale..., channels]",
        sizes: ["batch": 2, "size": 5, "channels": 3, "scale": 2]
      ) { $0.upsampled(by: 2) },
      Row(
        name: "Resize", file: "Upsample", layer: Resize(7, .bilinear(alignCorners: true)),
        shapes: "[batch, size..., channels] -> [batch, outputSize..., channels]",
        sizes: ["batch": 2, "size": 5, "channels": 3, "outputSize": 7]
      ) { $0.resized(to: 7, .linear(alignCorners: true)) },
      Row(
        name: "PixelShuffle", file: "PixelShuffle", layer: PixelShuffle(2),
        shapes: "[batch, height, width, channels * factor^2] -> "
          + "[batch, height * factor, width * factor, channels]",
        sizes: with(plane, ["factor": 2])
      ) { $0.pixelShuffled(by: 2) },
      Row(
        name: "PixelUnshuffle", file: "PixelShuffle", layer: PixelUnshuffle(2),
        shapes: "[batch, height, width, channels] -> "
          + "[batch, height / factor, width / factor, channels * factor^2]",
        sizes: with(plane, ["factor": 2])
      ) { $0.pixelUnshuffled(by: 2) },
      Row(
        name: "SpatialPadding", file: "SpatialPadding",
        layer: SpatialPadding(.reflect, before: 2, after: 1),
        shapes: "[batch, size..., channels] -> [batch, before + size + after..., channels]",
        sizes: ["batch": 2, "size": 5, "channels": 3, "before": 2, "after": 1]
      ) { $0.padded(.reflect, amounts: [(2, 1)]) },
    ]
  }()

  /// Both sides of `[...] -> [...]` with numbers for names; `/` rounds down.
  static func shapes(_ text: String, _ sizes: [String: Int]) throws -> [Shape] {
    try text.components(separatedBy: " -> ").map { side in
      let inside = side.trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
      return Shape(
        try inside.components(separatedBy: ", ").map {
          var expression = Expression(text: $0.replacingOccurrences(of: "...", with: ""), sizes)
          let size = expression.sum()
          return try #require(size, "\($0) is no size")
        })
    }
  }

  /// Sums, products (also by juxtaposition), quotients, powers and parentheses.
  struct Expression {
    var words: ArraySlice<String>
    let sizes: [String: Int]

    init(text: String, _ sizes: [String: Int]) {
      var spaced = text
      for mark in ["(", ")", "^"] {
        spaced = spaced.replacingOccurrences(of: mark, with: " \(mark) ")
      }
      words = ArraySlice(spaced.split(separator: " ").map(String.init))
      self.sizes = sizes
    }

    mutating func sum() -> Int? {
      guard var total = product() else { return nil }
      while let mark = words.first, mark == "+" || mark == "-" {
        words.removeFirst()
        guard let next = product() else { return nil }
        total += mark == "+" ? next : -next
      }
      return total
    }

    mutating func product() -> Int? {
      guard var total = power() else { return nil }
      while let mark = words.first, !["+", "-", ")"].contains(mark) {
        if mark == "*" || mark == "/" { words.removeFirst() }
        guard let next = power() else { return nil }
        total = mark == "/" ? total / next : total * next
      }
      return total
    }

    mutating func power() -> Int? {
      guard let base = atom() else { return nil }
      guard words.first == "^" else { return base }
      words.removeFirst()
      return atom().map { (0..<$0).reduce(1) { product, _ in product * base } }
    }

    mutating func atom() -> Int? {
      guard let word = words.popFirst() else { return nil }
      if word != "(" { return Int(word) ?? sizes[word] }
      let value = sum()
      return words.popFirst() == ")" ? value : nil
    }
  }

  @Test(arguments: rows) func shapesAreThoseOfTheDocumentation(row: Row) throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Sources/LatentLayers/Spatial/\(row.file).swift")
    let source = try String(contentsOf: file, encoding: .utf8)
      .replacingOccurrences(of: "\n/// ", with: " ").replacingOccurrences(of: "`", with: "")
    // The documentation stands right before the declaration.
    let kinds = ["public struct \(row.name):", "public typealias \(row.name) "]
    let place = try #require(kinds.lazy.compactMap { source.range(of: $0) }.first?.lowerBound)
    let documentation = source[..<place].split(separator: "\n").last ?? ""
    let inherited = row.name.hasPrefix("Adaptive") ? source[...] : documentation
    #expect(inherited.contains(row.shapes), "\(row.name): \(documentation)")

    let shapes = try SpatialLayerTests.shapes(row.shapes, row.sizes)
    var random = RandomStream(seed: 12)
    let x = random.doubles(shapes[0])
    let y = row.layer(x)
    #expect(y.shape == shapes[1])
    #expect(distance(y, row.operation(x)) < 1e-14)
    #expect(row.layer.parameterCount == 0)
  }

  @Test func threeAxesAndOtherForms() {
    let x = Tensor.ones([1, 4, 6, 8, 2])
    #expect(MaxPool3D(kernel: 2)(x).shape == [1, 2, 3, 4, 2])
    #expect(AveragePool3D(kernel: [1, 2, 2], stride: [1, 2, 4])(x).shape == [1, 4, 3, 2, 2])
    #expect(AdaptiveAveragePool3D([2, 3, 4])(x).floats == [Float](repeating: 1, count: 48))
    #expect(AdaptiveMaxPool3D(1)(x).shape == [1, 1, 1, 1, 2])
    #expect(AdaptiveMaxPool2D([2, 1])(Tensor.ones([1, 5, 4, 3])).shape == [1, 2, 1, 3])
    #expect(AdaptiveAveragePool2D(2)(Tensor.ones([1, 5, 4, 3])).shape == [1, 2, 2, 3])
    #expect(GlobalAveragePool()(x).shape == [1, 2])
    #expect(SpatialPadding(.circular, [1, 2, 3])(x).shape == [1, 6, 10, 14, 2])
    #expect(
      PixelUnshuffle(2)(PixelShuffle(2)(Tensor.range(48).reshaped([2, 1, 3, 8]))).floats
        == (0..<48).map(Float.init))
  }

  static let mistakes = [
    Mistake(
      name: "rank",
      words: ["max pooling over 2 spatial axes of input [2, 6, 3]: expected 4 axes"]),
    Mistake(name: "kernel", words: ["average pooling: windows of 7 with padding 0 do not fit 6"]),
    Mistake(name: "scale", words: ["upsampling: scale [2] has 1 sizes for 2 spatial axes"]),
    Mistake(
      name: "shuffle",
      words: ["pixel shuffle by 2: 3 channels of [2, 6, 6, 3] are no multiple of 4"]),
    Mistake(
      name: "unshuffle",
      words: ["pixel unshuffle by 4: spatial axes of [2, 6, 6, 3] are no multiples of it"]),
    Mistake(name: "factor", words: ["pixel shuffle by 0"]),
    Mistake(name: "padding", words: ["circular padding of 7 and 7 does not fit 6 elements"]),
    Mistake(name: "before", words: ["padding: before [1] has 1 sizes for 2 spatial axes"]),
  ]

  static func make(_ name: String) {
    let x = Tensor.ones([2, 6, 6, 3])
    switch name {
    case "rank": _ = MaxPool2D(kernel: 2)(.ones([2, 6, 3]))
    case "kernel": _ = AveragePool2D(kernel: 7)(x)
    case "scale": _ = Upsample(scale: [2])(x)
    case "shuffle": _ = PixelShuffle(2)(x)
    case "unshuffle": _ = PixelUnshuffle(4)(x)
    case "factor": _ = PixelShuffle(0)
    case "padding": _ = SpatialPadding(.circular, 7)(x)
    case "before": _ = SpatialPadding(.zero, before: [1], after: 2)(x)
    default: break
    }
  }

  @Test(arguments: mistakes) func traps(mistake: Mistake) async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [mistake] in
      SpatialLayerTests.make(mistake.name)
    }
    #expect(mistake.missing(in: result?.standardErrorContent) == nil)
  }
}
