import LatentDatasets
import LatentNumerics
import Testing

/// The laws of order: what resume rests on.
@Suite struct BatchOrderTests {
  static let sizes = [(0, 4), (1, 1), (1, 4), (7, 3), (8, 4), (100, 32), (1000, 128)]

  @Test(arguments: sizes)
  func everyExampleComesOnceAnEpoch(count: Int, batchSize: Int) {
    for shuffles in [false, true] {
      let order = BatchOrder(count: count, batchSize: batchSize, seed: 5, shuffles: shuffles)
      let seen = order.batches(epoch: 2).flatMap(\.self)
      #expect(seen.sorted() == Array(0..<count))
      if !shuffles { #expect(seen == Array(0..<count)) }
      #expect(order.batches(epoch: 0).dropLast().allSatisfy { $0.count == batchSize })
    }
  }

  @Test(arguments: sizes)
  func withoutPartialBatchesAllHaveOneSize(count: Int, batchSize: Int) {
    let order = BatchOrder(count: count, batchSize: batchSize, seed: 5, keepsPartialBatch: false)
    let batches = order.batches(epoch: 0)
    #expect(batches.count == count / batchSize)
    #expect(batches.allSatisfy { $0.count == batchSize })
    #expect(Set(batches.flatMap(\.self)).count == count / batchSize * batchSize)
  }

  @Test func orderDependsOnSeedAndEpochAlone() {
    let order = BatchOrder(count: 500, batchSize: 64, seed: 1)
    let other = BatchOrder(count: 500, batchSize: 64, seed: 2)
    #expect(Array(order.batches(epoch: 3)) == Array(order.batches(epoch: 3)))
    var seen: Set<[Int]> = []
    for epoch in 0..<20 {
      seen.insert(order.batches(epoch: epoch).flatMap(\.self))
      seen.insert(other.batches(epoch: epoch).flatMap(\.self))
    }
    #expect(seen.count == 40)
  }

  @Test func theBatchSizeDoesNotChangeTheOrder() {
    let small = BatchOrder(count: 100, batchSize: 7, seed: 9).batches(epoch: 1).flatMap(\.self)
    let large = BatchOrder(count: 100, batchSize: 64, seed: 9).batches(epoch: 1).flatMap(\.self)
    #expect(small == large)
  }

  @Test(arguments: [true, false])
  func resumingAtAnyStepGivesWhatWouldHaveCome(keepsPartialBatch: Bool) {
    let order = BatchOrder(
      count: 103, batchSize: 10, seed: 77, keepsPartialBatch: keepsPartialBatch)
    let whole = (0..<3).flatMap { Array(order.batches(epoch: $0)) }
    for step in whole.indices {
      let (epoch, batch) = order.position(ofStep: step)
      #expect(order.indices(epoch: epoch, batch: batch) == whole[step])
      #expect(order.batches(epoch: epoch).dropFirst(batch).first == whole[step])
    }
  }

  /// Every position is visited by every example about equally often: 5 standard deviations of a
  /// binomial count.
  @Test func positionsAreUniform() {
    let order = BatchOrder(count: 8, batchSize: 8, seed: 3)
    let epochs = 4000
    var counts = [[Int]](repeating: [Int](repeating: 0, count: 8), count: 8)
    for epoch in 0..<epochs {
      for (place, example) in order.indices(epoch: epoch, batch: 0).enumerated() {
        counts[place][example] += 1
      }
    }
    let expected = Double(epochs) / 8
    let deviation = (Double(epochs) * (1.0 / 8) * (7.0 / 8)).squareRoot()
    for count in counts.flatMap(\.self) {
      #expect(abs(Double(count) - expected) < 5 * deviation)
    }
  }
}
