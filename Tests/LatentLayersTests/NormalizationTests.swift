// The normalisations beside PyTorch's, in both precisions. The numbers are made by
// scripts/references/normalization.py; the rules for inputs below are the same as there.

import Foundation
import LatentAutodiff
import LatentLayers
import LatentNumerics
import Testing

@Suite struct NormalizationTests {
  struct Case: StoredCase {
    static let file = "normalization.json"
    static let (leastLength, float32Tolerance) = (1.0, 2e-5)
    let kind: String
    let shape: Shape
    let groups: Int
    let activation: String
    let affine: Bool
    let expected: [String: [Double]]

    var testDescription: String { "\(kind) \(shape) \(groups) \(activation) affine \(affine)" }
    var size: Int { shape[-1] }
    var function: Activation { Activation.allCases.first { "\($0)" == activation }! }
  }

  static let cases = Case.load()
  static func cases(_ kind: String) -> [Case] { cases.filter { $0.kind == kind } }
  static let types: [DType] = [.float64, .float32]

  // MARK: Rules

  static func inputs(_ shape: Shape, step: Int = 0, _ dtype: DType) -> Tensor {
    rule(shape, dtype) {
      2 * sin(0.7 * $0 * $0 + Double(step)) + 0.1 * $0.truncatingRemainder(dividingBy: 3) + 0.5
    }
  }
  static func cotangent(_ shape: Shape, _ dtype: DType) -> Tensor {
    rule(shape, dtype) { cos(1.3 * $0 * $0 + 0.2) }
  }
  static func scales(_ size: Int, _ dtype: DType) -> Tensor {
    rule([size], dtype) { 1 + 0.5 * cos(2 * $0) }
  }
  static func shifts(_ size: Int, _ dtype: DType) -> Tensor {
    rule([size], dtype) { 0.3 * sin(3 * $0 + 1) }
  }

  /// Value and derivatives of a layer in training, with the updates of its buffers.
  static func run<Model: Layer>(
    _ layer: Model, _ x: Tensor, isTraining: Bool
  ) -> (y: Tensor, dx: Tensor, gradients: [Tensor?], updated: Model) {
    var context = LayerContext(isTraining: isTraining, random: RandomStream(seed: 0))
    var copy = layer
    let (_, gradients, y) = valueAndGradient(
      at: [x] + layer.parameters,
      withAuxiliary: { inputs in
        copy.setParameters(Array(inputs.dropFirst()))
        let y = copy(inputs[0], &context)
        return ((y * cotangent(y.shape, y.dtype)).sum(), y.detached)
      })
    var updated = layer
    #expect(updated.apply(context.bufferUpdates).isEmpty)
    return (y, gradients[0]!, Array(gradients.dropFirst()), updated)
  }

  // MARK: PyTorch

  @Test(arguments: cases("group"), types) func groupNormIsPyTorchs(row: Case, dtype: DType) {
    var layer = GroupNorm(groups: row.groups, size: row.size, activation: row.function)
      .converted(to: dtype)
    if row.affine {
      layer.scale = NormalizationTests.scales(row.size, dtype)
      layer.shift = NormalizationTests.shifts(row.size, dtype)
    }
    let x = NormalizationTests.inputs(row.shape, dtype)
    let (y, dx, gradients, _) = NormalizationTests.run(layer, x, isTraining: true)
    row.check(y, "y", dtype)
    row.check(dx, "dx", dtype)
    if row.affine {
      row.check(gradients[0], "dscale", dtype)
      row.check(gradients[1], "dshift", dtype)
    }
    if row.groups == row.size {
      var instance = InstanceNorm(row.size, affine: row.affine, activation: row.function)
        .converted(to: dtype)
      if row.affine { instance.setParameters(layer.parameters) }
      #expect(instance(x).array == y.array)
      #expect(instance.parameterCount == (row.affine ? 2 * row.size : 0))
    }
  }

