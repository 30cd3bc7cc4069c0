// Which weights of a module are stored at low precision, and that it computes nearly the same.

import LatentAutodiff
import LatentLayers
import LatentNumerics
import Testing

/// A tied embedding, a weight of two uses, a convolution there and back, and a weight made anew.
private struct Mixed: Module {
  var first: Linear
  var down: Conv2D
  var up: ConvTranspose2D
  var normed: WeightNorm<Linear>
  var table: Tensor
  var tied: Embedding
  var halves: Tensor
  var unused: Linear

  init() {
    var random = RandomStream(seed: 5)
    first = Linear(16, 64, activation: .relu, using: &random)
    down = Conv2D(4, 6, kernel: 3, padding: 1, activation: .relu, using: &random)
    up = ConvTranspose2D(6, 4, kernel: 4, stride: 2, padding: 1, using: &random)
    normed = WeightNorm(Linear(8, 5, using: &random))
    table = random.normalTensor([7, 5])
    tied = Embedding(count: 6, size: 5, using: &random)
    halves = random.normalTensor([6, 5])
    unused = Linear(3, 3, using: &random)
  }

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&first, "first")
    visitor.visit(&down, "down")
    visitor.visit(&up, "up")
    visitor.visit(&normed, "normed")
    visitor.visit(&table, "table")
    visitor.visit(&tied, "tied")
    visitor.visit(&halves, "halves")
    visitor.visit(&unused, "unused")
  }

  /// `[batch, 16] -> [batch, 12]`.
  func callAsFunction(_ x: Tensor) -> Tensor {
    let image = up(down(first(x).reshaped([-1, 4, 4, 4])))  // [batch, 8, 8, 4]
    let code = normed(image.reshaped([-1, 32, 8]).sum(axes: [1]))  // [batch, 5]
    let words =
      linear(code + tied(Tensor([3] as [Int32])), weight: table, bias: nil)
      .sliced(1, 0..<6) + linear(code, weight: tied.weight, bias: nil)
    let two = [0..<3, 3..<6].map { linear(code, weight: halves.sliced(0, $0), bias: nil) }
    return Tensor.concatenate([words] + two, axis: 1)
  }
}

@Suite struct QuantizationTests {
  private let x: Tensor = {
    var random = RandomStream(seed: 6)
    return random.normalTensor([200, 16])
  }()

