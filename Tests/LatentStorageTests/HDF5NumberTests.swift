// Every type of numbers that HDF5 describes: what it is called, what it is read as, and its values.

import LatentNumerics
import Testing

@testable import LatentStorage

@Suite struct HDF5NumberTests {
  private static let signed = NDArray((0..<12).map { Int32($0 - 2) }, shape: [3, 4])
  private static let unsigned = NDArray((0..<12).map { Int32($0) }, shape: [3, 4])
  private static let bytes = NDArray((0..<12).map { UInt8($0) }, shape: [3, 4])
  private static let truths = NDArray((0..<12).map { UInt8($0 % 3 == 0 ? 1 : 0) }, shape: [3, 4])
  private static let zerosAndOnes = truths.converted(to: .int32)
  private static let doubles = NDArray(
    (0..<11).map { (Double($0) - 2) / 8 } + [Double.infinity], shape: [3, 4])
  private static let floats = doubles.converted(to: .float32)

  private static let table: [(name: String, StoredType, NDArray)] =
    ["le", "be"].flatMap { order in
      [
        ("i1\(order)", .signedInteger(bits: 8), signed), ("u1\(order)", .byte, bytes),
        ("i2\(order)", .signedInteger(bits: 16), signed),
        ("u2\(order)", .unsignedInteger(bits: 16), unsigned),
        ("i4\(order)", .signedInteger(bits: 32), signed),
        ("u4\(order)", .unsignedInteger(bits: 32), unsigned),
        ("i8\(order)", .signedInteger(bits: 64), signed),
        ("u8\(order)", .unsignedInteger(bits: 64), unsigned),
        ("f2\(order)", .float(bits: 16), floats), ("f4\(order)", .float(bits: 32), floats),
        ("f8\(order)", .float(bits: 64), doubles),
      ] as [(String, StoredType, NDArray)]
    } + [
      ("f1", .float(bits: 8), floats), ("bf16", .float(bits: 16), floats),
      ("f16", .float(bits: 128), doubles), ("quad", .float(bits: 128), doubles),
      ("i12at3", .signedInteger(bits: 12), signed), ("u5at2", .unsignedInteger(bits: 5), bytes),
      ("i24", .signedInteger(bits: 24), signed), ("i40be", .signedInteger(bits: 40), signed),
      ("u56", .unsignedInteger(bits: 56), unsigned),
      ("boolean", .boolean, truths), ("boolean32", .boolean, truths),
      // Two names are not enough for truth values.
      ("reversed", .enumeration(bits: 8), zerosAndOnes),
      ("lowercase", .enumeration(bits: 8), zerosAndOnes),
      ("third", .enumeration(bits: 8), zerosAndOnes),
      ("one", .enumeration(bits: 8), zerosAndOnes),
      (
        "flags", .enumeration(bits: 8),
        NDArray((0..<12).map { Int32($0 % 4 - 1) }, shape: [3, 4])
      ),
      (
        "colours", .enumeration(bits: 8),
        NDArray((0..<12).map { Int32($0 % 3 == 0 ? 200 : 0) }, shape: [3, 4])
      ),
      (
        "enum16", .enumeration(bits: 16),
        NDArray((0..<12).map { Int32($0 % 3 == 0 ? 60_000 : 0) }, shape: [3, 4])
      ),
      ("bits8", .bitfield(bits: 8), unsigned), ("bits32be", .bitfield(bits: 32), unsigned),
    ]

  @Test func everyTypeIsReadAsItsValues() throws {
    let folder = try TemporaryFolder()
    let file = try HDF5File(path: folder.reference("numbers"))
    for (name, stored, expected) in Self.table {
      let dataset = try file.dataset(name)
      #expect(dataset.storedType == stored, "\(name)")
      #expect(dataset.isBoolean == (stored == .boolean), "\(name)")
      #expect(dataset.dtype == expected.dtype, "\(name)")
      #expect(try file.array(name) == expected, "\(name)")
      #expect(
        try file.rows(at: [2, 0], of: name)
          == expected.taking(NDArray([2, 0] as [Int32]), axis: 0), "\(name)")
    }
    let others = ["largest", "smallest"]
    #expect(
      try file.datasets.map(\.name) == (Self.table.map(\.name) + others).sorted())
  }

  @Test(arguments: [
    ("largest", "18446744073709551615 at element 0"), ("smallest", "-9223372036854775808"),
  ])
  func whatDoesNotFitIsNamed(name: String, says: String) throws {
    let folder = try TemporaryFolder()
    let file = try HDF5File(path: folder.reference("numbers"))
    let error = storageError { _ = try file.array(name) }
    guard case .unsupported = error else {
      Issue.record("\(error as Any)")
      return
    }
    #expect("\(error as Any)".contains(says), "\(error as Any)")
  }
}
