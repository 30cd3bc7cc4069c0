// A part of a data set, by position, and the split into training and validation.

import LatentNumerics

/// Some examples of another data set, in an order of its own.
public struct Subset: Dataset {
  /// The set that the examples are chosen from.
  public let base: any Dataset
  /// The position in `base` of each example.
  public let indices: [Int]
  public let name: String

  /// Traps when an index is outside `base`.
  public init(_ base: any Dataset, indices: [Int], name: String? = nil) {
    base.checkIndices(indices)
    self.base = base
    self.indices = indices
    self.name = name ?? "\(indices.count) of \(base.name)"
  }

  public var count: Int { indices.count }
  public var fieldShapes: [String: Shape] { base.fieldShapes }
  public var notes: [String] { base.notes }
  public var classNames: [String] { base.classNames }
  public var factorNames: [String] { base.factorNames }
  public var byteScale: ByteScale? { base.byteScale }

  public func batch(at indices: [Int]) throws -> Batch {
    checkIndices(indices)
    let batch = try base.batch(at: indices.map { self.indices[$0] })
    return Batch(fields: batch.fields, indices: indices)
  }

  public func origin(of index: Int) -> (dataset: String, index: Int) {
    base.origin(of: indices[index])
  }
}

extension Dataset {
  /// Takes a share of the examples aside, chosen at random as a function of `seed` alone.
  ///
  /// The validation part has `validation * count` examples, rounded; each part keeps the order of
  /// the whole. Throws `DatasetError.cannotSplit` when the share is not in [0, 1), when the
  /// training part would be empty, or when a share above zero would give an empty validation part.
  public func split(
    validation: Double, seed: UInt64
  ) throws -> (training: Subset, validation: Subset) {
    let taken = validation >= 0 && validation < 1 ? Int((validation * Double(count)).rounded()) : 0
    guard validation >= 0, validation < 1, taken < count, taken > 0 || validation == 0 else {
      throw DatasetError.cannotSplit(name: name, count: count, share: validation)
    }
    var random = RandomStream(seed: seed).split("split")
    let order = random.permutation(count)
    return (
      Subset(self, indices: order[taken...].sorted(), name: "\(name), training part"),
      Subset(self, indices: order[..<taken].sorted(), name: "\(name), validation part")
    )
  }
}
