// One array of a NumPy file, read into memory as it is.

import LatentNumerics
import LatentStorage

/// The rows of an NPY file, field `inputs`.
public struct NPYDataset: Dataset {
  public let path: String
  /// What other integers than bytes are.
  public let integers: IntegerInputs
  /// `[count, ...]`, as it is in the file.
  private let array: NDArray
  private let isBoolean: Bool

  /// Reads the file. `[count, height, width]` are gray images and get a channel axis; other
  /// shapes stay. Bytes are images in 0...255, booleans 0 and 1; these, float64 and `integers` that
  /// are numbers become float32 batch by batch.
  ///
  /// Throws `DatasetError.wrongShape` for a single number, `.empty` for no rows, and `StorageError`
  /// for a file that is absent, damaged or of a type the library does not read.
  public init(path: String, integers: IntegerInputs = .numbers) throws {
    let contents = try NPY.contents(of: path)
    let array = contents.array
    let example = try RowShape.example(
      of: array.shape, what: "the array", file: path, addsChannelAxis: true)
    self.path = path
    self.integers = integers
    self.array = array.reshaped(Shape([array.shape[0]]) + example)
    isBoolean = contents.isBoolean
  }

  public var count: Int { array.shape[0] }
  public var name: String { path.lastPathComponent }
  public var fieldShapes: [String: Shape] { [Field.inputs: array.shape.removing(0)] }

  public func batch(at indices: [Int]) throws -> Batch {
    checkIndices(indices)
    let rows = StandardForm.converted(
      StandardForm.rows(indices, of: array), field: Field.inputs, isBoolean: isBoolean,
      integers: integers)
    return Batch(fields: [Field.inputs: rows], indices: indices)
  }
}

/// How an array in a file is read as examples.
enum RowShape {
  /// The shape of one example of an array whose first axis is the example. Gray images
  /// `[count, height, width]` get a channel axis where asked; a row of single numbers becomes
  /// examples of one feature.
  static func example(
    of shape: Shape, what: String, file: String, addsChannelAxis: Bool
  ) throws -> Shape {
    guard shape.rank > 0 else {
      throw DatasetError.wrongShape(
        file: file, what: what, found: "a single number", expected: "[count, ...]")
    }
    guard shape.count > 0 else {
      throw DatasetError.empty(path: file, hint: "\(what) has shape \(shape)")
    }
    let example = shape.removing(0)
    guard addsChannelAxis, shape.rank == 1 || shape.rank == 3 else { return example }
    return example.appending(1)
  }
}
