// One recorded operation. Nodes point at their inputs only, are numbered as they are made, and so
// a backward pass is a walk through falling numbers: no recursion, no sorting, no global tape.

import LatentNumerics
import Synchronization

/// The cotangents of an operation's inputs from that of its output; nil where none is needed.
///
/// A pullback computes with tensors, so that it can itself be recorded and differentiated. It
/// reads inputs and output through the call and must not capture recorded tensors.
typealias Pullback = @Sendable (_ cotangent: Tensor, _ call: RecordedCall) -> [Tensor?]

/// What of an operation its derivative needs, and so is kept in memory.
struct Saved: OptionSet {
  let rawValue: Int
  static let inputs = Saved(rawValue: 1)
  static let output = Saved(rawValue: 2)
}

/// A recorded operation: explicit inputs, the value it gave, and its derivative.
///
/// Unchecked because `inputs` and `isSpent` change when the node is released or its pass is over; that
/// happens in the one thread that runs the backward pass or drops the last reference.
final class Node: @unchecked Sendable {
  let number: Int
  let name: StaticString
  fileprivate(set) var inputs: [Tensor]
  /// Whether its pass is over and found nothing of an enclosing one: a constant from then on.
  private(set) var isSpent = false
  let output: NDArray
  let pullback: Pullback

  private static let counter = Atomic<Int>(0)
  private static let nothing = NDArray(uninitialized: [0], .float32)

  /// The number that the next node will have, at least.
  static var nextNumber: Int { counter.load(ordering: .relaxed) }

  init(
    _ name: StaticString, _ inputs: [Tensor], output: NDArray, saved: Saved,
    pullback: @escaping Pullback
  ) {
    number = Node.counter.wrappingAdd(1, ordering: .relaxed).oldValue
    self.name = name
    self.inputs =
      saved.contains(.inputs) ? inputs : inputs.map { Tensor(Node.nothing, node: $0.node) }
    self.output = saved.contains(.output) ? output : Node.nothing
    self.pullback = pullback
  }

  /// To be called when the only pass that can differentiate this node has left it.
  func spend() {
    inputs = []
    isSpent = true
  }

  /// Long chains are taken apart in a loop: recursive release would overflow the stack.
  deinit {
    if inputs.isEmpty { return }
    var waiting: [Node] = []
    Node.takeApart(&inputs, into: &waiting)
    while let next = waiting.popLast() { Node.takeApart(&next.inputs, into: &waiting) }
  }

  /// Moves those nodes that only `inputs` holds to `waiting`.
  private static func takeApart(_ inputs: inout [Tensor], into waiting: inout [Node]) {
    var nodes = inputs.compactMap(\.node)
    inputs = []
    while var node = nodes.popLast() {
      if isKnownUniquelyReferenced(&node) { waiting.append(node) }
    }
  }
}

/// An operation as its pullback sees it.
struct RecordedCall {
  let node: Node
  /// Whether the backward pass is itself being recorded; fused derivatives give way to
  /// compositions of recorded operations then.
  let isHigherOrder: Bool
  /// Which inputs lead to what the pass differentiates with respect to; nil where all recorded ones do. Others are
  /// of an enclosing call, as the weights of a network whose slope by its input is taken, or of a call inside.
  let leading: [Bool]?
  /// The sums of products that the pass puts off.
  let products: ProductSums

  /// Input `index`, a constant unless the backward pass is being recorded.
  subscript(index: Int) -> Tensor {
    isHigherOrder ? node.inputs[index] : node.inputs[index].detached
  }

  /// Whether a derivative with respect to input `index` is wanted.
  func needs(_ index: Int) -> Bool { leading?[index] ?? node.inputs[index].isRecorded }

  /// `left`^T `right` of `[rows, m]` and `[rows, n]` as the cotangent of input `index`, which has m x n elements. Nil
  /// where the product waits for others that go to the same weights.
  func product(_ left: Tensor, _ right: Tensor, for index: Int) -> Tensor? {
    let input = node.inputs[index]
    guard !isHigherOrder, let weights = input.liveNode else {
      return matmul(left, right, transpose: .left).reshaped(input.shape)
    }
    return products.product(left.array, right.array, input.shape, for: weights)
  }

  var output: Tensor { Tensor(node.output, node: isHigherOrder ? node : nil) }

  /// The cotangents of the inputs through `function`, a composition of recorded operations with
  /// this operation's value: what a fused operation returns while its derivative is being recorded.
  func cotangents(_ g: Tensor, through function: ([Tensor]) -> Tensor) -> [Tensor?] {
    let inputs = node.inputs.indices.map { self[$0] }
    let gradients = valueAndGradient(
      at: inputs, withAuxiliary: { ((function($0) * g).sum(), ()) }
    ).gradients
    return gradients.enumerated().map { needs($0) ? $1 : nil }
  }
}

extension Tensor {
  /// The result of an operation on one input, recorded where the input is.
  static func record(
    _ name: StaticString, _ x: Tensor, _ result: NDArray, saving: Saved,
    _ pullback: @escaping Pullback
  ) -> Tensor {
    if !x.isRecorded { return Tensor(result) }
    return Tensor(
      result, node: Node(name, [x], output: result, saved: saving, pullback: pullback))
  }

  static func record(
    _ name: StaticString, _ x: Tensor, _ y: Tensor, _ result: NDArray, saving: Saved,
    _ pullback: @escaping Pullback
  ) -> Tensor {
    if !x.isRecorded && !y.isRecorded { return Tensor(result) }
    return Tensor(
      result, node: Node(name, [x, y], output: result, saved: saving, pullback: pullback))
  }

  static func record(
    _ name: StaticString, _ inputs: [Tensor], _ result: NDArray, saving: Saved,
    _ pullback: @escaping Pullback
  ) -> Tensor {
    if !inputs.contains(where: \.isRecorded) { return Tensor(result) }
    return Tensor(
      result, node: Node(name, inputs, output: result, saved: saving, pullback: pullback))
  }
}
