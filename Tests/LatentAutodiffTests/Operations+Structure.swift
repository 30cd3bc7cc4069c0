// Reductions over many sets of axes, and everything that moves elements.

import LatentAutodiff
import LatentNumerics

extension Operation {
  static let reductions: [Operation] = {
    typealias Reduction = @Sendable (Tensor, [Int]?, Bool) -> Tensor
    let all: [(String, Reduction)] = [
      ("sum", { $0.sum(axes: $1, keepingDimensions: $2) }),
      ("mean", { $0.mean(axes: $1, keepingDimensions: $2) }),
      ("max", { $0.max(axes: $1, keepingDimensions: $2) }),
      ("min", { $0.min(axes: $1, keepingDimensions: $2) }),
      ("variance", { $0.variance(axes: $1, keepingDimensions: $2) }),
      ("unbiased variance", { $0.variance(axes: $1, correction: 1, keepingDimensions: $2) }),
      ("logSumExp", { $0.logSumExp(axes: $1, keepingDimensions: $2) }),
    ]
    var table = Table()
    for (name, reduction) in all {
      for axes in [nil, [0], [1], [-1], [0, 2], [2, 1], [0, 1, 2]] as [[Int]?] {
        for keeping in [false, true] {
          let name = "\(name) over \(axes.map { "\($0)" } ?? "all")\(keeping ? ", keeping" : "")"
          table.add(name, .normal([2, 3, 2])) { reduction($0[0], axes, keeping) }
        }
      }
      if name != "unbiased variance" {
        table.add("\(name) of a scalar", .normal([])) { reduction($0[0], nil, false) }
        table.add("\(name) over nothing", .normal([2, 3])) { reduction($0[0], [], false) }
      }
      if name.count == 3 || name == "logSumExp" {
        table.add("\(name) of equals", .normal([3])) {
          reduction(
            $0[0] + Tensor.concatenate([$0[0], $0[0]], axis: 0).sliced(0, 3..<6), [0], false)
        }
      }
    }
    for axis in [0, 1, -1] {
      table.add("softmax \(axis)", .normal([2, 3, 4])) { softmax($0[0], axis: axis) }
      table.add("logSoftmax \(axis)", .normal([2, 3, 4])) { logSoftmax($0[0], axis: axis) }
      for (reverse, exclusive) in [(false, false), (false, true), (true, false), (true, true)] {
        table.add("cumulativeSum \(axis) \(reverse) \(exclusive)", .normal([2, 3, 4])) {
          $0[0].cumulativeSum(axis: axis, reverse: reverse, exclusive: exclusive)
        }
      }
    }
    return table.operations
  }()

  static let movement: [Operation] = {
    var table = Table()
    let one: Input = .normal([2, 3, 4])
    table.add("reshape", one) { $0[0].reshaped([4, 6]) }
    table.add("reshape with -1", one) { $0[0].reshaped([3, -1]) }
    table.add("flatten", one) { $0[0].flattened(from: 1) }
    table.add("expand and squeeze", one) {
      $0[0].expandingDimension(at: -1).expandingDimension(at: 0).squeezed(0).squeezed(-1)
    }
    for order in [[2, 0, 1], [1, 2, 0], [0, 2, 1], [2, 1, 0], [0, 1, 2], [-1, 0, 1]] {
      table.add("permute \(order)", one) { $0[0].permuted(order) }
    }
    table.add("transpose", one) { $0[0].transposed }
    table.add("swap", one) { $0[0].swapping(0, -1) }
    table.add("broadcast", .normal([3, 1])) { $0[0].broadcast(to: [2, 3, 4]) }
    table.add("broadcast of a scalar", .normal([])) { $0[0].broadcast(to: [2, 3]) }
    for (axis, range, step) in [
      (0, 1..<2, 1), (1, 0..<3, 2), (2, 1..<4, 2), (-1, 0..<4, 3), (1, 1..<1, 1), (2, 0..<4, 1),
    ] {
      table.add("slice \(axis) \(range) by \(step)", one) {
        $0[0].sliced(axis, range, step: step)
      }
    }
    table.add("select", one) { $0[0].selecting(1, axis: -2) }
    table.add("split", one) { x in
      let parts = x[0].split(into: 2, axis: -1)
      return parts[0] * parts[1]
    }
    table.add("split by sizes", one) { x in
      let parts = x[0].split(sizes: [1, 0, 2], axis: 1)
      return parts[0] * parts[2] + parts[1].sum()
    }
    for axis in [0, 1, -1] {
      table.add("reverse \(axis)", one) { $0[0].reversed(axis: axis) }
      table.add("concatenate \(axis)", one, one, one) { Tensor.concatenate($0, axis: axis) }
      table.add("stack \(axis)", one, one) { Tensor.stack($0, axis: axis) }
      table.add("pad \(axis)", one) { $0[0].padded(axis: axis, before: 2, after: 1, value: 0.5) }
    }
    table.add("concatenate different sizes", .normal([2, 1]), .normal([2, 3]), .normal([2, 0])) {
      Tensor.concatenate([$0[1], $0[0], $0[2], $0[1]], axis: 1)
    }
    let list = Tensor([2, 0, 2, 1] as [Int32])
    let grid = Tensor([0, 1, 1, 0, 0, 0] as [Int32], shape: [3, 2])
    table.add("gather rows", .normal([3, 4])) { $0[0].gathering(list) }
    table.add("gather columns", .normal([2, 3])) { $0[0].gathering(list, axis: -1) }
    table.add("gather a grid", .normal([2, 2, 3])) { $0[0].gathering(grid, axis: 1) }
    table.add("gather one", .normal([3, 2])) { $0[0].gathering(Tensor([1] as [Int32], shape: [])) }
    table.add("gather along 1", .normal([3, 4])) { $0[0].gathering(along: 1, grid) }
    table.add("gather along 0", .normal([4, 2])) { $0[0].gathering(along: 0, grid) }
    table.add("scatter rows", .normal([4, 2])) { $0[0].scatterAdded(to: list, axis: 0, length: 5) }
    table.add("scatter columns", .normal([2, 4, 2])) {
      $0[0].scatterAdded(to: list, axis: 1, length: 3)
    }
    table.add("scatter a grid", .normal([2, 3, 2])) {
      $0[0].scatterAdded(to: grid, axis: 1, length: 2)
    }
    table.add("scatter along", .normal([3, 2])) {
      $0[0].scatterAdded(along: -1, grid, length: 4)
    }
    return table.operations
  }()
}