  /// Three steps of training, then evaluation.
  @Test(arguments: cases("batch"), types) func batchNormIsPyTorchs(row: Case, dtype: DType) {
    var layer = BatchNorm(row.size, affine: row.affine, activation: row.function)
      .converted(to: dtype)
    if row.affine {
      layer.scale = NormalizationTests.scales(row.size, dtype)
      layer.shift = NormalizationTests.shifts(row.size, dtype)
    }
    // PyTorch refuses single values in training; nothing of that kind is in the table.
    for step in 0..<4 {
      let x = NormalizationTests.inputs(row.shape, step: step, dtype)
      let (y, dx, gradients, updated) = NormalizationTests.run(layer, x, isTraining: step < 3)
      row.check(y, "y\(step)", dtype)
      row.check(dx, "dx\(step)", dtype)
      if row.affine {
        row.check(gradients[0], "dscale\(step)", dtype)
        row.check(gradients[1], "dshift\(step)", dtype)
      }
      layer = updated
      row.check(layer.runningMean, "mean\(step)", dtype)
      row.check(layer.runningVariance, "variance\(step)", dtype)
    }
  }

  /// A layer with a weight of any rank, as convolutions have.
  struct Product: WeightedLayer {
    var weight: Tensor
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      visitor.visit(&weight, "weight")
    }
    func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
      matmul(x, weight.flattened(from: 1), transpose: .right)
    }

    init(_ shape: Shape, _ dtype: DType) {
      weight = rule(shape, dtype) { sin(2 * $0 * $0 + 0.5 * $0) }
    }
  }

  @Test(arguments: cases("weight"), types) func weightNormIsPyTorchs(row: Case, dtype: DType) {
    var layer = WeightNorm(Product(row.shape, dtype))
    let x = NormalizationTests.inputs([3, row.shape.suffix(row.shape.rank - 1).count], dtype)
    #expect(distance(layer(x), layer.base(x).doubles) < (dtype == .float64 ? 1e-13 : 1e-5))
    layer.scale = layer.scale * NormalizationTests.scales(row.shape[0], dtype)
    let (y, _, gradients, _) = NormalizationTests.run(layer, x, isTraining: true)
    row.check(y, "y", dtype)
    row.check(gradients[0], "dweight", dtype)
    row.check(gradients[1], "dscale", dtype)
    #expect(layer.namedParameters.map(\.path) == ["base.weight", "scale"])
  }

  @Test(arguments: cases("spectral"), types) func spectralNormIsPyTorchs(row: Case, dtype: DType) {
    var random = RandomStream(seed: 3)
    var layer = SpectralNorm(Product(row.shape, dtype), using: &random)
    let rest = layer.right.count
    func unit(_ x: Tensor) -> Tensor { x / sqrt(square(x).sum()) }
    layer.left = unit(NormalizationTests.scales(row.shape[0], dtype))
    layer.right = unit(NormalizationTests.shifts(rest, dtype))
    for step in 0..<4 {
      let x = NormalizationTests.inputs([3, rest], step: step, dtype)
      let (y, _, gradients, updated) = NormalizationTests.run(layer, x, isTraining: step < 3)
      row.check(y, "y\(step)", dtype)
      row.check(gradients[0], "dweight\(step)", dtype)
      layer = updated
      row.check(layer.left, "left\(step)", dtype)
      row.check(layer.right, "right\(step)", dtype)
    }
    #expect(layer.namedParameters.map(\.path) == ["base.weight", "left", "right"])
    #expect(layer.namedParameters.map(\.isTrained) == [true, false, false])
  }

  // MARK: Rules of our own

  /// One example without spatial axes: the running statistics, and no update.
  @Test(arguments: types) func batchOfOne(dtype: DType) {
    var layer = BatchNorm(3).converted(to: dtype)
    layer.runningMean = Tensor([1, 2, 3]).converted(to: dtype)
    layer.runningVariance = Tensor([4, 0.25, 1]).converted(to: dtype)
    for shape in [[1, 3], [1, 1, 1, 3]] as [Shape] {
      let x = Tensor([3, 1, 3], shape: shape).converted(to: dtype)
      var context = LayerContext(isTraining: true, random: RandomStream(seed: 0))
      let y = layer(x, &context)
      #expect(context.bufferUpdates.isEmpty)
      #expect(y.array == layer(x).array, "as after training")
      #expect(distance(y, [1, -2, 0]) < 1e-4)
    }
    // Two positions of one example are a batch.
    var context = LayerContext(isTraining: true, random: RandomStream(seed: 0))
    _ = layer(NormalizationTests.inputs([1, 2, 3], dtype), &context)
    #expect(context.bufferUpdates.count == 2)
  }

  @Test func withoutRunningStatistics() {
    let layer = BatchNorm(2, affine: false, tracksStatistics: false)
    #expect(layer.namedParameters.isEmpty)
    let x = Tensor([1, 10, 3, 30] as [Float], shape: [2, 2])
    var context = LayerContext(isTraining: true, random: RandomStream(seed: 0))
    #expect(layer(x, &context).array == layer(x).array)
    #expect(context.bufferUpdates.isEmpty)
    #expect(distance(layer(x), [-1, -1, 1, 1]) < 1e-4)
    #expect(layer(x.sliced(0, 0..<1)).floats == [0, 0], "a single value")
  }

  @Test func singlePositionsNormalizeToTheShift() {
    var layer = InstanceNorm(3, affine: true, activation: .relu)
    layer.shift = Tensor([-1, 0.5, 2] as [Float])
    #expect(
      layer(NormalizationTests.inputs([2, 1, 3], .float32)).floats == [0, 0.5, 2, 0, 0.5, 2])
  }

  @Test func emptyBatches() {
    for layer in [GroupNorm(groups: 2, size: 4), BatchNorm(4), InstanceNorm(4)] as [any Layer] {
      var context = LayerContext(isTraining: true, random: RandomStream(seed: 0))
      #expect(layer(.zeros([0, 5, 4]), &context).shape == [0, 5, 4])
      #expect(context.bufferUpdates.isEmpty)
      let dx = gradient(at: .zeros([0, 5, 4])) { layer($0).sum() }
      #expect(dx.shape == [0, 5, 4])
    }
  }

  /// Float32 far from zero: unit variance around 10^4 keeps the digits that the inputs have.
  @Test(arguments: [[4, 33, 31, 8], [2, 3, 3, 260], [40, 6]] as [Shape]) func hugeOffset(
    shape: Shape
  ) {
    var random = RandomStream(seed: 8)
    let x = random.normalTensor(shape) + 1e4
    let wide = x.converted(to: .float64)
    let layers: [any Layer] = [
      GroupNorm(groups: 2, size: shape[-1], activation: .silu), BatchNorm(shape[-1]),
    ]
    for layer in layers {
      func run(_ layer: some Layer, _ x: Tensor) -> (Tensor, Tensor) {
        let result = NormalizationTests.run(layer.converted(to: x.dtype), x, isTraining: true)
        return (result.y, result.dx)
      }
      let (narrow, exact) = (run(layer, x), run(layer, wide))
      #expect(distance(narrow.0, exact.0) < 2e-5, "\(type(of: layer))")
      #expect(distance(narrow.1, exact.1) < 2e-5, "\(type(of: layer))")
    }
  }

  /// Channels without any spread: finite, and equal to the shift.
  @Test(arguments: [1, 0.1, 12345.678, -1e4]) func constants(value: Double) {
    let x = Tensor(repeating: value, shape: [3, 50, 41, 4])
    for layer in [GroupNorm(groups: 2, size: 4), BatchNorm(4), InstanceNorm(4)] as [any Layer] {
      func check(_ layer: some Layer) {
        let (y, dx, _, updated) = NormalizationTests.run(layer, x, isTraining: true)
        #expect(y.floats.allSatisfy { abs($0) < 1e-3 }, "\(type(of: layer))")
        #expect(dx.array.nonFiniteCount == 0)
        #expect(updated.namedParameters.allSatisfy { $0.tensor.array.nonFiniteCount == 0 })
      }
      check(layer)
    }
  }

  /// The first rows are far from the others: distances taken from them must not cost digits.
  @Test func outliersAtTheStart() {
    var random = RandomStream(seed: 12)
    let x = Tensor.concatenate(
      [Tensor(repeating: 3000, shape: [1, 100, 4]), random.normalTensor([1, 9000, 4])], axis: 1)
    let layer = InstanceNorm(4)
    let exact = layer(x.converted(to: .float64))
    #expect(distance(layer(x), exact) < 2e-5)
  }

  @Test func spectralNormFindsTheLargestSingularValue() {
    var random = RandomStream(seed: 5)
    let base = Linear(
      weight: Tensor([3.0, 0, 0, 0, -5, 0, 0, 0, 1] as [Double], shape: [3, 3]), bias: nil)
    let layer = SpectralNorm(base, iterations: 200, using: &random)
    #expect(
      distance(layer(Tensor.identity(3, .float64)), [0.6, 0, 0, 0, -1, 0, 0, 0, 0.2]) < 1e-12)
  }

  /// The matrix of a transposed convolution is that of PyTorch: `[outputs / groups, rest]`.
  @Test func spectralNormOfTransposedConvolutions() throws {
    var random = RandomStream(seed: 6)
    for groups in [1, 2] {
      var base = ConvTranspose2D(4, 6, kernel: [2, 3], groups: groups, bias: false, using: &random)
      base.weight = base.weight.converted(to: .float64)
      let layer = SpectralNorm(base, iterations: 2000, using: &random)
      let each = 6 / groups
      #expect(layer.left.shape == [each] && layer.right.shape == [24])
      // The largest singular value: the square root of the largest eigenvalue of W W^T, which the
      // determinant of `largest^2 - W W^T` and the positive definite rest around it tell.
      let matrix = base.weight.reshaped([24, each]).transposed
      let square = matmul(matrix, matrix, transpose: .right)
      let largest = (layer.left * matmul(matrix, layer.right.reshaped([24, 1])).squeezed(1)).sum()
        .item
      let identity = Tensor.identity(each, .float64)
      #expect(throws: Never.self) {
        try cholesky(identity * (largest * largest * (1 + 1e-9)) - square)
      }
      #expect(throws: NumericsError.self) {
        try cholesky(identity * (largest * largest * (1 - 1e-9)) - square)
      }
      let x = random.doubles([1, 3, 3, 4])
      #expect(distance(layer(x), base(x) / largest) < 1e-12)
    }
  }

  /// A critic that is called on real and generated data in one step goes two steps of the iteration.
  @Test func spectralNormCalledTwiceIteratesTwice() {
    var random = RandomStream(seed: 5)
    let layer = SpectralNorm(Linear(4, 3, using: &random), iterations: 0, using: &random)
    let x = random.normalTensor([2, 4])
    var (once, twice) = (layer, layer)
    var context = LayerContext(isTraining: true, random: RandomStream(seed: 0))
    _ = twice(x, &context)
    _ = twice(x, &context)
    twice.apply(context.bufferUpdates)
    for _ in 0..<2 {
      var context = LayerContext(isTraining: true, random: RandomStream(seed: 0))
      _ = once(x, &context)
      once.apply(context.bufferUpdates)
    }
    #expect(once.namedArrays == twice.namedArrays)
  }

  @Test(arguments: 0..<4) func mistakesTrap(index: Int) async throws {
    let words = [
      "group norm of 6 channels in 4 groups",
      "GroupNorm: an input of shape [2, 5], expected [..., 8] (evaluating GroupNorm for",
      "BatchNorm: an input of shape [2, 5], expected [..., 6] (evaluating BatchNorm for",
      "normalization of [6] in 6 groups",
    ]
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [index] in
      switch index {
      case 0: _ = GroupNorm(groups: 4, size: 6)
      case 1: _ = GroupNorm(groups: 4, size: 8)(.zeros([2, 5]))
      case 2: _ = BatchNorm(6)(.zeros([2, 5]))
      default: _ = InstanceNorm(6)(.zeros([6]))
      }
    }
    let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(text.contains(words[index]), "\(text.prefix(300))")
  }
}
