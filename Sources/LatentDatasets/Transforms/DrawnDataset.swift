// One draw of a random transform, kept: a model that was trained on binary noise is evaluated on binary data, and
// twice on the same.

import LatentNumerics

/// A data set whose examples have passed through a random transform once: each draws from a stream of its own, so that
/// it is the same wherever and whenever it is read.
public struct DrawnDataset: Dataset {
  /// The data as they are.
  public let base: any Dataset
  /// What changes each example.
  public let transform: any BatchTransform
  /// What all draws follow from.
  public let seed: UInt64

  /// The draw that belongs to a seed.
  public init(_ base: any Dataset, _ transform: any BatchTransform, seed: UInt64 = 0) {
    self.base = base
    self.transform = transform
    self.seed = seed
  }

  public var count: Int { base.count }
  public var fieldShapes: [String: Shape] { base.fieldShapes }
  public var notes: [String] { base.notes }
  public var classNames: [String] { base.classNames }
  public var factorNames: [String] { base.factorNames }
  public var byteScale: ByteScale? { base.byteScale }
  public var name: String { "\(base.name), \(transform) drawn with seed \(seed)" }

  public func batch(at indices: [Int]) throws -> Batch {
    let root = RandomStream(seed: seed).split("drawn")
    let rows = try indices.map { index in
      var random = root.split(UInt64(index))
      return transform(try base.batch(at: [index]), using: &random)
    }
    guard let first = rows.first else { return try base.batch(at: []) }
    let fields = Dictionary(
      uniqueKeysWithValues: first.fields.keys.map { name in
        (name, NDArray.concatenate(rows.map { $0[name] }, axis: 0))
      })
    return Batch(fields: fields, indices: indices)
  }

  public func origin(of index: Int) -> (dataset: String, index: Int) { base.origin(of: index) }
}
