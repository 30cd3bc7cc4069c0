// Convolutional layers against PyTorch over odd configurations, and what holds for all of them.

import Foundation
import LatentAutodiff
import LatentLayers
import LatentNumerics
import Testing

/// One configuration with PyTorch's results in float64, reduced to sums
/// (scripts/references/convolutions.py).
struct ConvolutionCase: Decodable, Sendable, CustomTestStringConvertible {
  let axes: Int
  let transposed: Bool
  let batch, channels, outputs, groups: Int
  let size, kernel, stride, padding, dilation, outputPadding, outputSize: [Int]
  let output, inputGradient, weightGradient, biasGradient: [Double]

  var testDescription: String {
    "\(transposed ? "transposed " : "")\(batch)x\(size)x\(channels) to \(outputs), kernel \(kernel), "
      + "stride \(stride), padding \(padding), dilation \(dilation), groups \(groups)"
  }

  static let all: [ConvolutionCase] = {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "Resources/convolutions.json")
    let rows = try? JSONDecoder().decode([ConvolutionCase].self, from: Data(contentsOf: path))
    return rows ?? []
  }()

  static func wave(_ shape: Shape, _ phase: Double) -> Tensor {
    Tensor((0..<shape.count).map { Foundation.sin(Double($0) * 0.7 + phase) }, shape: shape)
  }

  /// x, weight and bias in float64.
  var inputs: [Tensor] {
    let (first, last) =
      transposed ? (channels, outputs / groups) : (outputs, channels / groups)
    return [
      ConvolutionCase.wave(Shape([batch] + size + [channels]), 0.1),
      ConvolutionCase.wave(Shape([first] + kernel + [last]), 0.2) * 0.5,
      ConvolutionCase.wave([outputs], 0.3),
    ]
  }

  var geometry: ConvolutionGeometry {
    ConvolutionGeometry(
      rank: axes, kernel: .axes(kernel), stride: .axes(stride), before: .axes(padding),
      dilation: .axes(dilation), groups: groups)
  }

  func apply(_ inputs: [Tensor], _ activation: Activation) -> Tensor {
    if !transposed {
      return convolution(
        inputs[0], weight: inputs[1], bias: inputs[2], activation: activation, geometry)
    }
    var size = SIMD3(repeating: 1)
    for axis in 0..<axes { size[3 - axes + axis] = outputSize[1 + axis] }
    return transposedConvolution(
      inputs[0], weight: inputs[1], bias: inputs[2], activation: activation, geometry,
      outputSize: size)
  }

  static func reduced(_ tensor: Tensor) -> [Double] {
    let values = tensor.doubles
    let weighted = values.enumerated().reduce(0) {
      $0 + $1.element * Foundation.cos(Double($1.offset) * 1.3)
    }
    return [
      values.reduce(0, +), weighted, values.reduce(0) { $0 + $1 * $1 }, values.first ?? .nan,
      values.last ?? .nan,
    ]
  }

  /// Sums of n terms of size about one: the error relative to their root mean square sum.
  static func error(_ found: Tensor, _ expected: [Double]) -> Double {
    let scale = 1 + (expected[2] * Double(found.count)).squareRoot()
    return zip(reduced(found), expected).reduce(0) {
      let error = Swift.abs($1.0 - $1.1) / scale
      return error.isNaN ? .infinity : max($0, error)
    }
  }
}

@Suite struct ConvolutionTests {
  struct Precision: Sendable, CustomTestStringConvertible {
    let dtype: DType
    let tolerance: Double
    var testDescription: String { "\(dtype)" }
  }
  static let precisions = [
    Precision(dtype: .float64, tolerance: 1e-12), Precision(dtype: .float32, tolerance: 2e-5),
  ]

