import Foundation
import LatentDatasets
import LatentNumerics
import LatentStorage
import Testing

@Suite struct FileDatasetTests {
  static let rows = NDArray((0..<700).map { Float($0) }, shape: [100, 7])

  /// Patterns of shuffled, repeated, adjacent and distant rows.
  @Test(arguments: [
    [0], [99, 0], Array(0..<100), Array((0..<100).reversed()), [5, 5, 5], [50, 3, 51, 4, 99, 52],
    [],
  ])
  func rowsEqualTheWhole(indices: [Int]) throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/rows.h5"
      let labels = NDArray((0..<100).map { Int32($0) })
      try HDF5File.write(arrays: ["train/x": Self.rows, "labels": labels], to: path)
      let data = try HDF5Dataset(path: path, fields: ["inputs": "train/x", "labels": "labels"])
      #expect(data.count == 100)
      #expect(data.fieldShapes == ["inputs": [7], "labels": []])
      let whole = ArrayDataset(inputs: Self.rows, labels: labels)
      #expect(try data.batch(at: indices) == whole.batch(at: indices))
    }
  }

  @Test func imagesGetAChannelAxisAndBytesAreScaled() throws {
    try withTemporaryFolder { folder in
      let images = NDArray((0..<60).map { UInt8($0 * 4) }, shape: [5, 4, 3])
      try HDF5File.write(arrays: ["x": images], to: "\(folder)/a.h5")
      try NPY.write(images, to: "\(folder)/a.npy")
      let sets: [any Dataset] = [
        try HDF5Dataset(path: "\(folder)/a.h5", dataset: "x"),
        try NPYDataset(path: "\(folder)/a.npy"),
      ]
      for data in sets {
        let batch = try data.batch(at: [4, 0])
        #expect(batch.inputs.shape == [2, 4, 3, 1])
        #expect(isScaled(batch.inputs, (Array(48..<60) + Array(0..<12)).map { $0 * 4 }))
      }
    }
  }

  /// Whole numbers other than bytes are data like any others, unless they are said to be tokens.
  @Test(arguments: [IntegerInputs.numbers, .tokens])
  func integersAreNumbersOrTokens(integers: IntegerInputs) throws {
    try withTemporaryFolder { folder in
      let counts = NDArray([0, 1, 256, -3, 70_000, 5] as [Int32], shape: [3, 2])
      try HDF5File.write(
        arrays: ["x": counts, "y": NDArray([4, 5, 6] as [Int32])], to: "\(folder)/a.h5")
      try NPY.write(counts, to: "\(folder)/a.npy")
      let fields = [Field.inputs: "x", Field.labels: "y"]
      let sets: [any Dataset] = [
        try HDF5Dataset(path: "\(folder)/a.h5", fields: fields, integers: integers),
        try HDF5Dataset(path: "\(folder)/a.h5", dataset: "x", integers: integers),
        try NPYDataset(path: "\(folder)/a.npy", integers: integers),
      ]
      for data in sets {
        let batch = try data.batch(at: [2, 0, 1])
        let rows = NDArray([70_000, 5, 0, 1, 256, -3] as [Int32], shape: [3, 2])
        #expect(batch.inputs == (integers == .tokens ? rows : rows.converted(to: .float32)))
        if let labels = batch.labels { #expect(labels == NDArray([6, 4, 5] as [Int32])) }
      }
    }
  }

  /// Booleans `[3, 2, 4]`, true where the number of the element divides by 3, as h5py writes them.
  static let booleans = """
    H4sIAAAfB2sC/+v0cHHj5ZLiYubgYICB/1AgARUygIpz7sn56+/hEsTEUMEkhKwQBriYGBgZGNh4GIAUY8VmmHkeDFQDmT\
    9lasBOAFrAaMLAwMTMyMgMlWOC0ixQGqe4IgOjBRPIjQwMAhwQmoGBg8HN0SfYlSEkKNQVKMYK9AozFwfQm8yMDNBwkIC5\
    oplhMIDd299MYhgFo2AUjIJRMArIAYw4EABnjk0WGAgAAA==
    """

  @Test func booleansAreZeroAndOne() throws {
    try withTemporaryFolder { folder in
      let packed = [UInt8](try #require(Data(base64Encoded: Self.booleans)))
      try write(try Gzip.decompress(packed, limit: 1 << 20), to: "\(folder)/a.h5")
      // The array as NumPy writes it: that of bytes with another word for the type.
      let truths = (0..<24).map { UInt8($0 % 3 == 0 ? 1 : 0) }
      let text = NPY.encode(NDArray(truths, shape: [3, 2, 4]))
      let start = try #require(text.firstRange(of: Array("|u1".utf8)))
      var bytes = text
      bytes.replaceSubrange(start, with: Array("|b1".utf8))
      try write(bytes, to: "\(folder)/a.npy")
      for source in ["hdf5:\(folder)/a.h5:x", "npy:\(folder)/a.npy"] {
        let data = try DataSource(parsing: source).open().training
        let inputs = try data.batch(at: [2, 0]).inputs
        #expect(inputs.shape == [2, 2, 4, 1], "\(source)")
        #expect(inputs.floats == (truths[16...] + truths[..<8]).map { Float($0) }, "\(source)")
      }
      // Classes of two kinds are labels.
      let labelled = try HDF5Dataset(
        path: "\(folder)/a.h5", fields: [Field.inputs: "x", Field.labels: "x"])
      #expect(try labelled.batch(at: [1]).labels?.dtype == .int32)
    }
  }

  @Test func npyKeepsTheRowsAndMakesDoublesFloats() throws {
    try withTemporaryFolder { folder in
      try NPY.write(Self.rows.converted(to: .float64), to: "\(folder)/x.npy")
      let batch = try NPYDataset(path: "\(folder)/x.npy").batch(at: [3, 1])
      #expect(batch.inputs == Self.rows.taking(NDArray([3, 1] as [Int32]), axis: 0))
      try NPY.write(NDArray([1, 2, 3] as [Float]), to: "\(folder)/flat.npy")
      #expect(try NPYDataset(path: "\(folder)/flat.npy").fieldShapes == ["inputs": [1]])
    }
  }

  @Test func wrongFilesAreTypedErrors() throws {
    try withTemporaryFolder { folder in
      try HDF5File.write(
        arrays: ["x": Self.rows, "y": NDArray([1, 2] as [Float])], to: "\(folder)/x.h5")
      #expect(throws: StorageError.self) {
        try HDF5Dataset(path: "\(folder)/x.h5", dataset: "none")
      }
      #expect(throws: StorageError.self) {
        try HDF5Dataset(path: "\(folder)/none.h5", dataset: "x")
      }
      let counts = datasetErrorText {
        _ = try HDF5Dataset(path: "\(folder)/x.h5", fields: ["inputs": "x", "labels": "y"])
      }
      #expect(counts?.contains("2 against 100 examples") == true)
      try NPY.write(NDArray([1] as [Float], shape: []), to: "\(folder)/one.npy")
      let single = datasetErrorText { _ = try NPYDataset(path: "\(folder)/one.npy") }
      #expect(single?.contains("found a single number, expected [count, ...]") == true)
      #expect(throws: StorageError.self) { try NPYDataset(path: "\(folder)/none.npy") }
    }
  }
}
