// Low-rank adapters of every kind of weight: what they start as, what they compute, what never changes,
// and what is refused.

import LatentAutodiff
import LatentLayers
import LatentNumerics
import Testing

/// A user's layer: a plain matrix, outputs first.
private struct Projection: Layer {
  var matrix: Tensor

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&matrix, "matrix")
  }
  func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    matmul(x, matrix, transpose: .right)
  }
}

@Suite struct AdapterTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let layer: any Layer
    let input: Shape
    /// The adapted weights: outputs of each, and whether they are its last axis.
    let weights: [(path: String, outputs: Int, outputsAreLast: Bool)]
    var testDescription: String { name }
  }

  static let cases: [Case] = {
    var random = RandomStream(seed: 31)
    return [
      Case(
        name: "Linear", layer: Linear(4, 3, activation: .gelu, using: &random), input: [5, 4],
        weights: [("weight", 3, false)]),
      Case(
        name: "Conv2D", layer: Conv2D(3, 4, kernel: 3, padding: 1, using: &random),
        input: [2, 4, 4, 3], weights: [("weight", 4, false)]),
      Case(
        name: "Conv2D in groups", layer: Conv2D(4, 6, kernel: 2, groups: 2, using: &random),
        input: [2, 3, 3, 4], weights: [("weight", 6, false)]),
      Case(
        name: "ConvTranspose2D",
        layer: ConvTranspose2D(3, 2, kernel: 4, stride: 2, padding: 1, using: &random),
        input: [2, 3, 3, 3], weights: [("weight", 2, true)]),
      Case(
        name: "ConvTranspose2D in groups",
        layer: ConvTranspose2D(4, 6, kernel: 2, groups: 2, using: &random), input: [2, 3, 3, 4],
        weights: [("weight", 3, true)]),
      Case(
        name: "MultiHeadAttention", layer: MultiHeadAttention(4, heads: 2, using: &random),
        input: [2, 3, 4], weights: [("qkv.weight", 12, false), ("output.weight", 4, false)]),
      Case(
        name: "GRU", layer: GRU(3, 2, using: &random), input: [2, 3, 3],
        weights: [("cells.0.input.weight", 6, false), ("cells.0.state.weight", 6, false)]),
      Case(
        name: "WeightNorm", layer: WeightNorm(Linear(4, 3, using: &random)), input: [5, 4],
        weights: [("base.weight", 3, false)]),
      Case(
        name: "a plain matrix", layer: Projection(matrix: random.normalTensor([3, 4], .float32)),
        input: [5, 4], weights: [("matrix", 3, false)]),
    ]
  }()

  private func adapted<Base: Layer>(_ base: Base, scale: Double = 1) throws -> Adapted<Base> {
    var random = RandomStream(seed: 32)
    return try Adapted(base, weights: ["**"], rank: 2, scale: scale, using: &random)
  }

  /// With factors that are not zero.
  private func trained<Base: Layer>(_ base: Base, scale: Double) throws -> Adapted<Base> {
    var result = try adapted(base, scale: scale)
    var random = RandomStream(seed: 33)
    let factors = result.parameters.map { random.normalTensor($0.shape, $0.dtype) * 0.5 }
    result.setParameters(factors)
    return result
  }

  @Test(arguments: cases) func startsAsItsBase(row: Case) throws {
    func check(_ layer: some Layer) throws {
      let adapted = try adapted(layer)
      #expect(adapted.adapters.map(\.path) == row.weights.map(\.path))
      #expect(adapted.merged.namedArrays == layer.namedArrays)
      for (adapter, weight) in zip(adapted.adapters, row.weights) {
        let limit = 1 / Double(adapter.down.shape[1]).squareRoot()
        #expect(
          adapter.up.shape == [weight.outputs, 2] && adapter.up.doubles.allSatisfy { $0 == 0 })
        #expect(adapter.down.doubles.allSatisfy { abs($0) <= limit && $0 != 0 })
      }
      #expect(adapted.unvisitedTensors.isEmpty && adapted.repeatedPaths.isEmpty)
      let trained = adapted.namedParameters.filter(\.isTrained).map(\.path)
      #expect(trained == row.weights.flatMap { ["\($0.path).down", "\($0.path).up"] })
      #expect(adapted.namedParameters.count == layer.namedParameters.count + trained.count)
    }
    try check(row.layer)
  }

  @Test(arguments: cases) func factorsMatchDifferences(row: Case) throws {
    var random = RandomStream(seed: 34)
    let x = random.doubles(row.input)
    func check(_ layer: some Layer) throws {
      let adapted = try trained(layer.converted(to: .float64), scale: 1.5)
      let error = gradientError(at: adapted.parameters) { factors in
        var copy = adapted
        copy.setParameters(factors)
        return copy.merged(x)
      }
      #expect(error < 1e-8, "\(error)")
    }
    try check(row.layer)
  }

  /// Against the products element by element.
  @Test(arguments: cases, [DType.float32, .float64])
  func mergedWeightsAreTheSums(row: Case, dtype: DType) throws {
    func check(_ layer: some Layer) throws {
      let scale = 0.7
      let adapted = try trained(layer.converted(to: dtype), scale: scale)
      let merged = adapted.merged.namedArrays
      for (path, array) in adapted.base.namedArrays {
        guard let index = row.weights.firstIndex(where: { $0.path == path }) else {
          #expect(merged[path] == array, "\(path)")
          continue
        }
        let (_, outputs, outputsAreLast) = row.weights[index]
        let (up, down) = (
          adapted.adapters[index].up.doubles, adapted.adapters[index].down.doubles
        )
        let inputs = array.count / outputs
        let expected = array.doubles.enumerated().map { element, value in
          let (o, i) =
            outputsAreLast
            ? (element % outputs, element / outputs) : (element / inputs, element % inputs)
          return value + scale * (up[2 * o] * down[i] + up[2 * o + 1] * down[inputs + i])
        }
        let error = distance(Tensor(try #require(merged[path])), expected)
        #expect(error < (dtype == .float64 ? 1e-12 : 1e-5), "\(path): \(error)")
      }
    }
    try check(row.layer)
  }

  /// The paper's way, h = W x + scale B A x, and the merged one.
  @Test(arguments: [(DType.float32, 1e-5), (.float64, 1e-12)])
  func mergedOutputs(dtype: DType, tolerance: Double) throws {
    var random = RandomStream(seed: 35)
    let adapted = try trained(Linear(40, 30, using: &random).converted(to: dtype), scale: 0.25)
    let x = random.normalTensor([16, 40], dtype)
    let factors = adapted.adapters[0]
    let low = matmul(x, factors.down, transpose: .right)
    let expected = adapted.base(x) + matmul(low, factors.up, transpose: .right) * 0.25
    #expect(distance(adapted.merged(x), expected) < tolerance)
  }

  @Test func whatPatternsChoose() throws {
    var random = RandomStream(seed: 36)
    let model = Composed()
    let all = try Adapted(model, weights: ["**"], rank: 1, using: &random)
    // No table of vectors, no vector.
    #expect(
      all.adapters.map(\.path) == [
        "blocks.0.weight", "blocks.1.weight", "head.body.1.weight", "head.shortcut.weight",
      ])
    let some = try Adapted(
      model, weights: ["head.**", "blocks.1.weight"], rank: 2, using: &random)
    #expect(
      some.adapters.map(\.path) == [
        "blocks.1.weight", "head.body.1.weight", "head.shortcut.weight",
      ]
    )
    #expect(some.parameterCount == 2 * (8 + 6 + 6))
  }

  @Test func nothingOfTheBaseChanges() throws {
    var random = RandomStream(seed: 37)
    let base = Sequential(Linear(4, 3, using: &random), BatchNorm(3))
    var adapted = try Adapted(base, weights: ["0.weight"], rank: 2, using: &random)
    adapted.separateBuffers()
    let x = random.normalTensor([6, 4], .float32)
    var context = LayerContext(isTraining: true, random: random)
    let (_, gradients) = valueAndGradient(at: adapted) { square($0.merged(x, &context)).sum() }
    #expect(gradients.tensors.count == 2 && gradients.tensors.allSatisfy { $0 != nil })
    #expect(context.bufferUpdates.count == 2)
    #expect(adapted.apply(context.bufferUpdates).isEmpty, "they are the adapters' own")
    #expect(adapted.base.namedArrays == base.namedArrays)
    // Of the base itself they change.
    var whole = base
    whole.apply(context.bufferUpdates)
    #expect(whole.namedArrays != base.namedArrays)
  }

  @Test func refused() throws {
    var random = RandomStream(seed: 38)
    let model = Composed()
    func refusal(_ patterns: [PathPattern], _ rank: Int) -> String {
      var random = random
      do {
        _ = try Adapted(model, weights: patterns, rank: rank, using: &random)
        return "accepted"
      } catch {
        return "\(error)"
      }
    }
    #expect(
      refusal(["blocks.**", "table.**"], 1)
        == "no weight that can be adapted is called 'table.**': there are blocks.0.weight, "
        + "blocks.1.weight, head.body.1.weight, head.shortcut.weight")
    #expect(
      refusal(["**"], 3)
        == "rank 3: the weight head.body.1.weight is a matrix 2 x 4, expected 1 to 2; of this rank can "
        + "be blocks.0.weight, blocks.1.weight")
    #expect(
      refusal(["head.**"], 0)
        == "rank 0: the weight head.body.1.weight is a matrix 2 x 4, expected 1 to 2")
    let small = Linear(8, 4, using: &random).quantized(.bfloat16) {
      _ = $0(.ones([2, 8]))
    }
    #expect(throws: AdapterError.lowPrecision(path: "weight")) {
      try Adapted(small, weights: ["**"], rank: 1, using: &random)
    }
  }

  /// Factors of adapters are no weights, nor is there any other in an adapted module.
  @Test func adaptersOfAdapters() throws {
    var random = RandomStream(seed: 39)
    let adapted = try Adapted(Composed(), weights: ["**"], rank: 1, using: &random)
    #expect(throws: AdapterError.noWeight(pattern: "**", weights: [])) {
      try Adapted(adapted, weights: ["**"], rank: 1, using: &random)
    }
    // Merged first, they can be.
    #expect(throws: Never.self) {
      try Adapted(adapted.merged, weights: ["**"], rank: 1, using: &random)
    }
  }
}
