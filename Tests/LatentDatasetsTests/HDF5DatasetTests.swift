// What a model sees of the types and layouts that HDF5 files of others have.

import Foundation
import LatentDatasets
import LatentNumerics
import LatentStorage
import Testing

@Suite struct HDF5DatasetTests {
  /// A file that `scripts/references/hdf5.py` made, for the tests of the storage as well.
  private func reference(_ name: String, in folder: String) throws -> String {
    let packed = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../LatentStorageTests/Resources/\(name).h5.gz")
    let path = "\(folder)/\(name).h5"
    try write(try Gzip.decompress([UInt8](Data(contentsOf: packed)), limit: 1 << 20), to: path)
    return path
  }

  /// Names, types, and what element i is.
  private static let types: [(name: String, stored: StoredType, value: @Sendable (Int) -> Float)] =
    {
      typealias Value = @Sendable (Int) -> Float
      let truth: Value = { $0 % 3 == 0 ? 1 : 0 }
      let itself: Value = { Float($0) }
      let lower: Value = { Float($0) - 2 }
      let flags: Value = { Float($0 % 4) - 1 }
      let colours: Value = { $0 % 3 == 0 ? 200 : 0 }
      let levels: Value = { Float($0) / 255 }
      let eighths: Value = { $0 == 11 ? .infinity : (Float($0) - 2) / 8 }
      return [
        ("u1le", .byte, levels), ("boolean", .boolean, truth), ("boolean32", .boolean, truth),
        ("i1be", .signedInteger(bits: 8), lower), ("flags", .enumeration(bits: 8), flags),
        ("colours", .enumeration(bits: 8), colours), ("bits8", .bitfield(bits: 8), itself),
        ("u2be", .unsignedInteger(bits: 16), itself), ("quad", .float(bits: 128), eighths),
      ]
    }()

  /// Only bytes are taken for levels of gray; names for integers are these integers.
  @Test func typesReachTheModel() throws {
    try withTemporaryFolder { folder in
      let path = try reference("numbers", in: folder)
      for (name, stored, value) in Self.types {
        let data = try HDF5Dataset(path: path, dataset: name)
        #expect(data.storedTypes == [Field.inputs: stored], "\(name)")
        let inputs = try data.batch(at: [2, 0]).inputs
        #expect(inputs.shape == [2, 4] && inputs.dtype == .float32, "\(name)")
        for (found, index) in zip(inputs.floats, [8, 9, 10, 11, 0, 1, 2, 3]) {
          let expected = value(index)
          #expect(found == expected || abs(found - expected) <= found.ulp, "\(name) \(index)")
        }
      }
    }
  }

  /// 2^24 examples of 256 KiB each that were never written: batches are what they declare.
  @Test func largeByDeclarationIsReadByBatches() throws {
    try withTemporaryFolder { folder in
      let data = try HDF5Dataset(path: reference("layouts", in: folder), dataset: "huge")
      #expect(data.count == 1 << 24)
      let inputs = try data.batch(at: [1 << 23, 5]).inputs
      #expect(inputs == NDArray(repeating: 3, shape: [2, 1 << 16]))
    }
  }

  @Test(arguments: [
    ("layouts", "lzf", "lzf (32000)"), ("others", "outside", "another file"),
    ("others", "nine", "9 axes"), ("others", "null", "null data space"),
    ("others", "group", "a group"), ("marked", "x", "h5clear -s"),
  ])
  func whatCannotBeReadIsSaidWhenItIsOpened(file: String, name: String, says: String) throws {
    try withTemporaryFolder { folder in
      let source = "hdf5:\(try reference(file, in: folder)):\(name)"
      let error = #expect(throws: StorageError.self) { try DataSource(parsing: source).open() }
      #expect("\(error as Any)".contains(says), "\(error as Any)")
      if case .damaged = error { Issue.record("\(error as Any)") }
    }
  }

  @Test func noRowsAreNamed() throws {
    try withTemporaryFolder { folder in
      let path = try reference("layouts", in: folder)
      for name in ["rows0", "columns0"] {
        let text = datasetErrorText { _ = try HDF5Dataset(path: path, dataset: name) }
        #expect(text?.contains("it holds no examples") == true, "\(text as Any)")
      }
    }
  }
}
