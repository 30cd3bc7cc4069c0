// Matrix products and factorisations, and the fused operations with their options.

import LatentAutodiff
import LatentNumerics

extension Operation {
  /// X X^T + 1: symmetric and positive definite for any X.
  private static func definite(_ x: Tensor) -> Tensor {
    let n = x.shape[-1]
    return matmul(x, x, transpose: .right) + Tensor.identity(n, x.dtype)
  }

  static let matrices: [Operation] = {
    var table = Table()
    let batches: [(Shape, Shape)] = [
      ([], []), ([2], [2]), ([2], []), ([], [2]), ([2, 2], [2]), ([2, 1], [1, 2]), ([1], []),
      ([], [1]), ([2, 1], [2, 2]), ([0], []),
    ]
    let transposes: [(String, GemmTranspose)] = [
      ("matmul", []), ("matmul left", .left), ("matmul right", .right),
      ("matmul both", [.left, .right]),
    ]
    for (name, transpose) in transposes {
      for (left, right) in batches {
        for (m, n, k) in [(2, 3, 2), (1, 2, 3), (3, 1, 2), (2, 2, 1)] {
          if (m, n, k) != (2, 3, 2) && left.rank + right.rank > 1 { continue }
          let a: Shape = left + (transpose.contains(.left) ? [k, m] : [m, k])
          let b: Shape = right + (transpose.contains(.right) ? [n, k] : [k, n])
          table.add(name, .normal(a), .normal(b)) { matmul($0[0], $0[1], transpose: transpose) }
        }
      }
      table.add("\(name) with itself", .normal([2, 2])) {
        matmul($0[0], $0[0], transpose: transpose)
      }
    }
    for rows in [[4], [1], [2, 3], [0]] as [Shape] {
      table.add("sparse matmul", .apart(rows + [5]), .normal([5, 3])) {
        matmul(sparse: relu($0[0]), $0[1])
      }
    }
    table.add("matmul over nothing", .normal([2, 0]), .normal([0, 3])) { matmul($0[0], $0[1]) }
    for batch in [[], [2], [2, 1]] as [Shape] {
      let square: Input = .normal(batch + [3, 3])
      table.add("lower triangle", square) { $0[0].lowerTriangle }
      table.add("diagonal", square) { $0[0].diagonal }
      table.add("diagonal matrix", .normal(batch + [3])) { $0[0].diagonalMatrix }
      table.add("cholesky", square) { try cholesky(definite($0[0])) }
      table.add("logDeterminant", square) { try logDeterminant(definite($0[0])) }
      table.add("inverse", .triangular(batch + [3, 3])) { try inverse($0[0] * 0.7) }
      table.add("inverse of definite", square) { try inverse(definite($0[0])) }
      table.add("solve with factor", square, .normal(batch + [3, 2])) {
        triangularSolve(try cholesky(definite($0[0])), $0[1])
      }
    }
    for lower in [true, false] {
      for transposed in [false, true] {
        for (left, right) in [([], []), ([2], [2]), ([2], []), ([], [2]), ([2, 1], [2])]
          as [(Shape, Shape)]
        {
          let name = "solve \(lower ? "lower" : "upper")\(transposed ? " transposed" : "")"
          table.add(name, .triangular(left + [3, 3]), .normal(right + [3, 2])) {
            triangularSolve($0[0], $0[1], lower: lower, transposed: transposed)
          }
        }
      }
    }
    return table.operations
  }()

  static let fused: [Operation] = {
    var table = Table()
    for activation in Activation.allCases {
      for shape in [[2, 3], [2, 2, 3], [3], [0, 3]] as [Shape] {
        let inputs: [Input] = [.normal(shape), .normal([2, 3]), .apart([2])]
        table.add("linear \(activation)", inputs) {
          linear($0[0], weight: $0[1], bias: $0[2], activation: activation)
        }
        table.add("linear \(activation), no bias", Array(inputs.prefix(2))) {
          linear($0[0], weight: $0[1], bias: nil, activation: activation)
        }
      }
    }
    table.add("linear, constant weight", .normal([2, 3]), .normal([2])) {
      linear($0[0], weight: Tensor.ones([2, 3], $0[0].dtype), bias: $0[1], activation: .gelu)
    }
    table.add("linear, constant input", .normal([2, 3])) {
      linear(
        Tensor.ones([4, 3], $0[0].dtype), weight: $0[0], bias: Tensor.ones([2], $0[0].dtype),
        activation: .tanh)
    }
    let heads: [(Shape, Shape, Shape)] = [
      ([2, 3], [2, 3], [2, 3]), ([2, 3], [2, 3], [4, 2, 3]), ([2, 3], [3], [2, 3]),
      ([3], [2, 3], [2, 2, 3]), ([2, 3], [2, 1], [2, 3]),
    ]
    for (mean, logVariance, noise) in heads {
      table.add("reparameterized", .normal(mean), .normal(logVariance), .normal(noise)) {
        reparameterized(mean: $0[0], logVariance: $0[1], noise: $0[2])
      }
      table.add("standardNormalKL", .normal(mean), .normal(logVariance)) {
        standardNormalKL(mean: $0[0], logVariance: $0[1])
      }
    }
    for shape in [[5], [3, 4], [2, 2, 4]] as [Shape] {
      table.add("bernoulli", .normal(shape)) { x in
        let values = (0..<x[0].count).map { Double($0 % 5) / 4 }
        return bernoulliLogProbability(
          logits: x[0], targets: constant(values, x[0].shape, like: x[0]))
      }
      table.add("bernoulli, targets too", .normal(shape), .unit(shape)) {
        bernoulliLogProbability(logits: $0[0], targets: $0[1])
      }
      table.add("bernoulli, broadcast targets", .normal([3] + shape), .unit(shape)) {
        bernoulliLogProbability(logits: $0[0], targets: $0[1])
      }
      table.add("bernoulli, broadcast constant targets", .normal([2] + shape)) { x in
        let values = (0..<shape.count).map { Double($0 % 3) / 2 }
        return bernoulliLogProbability(
          logits: x[0], targets: constant(values, shape, like: x[0]))
      }
      let row: Input = .normal([shape[-1]])
      table.add("layerNormalized", .normal(shape), row, row) {
        layerNormalized($0[0], scale: $0[1], shift: $0[2])
      }
    }
    table.add("layerNormalized, constant scale", .normal([3, 4])) {
      layerNormalized(
        $0[0], scale: Tensor.ones([4], $0[0].dtype), shift: Tensor.zeros([4], $0[0].dtype),
        epsilon: 0.1)
    }
    return table.operations
  }()
}
