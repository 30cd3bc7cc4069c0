// Weights that a function uses several times (a network called twice, the steps of a chain, a potential and its
// slope) have a sum of products for a cotangent. Added up by a pass each, every product would be written and read
// once more; here they are put off until all are there and become one sum.

import LatentNumerics

/// The products of rows that go to the same weights, kept by a backward pass until the last one has come.
final class ProductSums {
  private let first: Int
  /// How often each node is an input of nodes that were reached, by its number from `first`.
  private var uses: [Int32]
  private var waiting: [Int: (shape: Shape, factors: [(left: NDArray, right: NDArray)])] = [:]

  init(first: Int, count: Int) {
    self.first = first
    uses = Array(repeating: 0, count: count)
  }

  func count(_ node: Node) { uses[node.number - first] += 1 }

  /// `left`^T `right` in the shape of the weights, or nil where it waits for others of the same weights. Then it is
  /// in what the last of them returns, or in what is left over.
  func product(_ left: NDArray, _ right: NDArray, _ shape: Shape, for weights: Node) -> Tensor? {
    let slot = weights.number - first
    // The only one is best computed while its factors are in the caches.
    if slot < 0 || uses[slot] < 2 {
      return Tensor(left.matmul(right, transpose: .left).reshaped(shape))
    }
    waiting[slot, default: (shape, [])].factors.append((left, right))
    return waiting[slot]?.factors.count == Int(uses[slot]) ? leftOver(of: weights) : nil
  }

  /// The sum of what still waits for a node whose turn it is, because it has been used otherwise too.
  func leftOver(of node: Node) -> Tensor? {
    if waiting.isEmpty { return nil }
    return waiting.removeValue(forKey: node.number - first).map {
      Tensor(NDArray.sumOfProducts($0.factors).reshaped($0.shape))
    }
  }
}
