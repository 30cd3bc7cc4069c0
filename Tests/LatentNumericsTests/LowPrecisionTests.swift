// Weights in 16 and 8 bits: conversions element by element against the rules as they are written down,
// products against the same integers in float64. Every product is taken by oneDNN, where it is there,
// and by the library's own kernels.

import Foundation
import Testing

@testable import LatentNumerics

/// An array as a layer reads it: integers and what one step of them is worth.
private struct Integers {
  let values: NDArray  // float64
  let step: Float

  init(input x: NDArray, _ quantization: Quantization) {
    step = quantization.inputScale
    let inverse = 1 / step
    let limits: ClosedRange<Float> = quantization.inputIsSigned ? -127...127 : 0...255
    let rounded = x.floats.map { value in
      Double(
        min(max((value * inverse), limits.lowerBound), limits.upperBound).rounded(.toNearestOrEven))
    }
    values = NDArray(rounded, shape: x.shape)
  }
}

/// The integers of an int8 weight.
private func integers(of weight: NDArray) -> NDArray {
  weight.withUnsafeBytes { NDArray($0.map { Double(Int8(bitPattern: $0)) }, shape: weight.shape) }
}

@Suite struct LowPrecisionTests {
  // MARK: Conversions

  /// The pattern that a correct rounding of `value` has: the nearer of the two neighbours, the even one
  /// of equally near ones.
  private func bfloat16(_ value: Float) -> UInt16 {
    if value.isNaN { return UInt16(value.bitPattern >> 16) | 0x40 }
    let lower = value.bitPattern & 0xffff_0000
    let rest = value.bitPattern - lower
    let goesUp = rest > 0x8000 || (rest == 0x8000 && lower & 0x1_0000 != 0)
    return UInt16((goesUp ? lower + 0x1_0000 : lower) >> 16)
  }

  @Test func bfloat16RoundsToTheNearest() {
    var cases = Cases(seed: 30)
    var values: [Float] = [0, -0.0, 1, .infinity, -.infinity, .nan, .greatestFiniteMagnitude]
    values += [
      Float(bitPattern: 0x3f80_8000), Float(bitPattern: 0x3f81_8000), Float(bitPattern: 77),
    ]
    for _ in 0..<5000 { values.append(Float(bitPattern: UInt32(cases.integer(0...0xffff_ffff)))) }
    let array = NDArray(values).converted(to: .bfloat16)
    #expect(array.dtype == .bfloat16 && array.byteCount == 2 * values.count)
    let patterns = array.withUnsafeBytes { Array($0.bindMemory(to: UInt16.self)) }
    #expect(patterns == values.map(bfloat16))
    let back = array.floats.map(\.bitPattern)
    #expect(back == patterns.map { UInt32($0) << 16 })
    #expect(array.converted(to: .float64).converted(to: .bfloat16) == array)
    let rounded = NDArray(values).roundedToBFloat16.floats.map(\.bitPattern)
    #expect(rounded == back)
    #expect(NDArray([Float(1.5)]).converted(to: .bfloat16).item == 1.5)
  }

  /// Each channel's largest element becomes 127 or -127, every other one is off by half a step at most.
  @Test(arguments: [
    ([6, 9], [6, 1]), ([6, 2, 3, 4], [6, 1, 1, 1]), ([6, 2, 3, 4], [1, 1, 1, 4]),
    ([6, 2, 3, 4], [3, 1, 1, 4]), ([5], [5]),
  ]) func weightsKeepTheirLargest(shape: [Int], scales: [Int]) throws {
    var random = RandomStream(seed: 31)
    let weight = random.normal(Shape(shape))
    let stored = weight.quantized(scalesShape: Shape(scales), inputRange: -1...2)
    let quantization = try #require(stored.quantization)
    #expect(stored.dtype == .int8 && stored.shape == weight.shape)
    #expect(quantization.scales.shape == Shape(scales))
    #expect(quantization.inputScale == 2 / 127 && quantization.inputIsSigned)
    let numbers = integers(of: stored)
    #expect(numbers.doubles.allSatisfy { abs($0) <= 127 })
    #expect(numbers.doubles.filter { abs($0) == 127 }.count >= quantization.scales.count)
    let first = shape[0] / scales[0]
    let steps = Shape(shape).indices.map { index -> Float in
      let place = zip(index, scales).enumerated().map { axis, pair in
        pair.1 == 1 ? 0 : axis == 0 ? pair.0 / first : pair.0
      }
      return quantization.scales.floats[Shape(scales).position(place)]
    }
    let back = stored.converted(to: .float32).floats
    for (index, value) in weight.floats.enumerated() {
      #expect(abs(back[index] - value) <= steps[index] * 0.5001)
    }
    // What it stands for becomes the same integers again.
    let again = stored.converted(to: .float32).quantized(
      scalesShape: Shape(scales), inputRange: -1...2)
    #expect(integers(of: again) == numbers)
    #expect(stored.copy() == stored && stored.copy().quantization == quantization)
    #expect(stored.reshaped([weight.count]).quantization == nil || shape.count == 1)
  }

