// Files of others: all of h5py's numbers are read, what is no array is named, rows come one by one.

import Glibc
import LatentNumerics
import Testing

@testable import LatentStorage

@Suite struct HDF5FileTests {
  @Test func rowsOfOurOwnFiles() throws {
    let folder = try TemporaryFolder()
    var random = Random(seed: 3)
    var arrays: [String: NDArray] = [:]
    for dtype in DType.arithmetic {
      for shape in [[9], [9, 4], [9, 2, 3], [150_000, 2]] as [Shape] {
        arrays["\(dtype)/\(shape.rank)-\(shape[0])"] = NDArray(randomBits: shape, dtype, &random)
      }
    }
    try HDF5File.write(arrays: arrays, to: folder.file("a.h5"))
    let file = try HDF5File(path: folder.file("a.h5"))
    #expect(try file.datasets.map(\.name) == arrays.keys.sorted())
    for (name, array) in arrays {
      #expect(try file.shape(of: name) == array.shape)
      #expect(try file.dtype(of: name) == array.dtype)
      #expect(try file.array(name) == array)
      let count = array.shape[0]
      for rows in [0..<count, 0..<0, 3..<7, (count - 1)..<count, count..<count] {
        #expect(try file.rows(rows, of: name) == array.rows(rows), "\(name) \(rows)")
      }
    }
    // The same arrays are the same file.
    try HDF5File.write(arrays: arrays, to: folder.file("b.h5"))
    #expect(try folder.bytes(of: "a.h5") == folder.bytes(of: "b.h5"))
  }

  private func foreign(_ folder: TemporaryFolder) throws -> HDF5File {
    try HDF5File(path: folder.make("foreign.h5", Fixtures.file(Fixtures.foreign)))
  }

  @Test func everyNumberOfH5pyIsRead() throws {
    let folder = try TemporaryFolder()
    let file = try foreign(folder)
    let expected: [String: NDArray] = [
      "f2": NDArray([0.5, -2] as [Float]), "f8": NDArray([1.0 / 3] as [Double]),
      "f8b": NDArray([1.0 / 3] as [Double]),
      "f4be": NDArray([1, 2, 3, 4] as [Float], shape: [2, 2]),
      "scalar": NDArray([2.5] as [Double], shape: []),
      "i1": NDArray([-1, 7] as [Int32]), "i2": NDArray([-300, 300] as [Int32]),
      "u2": NDArray([65535, 0] as [Int32]), "i8fits": NDArray([.max, .min] as [Int32]),
      "u1": NDArray([200, 1] as [UInt8]), "b": NDArray([1, 0] as [UInt8]),
      "g/z": NDArray((0..<40).map { Int32($0) }, shape: [10, 4]),
    ]
    for (name, array) in expected { #expect(try file.array(name) == array, "\(name)") }
    #expect(try file.rows(2..<8, of: "g/z") == expected["g/z"]?.rows(2..<8))
    #expect(try file.rows(0..<2, of: "/u1") == expected["u1"])
    #expect(try file.datasets.filter(\.isBoolean).map(\.name) == ["b"])
    // These are of a type that is read, but not every value fits, or not all of it at once.
    let others = ["big", "i8", "u4", "u8"]
    #expect(try file.datasets.map(\.name) == (Array(expected.keys) + others).sorted())
    #expect(try file.array("soft") == expected["f8"])
  }

  @Test(arguments: [
    ("i8", "2147483648"), ("u4", "4294967295"), ("u8", "18446744073709551615"), ("s", "texts"),
    ("null", "null"), ("rec", "records"), ("big", "1099511627776 bytes declared"),
    ("ext", "another file"), ("nothing", "'f2'"), ("g", "'g/z'"),
  ])
  func whatIsNotReadIsNamed(name: String, says: String) throws {
    let folder = try TemporaryFolder()
    let file = try foreign(folder)
    let error = storageError(name) { _ = try file.array(name) }
    #expect(error?.kind == .badData)
    #expect(error?.description.contains(says) == true, "\(error as Any)")
    #expect(error?.description.contains(file.path) == true)
  }

  @Test func circlesAndMultipliedPathsEnd() throws {
    let folder = try TemporaryFolder()
    for text in [Fixtures.circle, Fixtures.doubling] {
      let file = try HDF5File(path: folder.make("x.h5", Fixtures.file(text)))
      #expect(try file.datasets.isEmpty)
    }
  }

  @Test(arguments: [0..<11, 10..<11, -1..<2, Int.min..<0, 0..<Int.max])
  func rowsOutsideAreRefused(rows: Range<Int>) throws {
    let folder = try TemporaryFolder()
    let file = try foreign(folder)
    #expect(
      storageError { _ = try file.rows(rows, of: "g/z") }
        == .rowsOutOfRange(file: file.path, dataset: "g/z", rows: rows, count: 10))
    storageError { _ = try file.rows(0..<1, of: "scalar") }
    storageError { _ = try file.rows(0..<0, of: "scalar") }
    storageError { _ = try file.rows(at: [], of: "scalar") }
    storageError { _ = try file.rows(at: [0], of: "scalar") }
  }

