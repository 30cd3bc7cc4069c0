// Every way in which HDF5 lays an array out, in its oldest format and in its newest; filters that the
// library lacks; and arrays that are large by declaration and small on disk.

import LatentNumerics
import Testing

@testable import LatentStorage

@Suite struct HDF5LayoutTests {
  private static let values = NDArray((0..<128).map { Float($0) / 4 }, shape: [8, 16])
  private static let order = NDArray([7, 0, 3] as [Int32])

  /// Behind a user block of 1024 bytes in the second file.
  @Test(arguments: [
    (
      "layouts",
      [
        "contiguous", "compact", "chunked", "extensible", "both", "gzip", "shuffle", "szip",
        "scaleoffset", "lzf_left_out",
      ]
    ),
    ("latest", ["x", "fixed", "growing", "tree", "single"]),
  ])
  func everyLayoutIsRead(file name: String, datasets: [String]) throws {
    let folder = try TemporaryFolder()
    let file = try HDF5File(path: folder.reference(name))
    for dataset in datasets {
      #expect(try file.array(dataset) == Self.values, "\(dataset)")
      #expect(
        try file.rows(at: [7, 0, 3], of: dataset) == Self.values.taking(Self.order, axis: 0),
        "\(dataset)")
    }
  }

  @Test func whatWasNeverWrittenIsItsFillValue() throws {
    let folder = try TemporaryFolder()
    let file = try HDF5File(path: folder.reference("layouts"))
    #expect(try file.array("never") == NDArray(repeating: -1.5, shape: [8, 16]))
    let fill = NDArray(repeating: 0.75, shape: [2, 16])
    #expect(try file.rows(0..<2, of: "partly") == fill)
    #expect(try file.rows(2..<6, of: "partly") == Self.values.rows(2..<6))
    #expect(try file.rows(6..<8, of: "partly") == fill)
    #expect(try file.array("nbit") == NDArray((0..<128).map { Int32($0) }, shape: [8, 16]))
    for (name, shape) in [("rows0", [0, 16]), ("columns0", [8, 0])] as [(String, Shape)] {
      #expect(try file.array(name) == NDArray([Float](), shape: shape))
    }
    let latest = try HDF5File(path: folder.reference("latest"))
    #expect(try latest.array("implicit") == NDArray(repeating: 0, shape: [8, 16]))
  }

  @Test(arguments: [
    ("lzf", "the filter lzf (32000)"), ("blosc", "the filter blosc (32001)"),
    ("unheard", "the filter new (31999)"),
  ])
  func missingFiltersAreNamedBeforeReading(name: String, says: String) throws {
    let folder = try TemporaryFolder()
    let file = try HDF5File(path: folder.reference("layouts"))
    let error = storageError { _ = try file.dataset(name) }
    guard case .unsupported = error else {
      Issue.record("\(error as Any)")
      return
    }
    #expect("\(error as Any)".contains(says), "\(error as Any)")
    #expect("\(error as Any)".contains("h5repack -f GZIP=1"), "\(error as Any)")
  }

  /// 4 TiB of which nothing was written, and 288 MiB of one number in 2 kB: whole files both.
  @Test func largeByDeclarationIsReadByRows() throws {
    let folder = try TemporaryFolder()
    let file = try HDF5File(path: folder.reference("layouts"))
    let last = (1 << 24) - 1
    #expect(
      try file.rows(at: [last, 0], of: "huge") == NDArray(repeating: 3, shape: [2, 1 << 16]))
    #expect(
      try file.rows(at: [4607, 5], of: "constant")
        == NDArray(repeating: 7, shape: [2, 16_384], .int32))
    for name in ["huge", "constant"] {
      let error = storageError { _ = try file.array(name) }
      guard case .unsupported = error else {
        Issue.record("\(name): \(error as Any)")
        continue
      }
      #expect("\(error as Any)".contains("read fewer rows"), "\(error as Any)")
    }
    storageError { _ = try file.rows(0..<1 << 24, of: "huge") }
    storageError { _ = try file.rows(at: Array(0..<2000), of: "huge") }
  }
}
