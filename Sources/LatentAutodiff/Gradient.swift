// Reverse-mode differentiation as a pure function: no global tape, no flags on tensors.
// Gradients of gradients come from nesting: when the computation depends on something an
// enclosing call differentiates, the backward pass is recorded as well.

import LatentNumerics

/// The value of `function` at `inputs` and its derivatives with respect to each of them (zero
/// where it does not depend on one).
///
/// `function` returns a scalar (shape `[]`) and anything else worth keeping, such as the terms of a loss.
/// Traps when the result is not a scalar.
public func valueAndGradient<Auxiliary>(
  at inputs: [Tensor], file: StaticString = #fileID, line: UInt = #line,
  withAuxiliary function: ([Tensor]) throws -> (Tensor, Auxiliary)
) rethrows -> (value: Tensor, gradients: [Tensor?], auxiliary: Auxiliary) {
  let first = Node.nextNumber
  // Leaves are identities, so that an enclosing call can differentiate through them.
  let leaves = inputs.map { input in
    Tensor(
      input.array,
      node: Node(
        "input", input.isRecorded ? [input] : [], output: input.array, saved: [],
        pullback: { g, _ in [g] }))
  }
  let (value, auxiliary) = try function(leaves)
  require(
    value.count == 1, "the gradient of a result of shape \(value.shape): expected a scalar",
    file: file, line: line)
  var pass = BackwardPass(
    from: value, first: first, leaves: leaves.map { $0.node.unsafelyUnwrapped })
  let gradients = pass.run()
  return (pass.isHigherOrder ? value : value.detached, gradients, auxiliary)
}

/// The value of a scalar `function` and its derivatives with respect to each of `inputs`.
public func valueAndGradient(
  at inputs: [Tensor], file: StaticString = #fileID, line: UInt = #line,
  of function: ([Tensor]) throws -> Tensor
) rethrows -> (value: Tensor, gradients: [Tensor]) {
  let result = try valueAndGradient(at: inputs, file: file, line: line) {
    (try function($0), ())
  }
  return (
    result.value, zip(result.gradients, inputs).map { $0 ?? $1.zerosLike }
  )
}

/// The derivative of a scalar `function` with respect to one tensor.
public func gradient(
  at input: Tensor, file: StaticString = #fileID, line: UInt = #line,
  of function: (Tensor) throws -> Tensor
) rethrows -> Tensor {
  try valueAndGradient(at: [input], file: file, line: line) { try function($0[0]) }.gradients[0]
}

/// One walk from a result back to the leaves.
private struct BackwardPass {
  let first: Int
  let leaves: [Node]
  /// The reached nodes and their cotangents, by number from `first`.
  var nodes: [Node?]
  var cotangents: [Tensor?]
  /// Whether an older node was met: an enclosing call may differentiate what we compute.
  private(set) var isHigherOrder = false
  /// Which nodes lead to a leaf, by number from `first`; nil where all that were reached do.
  private var leading: [Bool]?
  private let products: ProductSums

  init(from value: Tensor, first: Int, leaves: [Node]) {
    self.first = first
    self.leaves = leaves
    guard let root = value.liveNode, root.number >= first else {
      nodes = []
      cotangents = []
      products = ProductSums(first: first, count: 0)
      isHigherOrder = value.isRecorded
      return
    }
    nodes = Array(repeating: nil, count: root.number - first + 1)
    cotangents = Array(repeating: nil, count: root.number - first + 1)
    cotangents[root.number - first] = value.onesLike
    products = ProductSums(first: first, count: nodes.count)
    collect(root)
  }

  private mutating func collect(_ root: Node) {
    nodes[root.number - first] = root
    var waiting = [root]
    // Whether something was reached that leads to no leaf: the leaf of a call inside.
    var hasDeadEnd = false
    while let node = waiting.popLast() {
      var isEnd = true
      for input in node.inputs {
        guard let next = input.liveNode else { continue }
        isEnd = false
        if next.number < first {
          isHigherOrder = true
        } else {
          products.count(next)
          if nodes[next.number - first] == nil {
            nodes[next.number - first] = next
            waiting.append(next)
          }
        }
      }
      if isEnd && node.number > leaves.last?.number ?? -1 { hasDeadEnd = true }
    }
    if isHigherOrder || hasDeadEnd { findLeading() }
  }

  /// What depends only on the inputs of enclosing calls, or of calls inside, is of no use to this one.
  private mutating func findLeading() {
    var leading = Array(repeating: false, count: nodes.count)
    for leaf in leaves where leaf.number - first < nodes.count {
      leading[leaf.number - first] = true
    }
    for (index, node) in nodes.enumerated() {
      guard let node, !leading[index] else { continue }
      leading[index] = node.inputs.contains { input in
        input.liveNode.map { $0.number >= first && leading[$0.number - first] } ?? false
      }
    }
    self.leading = leading
  }

  mutating func run() -> [Tensor?] {
    let lastLeaf = (leaves.last?.number ?? first) - first
    for index in nodes.indices.reversed() where index > lastLeaf {
      guard let node = nodes[index] else { continue }
      nodes[index] = nil
      if let sum = products.leftOver(of: node) { add(sum, to: index) }
      if let cotangent = cotangents[index] {
        cotangents[index] = nil
        spread(cotangent, through: node)
      }
      if !isHigherOrder { node.spend() }
    }
    for (index, leaf) in nodes.prefix(lastLeaf + 1).enumerated() {
      guard let leaf else { continue }
      if let sum = products.leftOver(of: leaf) { add(sum, to: index) }
      if !isHigherOrder { leaf.spend() }
    }
    return leaves.map { leaf in
      leaf.number - first < cotangents.count ? cotangents[leaf.number - first] : nil
    }
  }

  private mutating func spread(_ cotangent: Tensor, through node: Node) {
    let wanted = leading.map { leading in
      node.inputs.map { input in
        input.liveNode.map { $0.number >= first && leading[$0.number - first] } ?? false
      }
    }
    let parts = node.pullback(
      cotangent,
      RecordedCall(
        node: node, isHigherOrder: isHigherOrder, leading: wanted, products: products))
    for (position, (input, part)) in zip(node.inputs, parts).enumerated() {
      guard let target = input.liveNode, target.number >= first, wanted?[position] ?? true else {
        continue
      }
      if let part { add(part, to: target.number - first) }
    }
  }

  private mutating func add(_ part: Tensor, to slot: Int) {
    cotangents[slot] = cotangents[slot].map { $0 + part } ?? part
  }
}
