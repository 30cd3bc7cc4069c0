// Names are bytes, and links lead to things: what is found, what is named instead, and that nothing
// else in a file matters to who asks for one dataset.

import LatentNumerics
import Testing

@testable import LatentStorage

@Suite struct HDF5NameTests {
  private static let values = NDArray((0..<128).map { Float($0) / 4 }, shape: [8, 16])

  private func others(_ folder: TemporaryFolder) throws -> HDF5File {
    try HDF5File(path: folder.reference("others"))
  }

  @Test(arguments: [
    "group/plain", "/group/plain", "//group//./plain/", "hard", "soft", "group/deeper/again",
    "group/relative", "of_named_type",
  ])
  func linksAreFollowed(name: String) throws {
    let folder = try TemporaryFolder()
    #expect(try others(folder).array(name) == Self.values)
  }

  /// A table of what is no array of numbers in this file, and what is said of it.
  @Test(arguments: [
    ("dangling", "a soft link to '/nowhere', where nothing is"),
    ("group/deeper/soft", "a soft link to '../plain', where nothing is"),
    ("round", "soft links one after the other"),
    ("outside", "another file: '/images/x' of '/etc/other.h5'"), ("type", "a named type"),
    ("group", "a dataset, such as 'group/plain'"), ("", "a group"),
    ("nine", "9 axes"), ("null", "a null data space"), ("records", "records of x, y"),
    ("complex", "complex numbers"), ("vlen", "lists of varying length"),
    ("texts", "texts of 2 bytes"), ("vlen_texts", "texts of varying length"),
    ("references", "references"), ("arrays", "arrays as elements"),
    ("opaque", "opaque elements of 3 bytes"), ("i16", "integers of 16 bytes"),
    ("external", "stored in 1 external files"), ("virtual", "a virtual layout"),
  ])
  func everythingElseIsNamed(name: String, says: String) throws {
    let folder = try TemporaryFolder()
    let error = storageError(name) { _ = try others(folder).dataset(name) }
    guard case .unsupported = error else {
      Issue.record("\(name): \(error as Any)")
      return
    }
    #expect("\(error as Any)".contains(says), "\(error as Any)")
  }

  @Test func namesAreBytes() throws {
    let folder = try TemporaryFolder()
    let file = try others(folder)
    let names: [String] = [
      #"caf\xe9"#, "caf\u{e9}", "cafe\u{301}", #"caf\x5cxe9"#, #"\xff/\xfe"#, "a b",
      "\u{df}\u{1f600}", "..",
    ]
    for (number, name) in names.enumerated() {
      #expect(try file.array(name) == NDArray(repeating: Double(number), shape: [2]), "\(name)")
      #expect(try Array(file.dataset(name).name.utf8) == Array(name.utf8), "\(name)")
    }
    let listed = try file.datasets.map { Array($0.name.utf8) }
    for name in names { #expect(listed.contains(Array(name.utf8)), "\(name)") }
    #expect(listed.count == names.count + 4)
    for name in ["caf", "cafe", "a\0b", "\0", "CAF\u{e9}", "group/plain/x"] {
      let error = storageError(name) { _ = try file.dataset(name) }
      guard case .noSuchDataset = error else {
        Issue.record("\(name): \(error as Any)")
        continue
      }
    }
  }

  /// Objects that only a newer library reads, beside others in the newest format of this one.
  @Test func whatIsNewerKeepsNobodyOut() throws {
    let folder = try TemporaryFolder()
    let file = try HDF5File(path: folder.reference("latest"))
    #expect(try file.array("x") == Self.values)
    #expect(try file.rows(at: [1], of: "many/39") == NDArray([39] as [Float]))
    let names = try file.datasets.map(\.name)
    #expect(names.count == 46 && !names.contains { $0.hasPrefix("newer") })
    for name in ["newer/complex", "newer/layout"] {
      let error = storageError { _ = try file.dataset(name) }
      guard case .unsupported = error else {
        Issue.record("\(error as Any)")
        continue
      }
      #expect("\(error as Any)".contains("a newer library made it"), "\(error as Any)")
    }
    let netCDF = try HDF5File(path: folder.reference("netcdf"))
    #expect(try netCDF.array("t") == Self.values)
    #expect(try netCDF.datasets.map(\.name) == ["lat", "t"])
  }

  @Test func deepGroupsAreFoundAndListed() throws {
    let folder = try TemporaryFolder()
    let file = try HDF5File(path: folder.reference("deep"))
    let deep = Array(repeating: "g", count: 300).joined(separator: "/") + "/x"
    #expect(try file.array("wanted") == Self.values)
    #expect(try file.array(deep) == Self.values)
    #expect(try file.datasets.map(\.name) == [deep, "wanted"])
  }

  /// Messages show some of many names, wherever they lie.
  @Test func manyObjectsAreFoundAndListed() throws {
    let folder = try TemporaryFolder()
    let one = NDArray([1, 2] as [UInt8])
    let arrays = Dictionary(uniqueKeysWithValues: (0..<3000).map { ("g\($0)/x", one) })
    try HDF5File.write(arrays: arrays, to: folder.file("many.h5"))
    let file = try HDF5File(path: folder.file("many.h5"))
    #expect(try file.array("g2999/x") == one)
    let error = storageError { _ = try file.dataset("nothing") }
    #expect("\(error as Any)".contains("there are: 'g0/x', "), "\(error as Any)")
    #expect("\(error as Any)".contains(" and more"), "\(error as Any)")
    #expect(try file.datasets.count == 3000)
  }

  @Test func textsOfNamesAreUnique() {
    let names: [[UInt8]] = [
      Array("a\\xe9".utf8), Array("a".utf8) + [0xe9], Array("a\\x5cxe9".utf8), Array("\\".utf8),
      Array("\\x".utf8), Array("\\xg0".utf8), [0xc3], [0xc3, 0xa9], [0xe2, 0x82],
      [0xed, 0xa0, 0x80],
      [0xff, 0xc3, 0xa9, 0x80], Array("\\xE9".utf8), Array("\\\\xe9".utf8),
    ]
    var texts: Set<String> = []
    for name in names {
      let text = HDF5Path.text(name)
      #expect(texts.insert(text).inserted, "\(text)")
      #expect(HDF5Path.unescaped(Array(text.utf8)) == name, "\(text)")
      #expect(HDF5Path.unescaped(Array(HDF5Path.plainText(name).utf8)) == name, "\(text)")
    }
  }
}
