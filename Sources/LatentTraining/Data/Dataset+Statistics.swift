// A look at a sample of a data set. What is in a file becomes known before a model meets it, at a cost
// that does not depend on how much is in it.

import LatentDatasets
import LatentModels
import LatentNumerics

/// So many numbers are looked at: milliseconds, and a mean of any pixel good to a few hundredths.
private let numbersLookedAt = 1 << 20
/// Where there are more, the examples come from so many places of the data set, at equal distances.
private let placesLookedAt = 64
/// At least so many examples, however large each is.
private let leastExamples = 8

extension Dataset {
  /// The range and the moments of a sample of these data as a model is trained on them: all examples
  /// where they are no more than 2^20 numbers together, else as many from 64 places at equal distances.
  ///
  /// What a transform draws at random follows from `seed`. Elements that the field `mask` hides do not
  /// count.
  public func statistics(
    through transform: (any BatchTransform)? = nil, seed: UInt64 = 0
  ) throws -> DataStatistics {
    let root = RandomStream(seed: seed).split("statistics")
    var statistics = DataStatistics(shape: inputShape)
    for (number, indices) in sampledRuns.enumerated() {
      var batch = try batch(at: indices)
      var random = root.split(UInt64(number))
      if let transform { batch = transform(batch, using: &random) }
      statistics.add(batch.inputs, indices: indices, mask: batch.mask)
    }
    return statistics
  }

  /// Runs of neighbours, which files read at once.
  var sampledRuns: [[Int]] {
    let wanted = min(count, max(leastExamples, numbersLookedAt / max(1, inputShape.count)))
    if wanted == count {
      return stride(from: 0, to: count, by: 512).map { Array($0..<Swift.min($0 + 512, count)) }
    }
    let places = min(placesLookedAt, wanted)
    let length = wanted / places
    return (0..<places).map { place in
      // The first run begins with the data, the last one ends with them.
      let start = places == 1 ? 0 : (count - length) * place / (places - 1)
      return Array(start..<start + length)
    }
  }
}
