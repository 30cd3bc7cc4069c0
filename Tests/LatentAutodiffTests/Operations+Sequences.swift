// Attention, rotary positions, recurrent networks and classes, for the table of operations.

import LatentAutodiff
import LatentNumerics

extension Operation {
  static let sequences: [Operation] = {
    var table = Table()
    // Key 1 is hidden from everybody, and all keys from query 0 of example 1.
    @Sendable func mask(_ queries: Int, _ keys: Int, like x: Tensor) -> Tensor {
      let values = (0..<(2 * queries * keys)).map { index -> Double in
        let (example, query, key) = (
          index / (queries * keys), index / keys % queries, index % keys
        )
        let hides = key == 1 || (example == 1 && query == 0)
        return hides ? -.infinity : Double(index % 5) / 4
      }
      return constant(values, [2, 1, queries, keys], like: x)
    }
    for isCausal in [false, true] {
      let name = isCausal ? "causal " : ""
      table.add("\(name)self-attention", .normal([2, 5, 12])) {
        selfAttention($0[0], heads: 2, isCausal: isCausal)
      }
      table.add("\(name)self-attention, masked", .normal([2, 4, 18])) {
        selfAttention($0[0], heads: 3, isCausal: isCausal, mask: mask(4, 4, like: $0[0]))
      }
      for (queries, keys) in [(2, 5), (5, 3), (9, 18)] {
        table.add(
          "\(name)attention", .normal([2, queries, 3]), .normal([2, keys, 3]),
          .normal([2, keys, 3])
        ) {
          attention(
            queries: $0[0], keys: $0[1], values: $0[2], heads: 1, isCausal: isCausal,
            mask: mask(queries, keys, like: $0[0]))
        }
      }
    }
    table.add(
      "attention with a learned bias", .normal([1, 3, 4]), .normal([1, 4, 4]), .normal([1, 4, 4]),
      .normal([2, 1, 4])
    ) { attention(queries: $0[0], keys: $0[1], values: $0[2], heads: 2, mask: $0[3]) }
    table.add("rotary positions", .normal([2, 3, 10])) {
      rotated($0[0], by: RotaryAngles(length: 9, headSize: 4), columns: 8, from: 5)
    }
    for (name, bias) in [("gru", 1), ("gru without bias", 0)] {
      let inputs: [Input] = [.normal([2, 3, 9]), .normal([2, 3]), .normal([9, 3]), .normal([9])]
      table.add(name, Array(inputs.prefix(3 + bias))) {
        gatedRecurrence($0[0], state: $0[1], weight: $0[2], bias: $0.count > 3 ? $0[3] : nil)
      }
    }
    for (name, bias) in [("lstm", 1), ("lstm without bias", 0)] {
      let inputs: [Input] = [
        .normal([2, 3, 8]), .normal([2, 2]), .normal([2, 2]), .normal([8, 2]), .normal([8]),
      ]
      table.add(name, Array(inputs.prefix(4 + bias))) {
        let result = longShortTermMemory(
          $0[0], state: $0[1], cell: $0[2], weight: $0[3], bias: $0.count > 4 ? $0[4] : nil)
        return Tensor.concatenate(
          [result.states, result.cell.expandingDimension(at: 0)], axis: 0)
      }
    }
    table.add("categorical", .normal([2, 3, 5])) {
      categoricalLogProbability(
        logits: $0[0], targets: Tensor([0, 4, 2, 2, 1, 3] as [Int32], shape: [2, 3]))
    }
    table.add("normalMixture", .normal([4, 3]), .normal([5, 3]), .normal([5, 3])) {
      normalMixtureLogProbabilities(
        of: $0[0], mean: $0[1], logVariance: $0[2],
        logWeights: constant((0..<20).map { -Double($0 % 7) }, [4, 5], like: $0[0]))
    }
    table.add(
      "normalMixtureJoint", .normal([4, 3]), .normal([5, 3]), .normal([5, 3]), .normal([5])
    ) {
      normalMixtureLogProbability(of: $0[0], mean: $0[1], logVariance: $0[2], logWeights: $0[3])
    }
    for kernel in [RadialKernel.rbf, .imq] {
      table.add("radialKernelSum \(kernel)", .positive([3, 4])) {
        radialKernelSum($0[0], kernel, scales: [0.5, 3])
      }
    }
    return table.operations
  }()
}
