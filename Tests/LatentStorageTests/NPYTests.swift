// NPY against files of NumPy 2.4, and the grammar of its header.

import LatentNumerics
import Testing

@testable import LatentStorage

@Suite struct NPYTests {
  /// A file of version 1 with this header, padded as NumPy does.
  private func file(
    _ header: String, _ body: [UInt8] = [], version: [UInt8] = [1, 0]
  ) -> [UInt8] {
    let short = version[0] == 1
    let length = header.utf8.count + (short ? 54 : 52)
    var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + version
    if short { bytes.append(littleEndian: UInt16(length)) }
    if !short { bytes.append(littleEndian: UInt32(length)) }
    bytes += Array(header.utf8)
    bytes += [UInt8](repeating: 32, count: length - header.utf8.count - 1) + [10]
    return bytes + body
  }

  private func header(_ descr: String, _ shape: String, fortran: String = "False") -> String {
    "{'descr': '\(descr)', 'fortran_order': \(fortran), 'shape': \(shape), }"
  }

  @Test func bytesAreThoseOfNumPy() throws {
    // np.save(f, np.array([[1, 2.5], [-3, 4]], "<f4")) in hexadecimal, without the spaces.
    let bytes = NPY.encode(NDArray([1, 2.5, -3, 4] as [Float], shape: [2, 2]))
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }"
    let expected =
      "934e554d505901007600" + hex(text.utf8) + String(repeating: "20", count: 58)
      + "0a0000803f00002040000040c000008040"
    #expect(hex(bytes) == expected)
    for (array, descr, shape) in [
      (NDArray([0.5] as [Double], shape: []), "<f8", "()"),
      (NDArray([1, 2] as [Int32]), "<i4", "(2,)"),
      (NDArray([1] as [UInt8], shape: [1, 1, 1]), "|u1", "(1, 1, 1)"),
    ] {
      let bytes = NPY.encode(array)
      #expect(bytes.count == 128 + array.byteCount)
      let start = String(decoding: bytes[10..<80], as: UTF8.self)
      #expect(start.hasPrefix(header(descr, shape)))
    }
  }

  @Test(arguments: DType.arithmetic)
  func everyShapeComesBack(dtype: DType) throws {
    let folder = try TemporaryFolder()
    var random = Random(seed: 6)
    for shape in Samples.shapes {
      let array = NDArray(randomBits: shape, dtype, &random)
      #expect(try NPY.decode(NPY.encode(array)) == array)
      guard shape.count < 10_000 else { continue }
      try NPY.write(array, to: folder.file("a.npy"))
      #expect(try NPY.read(folder.file("a.npy")) == array)
    }
  }

  @Test func formsOfOthers() throws {
    let int32 = NDArray([1, 256] as [Int32])
    #expect(try NPY.decode(file(header(">i4", "(2,)"), [0, 0, 0, 1, 0, 0, 1, 0])) == int32)
    for version in [[1, 0], [2, 0], [3, 0]] as [[UInt8]] {
      let bytes = file(header("<i4", "(2,)"), [1, 0, 0, 0, 0, 1, 0, 0], version: version)
      #expect(try NPY.decode(bytes) == int32)
    }
    #expect(
      try NPY.decode(file(header("|b1", "(3,)"), [1, 0, 7])) == NDArray([1, 0, 1] as [UInt8]))
    // np.asfortranarray(np.arange(6).reshape(2, 3)): int64, columns first.
    let columns: [UInt8] = [0, 3, 1, 4, 2, 5].flatMap { [$0, 0, 0, 0, 0, 0, 0, 0] }
    #expect(
      try NPY.decode(file(header("<i8", "(2, 3)", fortran: "True"), columns))
        == NDArray([0, 1, 2, 3, 4, 5] as [Int32], shape: [2, 3]))
    let negative: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]
    #expect(try NPY.decode(file(header(">i8", "(1,)"), negative)) == NDArray([-2] as [Int32]))
    // Other spaces, quotes and orders that Python would read.
    for text in [
      "{\"shape\":(1,),\"fortran_order\":False,\"descr\":\"|u1\"}",
      "{ 'descr' : '|u1' , 'shape' : ( 1 , ) , 'fortran_order' : False }",
    ] { #expect(try NPY.decode(file(text, [9])) == NDArray([9] as [UInt8])) }
  }

  @Test(arguments: [("|b1", true), ("|u1", false)])
  func booleansAreToldFromBytes(descr: String, isBoolean: Bool) throws {
    let folder = try TemporaryFolder()
    let path = try folder.make("a.npy", file(header(descr, "(2,)"), [1, 0]))
    let contents = try NPY.contents(of: path)
    #expect(contents.isBoolean == isBoolean && contents.array == NDArray([1, 0] as [UInt8]))
  }

  static let refused: [(header: String, says: String)] = [
    ("", "'{'"), ("{}", "keys []"), ("{'descr': '<f4'}", "keys [\"descr\"]"),
    ("{'descr': '<f4', 'descr': '<f4'}", "twice"), ("{'x': 1}", "key 'x'"),
    ("{'descr': __import__('os')}", "a string"), ("{'descr': [('a', '<f4'), }", "end of the list"),
    ("{'descr': ['", "end of the list"), ("{'descr': b'<f4'}", "a string"),
    ("{'descr': '<f4", "byte 10"), ("{'descr': '\\x3cf4'}", "printable"),
    ("{'fortran_order': 0}", "True or False"), ("{'fortran_order': Falsehood}", "'h'"),
    ("{'shape': 3}", "'('"), ("{'shape': (3)}", "','"), ("{'shape': (-1,)}", "a negative number"),
    ("{'shape': (1e3,)}", "','"), ("{'shape': (,)}", "a number"),
    ("{'shape': (99999999999999999999,)}", "20 digits"),
    ("{'shape': (1,)} {'shape': (1,)}", "the end"), ("{'shape': (1,)", "'}'"),
  ]

  @Test(arguments: refused.indices)
  func badHeadersAreRefused(index: Int) throws {
    let (text, says) = Self.refused[index]
    let error = storageError(text) { _ = try NPY.decode(file(text), source: "a.npy") }
    #expect(error?.kind == .badData)
    #expect(error?.description.contains(says) == true, "\(text): \(error as Any)")
  }

  /// What the elements are instead, never that the file is damaged.
  @Test(arguments: [
    ("'|O'", "Python objects"), ("'<c8'", "complex numbers ('<c8')"), ("'<U3'", "strings"),
    ("'|S8'", "strings"), ("'<M8[ns]'", "dates ('<M8[ns]')"), ("'<m8[s]'", "lengths of time"),
    ("'<f16'", "long doubles"), ("'<f12'", "long doubles"), ("'|V4'", "bytes without a type"),
    ("''", "found ''"), ("'<x9'", "found '<x9'"),
    ("[('a', '<f4'), ('b', '<i4', (2, 3))]", "records [('a', '<f4'), ('b', '<i4', (2, 3))]"),
    ("[('it\\'s ]', '<f4')]", "records"), ("('<f4', (3,))", "records"),
  ])
  func otherTypesAreNamed(descr: String, says: String) throws {
    let text = "{'descr': \(descr), 'fortran_order': False, 'shape': (0,), }"
    let error = storageError(descr) { _ = try NPY.decode(file(text), source: "a.npy") }
    #expect(error?.kind == .badData)
    #expect(error?.description.contains(says) == true, "\(error as Any)")
    #expect(error?.description.contains("damaged") == false)
  }

  /// Every number type of NumPy, by bytes written out by hand in big-endian order, and its values.
  static let numbers: [(type: String, size: Int, bytes: [UInt8], values: NDArray)] = [
    // 1, -2, the largest and the smallest half (2^-24), infinity.
    (
      "f2", 2, [0x3c, 0, 0xc0, 0, 0x7b, 0xff, 0, 1, 0x7c, 0],
      NDArray([1, -2, 65_504, 0x1p-24, .infinity] as [Float])
    ),
    ("f4", 4, [0x3f, 0xc0, 0, 0], NDArray([1.5] as [Float])),
    ("f8", 8, [0x3f, 0xf8, 0, 0, 0, 0, 0, 1], NDArray([1.5 + 0x1p-52] as [Double])),
    ("i1", 1, [0x80, 0xff, 0x7f], NDArray([-128, -1, 127] as [Int32])),
    ("i2", 2, [0x80, 0, 0xff, 0xff, 0x7f, 0xff], NDArray([-32_768, -1, 32_767] as [Int32])),
    ("i4", 4, [0x80, 0, 0, 0, 0, 0, 1, 0], NDArray([Int32.min, 256])),
    (
      "i8", 8, [0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff],
      NDArray([Int32.min, Int32.max])
    ),
    ("u1", 1, [0, 200, 255], NDArray([0, 200, 255] as [UInt8])),
    ("u2", 2, [0xff, 0xff, 1, 0], NDArray([65_535, 256] as [Int32])),
    ("u4", 4, [0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1], NDArray([Int32.max, 1])),
    ("u8", 8, [0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff], NDArray([Int32.max])),
    ("b1", 1, [0, 1, 7], NDArray([0, 1, 1] as [UInt8])),
  ]

  @Test(arguments: numbers.indices)
  func everyNumberTypeIsExact(index: Int) throws {
    let (type, size, big, values) = Self.numbers[index]
    let little = stride(from: 0, to: big.count, by: size).flatMap {
      Array(big[$0..<($0 + size)].reversed())
    }
    let shape = "(\(values.count),)"
    for (order, bytes) in [(">", big), ("<", little), ("=", little), ("|", little), ("", little)] {
      let array = try NPY.decode(file(header("\(order)\(type)", shape), bytes))
      #expect(array == values, "\(order)\(type)")
      // Many, so that pieces of the file meet.
      let count = 70_000 / size * values.count
      let long = try NPY.decode(
        file(
          header("\(order)\(type)", "(\(count),)", fortran: "True"),
          (0..<(count / values.count)).flatMap { _ in bytes }))
      #expect(long.rows(count - values.count..<count) == values, "\(order)\(type), long")
    }
  }

  @Test(
    arguments: [
      ("<i8", [0, 0, 0, 0x80, 0, 0, 0, 0], "2147483648"),
      ("<u8", [255, 255, 255, 255, 255, 255, 255, 255], "18446744073709551615"),
      (">u4", [0x80, 0, 0, 0], "2147483648"), ("<i8", [0, 0, 0, 0, 0, 0, 0, 0x80], "\(Int64.min)"),
    ] as [(String, [UInt8], String)])
  func wideIntegersMustFit(descr: String, body: [UInt8], says: String) throws {
    let error = storageError {
      _ = try NPY.decode(file(header(descr, "(1,)"), body), source: "a.npy")
    }
    #expect(error?.description.contains("element 0 of 'a.npy': found \(says)") == true)
  }

  /// Headers of Python 2, of other writers and of hands, which NumPy reads too.
  @Test(arguments: [
    "{'descr': '<i2', 'fortran_order': False, 'shape': (2L, 1L), }",
    "{u'descr': u'<i2', u'fortran_order': False, u'shape': (2, 1)}",
    "{\"shape\": (2, 1),\n\t'fortran_order': False,\r\n 'descr': 'int16'}   \n\n",
    "\t{ 'fortran_order':False,'descr':'h' ,'shape':( 2 , 1 , ) , } ",
  ])
  func headersOfOthers(text: String) throws {
    let expected = NDArray([-2, 3] as [Int32], shape: [2, 1])
    for version in [[1, 0], [2, 0], [3, 0]] as [[UInt8]] {
      #expect(try NPY.decode(file(text, [0xfe, 0xff, 3, 0], version: version)) == expected)
    }
  }

  /// What np.save leaves when it is called twice with one open file.
  @Test func theFirstOfSeveralArraysIsRead() throws {
    let folder = try TemporaryFolder()
    let first = NDArray([1, 2, 3] as [Float])
    let path = try folder.make(
      "a.npy", NPY.encode(first) + NPY.encode(NDArray([4] as [Int32])))
    let contents = try NPY.contents(of: path)
    #expect(contents.array == first && contents.isFollowed)
    #expect(try !NPY.contents(of: folder.make("b.npy", NPY.encode(first))).isFollowed)
  }

  @Test func sizesMustAgree() throws {
    let nine = "(\(String(repeating: "1, ", count: 9)))"
    for (shape, count) in [
      ("(2,)", 7), ("(2,)", 9), ("(2,)", 0), ("()", 8), ("(0, 5)", 1), (nine, 4),
      ("(4611686018427387904, 2)", 0), ("(4294967296, 4294967296)", 0),
      ("(0, 9223372036854775807, 9223372036854775807)", 0),
    ] {
      let body = [UInt8](repeating: 0, count: count)
      storageError(shape) { _ = try NPY.decode(file(header("<f4", shape), body)) }
    }
  }

  @Test func damagedFilesAreRefusedOrRead() throws {
    let valid = NPY.encode(NDArray((0..<24).map { Float($0) }, shape: [2, 3, 4]))
    for length in [0, 5, 6, 8, 9, 10, 60, 127, 128, 200] {
      storageError("length \(length)") { _ = try NPY.decode(Array(valid[..<length])) }
    }
    for version in [[0, 0], [4, 0], [1, 1]] as [[UInt8]] {
      storageError { _ = try NPY.decode(file(header("<f4", "(0,)"), version: version)) }
    }
    var oversized = file(header("<f4", "(0,)"), version: [2, 0])
    oversized.replaceSubrange(8..<12, with: [0xff, 0xff, 0xff, 0xff])
    #expect(
      storageError { _ = try NPY.decode(oversized) }?.description.contains("4294967295") == true)
    for seed in seeds(3_000) {
      var random = Random(seed: seed)
      let bytes = Mutation.random(of: valid, &random)
      do { _ = try NPY.decode(bytes) } catch { #expect(error is StorageError, "seed \(seed)") }
    }
  }
}
