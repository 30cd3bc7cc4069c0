// One array of a NumPy file, read into memory as it is.

import LatentNumerics
import LatentStorage

/// The rows of an NPY file, field `inputs`.
public struct NPYDataset: Dataset {
  /// The file.
  public let path: String
  /// What other integers than bytes are.
  public let integers: IntegerInputs
  public let notes: [String]
  public let byteScale: ByteScale?
  /// `[count, ...]`, as it is in the file.
  private let array: NDArray
  private let isBoolean: Bool

  /// Reads the file. `[count, height, width]` are gray images and get a channel axis; other
  /// shapes stay. What `bytes` stand for is looked for where it is not given: numbers where they are 0 and
  /// 1 only, else gray values. Booleans are 0 and 1; these, float64 and `integers` that are numbers
  /// become float32 batch by batch.
  ///
  /// Throws `DatasetError.wrongShape` for a single number, `.empty` for no rows, and `StorageError`
  /// for a file that is absent, damaged or of a type the library does not read.
  public init(
    path: String, integers: IntegerInputs = .numbers, bytes: ByteScale? = nil
  ) throws {
    let contents = try NPY.contents(of: path)
    let array = contents.array
    let example = try RowShape.example(
      of: array.shape, what: "the array", file: path, addsChannelAxis: true)
    let rule =
      array.dtype == .uint8 && !contents.isBoolean
      ? ByteRule(bytes, ByteLook(array), what: "the bytes of \(path.lastPathComponent)") : nil
    self.path = path
    self.integers = integers
    self.array = array.reshaped(Shape([array.shape[0]]) + example)
    isBoolean = contents.isBoolean
    byteScale = rule?.scale
    var notes = rule?.notes ?? []
    if contents.isFollowed {
      notes.append("\(path) holds more than one array: the first is read, as NumPy does")
    }
    if integers == .numbers, let largest = NPYDataset.beyondFloat(array) {
      notes.append(
        "the whole numbers of \(path) go to \(largest); float32 holds those up to 16777216 exactly and "
          + "rounds others")
    }
    self.notes = notes
  }

  public var count: Int { array.shape[0] }
  public var name: String { path.lastPathComponent }
  public var fieldShapes: [String: Shape] { [Field.inputs: array.shape.removing(0)] }

  public func batch(at indices: [Int]) throws -> Batch {
    checkIndices(indices)
    let rows = StandardForm.converted(
      StandardForm.rows(indices, of: array), field: Field.inputs, isBoolean: isBoolean,
      bytes: byteScale ?? .pictures, integers: integers)
    return Batch(fields: [Field.inputs: rows], indices: indices)
  }

  /// The largest magnitude of integers, where float32 does not hold all up to it.
  private static func beyondFloat(_ array: NDArray) -> UInt32? {
    guard array.dtype == .int32 else { return nil }
    let largest = array.withUnsafeElements(of: Int32.self) { numbers in
      numbers.reduce(UInt32(0)) { max($0, $1.magnitude) }
    }
    return largest > 1 << 24 ? largest : nil
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