  @Test func zerosAndTinyWeights() throws {
    let weight = NDArray([0, 0, 1e-30, 2e-30, 3, 1.5] as [Float], shape: [3, 2])
    let stored = weight.quantized(scalesShape: [3, 1], inputRange: 0...0)
    #expect(integers(of: stored).doubles == [0, 0, 0, 0, 127, 64])
    let quantization = try #require(stored.quantization)
    #expect(quantization.scales.floats.allSatisfy { $0 > 0 } && quantization.inputScale > 0)
  }

  @Test func inputsSaturate() {
    let x = NDArray([-9, -0.51, -0.5, 0, 0.5, 1.5, 2.5, 126.6, 300, .nan, .infinity] as [Float])
    func bytes(_ range: ClosedRange<Float>) -> [UInt8] {
      let quantization = Quantization(
        scales: NDArray(repeating: 1, shape: [1, 1]), inputRange: range)
      #expect(quantization.inputScale == 1)
      return RowType(quantization).bytes(of: x).bytes.withUnsafeBytes { Array($0) }
    }
    #expect(
      bytes(-127...1).map { Int8(bitPattern: $0) } == [-9, -1, 0, 0, 0, 2, 2, 127, 127, 0, 127])
    #expect(bytes(0...255) == [0, 0, 0, 0, 0, 2, 2, 127, 255, 0, 255])
  }

  @Test func impossibleScalesAreNamed() {
    func reason(
      _ scales: [Float], _ shape: Shape, range: (Float, Float) = (0, 1), of weight: Shape = [2, 6]
    ) -> QuantizationMismatch? {
      let scales = NDArray(scales, shape: shape)
      guard
        case .failure(let reason) = Quantization.checked(
          scales: scales, inputRange: range, for: weight)
      else { return nil }
      return reason
    }
    #expect(reason([1, 1], [2, 1]) == nil)
    #expect(reason([1, 1], [2, 1, 1], of: [2, 3, 4]) == nil)
    #expect(reason([1, 1, 1, 1], [1, 1, 4], of: [2, 3, 4]) == nil)
    // Scales that divide the extents, but that no operation has.
    let wrong: [(scales: Shape, weight: Shape)] = [
      ([3, 1], [2, 6]), ([1, 1], [2, 6]), ([1, 3], [2, 6]), ([1, 6], [2, 6]), ([2, 6], [2, 6]),
      ([1, 1, 2], [2, 3, 4]), ([2, 3, 1], [2, 3, 4]), ([1, 1, 1], [2, 3, 4]), ([0, 1], [2, 6]),
    ]
    for row in wrong {
      let found = reason(Array(repeating: 1, count: row.scales.count), row.scales, of: row.weight)
      #expect(found?.found == "scales \(row.scales) of float32")
    }
    let long = reason([1], [1, 1], of: [1, 70_000])
    #expect(long?.found == "70000 products for each output of a weight of shape [1, 70000]")
    #expect(long?.expected == "at most 65536, whose sums stay within 32 bits")
    #expect(reason([1], [1, 1], of: [1, 65_536]) == nil)
    #expect(reason([1, 1], [1, 1, 2], of: [32_769, 2, 2])?.found.contains("65538") == true)
    #expect(reason([1, 1], [2])?.expected == "float32 that fit a weight of shape [2, 6]")
    for wrong in [0, -1, .nan, .infinity] as [Float] {
      #expect(reason([1, wrong], [2, 1])?.found == "a scale that is no positive number")
    }
    for range in [(1, 0), (.nan, 1), (0, .infinity)] as [(Float, Float)] {
      #expect(reason([1, 1], [2, 1], range: range)?.expected == "finite numbers in order")
    }
  }

  // MARK: Products

  struct Product: Sendable, CustomTestStringConvertible {
    var rows: Int, inputs: Int, outputs: Int
    var isSigned = false, hasBias = true
    var activation = Activation.none
    var testDescription: String {
      "\(rows)x\(inputs)x\(outputs) \(isSigned ? "signed" : "") \(hasBias) \(activation)"
    }
  }

  static let products = [
    Product(rows: 1, inputs: 7, outputs: 3), Product(rows: 1, inputs: 784, outputs: 400),
    Product(rows: 64, inputs: 784, outputs: 400, activation: .relu),
    Product(rows: 37, inputs: 400, outputs: 40, hasBias: false),
    Product(rows: 65, inputs: 20, outputs: 401, isSigned: true, activation: .relu),
    Product(rows: 130, inputs: 129, outputs: 66, isSigned: true, hasBias: false),
    Product(rows: 5, inputs: 33, outputs: 17, isSigned: true, activation: .tanh),
    Product(rows: 300, inputs: 784, outputs: 90, isSigned: true, activation: .gelu),
    Product(rows: 0, inputs: 5, outputs: 3), Product(rows: 2, inputs: 0, outputs: 3),
  ]

  @Test(arguments: products) func linear(product: Product) throws {
    var random = RandomStream(seed: 32)
    let x = random.normal([product.rows, product.inputs]).unary(product.isSigned ? .negate : .abs)
    let weight = random.normal([product.outputs, product.inputs])
    let bias = product.hasBias ? random.normal([product.outputs]) : nil
    let range: ClosedRange<Float> = product.isSigned ? -2.5...2 : 0...2.5

    func check(_ weight: NDArray, _ exact: NDArray, _ tolerance: Double) {
      let biased =
        bias.map { exact.binary(.add, $0.converted(to: .float64)) } ?? exact
      let expected = biased.addingBias(nil, activation: product.activation, savingPre: false).output
      let size = max(1, expected.doubles.map(abs).max() ?? 1)
      let ways = [true, false].map {
        x.lowPrecisionLinear(weight, bias: bias, activation: product.activation, byPlans: $0)
      }
      for way in ways {
        #expect(way.shape == expected.shape && way.dtype == .float32)
        #expect(distance(way, expected.doubles) <= tolerance * size)
      }
    }
    let stored = weight.quantized(scalesShape: [product.outputs, 1], inputRange: range)
    if product.inputs > 0 {
      let quantization = try #require(stored.quantization)
      let rows = Integers(input: x, quantization)
      let scales = quantization.scales.reshaped([product.outputs]).converted(to: .float64)
      let sums = rows.values.matmul(integers(of: stored), transpose: .right)
      check(
        stored, sums.binary(.multiply, scales).binary(.multiply, scalar: Double(rows.step)), 1e-6)
    }
    let halves = weight.converted(to: .bfloat16)
    let exact = x.roundedToBFloat16.converted(to: .float64)
      .matmul(halves.converted(to: .float64), transpose: .right)
    check(halves, exact, 3e-6)
  }

  // MARK: Convolutions

  struct Layer: Sendable, CustomTestStringConvertible {
    var input: [Int], outputs: Int, kernel: [Int]
    var stride = 1, padding = 0, dilation = 1, groups = 1, extra = 0, batch = 3
    var isSigned = false
    var activation = Activation.relu
    var testDescription: String {
      "\(batch)x\(input)>\(outputs) k\(kernel) s\(stride) p\(padding) d\(dilation) g\(groups) "
        + "\(isSigned) \(activation)"
    }
    var geometry: ConvolutionGeometry {
      ConvolutionGeometry(
        rank: kernel.count, kernel: .axes(kernel), stride: .same(stride), before: .same(padding),
        dilation: .same(dilation), groups: groups)
    }
  }

  static let layers = [
    Layer(input: [16, 16, 3], outputs: 32, kernel: [4, 4], stride: 2, padding: 1),
    Layer(
      input: [16, 16, 3], outputs: 32, kernel: [4, 4], stride: 2, padding: 1, batch: 64,
      isSigned: true),
    Layer(input: [8, 8, 32], outputs: 64, kernel: [4, 4], stride: 2, padding: 1, batch: 1),
    Layer(
      input: [9, 7, 16], outputs: 24, kernel: [3, 3], padding: 1, isSigned: true,
      activation: .none),
    Layer(
      input: [8, 8, 8], outputs: 12, kernel: [3, 2], dilation: 2, groups: 4, activation: .silu),
    Layer(input: [6, 6, 20], outputs: 33, kernel: [1, 1], activation: .none),
    Layer(input: [32, 32, 16], outputs: 16, kernel: [5, 5], padding: 2, batch: 1),
    Layer(input: [30, 5], outputs: 7, kernel: [3], stride: 2, padding: 1, isSigned: true),
    Layer(input: [4, 5, 6, 4], outputs: 8, kernel: [2, 3, 3], padding: 1),
  ]

  /// `exact` are the sums without bias, in float64 and times the scales.
  private func expect(
    _ ways: [NDArray], _ exact: NDArray, _ bias: NDArray, _ activation: Activation,
    _ tolerance: Double
  ) {
    let expected = exact.addingBias(
      bias.converted(to: .float64), activation: activation, savingPre: false
    ).output
    let size = max(1, expected.doubles.map(abs).max() ?? 1)
    for way in ways {
      #expect(way.shape == expected.shape && way.dtype == .float32)
      #expect(distance(way, expected.doubles) <= tolerance * size)
    }
  }

  @Test(arguments: layers) func convolution(layer: Layer) throws {
    var random = RandomStream(seed: 33)
    let geometry = layer.geometry
    let channels = layer.input[layer.input.count - 1]
    let x = random.normal(Shape([layer.batch] + layer.input))
      .unary(layer.isSigned ? .negate : .abs)
    let shape = Shape([layer.outputs] + layer.kernel + [channels / layer.groups])
    let weight = random.normal(shape)
    let bias = random.normal([layer.outputs])
    let ones = Shape([layer.outputs] + Array(repeating: 1, count: layer.kernel.count + 1))
    func ways(_ weight: NDArray) -> [NDArray] {
      [true, false].map {
        x.lowPrecisionConvolved(
          with: weight, geometry, bias: bias, activation: layer.activation, byPlans: $0)
      }
    }
    let stored = weight.quantized(
      scalesShape: ones, inputRange: layer.isSigned ? -2...2.5 : 0...2.5)
    let quantization = try #require(stored.quantization)
    let rows = Integers(input: x, quantization)
    let sums = rows.values.convolved(with: integers(of: stored), geometry).output
    let scales = quantization.scales.reshaped([layer.outputs]).converted(to: .float64)
    expect(
      ways(stored), sums.binary(.multiply, scales).binary(.multiply, scalar: Double(rows.step)),
      bias, layer.activation, 1e-6)
    let halves = weight.converted(to: .bfloat16)
    let exact = x.roundedToBFloat16.converted(to: .float64)
      .convolved(with: halves.converted(to: .float64), geometry).output
    expect(ways(halves), exact, bias, layer.activation, 3e-6)
  }

  static let transposed = [
    Layer(input: [4, 4, 64], outputs: 32, kernel: [4, 4], stride: 2, padding: 1),
    Layer(
      input: [8, 8, 32], outputs: 3, kernel: [4, 4], stride: 2, padding: 1, activation: .none),
    Layer(
      input: [4, 4, 24], outputs: 16, kernel: [4, 4], stride: 2, padding: 1, batch: 40,
      isSigned: true, activation: .tanh),
    Layer(input: [7, 5, 16], outputs: 8, kernel: [3, 3], stride: 2, padding: 1, extra: 1),
    Layer(input: [6, 6, 8], outputs: 12, kernel: [3, 3], padding: 1, groups: 2),
    Layer(input: [6, 6, 8], outputs: 12, kernel: [3, 3], dilation: 2, groups: 4, isSigned: true),
    Layer(input: [32, 32, 16], outputs: 16, kernel: [4, 4], stride: 2, padding: 1, batch: 1),
    Layer(input: [9, 6], outputs: 10, kernel: [5], stride: 3, padding: 2, extra: 2),
    Layer(input: [2, 3, 4, 6], outputs: 5, kernel: [2, 2, 2], stride: 2, isSigned: true),
  ]

  @Test(arguments: transposed) func transposedConvolution(layer: Layer) throws {
    var random = RandomStream(seed: 34)
    let geometry = layer.geometry
    let channels = layer.input[layer.input.count - 1]
    let x = random.normal(Shape([layer.batch] + layer.input))
      .unary(layer.isSigned ? .negate : .abs)
    let each = layer.outputs / layer.groups
    let weight = random.normal(Shape([channels] + layer.kernel + [each]))
    let bias = random.normal([layer.outputs])
    var extra = SIMD3<Int>.zero
    for axis in (3 - layer.kernel.count)..<3 { extra[axis] = layer.extra }
    let size = geometry.inputSize(of: geometry.sizes(of: x.shape), extra: extra)
    func ways(_ weight: NDArray) -> [NDArray] {
      [true, false].map {
        x.lowPrecisionTransposed(
          weight: weight, geometry, inputSize: size, bias: bias, activation: layer.activation,
          byPlans: $0)
      }
    }
    let form = [layer.groups] + Array(repeating: 1, count: layer.kernel.count) + [each]
    let stored = weight.quantized(
      scalesShape: Shape(form), inputRange: layer.isSigned ? -2...2.5 : 0...2.5)
    let quantization = try #require(stored.quantization)
    let rows = Integers(input: x, quantization)
    let sums = rows.values.convolutionInputGradient(
      weight: integers(of: stored), geometry, inputSize: size)
    let scales = quantization.scales.reshaped([layer.outputs]).converted(to: .float64)
    expect(
      ways(stored), sums.binary(.multiply, scales).binary(.multiply, scalar: Double(rows.step)),
      bias, layer.activation, 1e-6)
    let halves = weight.converted(to: .bfloat16)
    let exact = x.roundedToBFloat16.converted(to: .float64).convolutionInputGradient(
      weight: halves.converted(to: .float64), geometry, inputSize: size)
    expect(ways(halves), exact, bias, layer.activation, 3e-6)
  }

  /// Weights of two kernels with one and the same scales.
  @Test(arguments: [true, false]) func scalesAreShared(byPlans: Bool) throws {
    var random = RandomStream(seed: 37)
    let x = random.normal([2, 5, 5, 6]).unary(.negate)
    let small = random.normal([6, 2, 2, 3]).quantized(
      scalesShape: [1, 1, 1, 3], inputRange: -2...2)
    let large = random.normal([6, 5, 5, 3]).quantized(
      scalesShape: [1, 1, 1, 3], inputRange: -2...2)
    let shared = try #require(small.quantization)
    let own = Quantization(scales: shared.scales, inputRange: shared.inputRange)
    func image(_ weight: NDArray, _ kernel: Int) -> NDArray {
      let geometry = ConvolutionGeometry(rank: 2, kernel: .same(kernel))
      let size = geometry.inputSize(of: geometry.sizes(of: x.shape), extra: .zero)
      return x.lowPrecisionTransposed(
        weight: weight, geometry, inputSize: size, bias: nil, activation: .none, byPlans: byPlans)
    }
    _ = image(small, 2)
    #expect(image(large.with(shared), 5) == image(large.with(own), 5))
  }

  /// Slices and reshaped arrays share the memory of the whole, but not its other forms.
  @Test func partsHaveFormsOfTheirOwn() {
    var random = RandomStream(seed: 38)
    let weight = random.normal([20, 8]).converted(to: .bfloat16)
    let parts = [weight, weight.rows(0..<5), weight.rows(0..<15), weight.reshaped([40, 4])]
    for byPlans in [true, false] {
      for part in parts {
        let x = random.normal([7, part.shape[1]])
        let results = [part, part.copy()].map {
          x.lowPrecisionLinear($0, bias: nil, activation: .none, byPlans: byPlans)
        }
        #expect(results[0] == results[1], "\(part.shape)")
      }
    }
  }

  @Test func convolutionOfNoChannels() {
    let geometry = ConvolutionGeometry(rank: 1, kernel: 2)
    let bias = NDArray([1, -2] as [Float])
    let weight = NDArray(repeating: 0, shape: [2, 2, 0])
    let x = NDArray(repeating: 0, shape: [3, 3, 0])
    for weight in [weight, weight.converted(to: .bfloat16)] {
      // Memory that is handed out again is not zero.
      _ = (0..<4).map { _ in NDArray(repeating: .nan, shape: [3, 2, 2]) }
      let y = x.convolved(with: weight, geometry, bias: bias, activation: .relu).output
      #expect(y == NDArray([1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0] as [Float], shape: [3, 2, 2]))
    }
  }

  // MARK: Threads and memory

  @Test func sameBitsForAnyNumberOfThreads() throws {
    var random = RandomStream(seed: 35)
    let x = random.normal([512, 300]).unary(.abs)
    let image = random.normal([8, 16, 16, 8]).unary(.abs)
    let weight = random.normal([200, 300])
    let kernel = random.normal([16, 4, 4, 8])
    let stored = weight.quantized(scalesShape: [200, 1], inputRange: 0...3)
    let taps = kernel.quantized(scalesShape: [16, 1, 1, 1], inputRange: 0...3)
    let geometry = ConvolutionGeometry(rank: 2, kernel: 4, stride: 2, before: 1)
    func results() -> [NDArray] {
      [true, false].flatMap { byPlans in
        [weight.converted(to: .bfloat16), stored].map {
          x.lowPrecisionLinear($0, bias: nil, activation: .none, byPlans: byPlans)
        }
          + [kernel.converted(to: .bfloat16), taps].map {
            image.lowPrecisionConvolved(
              with: $0, geometry, bias: nil, activation: .relu, byPlans: byPlans)
          }
      }
    }
    let before = Threads.count
    defer { Threads.count = before }
    let all = [1, 2, 3].map { count in
      Threads.count = count
      return results()
    }
    #expect(all[0] == all[1] && all[0] == all[2])
  }

  /// After the first calls nothing is asked of the system any more, and weights that go away take their
  /// packed forms along. The counters belong to the process, hence one of its own.
  @Test func steadyMemory() async {
    await #expect(processExitsWith: .success) {
      var random = RandomStream(seed: 36)
      let x = random.normal([64, 784])
      let bias = random.normal([400])
      let weight = random.normal([400, 784])
      let image = random.normal([4, 8, 8, 16])
      let kernel = random.normal([16, 4, 4, 3])
      let geometry = ConvolutionGeometry(rank: 2, kernel: 4, stride: 2, before: 1)
      func round() {
        let stored = weight.quantized(scalesShape: [400, 1], inputRange: 0...4)
        let taps = kernel.quantized(scalesShape: [1, 1, 1, 3], inputRange: 0...4)
        for _ in 0..<3 {
          _ = x.lowPrecisionLinear(stored, bias: bias, activation: .relu)
          _ = image.lowPrecisionTransposed(
            weight: taps, geometry, inputSize: SIMD3(1, 16, 16), bias: nil, activation: .none)
        }
      }
      for _ in 0..<5 { round() }
      let (taken, unused) = (StoragePool.bytesFromSystem, StoragePool.bytesFree)
      for _ in 0..<200 { round() }
      precondition(StoragePool.bytesFromSystem == taken, "grew")
      precondition(StoragePool.bytesFree == unused, "leaked")
    }
  }
}
