// Group and batch normalisation with every activation, in training and with given statistics.

import LatentAutodiff
import LatentNumerics

extension Operation {
  static let normalization: [Operation] = {
    var table = Table()
    for activation in Activation.allCases {
      table.add("group norm, \(activation)", .normal([2, 3, 4]), .apart([4]), .normal([4])) {
        groupNormalized(
          $0[0], groups: 2, scale: $0[1], shift: $0[2], epsilon: 1e-2, activation: activation)
      }
      table.add("batch norm, \(activation)", .normal([5, 3]), .apart([3]), .normal([3])) {
        batchNormalized(
          $0[0], scale: $0[1], shift: $0[2], epsilon: 1e-2, activation: activation
        ).output
      }
      table.add("fixed batch norm, \(activation)", .normal([4, 3]), .apart([3]), .normal([3])) {
        batchNormalized(
          $0[0], mean: constant([0.5, -1, 0.2], [3], like: $0[0]),
          variance: constant([0.5, 2, 1], [3], like: $0[0]), scale: $0[1], shift: $0[2],
          activation: activation)
      }
    }
    for groups in [1, 3, 6] {
      table.add("group norm in \(groups)", .normal([2, 2, 2, 6]), .normal([6]), .normal([6])) {
        groupNormalized($0[0], groups: groups, scale: $0[1], shift: $0[2], epsilon: 1e-2)
      }
    }
    table.add("group norm without scale", .normal([2, 5, 4])) {
      groupNormalized($0[0], groups: 2, epsilon: 1e-2)
    }
    table.add("batch norm with shift alone", .normal([2, 2, 3]), .normal([3])) {
      batchNormalized($0[0], shift: $0[1], epsilon: 1e-2).output
    }
    return table.operations
  }()
}