  @Test func whatIsNoHDF5FileIsRefused() throws {
    let folder = try TemporaryFolder()
    for (path, kind) in [
      (folder.file("none"), StorageError.Kind.unreadable), (folder.path, .unreadable),
      (try folder.make("text", Array("hello".utf8)), .badData),
      (try folder.make("empty", []), .badData),
    ] {
      #expect(storageError(path) { _ = try HDF5File(path: path) }?.kind == kind)
    }
  }

  /// The newest format protects itself by checksums; older ones are for a process of their own.
  @Test func damagedFilesNeverCrash() throws {
    let folder = try TemporaryFolder()
    let array = NDArray((0..<60).map { Float($0) }, shape: [20, 3])
    try HDF5File.write(arrays: ["x": array], to: folder.file("x.h5"))
    let valid = try folder.bytes(of: "x.h5")
    for seed in seeds(300) {
      var random = Random(seed: seed)
      let path = try folder.make("y.h5", Mutation.random(of: valid, &random))
      do {
        #expect(try HDF5File(path: path).rows(0..<20, of: "x") == array, "seed \(seed)")
      } catch let error as StorageError {
        #expect(error.kind == .badData, "seed \(seed)")
      }
    }
  }

  @Test func chunksHoldWholeInnerAxes() {
    let cases: [(Shape, Int, [Int])] = [
      ([3, 4], 4, [3, 4]), ([1 << 18], 4, [1 << 18]), ([(1 << 18) + 1], 4, [(1 << 17) + 1]),
      ([1000, 1000], 4, [250, 1000]), ([2, 3 << 18], 4, [1, 1 << 18]), ([5, 1], 8, [5, 1]),
    ]
    for (shape, size, chunk) in cases {
      #expect(HDF5Image.chunkShape(shape, elementSize: size) == chunk, "\(shape)")
    }
  }

  private func flat(_ file: HDF5File) throws -> [String] {
    try file.datasets.filter { $0.start != nil }.map(\.name)
  }

  /// Of the files of others and of ours, which arrays are read without the library.
  @Test func arraysInOnePieceAreReadWhereTheyLie() throws {
    let folder = try TemporaryFolder()
    #expect(try flat(foreign(folder)) == ["f8", "f8b", "scalar", "u1"])
    let arrays = [
      "a": NDArray(repeating: 1, shape: [30, 7], .float64), "b": NDArray([1, 2] as [Int32]),
      "none": NDArray(repeating: 0, shape: [0, 3], .uint8),
      "one": NDArray([3.0] as [Double], shape: []),
    ]
    try HDF5File.write(arrays: arrays, to: folder.file("x.h5"))
    let file = try HDF5File(path: folder.file("x.h5"))
    #expect(try flat(file) == ["a", "b"])
    for (name, array) in arrays { #expect(try file.array(name) == array, "\(name)") }
  }

  /// What was never written has no place in the file, but its fill value everywhere.
  @Test(arguments: [Fixtures.neverWritten, Fixtures.neverWrittenBehind])
  func neverWrittenIsFilledIn(text: String) throws {
    let folder = try TemporaryFolder()
    let file = try HDF5File(path: folder.make("x.h5", Fixtures.file(text)))
    #expect(try flat(file) == ["same", "y"])
    #expect(try file.array("x") == NDArray(repeating: 7, shape: [100], .float32))
    #expect(try file.rows(at: [99, 0], of: "x") == NDArray([7, 7] as [Float]))
    for name in ["y", "same"] {
      #expect(try file.rows(at: [299, 5], of: name) == NDArray([299, 5] as [Float]))
    }
  }

  /// Whoever puts another file in the place of an open one does not change what is read.
  @Test func aFileReplacedWhileOpen() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("x.h5")
    let (old, new) = (NDArray([1, 2, 3] as [Float]), NDArray([4.0, 5] as [Double], shape: [2]))
    try HDF5File.write(arrays: ["x": old], to: path)
    let file = try HDF5File(path: path)
    try HDF5File.write(arrays: ["a": new, "x": new], to: path)
    #expect(try file.rows(at: [2, 0], of: "x") == NDArray([3, 1] as [Float]))
    #expect(try HDF5File(path: path).array("x") == new)
  }

  /// Chunks and one piece, behind a user block and without one; blocks smaller than a row, larger,
  /// as large as the array, and so many that their checksums do not fit an object's header.
  @Test(
    arguments: [
      .chunks, .onePiece(blockBytes: 64), .onePiece(blockBytes: 1000),
      .onePiece(blockBytes: 1 << 16),
    ] as [HDF5Image.Layout], [0, 512])
  func rowsInAnyOrder(layout: HDF5Image.Layout, userBlock: Int) throws {
    let folder = try TemporaryFolder()
    var random = Random(seed: 5)
    for shape in [[40_000, 9], [300], [50, 3, 5], [60, 5000]] as [Shape] {
      let array = NDArray(randomBits: shape, .float32, &random)
      let path = try folder.make(
        "x.h5",
        HDF5Image.make(
          arrays: ["x": array], texts: [:], userBlock: userBlock, name: "x", layout: layout))
      let file = try HDF5File(path: path)
      let count = shape[0]
      let shuffled = (0..<100).map { _ in Int.random(in: 0..<count, using: &random) }
      for indices in [
        shuffled, Array(0..<count), [], [count - 1, 0], [5, 5, 5], [3, 4, 5, 5, 6, 2, 1, 20, 21],
      ] {
        let expected = array.taking(NDArray(indices.map { Int32($0) }), axis: 0)
        #expect(try file.rows(at: indices, of: "x") == expected, "\(shape) \(indices)")
      }
      for index in [count, -1, Int.max, Int.min] {
        let error = storageError { _ = try file.rows(at: [0, index], of: "x") }
        guard case .rowsOutOfRange(_, "x", let rows, count) = error else {
          Issue.record("\(index): \(error as Any)")
          continue
        }
        #expect(rows.lowerBound == index)
      }
    }
  }