  @Test(arguments: LowPrecision.allCases) func onlyWholeFactorsChange(
    precision: LowPrecision
  ) throws {
    let model = Mixed()
    let quantized = model.quantized(precision) { _ = $0(x) }
    // Not: weights that are computed, looked up, used in slices, and that nobody used; no biases.
    #expect(
      quantized.lowPrecisionPaths == ["first.weight", "down.weight", "up.weight", "table"])
    #expect(model.lowPrecisionPaths.isEmpty)
    let type: DType = precision == .int8 ? .int8 : .bfloat16
    #expect(quantized.first.weight.dtype == type && quantized.first.bias?.dtype == .float32)
    let kept = model.quantized(precision, keeping: { $0 == "table" || $0.hasPrefix("up") }) {
      _ = $0(x)
    }
    #expect(kept.lowPrecisionPaths == ["first.weight", "down.weight"])
    let (expected, found) = (model(x), quantized(x))
    #expect(found.dtype == .float32 && found.shape == expected.shape)
    let size = expected.doubles.map(abs).max() ?? 0
    let off = zip(expected.doubles, found.doubles).map { abs($0 - $1) }.max() ?? 1
    #expect(off > 0 && off < (precision == .int8 ? 0.05 : 0.02) * size)
    // The way back: an ordinary model of nearly the same weights, which has derivatives.
    let back = quantized.converted(to: .float32)
    #expect(back.lowPrecisionPaths.isEmpty)
    for (old, new) in zip(model.parameters, back.parameters) {
      let limit = (old.doubles.map(abs).max() ?? 0) / (precision == .int8 ? 253 : 255)
      #expect(zip(old.doubles, new.doubles).allSatisfy { abs($0 - $1) <= limit })
    }
    let (_, gradients) = valueAndGradient(at: back) { square($0(x)).sum() }
    #expect(gradients.firstNonFinite == nil)
  }

  @Test func rangesAndScales() throws {
    let model = Mixed()
    let quantized = model.quantized(.int8) { model in
      _ = model(x)
      _ = model(x * 2)
    }
    let first = try #require(quantized.first.weight.array.quantization)
    let largest = Float(x.doubles.map(abs).max() ?? 0)
    #expect(first.inputIsSigned && abs(first.inputScale - largest * 2 / 127) < 1e-6)
    #expect(first.scales.shape == [64, 1])
    // After relu nothing is below zero.
    let down = try #require(quantized.down.weight.array.quantization)
    #expect(!down.inputIsSigned && down.scales.shape == [6, 1, 1, 1])
    #expect(try #require(quantized.up.weight.array.quantization).scales.shape == [1, 1, 1, 4])
  }

  /// The arrays of a quantised module make one of any module of the type, and the other way round.
  @Test(arguments: LowPrecision.allCases) func loading(precision: LowPrecision) throws {
    let model = Mixed()
    let quantized = model.quantized(precision) { _ = $0(x) }
    var other = Mixed()
    try other.load(quantized.namedArrays)
    #expect(other.namedArrays == quantized.namedArrays && other(x).array == quantized(x).array)
    try other.load(model.namedArrays)
    #expect(other.namedArrays == model.namedArrays)
  }

  /// Everything that a model computes with, one kind after the other.
  private struct Computing: Module {
    var linear: Linear
    var norm = LayerNorm(4)
    var batchNorm = BatchNorm(4)
    var down: Conv2D
    var up: ConvTranspose2D
    var recurrent: GRU
    var table: Embedding
    var positions: PositionEncoding
    var normed: WeightNorm<Linear>
    var spectral: SpectralNorm<Linear>

    init() {
      var random = RandomStream(seed: 7)
      linear = Linear(3, 4, using: &random)
      down = Conv2D(4, 4, kernel: 2, using: &random)
      up = ConvTranspose2D(4, 4, kernel: 2, using: &random)
      recurrent = GRU(4, 3, using: &random)
      table = Embedding(count: 5, size: 4, using: &random)
      positions = PositionEncoding(.learned, length: 3, width: 4, heads: 1, using: &random)
      normed = WeightNorm(Linear(4, 4, using: &random))
      spectral = SpectralNorm(Linear(4, 4, using: &random), using: &random)
    }

    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      visitor.visit(&linear, "linear")
      visitor.visit(&norm, "norm")
      visitor.visit(&batchNorm, "batchNorm")
      visitor.visit(&down, "down")
      visitor.visit(&up, "up")
      visitor.visit(&recurrent, "recurrent")
      visitor.visit(&table, "table")
      visitor.visit(&positions, "positions")
      visitor.visit(&normed, "normed")
      visitor.visit(&spectral, "spectral")
    }
  }

  /// Low precision is refused when it is loaded, not when it is first computed with.
  @Test func whatIsComputedWithIsRefused() throws {
    var model = Computing()
    let before = model.namedArrays
    try model.load(before)
    let factors = ["linear.weight", "down.weight", "up.weight", "recurrent.cells.0.input.weight"]
    try model.load(
      before.map { path, array in
        (path, factors.contains(path) ? array.converted(to: .bfloat16) : array)
      }.reduce(into: [:]) { $0[$1.0] = $1.1 })
    #expect(model.lowPrecisionPaths == factors)
    model = Computing()
    let all = before.mapValues { $0.converted(to: .bfloat16) }
    let error = #expect(throws: ParameterMismatch.self) { try model.load(all) }
    #expect(
      error?.refused.map(\.path)
        == model.namedParameters.map(\.path).filter { !factors.contains($0) })
    #expect(error?.refused.contains { $0.path == "recurrent.cells.0.state.weight" } == true)
    #expect(error?.refused.contains { $0.path == "batchNorm.runningMean" } == true)
    #expect(
      error?.description.contains(
        "  norm.scale: bfloat16 in the file, the model needs a type to compute with: convert it to "
          + "float32") == true)
    #expect(model.namedArrays == before)
  }

  /// int8 weights of one kind of layer in one of another kind.
  @Test func scalesOfAnotherLayerAreRefused() throws {
    var model = Computing()
    let before = model.namedArrays
    let forms: [(path: String, right: Shape, wrong: Shape)] = [
      ("down.weight", [4, 1, 1, 1], [1, 1, 1, 4]), ("up.weight", [1, 1, 1, 4], [4, 1, 1, 1]),
    ]
    for form in forms {
      let weight = try #require(before[form.path])
      let wrong = weight.quantized(scalesShape: form.wrong, inputRange: 0...1)
      let error = #expect(throws: ParameterMismatch.self) {
        try model.load([form.path: wrong], partial: true)
      }
      #expect(error?.refused.map(\.found) == ["scales \(form.wrong)"])
      #expect(error?.refused.map(\.expected) == ["scales \(form.right)"])
      try model.load(
        [form.path: weight.quantized(scalesShape: form.right, inputRange: 0...1)], partial: true)
    }
    let part = NDArray(repeating: 1, shape: [8, 3])
      .quantized(scalesShape: [8, 1], inputRange: 0...1).rows(0..<4)
    let error = #expect(throws: ParameterMismatch.self) {
      try model.load(["linear.weight": part], partial: true)
    }
    #expect(error?.refused.map(\.found) == ["int8 without scales"])
  }

  /// Attention over another sequence multiplies with slices of a weight in 16 bits.
  @Test func crossAttentionInSixteenBits() {
    var random = RandomStream(seed: 8)
    var attention = MultiHeadAttention(8, heads: 2, using: &random)
    let (x, memory) = (random.normalTensor([2, 3, 8]), random.normalTensor([2, 5, 8]))
    attention.qkv.weight = attention.qkv.weight.converted(to: .bfloat16)
    _ = attention(x)
    let found = attention(x, over: memory)
    attention.qkv.weight = attention.qkv.weight.converted(to: .float32)
    #expect(distance(found, attention(x, over: memory)) < 0.02)
  }

  @Test func nothingIsSeenOutside() {
    var model = Mixed()
    let seen = WeightObserver.weights { _ = model.first(x) }
    #expect(seen.count == 1 && seen[0].channels == .outputsFirst)
    _ = model.first(x)
    model.first.weight = model.first.weight.converted(to: .float64)
    #expect(WeightObserver.weights {}.isEmpty)
  }

  static let mistakes = [
    ("derivative of the input", "there is no derivative through a weight of low precision"),
    ("derivative of the model", "there is no derivative through a weight of low precision"),
    ("convolution", "there is no derivative through a weight of low precision"),
    ("arithmetic", "an operation on bfloat16, which only stores weights"),
    ("sum", "element type int8 (convert it first)"),
    ("slices", "the int8 weight [3, 16] is a part or another form of a quantised one"),
    ("to int8", "becomes int8 by quantized(scalesShape:inputRange:)"),
    ("not finite", "calibration: the input [200, 16] of a product with weight [64, 16]"),
  ]

  static func make(_ name: String) {
    var random = RandomStream(seed: 6)
    let x = random.normalTensor([200, 16])
    let model = Mixed()
    let small = model.quantized(.int8) { _ = $0(x) }
    let half = model.quantized(.bfloat16) { _ = $0(x) }
    switch name {
    case "derivative of the input": _ = valueAndGradient(at: [x]) { small.first($0[0]).sum() }
    case "derivative of the model": _ = valueAndGradient(at: half) { $0(x).sum() }
    case "convolution":
      let image = Tensor.ones([1, 4, 4, 4])
      _ = valueAndGradient(at: [image]) { half.up(half.down($0[0])).sum() }
    case "arithmetic": _ = half.first.weight.transposed
    case "sum": _ = small.first.weight.sum()
    case "slices": _ = linear(x, weight: small.first.weight.sliced(0, 0..<3), bias: nil)
    case "to int8": _ = model.first.weight.converted(to: .int8)
    case "not finite": _ = model.quantized(.int8) { _ = $0(x / 0) }
    default: break
    }
  }

  @Test(arguments: mistakes) func traps(name: String, words: String) async throws {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [name] in
      QuantizationTests.make(name)
    }
    let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(text.contains(words), "\(name): \(text.prefix(300))")
  }
}
