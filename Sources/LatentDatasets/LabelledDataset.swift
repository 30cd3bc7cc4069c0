// What is known of examples beside their inputs, from a place of its own: a class each, or the factors
// that an example was made of.

import LatentNumerics

/// Another data set with a field more: `labels`, or `factors`.
public struct LabelledDataset: Dataset {
  /// The data without these labels.
  public let base: any Dataset
  public let classNames: [String]
  private let field: String
  /// int32 `[count]`, or float32 `[count, factors]`.
  private let values: NDArray

  /// Examples with labels from elsewhere.
  ///
  /// - Parameters:
  ///   - labels: Classes `[count]`, whole numbers of any type, or factors `[count, factors]`.
  ///   - source: What messages call the labels, such as the path of their file.
  ///
  /// Throws `DatasetError.wrongShape` for labels of other forms and `.countMismatch`.
  public init(
    _ base: any Dataset, labels: NDArray, classNames: [String] = [], source: String = "the labels"
  ) throws {
    let shape = labels.shape
    guard shape.rank == 1 || shape.rank == 2 else {
      throw DatasetError.wrongShape(
        file: source, what: "the labels", found: "shape \(shape)",
        expected: "classes [count] or factors [count, factors]")
    }
    guard shape[0] == base.count else {
      throw DatasetError.countMismatch(
        file: source, found: shape[0], other: base.name, expected: base.count)
    }
    self.base = base
    self.classNames = classNames.isEmpty ? base.classNames : classNames
    field = shape.rank == 1 ? Field.labels : Field.factors
    values =
      shape.rank == 1
      ? try LabelledDataset.classes(labels, source) : labels.converted(to: .float32)
  }

  public var count: Int { base.count }
  public var factorNames: [String] { base.factorNames }
  public var name: String { base.name }
  public var notes: [String] { base.notes }
  public var byteScale: ByteScale? { base.byteScale }

  public var fieldShapes: [String: Shape] {
    base.fieldShapes.merging([field: values.shape.removing(0)]) { _, new in new }
  }

  public func batch(at indices: [Int]) throws -> Batch {
    var batch = try base.batch(at: indices)
    batch.fields[field] = StandardForm.rows(indices, of: values)
    return batch
  }

  /// Whole numbers as int32; NumPy makes floats of classes easily.
  private static func classes(_ labels: NDArray, _ source: String) throws -> NDArray {
    guard labels.dtype == .float32 || labels.dtype == .float64 else {
      return labels.converted(to: .int32)
    }
    for (index, value) in labels.doubles.enumerated() where Int32(exactly: value) == nil {
      throw DatasetError.wrongShape(
        file: source, what: "label \(index)", found: "\(value)",
        expected: "whole numbers for classes, or factors [count, factors]")
    }
    return labels.converted(to: .int32)
  }
}
