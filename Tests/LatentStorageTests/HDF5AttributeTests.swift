// Attributes of h5py, and our own there and back.

import LatentNumerics
import Testing

@testable import LatentStorage

@Suite struct HDF5AttributeTests {
  private static let read: [(String, HDF5Attribute)] = [
    ("units", "mm"), ("fixed", "ab c"), ("padded", "metres"), ("terminated", "ab"),
    ("utf8", "Größe"), ("ascii", "plain"), ("nothing", ""),
    ("names", .texts(["eins", "zwei", "", "drei"])), ("table", .texts(["a", "bc", "", "d"])),
    ("int", 7), ("large", .array(NDArray([Double(1 << 40)], shape: []))), ("double", 0.1),
    ("floats", .array(NDArray([0, 0.5, 1, 1.5, 2, 2.5] as [Float], shape: [2, 3]))),
    ("half", .array(NDArray([0, 0.5, 1] as [Float]))),
    ("bytes", .array(NDArray([0, 255] as [UInt8]))),
    ("truth", .array(NDArray([1] as [UInt8], shape: []))),
    ("empty", .array(NDArray([Double](), shape: [0, 2]))),
    ("big", .array(NDArray((0..<20_000).map { Int32($0 % 7) }))),
  ]

  @Test func thoseOfH5pyAreRead() throws {
    let folder = try TemporaryFolder()
    let file = try HDF5File(path: folder.reference("attributes"))
    for (name, value) in Self.read {
      #expect(try file.attribute(name, of: "group/x") == value, "\(name)")
    }
    #expect(
      try file.attributes(of: "group/x")
        == Dictionary(uniqueKeysWithValues: Self.read.map { ($0.0, $0.1) }))
    #expect(try file.attributes() == ["made by": "h5py, für Größe"])
    #expect(try file.attribute("made by")?.text == "h5py, für Größe")
    #expect(try file.attribute("count", of: "group")?.array == NDArray([3 as Int32], shape: []))
    #expect(try file.attribute("none", of: "group") == nil)
    #expect(try file.attribute("", of: "group") == nil)
  }

  @Test func namesOfAttributesAreBytes() throws {
    let folder = try TemporaryFolder()
    let file = try HDF5File(path: folder.reference("attributes"))
    for (name, value) in [(#"caf\xe9"#, 1), ("caf\u{e9}", 2), ("cafe\u{301}", 3)]
      as [(String, Int32)]
    {
      #expect(
        try file.attribute(name, of: "group")?.array == NDArray([value], shape: []), "\(name)")
    }
    // None is lost where two names are one to Swift.
    let all = try file.attributes(of: "group")
    #expect(all.count == 4)
    for (name, value) in all { #expect(try file.attribute(name, of: "group") == value, "\(name)") }
  }

  @Test(arguments: [
    ("larger", "group/x", "18446744073709551615"), ("null", "group/x", "no value"),
    ("complex", "group/x", "complex numbers"), ("reference", "group/x", "references"),
    ("latin", "group", #"not UTF-8, 'caf\xe9'"#),
  ])
  func whatIsNotReadIsNamed(name: String, object: String, says: String) throws {
    let folder = try TemporaryFolder()
    let file = try HDF5File(path: folder.reference("attributes"))
    let error = storageError(name) { _ = try file.attribute(name, of: object) }
    guard case .unsupported = error else {
      Issue.record("\(error as Any)")
      return
    }
    #expect("\(error as Any)".contains(says), "\(error as Any)")
    #expect("\(error as Any)".contains("the attribute '\(name)' of '\(object)'"))
  }

  @Test func thereAndBack() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("a.h5")
    var random = Random(seed: 4)
    var values: [String: HDF5Attribute] = [
      "text": "Größe in \u{b5}m\n", "nothing": "", "texts": .texts(["", "eins", "ß"]),
      "no texts": .texts([]), "int": -7, "double": 0.1, "with/slash": 1, "caf\u{e9}": 2,
      "many texts": .texts((0..<5000).map { "class \($0)" }),
    ]
    for dtype in DType.arithmetic {
      for shape in [[], [0], [3], [2, 3], [30_000]] as [Shape] {
        var array = NDArray(randomBits: shape, dtype, &random)
        if dtype == .float32 { array = NDArray(repeating: 0.3, shape: shape, dtype) }
        if dtype == .float64 { array = NDArray(repeating: 1e300, shape: shape, dtype) }
        values["\(dtype) \(shape)"] = .array(array)
      }
    }
    let array = NDArray((0..<600).map { Float($0) }, shape: [100, 6])
    let attributes = [
      "a/x": values, "a": ["of a group": 1.5], "/": ["of the file": "yes"], "b": [:],
    ]
    try HDF5File.write(arrays: ["a/x": array, "b": array], attributes: attributes, to: path)
    let file = try HDF5File(path: path)
    #expect(try file.attributes(of: "a/x") == values)
    #expect(try file.attributes(of: "a") == ["of a group": 1.5])
    #expect(try file.attributes() == ["of the file": "yes"])
    #expect(try file.attributes(of: "b").isEmpty)
    #expect(try file.array("a/x") == array)
    #expect(try file.rows(at: [99, 0], of: "b").count == 12)
    // The same contents are the same bytes.
    try HDF5File.write(
      arrays: ["b": array, "a/x": array], attributes: attributes, to: folder.file("b.h5"))
    #expect(try folder.bytes(of: "a.h5") == folder.bytes(of: "b.h5"))
  }

  @Test(arguments: [
    ("none", "n", HDF5Attribute.text("x"), "no array or group of this name"),
    ("x", "", "x", "no name"), ("x", "a\nb", "x", "a control character"),
    ("x", "n", "a\0b", "a zero character"), ("x", "n", .texts(["a", "\0"]), "a zero character"),
    ("x", "latent_crc32c", "x", "our checksums"),
    ("x", String(repeating: "n", count: 2000), "x", "2000 bytes"),
  ])
  func whatCannotBeStoredIsNamed(
    object: String, name: String, value: HDF5Attribute, says: String
  ) throws {
    let folder = try TemporaryFolder()
    let error = storageError {
      try HDF5File.write(
        arrays: ["x": NDArray([1.0])], attributes: [object: [name: value]], to: folder.file("a"))
    }
    guard case .notStorable = error else {
      Issue.record("\(error as Any)")
      return
    }
    #expect("\(error as Any)".contains(says), "\(error as Any)")
    #expect(storageError { _ = try folder.bytes(of: "a") }?.kind == .unreadable)
  }

  /// The headers of objects, in which attributes lie, have checksums.
  @Test func damageNeverCrashes() throws {
    let folder = try TemporaryFolder()
    let array = NDArray((0..<6).map { Float($0) })
    try HDF5File.write(
      arrays: ["x": array],
      attributes: ["x": ["n": .array(array), "t": .texts(["a", "bc", "def"]), "u": "mm"]],
      to: folder.file("x.h5"))
    let valid = try folder.bytes(of: "x.h5")
    let values = try HDF5File(path: folder.file("x.h5")).attributes(of: "x")
    for seed in seeds(300) {
      var random = Random(seed: seed)
      let path = try folder.make("y.h5", Mutation.random(of: valid, &random))
      do {
        let file = try HDF5File(path: path)
        #expect(try file.attributes(of: "x") == values, "seed \(seed)")
        #expect(try file.array("x") == array, "seed \(seed)")
      } catch let error as StorageError {
        #expect(error.kind == .badData, "seed \(seed)")
      }
    }
  }

  @Test func ofNothing() throws {
    let folder = try TemporaryFolder()
    let file = try HDF5File(path: folder.reference("attributes"))
    for read in [
      { _ = try file.attributes(of: "none") }, { _ = try file.attribute("a", of: "none") },
    ] {
      guard case .noSuchDataset(_, "none", ["group/x"]) = storageError("", read) else {
        Issue.record("not named")
        return
      }
    }
  }
}
