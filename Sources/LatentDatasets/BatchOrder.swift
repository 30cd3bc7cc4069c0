// Which examples make up which batch: a pure function of (seed, epoch, batch). Nothing about the
// order is ever saved or replayed; a run that stopped at (epoch, batch) asks for the next one.

import LatentNumerics

/// The order in which training visits the examples of a data set.
public struct BatchOrder: Sendable, Hashable, Codable {
  /// The number of examples.
  public let count: Int
  /// Examples of a batch; the last one of an epoch may have fewer.
  public let batchSize: Int
  /// What the order of an epoch is a function of, beside its number.
  public let seed: UInt64
  /// Whether every epoch has an order of its own; else examples come as they lie.
  public let shuffles: Bool
  /// Whether a last batch smaller than the others is kept. Without it every step has one shape.
  public let keepsPartialBatch: Bool

  /// Traps when `count` is negative or `batchSize` is not positive.
  public init(
    count: Int, batchSize: Int, seed: UInt64, shuffles: Bool = true, keepsPartialBatch: Bool = true
  ) {
    require(count >= 0, "an order of \(count) examples")
    require(batchSize > 0, "an order with batches of \(batchSize) examples")
    self.count = count
    self.batchSize = batchSize
    self.seed = seed
    self.shuffles = shuffles
    self.keepsPartialBatch = keepsPartialBatch
  }

  /// The number of steps of an epoch.
  public var batchesPerEpoch: Int {
    keepsPartialBatch ? (count + batchSize - 1) / batchSize : count / batchSize
  }

  /// The batches of an epoch, from 0. Costs one permutation of the examples; keep it for the epoch.
  public func batches(epoch: Int) -> EpochBatches {
    require(epoch >= 0, "epoch \(epoch)")
    guard shuffles else { return EpochBatches(order: self, epoch: epoch, permutation: nil) }
    var random = RandomStream(seed: seed).split("order").split(UInt64(epoch))
    return EpochBatches(order: self, epoch: epoch, permutation: random.permutation(count))
  }

  /// The examples of one batch. Makes the epoch's permutation anew: use `batches(epoch:)` in loops.
  public func indices(epoch: Int, batch: Int) -> [Int] { batches(epoch: epoch)[batch] }

  /// The epoch and the batch within it of a step, both counted from 0.
  public func position(ofStep step: Int) -> (epoch: Int, batch: Int) {
    require(step >= 0 && batchesPerEpoch > 0, "step \(step) of \(batchesPerEpoch) batches an epoch")
    return (step / batchesPerEpoch, step % batchesPerEpoch)
  }
}

/// The batches of one epoch; `dropFirst(batch)` resumes in its middle.
public struct EpochBatches: Sendable, RandomAccessCollection {
  /// The order that they follow.
  public let order: BatchOrder
  /// The number of the epoch, from 0.
  public let epoch: Int
  let permutation: [Int]?

  public var startIndex: Int { 0 }
  public var endIndex: Int { order.batchesPerEpoch }

  /// The positions in the data set of the examples of a batch; traps outside the epoch.
  public subscript(batch: Int) -> [Int] {
    require(indices.contains(batch), "batch \(batch) of an epoch of \(count)")
    let start = batch * order.batchSize
    let range = start..<Swift.min(start + order.batchSize, order.count)
    return permutation.map { Array($0[range]) } ?? Array(range)
  }
}
