// Data as a model knows them. What a transform changes in the same way each time, a trained model has
// never seen unchanged; what it draws at random is noise of the training and no part of the data.

import LatentNumerics

/// A data set whose batches pass through a transform that is not random, so that it stays one without
/// visible state.
public struct TransformedDataset: Dataset {
  /// The data as they are.
  public let base: any Dataset
  /// What changes each batch; not random.
  public let transform: any BatchTransform

  /// Traps where the transform is random.
  public init(_ base: any Dataset, _ transform: any BatchTransform) {
    require(!transform.isRandom, "\(base.name) through the random transform \(transform)")
    self.base = base
    self.transform = transform
  }

  public var count: Int { base.count }
  public var fieldShapes: [String: Shape] { base.fieldShapes }
  public var notes: [String] { base.notes }
  public var classNames: [String] { base.classNames }
  public var factorNames: [String] { base.factorNames }
  public var byteScale: ByteScale? { base.byteScale }
  public var name: String { base.name }

  public func batch(at indices: [Int]) throws -> Batch {
    var unused = RandomStream(seed: 0)
    return transform(try base.batch(at: indices), using: &unused)
  }

  public func origin(of index: Int) -> (dataset: String, index: Int) { base.origin(of: index) }
}

extension Dataset {
  /// These data as a model knows them that was trained with `transform`: changed by it, but by nothing
  /// that is random.
  public func seen(through transform: (any BatchTransform)?) -> any Dataset {
    guard let transform, !transform.isRandom else { return self }
    return TransformedDataset(self, transform)
  }
}
