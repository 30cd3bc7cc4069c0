// What the tests of this module share: a module with every kind of part, and how far two arrays
// are apart.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// One part of each kind that a visitor can meet.
struct Composed: Module {
  var table: Embedding
  var blocks: [Linear]
  var head: Residual<Sequential>
  var offset: Tensor?
  var absent: Tensor?
  var noLayer: Linear?
  var extra: any Module
  var running: Tensor

  init(seed: UInt64 = 1) {
    var random = RandomStream(seed: seed)
    table = Embedding(count: 5, size: 3, using: &random)
    blocks = [
      Linear(3, 4, using: &random), Linear(4, 4, activation: .relu, bias: false, using: &random),
    ]
    head = Residual(
      Sequential(LayerNorm(4), Linear(4, 2, using: &random)),
      shortcut: Linear(4, 2, bias: false, using: &random))
    offset = Tensor([0.5, -0.5] as [Float])
    extra = LayerNorm(2)
    running = .zeros([7])
  }

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&table, "table")
    visitor.visit(&blocks, "blocks")
    visitor.visit(&head, "head")
    visitor.visit(&offset, "offset")
    visitor.visit(&absent, "absent")
    visitor.visit(&noLayer, "noLayer")
    visitor.visit(&extra, "extra")
    visitor.visitBuffer(&running, "running")
  }

  static let shapes: [(path: String, shape: Shape)] = [
    ("table.weight", [5, 3]), ("blocks.0.weight", [4, 3]), ("blocks.0.bias", [4]),
    ("blocks.1.weight", [4, 4]), ("head.body.0.scale", [4]), ("head.body.0.shift", [4]),
    ("head.body.1.weight", [2, 4]), ("head.body.1.bias", [2]), ("head.shortcut.weight", [2, 4]),
    ("offset", [2]), ("extra.scale", [2]), ("extra.shift", [2]), ("running", [7]),
  ]
}

/// The largest difference, relative to the expected value where that is above 1.
func distance(_ found: Tensor, _ expected: [Double]) -> Double {
  guard found.count == expected.count else { return .infinity }
  return zip(found.doubles, expected).reduce(0) { worst, pair in
    let error = Swift.abs(pair.0 - pair.1) / max(1, Swift.abs(pair.1))
    return error.isNaN ? .infinity : max(worst, error)
  }
}

func distance(_ found: Tensor, _ expected: Tensor) -> Double {
  found.shape == expected.shape ? distance(found, expected.doubles) : .infinity
}

extension RandomStream {
  /// Standard normal float64.
  mutating func doubles(_ shape: Shape) -> Tensor { normalTensor(shape, .float64) }
}
