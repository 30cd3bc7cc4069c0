// Attention, blocks, recurrent layers and positions beside PyTorch's, in both precisions. The
// numbers are made by scripts/references/sequences.py; the rules for inputs below are the same as
// there.

import Foundation
import LatentAutodiff
import LatentLayers
import LatentNumerics
import Testing

@Suite struct SequenceTests {
  struct Case: StoredCase {
    static let file = "sequences.json"
    static let (leastLength, float32Tolerance) = (1e-300, 5e-5)
    let kind: String
    let batch, length, width, heads, memory, features, size, layers, directions, start: Int?
    let causal, masked, before: Bool?
    let base: Double?
    let expected: [String: [Double]]

    var testDescription: String {
      let numbers = [
        batch, length, width, heads, memory, features, size, layers, directions, start,
      ]
      return "\(kind) \(numbers.compactMap { $0 }) "
        + "\([causal, masked, before].compactMap { $0 })"
    }
  }

  static let cases = Case.load()
  static func cases(_ kind: String) -> [Case] { cases.filter { $0.kind == kind } }
  static let types: [DType] = [.float64, .float32]

  // MARK: Rules

  static func inputs(_ shape: Shape, step: Int = 0, _ dtype: DType) -> Tensor {
    rule(shape, dtype) { sin(0.7 * $0 * $0 + Double(step)) }
  }
  static func cotangent(_ shape: Shape, _ step: Int, _ dtype: DType) -> Tensor {
    rule(shape, dtype) { cos(1.3 * $0 * $0 + 0.2 + Double(step)) }
  }
  /// Every parameter by the rule for its number.
  static func filled<Model: Module>(_ module: Model, _ dtype: DType) -> Model {
    var copy = module.converted(to: dtype)
    copy.setParameters(
      copy.parameters.enumerated().map { number, parameter in
        let scale = 1 / Double(parameter.shape[-1]).squareRoot()
        return rule(parameter.shape, dtype) {
          scale * sin(2 * $0 * $0 + 0.5 * $0 + Double(number))
        }
      })
    return copy
  }

  /// Outputs and the derivatives with respect to parameters and inputs against the stored ones.
  static func compare<Model: Module>(
    _ module: Model, _ inputs: [Tensor], _ row: Case, _ dtype: DType,
    _ function: (Model, [Tensor]) -> [Tensor]
  ) {
    let count = module.parameters.count
    let (_, gradients, outputs) = valueAndGradient(
      at: module.parameters + inputs,
      withAuxiliary: { tensors in
        var copy = module
        copy.setParameters(Array(tensors.prefix(count)))
        let outputs = function(copy, Array(tensors.dropFirst(count)))
        let sum = outputs.enumerated().reduce(Tensor.scalar(0, dtype)) {
          $0 + ($1.element * cotangent($1.element.shape, $1.offset, dtype)).sum()
        }
        return (sum, outputs.map(\.detached))
      })
    for (index, y) in outputs.enumerated() { row.check(y, "y\(index)", dtype) }
    for (index, gradient) in gradients.enumerated() {
      row.check(gradient ?? .zeros([1], dtype), "d\(index)", dtype)
    }
    #expect(row.expected.count == outputs.count + gradients.count)
  }

  /// Hides every third pair.
  static func mask(_ heads: Int, _ queries: Int, _ keys: Int, _ dtype: DType) -> Tensor {
    let values = (0..<(heads * queries * keys)).map { index -> Double in
      let (head, query, key) = (index / (queries * keys), index / keys % queries, index % keys)
      return (query + 2 * key + head) % 3 == 2 && key > 0 ? -.infinity : 0
    }
    return Tensor(values, shape: [heads, queries, keys]).converted(to: dtype)
  }

  // MARK: Beside PyTorch

  @Test(arguments: cases("attention"), types)
  func attentionIsPyTorchs(row: Case, dtype: DType) throws {
    let (batch, length, width) = (row.batch!, row.length!, row.width!)
    let (heads, memory) = (row.heads!, row.memory!)
    var random = RandomStream(seed: 1)
    let layer = Self.filled(
      MultiHeadAttention(width, heads: heads, isCausal: row.causal!, using: &random), dtype)
    let mask =
      row.masked! ? Self.mask(heads, length, memory > 0 ? memory : length, dtype) : nil
    let x = Self.inputs([batch, length, width], dtype)
    let other = memory > 0 ? [Self.inputs([batch, memory, width], step: 1, dtype)] : []
    Self.compare(layer, [x] + other, row, dtype) { layer, inputs in
      [
        inputs.count == 1
          ? layer(inputs[0], mask: mask) : layer(inputs[0], over: inputs[1], mask: mask)
      ]
    }
  }

  @Test(arguments: cases("block"), types) func blocksArePyTorchs(row: Case, dtype: DType) throws {
    var random = RandomStream(seed: 1)
    let layer = Self.filled(
      TransformerBlock(
        24, heads: 3, hidden: 40, norm: row.before! ? .before : .after, using: &random), dtype)
    Self.compare(layer, [Self.inputs([2, 6, 24], dtype)], row, dtype) { [$0($1[0])] }
  }

  @Test(arguments: cases("gru"), types) func gruIsPyTorchs(row: Case, dtype: DType) throws {
    var random = RandomStream(seed: 1)
    let layer = Self.filled(
      GRU(
        row.features!, row.size!, layers: row.layers!, isBidirectional: row.directions! == 2,
        using: &random), dtype)
    let x = Self.inputs([row.batch!, row.length!, row.features!], dtype)
    let state = Self.inputs([row.layers! * row.directions!, row.batch!, row.size!], step: 1, dtype)
    Self.compare(layer, [x, state], row, dtype) { layer, inputs in
      let result = layer(inputs[0], state: inputs[1])
      return [result.outputs, result.state]
    }
  }