  @Test func theTableIsThere() { #expect(ConvolutionCase.all.count >= 60) }

  @Test(arguments: ConvolutionCase.all, precisions)
  func agreesWithPyTorch(row: ConvolutionCase, precision: Precision) {
    let inputs = row.inputs.map { $0.converted(to: precision.dtype) }
    let output = row.apply(inputs, .tanh)
    #expect(output.shape == Shape(row.outputSize))
    let cotangent = ConvolutionCase.wave(output.shape, 0.4).converted(to: precision.dtype)
    let gradients = valueAndGradient(at: inputs) { (row.apply($0, .tanh) * cotangent).sum() }
      .gradients
    let pairs = [
      ("output", output, row.output), ("input gradient", gradients[0], row.inputGradient),
      ("weight gradient", gradients[1], row.weightGradient),
      ("bias gradient", gradients[2], row.biasGradient),
    ]
    for (name, found, expected) in pairs {
      let error = ConvolutionCase.error(found, expected)
      #expect(error < precision.tolerance, "\(name): \(error)")
    }
  }

  /// Fused and recorded activations are the same function.
  @Test(arguments: Activation.allCases) func activations(activation: Activation) {
    for row in [ConvolutionCase.all[1], ConvolutionCase.all[23]] {
      let inputs = row.inputs.map { $0.converted(to: .float32) }
      let fused = row.apply(inputs, activation)
      let composed = activation(row.apply(inputs, .none))
      let difference = zip(fused.doubles, composed.doubles).map { abs($0 - $1) }.max() ?? .infinity
      #expect(difference < 1e-6, "\(difference)")
    }
  }

  @Test func sameBitsForAnyThreads() {
    let before = Threads.count
    defer { Threads.count = before }
    var random = RandomStream(seed: 3)
    let inputs = [
      random.normalTensor([16, 32, 32, 16]), random.normalTensor([32, 4, 4, 16]),
      random.normalTensor([32]),
    ]
    let geometry = ConvolutionGeometry(rank: 2, kernel: 4, stride: 2, before: 1)
    func results() -> [NDArray] {
      let gradients = valueAndGradient(at: inputs) {
        square(
          convolution($0[0], weight: $0[1], bias: $0[2], activation: .silu, geometry)
        ).sum()
      }.gradients
      return gradients.map(\.array)
    }
    Threads.count = 1
    let expected = results()
    for count in [2, 3] {
      Threads.count = count
      #expect(results() == expected, "\(count) threads")
    }
  }

  @Test func layersKnowTheirShapes() {
    var random = RandomStream(seed: 1)
    let down = Conv2D(3, 8, kernel: 4, stride: 2, padding: 1, using: &random)
    #expect(down(.zeros([2, 16, 12, 3])).shape == [2, 8, 6, 8])
    #expect(down.namedParameters.map(\.path) == ["weight", "bias"])
    #expect(down.weight.shape == [8, 4, 4, 3])
    let up = ConvTranspose2D(
      8, 3, kernel: 3, stride: 2, padding: 1, outputPadding: 1, using: &random)
    #expect(up(.zeros([2, 8, 6, 8])).shape == [2, 16, 12, 3])
    #expect(Conv1D(2, 4, kernel: 3, using: &random)(.zeros([1, 9, 2])).shape == [1, 7, 4])
    let volume = Conv3D(1, 2, kernel: [1, 2, 3], bias: false, using: &random)
    #expect(volume(.zeros([1, 4, 4, 4, 1])).shape == [1, 4, 3, 2, 2])
    #expect(volume.bias == nil)
    // PyTorch's limit: 1 / sqrt(channels kernel kernel).
    let limit = 1 / (3.0 * 16).squareRoot()
    #expect(down.weight.doubles.allSatisfy { abs($0) <= limit })
  }

  @Test func wrongShapesTrap() async {
    await #expect(processExitsWith: .failure) {
      var random = RandomStream(seed: 1)
      _ = Conv2D(3, 8, kernel: 3, using: &random)(.zeros([1, 8, 8, 4]))
    }
    await #expect(processExitsWith: .failure) {
      var random = RandomStream(seed: 1)
      _ = Conv2D(3, 8, kernel: 5, using: &random)(.zeros([1, 4, 4, 3]))
    }
    await #expect(processExitsWith: .failure) {
      var random = RandomStream(seed: 1)
      _ = Conv2D(3, 8, kernel: 3, groups: 2, using: &random)
    }
  }
}
