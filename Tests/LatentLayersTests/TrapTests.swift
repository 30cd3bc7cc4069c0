// Programmer mistakes trap with what does not fit. An exit test's body cannot capture closures, so
// each mistake has a name.

import LatentAutodiff
import LatentLayers
import LatentNumerics
import TestSupport
import Testing

@Suite struct TrapTests {
  static let mistakes = [
    Mistake(name: "rate 1", words: ["dropout rate 1.0: expected 0 ..< 1"]),
    Mistake(name: "rate below 0", words: ["dropout rate -0.1: expected 0 ..< 1"]),
    Mistake(name: "rate NaN", words: ["dropout rate nan: expected 0 ..< 1"]),
    Mistake(
      name: "linear input",
      words: ["Linear: an input of shape [2, 4], expected [..., 3]", "TrapTests.swift"]),
    Mistake(
      name: "linear type",
      words: [
        "Linear: an input of int32, expected float32: convert it with converted(to: .float32)",
        "TrapTests.swift",
      ]),
    Mistake(
      name: "layer of a model",
      words: [
        "Linear: an input of shape [2, 3], expected [..., 4], in the layer 1.body.0",
        "(evaluating Sequential for ", "TrapTests.swift",
      ]),
    Mistake(
      name: "channels",
      words: [
        "Conv2D: an input of shape [1, 4, 4, 2], expected 4 axes that end in 3 channels, in the layer 0",
        "TrapTests.swift",
      ]),
    Mistake(
      name: "axes",
      words: ["ConvTranspose1D: an input of shape [1, 4, 4, 2], expected 3 axes that end in 2"]),
    Mistake(
      name: "gradient of a model",
      words: ["expected [..., 3], in the layer 0 (evaluating Sequential for ", "TrapTests.swift"]),
    Mistake(name: "tokens", words: ["Embedding: indices of float32, expected int32"]),
    Mistake(
      name: "one name",
      words: ["visitParameters of Doubled names weight more than once"]),
    Mistake(name: "linear bias", words: ["linear: bias [3] does not fit weight [5, 3]"]),
    Mistake(
      name: "layer norm", words: ["LayerNorm: an input of shape [2, 3], expected [..., 4]"]),
    Mistake(name: "too few tensors", words: ["1 tensors for a module of 2 parameters"]),
    Mistake(name: "too many tensors", words: ["3 tensors for a module of 2 parameters"]),
    Mistake(name: "vector loss", words: ["a result of shape [2]: expected a scalar"]),
    Mistake(
      name: "another model",
      words: ["valueAndGradient: the result depends on no parameter of Linear"]),
    Mistake(name: "heads", words: ["attention of width 10 in 3 heads"]),
    Mistake(
      name: "attention shapes",
      words: ["attention of 2 heads: operands [1, 3, 4], [1, 5, 4], [1, 6, 4]"]),
    Mistake(
      name: "attention mask",
      words: ["mask [4, 5] does not broadcast to [batch, heads, queries, keys] = [1, 2, 3, 3]"]),
    Mistake(name: "full cache", words: ["key/value cache: all 2 positions are taken"]),
    Mistake(name: "no next position", words: ["attention that is not causal has no next position"]),
    Mistake(name: "odd head", words: ["rotary positions of 9 positions, heads of 3"]),
    Mistake(name: "positions", words: ["positions 3..<7 of a sequence of 6"]),
    Mistake(name: "recurrence", words: ["gru: projected inputs [2, 4, 9], state [3, 3]"]),
    Mistake(name: "index", words: ["gather: index 5 at position 1 is outside 0..<5 of axis 0"]),
  ]

  /// Two parameters of one name.
  struct Doubled: Module {
    var first = Tensor.zeros([1])
    var second = Tensor.zeros([1])
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      visitor.visit(&first, "weight")
      visitor.visit(&second, "weight")
    }
  }

  static func make(_ name: String) {
    var random = RandomStream(seed: 1)
    var layer = Linear(3, 5, using: &random)
    switch name {
    case "rate 1": _ = Dropout(rate: 1)
    case "rate below 0": _ = Dropout(rate: -0.1)
    case "rate NaN": _ = Dropout(rate: .nan)
    case "linear input": _ = layer(.zeros([2, 4]))
    case "linear type": _ = layer(Tensor([Int32](repeating: 1, count: 3), shape: [1, 3]))
    case "layer of a model":
      let model = Sequential(
        Linear(2, 3, using: &random), Residual(Sequential(Linear(4, 3, using: &random))))
      _ = model(.zeros([2, 2]))
    case "channels":
      _ = Sequential(Conv2D(3, 2, kernel: 3, using: &random))(.zeros([1, 4, 4, 2]))
    case "axes": _ = ConvTranspose1D(2, 2, kernel: 3, using: &random)(.zeros([1, 4, 4, 2]))
    case "gradient of a model":
      let model = Sequential(layer)
      _ = valueAndGradient(at: model) { model in
        var context = LayerContext.inference
        return model(.zeros([2, 4]), &context).sum()
      }
    case "tokens": _ = Embedding(count: 5, size: 2, using: &random)(Tensor.zeros([2]))
    case "one name": _ = Doubled().namedArrays
    case "another model":
      let other = layer
      _ = valueAndGradient(at: other) { _ in other(.zeros([2, 3])).sum() }
    case "linear bias":
      layer.bias = .zeros([3])
      _ = layer(.zeros([2, 3]))
    case "layer norm": _ = LayerNorm(4)(.zeros([2, 3]))
    case "too few tensors": layer.setParameters([layer.weight])
    case "too many tensors": layer.setParameters([layer.weight, layer.weight, layer.weight])
    case "vector loss":
      _ = valueAndGradient(at: layer) { $0.weight.sliced(0, 0..<2).sum(axes: [1]) }
    case "heads": _ = MultiHeadAttention(10, heads: 3, using: &random)
    case "attention shapes":
      _ = attention(
        queries: .zeros([1, 3, 4]), keys: .zeros([1, 5, 4]), values: .zeros([1, 6, 4]), heads: 2)
    case "attention mask": _ = selfAttention(.zeros([1, 3, 12]), heads: 2, mask: .zeros([4, 5]))
    case "full cache":
      let attention = MultiHeadAttention(4, heads: 2, isCausal: true, using: &random)
      var cache = attention.cache(batch: 1, capacity: 2)
      for _ in 0..<3 { _ = attention.next(.zeros([1, 4]), cache: &cache) }
    case "no next position":
      let attention = MultiHeadAttention(4, heads: 2, using: &random)
      var cache = attention.cache(batch: 1, capacity: 2)
      _ = attention.next(.zeros([1, 4]), cache: &cache)
    case "odd head": _ = PositionEncoding(.rotary, length: 9, width: 6, heads: 2, using: &random)
    case "positions":
      let positions = PositionEncoding(.none, length: 6, width: 4, heads: 1, using: &random)
      _ = positions(.zeros([1, 4, 4]), from: 3)
    case "recurrence": _ = GRU(2, 3, using: &random)(.zeros([2, 4, 2]), state: .zeros([1, 3, 3]))
    case "index":
      _ = Embedding(count: 5, size: 2, using: &random)(Tensor([0, 5] as [Int32]))
    default: break
    }
  }

  @Test(arguments: mistakes) func traps(mistake: Mistake) async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [mistake] in
      TrapTests.make(mistake.name)
    }
    #expect(mistake.missing(in: result?.standardErrorContent) == nil)
  }
}