  @Test(arguments: cases("lstm"), types) func lstmIsPyTorchs(row: Case, dtype: DType) throws {
    var random = RandomStream(seed: 1)
    let layer = Self.filled(
      LSTM(
        row.features!, row.size!, layers: row.layers!, isBidirectional: row.directions! == 2,
        using: &random), dtype)
    let x = Self.inputs([row.batch!, row.length!, row.features!], dtype)
    let states = [1, 2].map {
      Self.inputs([row.layers! * row.directions!, row.batch!, row.size!], step: $0, dtype)
    }
    Self.compare(layer, [x] + states, row, dtype) { layer, inputs in
      let result = layer(inputs[0], state: LSTM.State(state: inputs[1], cell: inputs[2]))
      return [result.outputs, result.state.state, result.state.cell]
    }
  }

  @Test(arguments: cases("rotary"), types)
  func rotaryPositionsAreComplexProducts(row: Case, dtype: DType) {
    let (length, start, size) = (row.length!, row.start!, row.size!)
    let angles = RotaryAngles(length: start + length, headSize: size, base: row.base!)
    let x = Self.inputs([2, length, 2, size], dtype).reshaped([2, length, 2 * size])
    row.check(rotated(x, by: angles, columns: 2 * size, from: start), "y0", dtype)
  }

  @Test(arguments: cases("sinusoidal")) func sinusoidalPositionsAreTheirFormula(row: Case) {
    var random = RandomStream(seed: 1)
    let positions = PositionEncoding(
      .sinusoidal, length: row.length!, width: row.width!, heads: 1, using: &random)
    let table = positions(.zeros([1, row.length!, row.width!], .float64))
    row.check(table.squeezed(0), "y0", .float64)
  }

  // MARK: One position at a time

  /// What the cache gives position by position is the whole pass, whatever the policy of positions.
  @Test(arguments: PositionEncoding.Policy.allCases, TransformerBlock.NormPlacement.allCases)
  func aCacheGivesTheWholePass(
    policy: PositionEncoding.Policy, norm: TransformerBlock.NormPlacement
  ) {
    for (batch, heads, size, length) in [(3, 2, 6, 20), (1, 1, 4, 3), (40, 4, 32, 37)] {
      var random = RandomStream(seed: 5)
      let width = heads * size
      let positions = PositionEncoding(
        policy, length: length + 2, width: width, heads: heads, using: &random)
      let block = TransformerBlock(
        width, heads: heads, isCausal: true, norm: norm, using: &random)
      for (dtype, tolerance) in [(DType.float64, 1e-13), (.float32, 1e-5)] {
        let positions = positions.converted(to: dtype)
        let block = block.converted(to: dtype)
        let x = random.normalTensor([batch, length, width], dtype)
        var context = LayerContext.inference
        let whole = block(positions(x), mask: nil, angles: positions.angles, &context)
        var cache = block.attention.cache(batch: batch, capacity: length)
        for t in 0..<length {
          let vector = positions(x.sliced(1, t..<(t + 1)), from: t).squeezed(1)
          let kept = cache
          let next = block.next(vector, cache: &cache, angles: positions.angles)
          let expected = whole.selecting(t, axis: 1)
          #expect(distance(next, expected) < tolerance, "\(policy) \(norm) \(dtype) \(t)")
          // A cache is a value: going on from a copy gives the same again.
          if t % 7 == 3 {
            var again = kept
            #expect(again.count == t)
            let repeated = block.next(vector, cache: &again, angles: positions.angles)
            #expect(repeated.array == next.array)
          }
        }
        #expect(cache.count == length)
      }
    }
  }

  /// With rotary positions only distances matter: attention does not change when all move on.
  @Test func rotaryAttentionSeesDistances() {
    var random = RandomStream(seed: 6)
    let angles = RotaryAngles(length: 30, headSize: 6)
    let projection = random.doubles([2, 8, 36])
    func attend(_ start: Int) -> Tensor {
      selfAttention(rotated(projection, by: angles, columns: 24, from: start), heads: 2)
    }
    #expect(distance(attend(0), attend(22)) < 1e-12)
    #expect(distance(attend(0), selfAttention(projection, heads: 2)) > 1e-3)
  }

  @Test func policiesDifferInParametersOnly() {
    for policy in PositionEncoding.Policy.allCases {
      var random = RandomStream(seed: 7)
      let positions = PositionEncoding(policy, length: 5, width: 8, heads: 2, using: &random)
      #expect(positions.parameterCount == (policy == .learned ? 40 : 0))
      #expect(positions.unvisitedTensors.isEmpty)
      #expect((positions.angles != nil) == (policy == .rotary))
      let x = random.normalTensor([2, 3, 8])
      let same = positions(x, from: 2).array == x.array
      #expect(same == (policy == .none || policy == .rotary))
    }
  }

  @Test func pathsOfABlock() {
    var random = RandomStream(seed: 8)
    let block = TransformerBlock(8, heads: 2, using: &random)
    #expect(
      block.namedParameters.map(\.path) == [
        "attentionNorm.scale", "attentionNorm.shift", "attention.qkv.weight", "attention.qkv.bias",
        "attention.output.weight", "attention.output.bias", "networkNorm.scale",
        "networkNorm.shift", "expand.weight", "expand.bias", "contract.weight", "contract.bias",
      ])
    let gru = GRU(3, 2, layers: 2, using: &random)
    #expect(
      gru.namedParameters.map(\.path).prefix(5) == [
        "cells.0.input.weight", "cells.0.input.bias", "cells.0.state.weight", "cells.0.state.bias",
        "cells.1.input.weight",
      ])
  }
}