  /// Each byte of the elements is covered, by whatever part of the array is read.
  @Test func everyChangedElementIsSeen() throws {
    let folder = try TemporaryFolder()
    let array = NDArray((0..<60).map { Float($0) }, shape: [20, 3])
    let valid = try HDF5Image.make(
      arrays: ["x": array], texts: [:], userBlock: 0, name: "x", layout: .onePiece(blockBytes: 64))
    let elements = [UInt8](array.withUnsafeBytes { Array($0) })
    let start = try #require(valid.firstRange(of: elements)?.lowerBound)
    for place in 0..<elements.count {
      var bytes = valid
      bytes[start + place] ^= 1 << UInt8(place % 8)
      let file = try HDF5File(path: folder.make("y.h5", bytes))
      let row = place / 12
      let error = storageError { _ = try file.rows(at: [row], of: "x") }
      #expect(error?.kind == .badData && "\(error as Any)".contains("latent_crc32c"), "\(place)")
      storageError { _ = try file.array("x") }
      // Rows of other blocks are not concerned.
      let far = (row + 10) % 20
      #expect(try file.rows(far..<far + 1, of: "x") == array.rows(far..<far + 1))
    }
  }

  @Test func wrongChecksumsAreNamed() throws {
    let folder = try TemporaryFolder()
    let file = try HDF5File(path: folder.make("x.h5", Fixtures.file(Fixtures.checksums)))
    let all = ["block", "few", "none", "wide", "text", "many", "wrong"]
    for name in all {
      let error = storageError(name) { _ = try file.array(name) }
      #expect(error?.kind == .badData && "\(error as Any)".contains(name), "\(error as Any)")
    }
    #expect(try file.datasets.map(\.name) == all.sorted())
  }

  /// Rows that are read together: the gaps and the whole are bounded.
  @Test func runsOfRows() {
    let rows = [0, 1, 4, 5, 9, 10, 11, 12, 30]
    let cases: [(Int, Int, [Range<Int>])] = [
      (1, 100, [0..<2, 2..<4, 4..<8, 8..<9]), (4, 100, [0..<8, 8..<9]), (100, 100, [0..<9]),
      (100, 10, [0..<5, 5..<8, 8..<9]), (1, 1, (0..<9).map { $0..<$0 + 1 }),
      (1, 2, [0..<2, 2..<4, 4..<6, 6..<8, 8..<9]),
    ]
    for (bridge, longest, runs) in cases {
      #expect(
        HDF5File.runs(rows, bridge: bridge, longest: longest) == runs, "\(bridge) \(longest)")
    }
    #expect(HDF5File.runs([], bridge: 1, longest: 1).isEmpty)
    #expect(HDF5File.ascents([3, 4, 4, 5, 2, 0, 1]) == [3..<5, 4..<6, 2..<3, 0..<2])
  }

  @Test func aFileCutWhileOpenIsDamaged() throws {
    let folder = try TemporaryFolder()
    let array = NDArray(repeating: 1, shape: [5000, 100], .float32)
    try HDF5File.write(arrays: ["x": array], to: folder.file("x.h5"))
    let file = try HDF5File(path: folder.file("x.h5"))
    #expect(try file.rows(at: [4999], of: "x") == array.rows(0..<1))
    #expect(truncate(folder.file("x.h5"), 1_000_000) == 0)
    #expect(storageError { _ = try file.rows(at: [4999], of: "x") }?.kind == .badData)
  }

  /// Readers share nothing but what is already known to be right.
  @Test func threadsReadAtOnce() async throws {
    let folder = try TemporaryFolder()
    var random = Random(seed: 8)
    let array = NDArray(randomBits: [3000, 50], .float32, &random)
    try HDF5File.write(arrays: ["x": array], to: folder.file("x.h5"))
    let file = try HDF5File(path: folder.file("x.h5"))
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for task in 0..<8 {
        group.addTask {
          try (0..<200).allSatisfy { step in
            let indices = (0..<16).map { ($0 * 997 + step * 31 + task * 7) % 3000 }
            let expected = array.taking(NDArray(indices.map { Int32($0) }), axis: 0)
            return try file.rows(at: indices, of: "x") == expected
          }
        }
      }
      for try await agrees in group { #expect(agrees) }
    }
  }
}
