// IDX: round trips, bytes written out by hand, and headers that lie.

import LatentNumerics
import Testing

@testable import LatentStorage

@Suite struct IDXTests {
  @Test(arguments: DType.arithmetic)
  func everyShapeComesBack(dtype: DType) throws {
    let folder = try TemporaryFolder()
    var random = Random(seed: 2)
    for shape in Samples.shapes where shape.rank > 0 {
      let array = NDArray(randomBits: shape, dtype, &random)
      #expect(try IDX.decode(IDX.encode(array)) == array)
      guard shape.count < 10_000 else { continue }
      for name in ["a.idx", "a.idx.gz"] {
        try IDX.write(array, to: folder.file(name))
        #expect(try IDX.read(folder.file(name)) == array)
      }
      #expect(try folder.bytes(of: "a.idx.gz").starts(with: Gzip.magic))
    }
  }

  @Test func bytesAreThoseOfTheFormat() throws {
    let images = NDArray([1, 2, 3, 4, 5, 6] as [UInt8], shape: [1, 2, 3])
    #expect(
      try IDX.encode(images)
        == [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6])
    #expect(
      try IDX.decode([0, 0, 0x0c, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe])
        == NDArray([-2] as [Int32]))
    #expect(
      try IDX.decode([0, 0, 0x0d, 1, 0, 0, 0, 1, 0x3f, 0x80, 0, 0]) == NDArray([1] as [Float]))
    storageError { _ = try IDX.encode(NDArray([1] as [Float], shape: [])) }
  }

  /// All type codes of the format; bytes written out by hand.
  @Test(
    arguments: [
      (0x08, [200], NDArray([200] as [UInt8])), (0x09, [200], NDArray([-56] as [Int32])),
      (0x0b, [0xff, 0xfe], NDArray([-2] as [Int32])),
      (0x0c, [0, 1, 0, 0], NDArray([65_536] as [Int32])),
      (0x0d, [0xc0, 0x40, 0, 0], NDArray([-3] as [Float])),
      (0x0e, [0x3f, 0xe0, 0, 0, 0, 0, 0, 0], NDArray([0.5] as [Double])),
    ] as [(UInt8, [UInt8], NDArray)])
  func everyTypeIsRead(code: UInt8, body: [UInt8], values: NDArray) throws {
    let bytes = [0, 0, code, 1, 0, 0, 0, 1] + body
    #expect(try IDX.decode(bytes) == values)
    #expect(try IDX.decode(Gzip.compress(bytes)) == values)
  }

  static let lies: [(what: String, bytes: [UInt8], says: String)] = [
    ("nothing", [], "it is empty"), ("half a header", [0, 0, 8], "header"),
    ("another magic number", [1, 0, 8, 1, 0, 0, 0, 0], "magic"),
    ("another type", [0, 0, 0x0a, 1, 0, 0, 0, 0], "code 0x0a"),
    ("no axes", [0, 0, 8, 0], "number of axes"), ("nine axes", [0, 0, 8, 9], "number of axes"),
    ("axes missing", [0, 0, 8, 3, 0, 0, 0, 1], "header"),
    ("an overflow", [0, 0, 8, 3] + [UInt8](repeating: 0xff, count: 12), "shape"),
    ("2^62 doubles", [0, 0, 0x0e, 2] + [0x80, 0, 0, 0, 0x80, 0, 0, 0], "shape"),
    ("too many", [0, 0, 8, 1, 0, 0, 0, 5, 1, 2, 3], "3 bytes"),
    ("too few", [0, 0, 8, 1, 0, 0, 0, 2, 1, 2, 3], "shape [2]"),
    ("zero times much", [0, 0, 8, 2, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1], "shape"),
  ]

  @Test(arguments: lies.indices)
  func lyingHeadersAreRefused(index: Int) throws {
    let (what, bytes, says) = Self.lies[index]
    for (form, bytes) in [("plain", bytes), ("compressed", Gzip.compress(bytes))] {
      let error = storageError("\(what), \(form)") { _ = try IDX.decode(bytes, source: "x.idx") }
      #expect(error?.kind == .badData)
      if form == "plain" {
        #expect(error?.description.contains(says) == true, "\(what): \(error as Any)")
      }
    }
  }

  @Test func compressedFilesMakeWhatTheirHeaderSays() throws {
    let header: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 100]
    let body = [UInt8](repeating: 1, count: 100)
    #expect(try IDX.decode(Gzip.compress(header) + Gzip.compress(body)).count == 100)
    // A bomb behind a modest header is not unpacked to its end.
    let bomb = Gzip.compress(header + [UInt8](repeating: 0, count: 50 << 20))
    let error = storageError { _ = try IDX.decode(bomb) }
    #expect(error?.description.contains("more bytes after shape [100]") == true)
    // A header that promises more than its compressed bytes can ever make.
    let promise = Gzip.compress([0, 0, 8, 2, 0, 1, 0, 0, 0, 1, 0, 0])
    #expect(
      storageError { _ = try IDX.decode(promise) }?.description.contains("at most") == true)
    // One that could be true for its size is counted before 300 MiB are allocated.
    var random = Random(seed: 9)
    let noise = (0..<320_000).map { _ in UInt8.random(in: 0...255, using: &random) }
    let claim = Gzip.compress([0, 0, 8, 2, 0, 0, 0x4b, 0, 0, 0, 0x40, 0] + noise)
    let folder = try TemporaryFolder()
    for error in [
      storageError { _ = try IDX.decode(claim) },
      storageError { _ = try IDX.read(folder.make("a.gz", claim)) },
    ] { #expect(error?.description.contains("320012 bytes unpacked") == true) }
    storageError { _ = try IDX.decode(Gzip.compress(header + body.dropLast())) }
    storageError { _ = try IDX.decode(Gzip.compress(header + body) + [0]) }
    storageError { _ = try IDX.decode(Gzip.compress(header + body).dropLast()) }
  }

  @Test func randomDamageNeverCrashes() throws {
    let valid = try IDX.encode(NDArray((0..<60).map { Float($0) }, shape: [4, 3, 5]))
    for seed in seeds(3_000) {
      var random = Random(seed: seed)
      let bytes = Mutation.random(of: valid, &random)
      do { _ = try IDX.decode(bytes) } catch { #expect(error is StorageError, "seed \(seed)") }
    }
  }
}
