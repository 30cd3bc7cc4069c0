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
  func slabsEqualTheWhole(indices: [Int]) throws {
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

  /// Rows of 64 KiB, above the size of a gap that is read along.
  @Test func distantRowsAreReadApart() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/wide.h5"
      let wide = NDArray((0..<12 * 16_384).map { Float($0) }, shape: [12, 16_384])
      try HDF5File.write(arrays: ["x": wide], to: path)
      let data = try HDF5Dataset(path: path, dataset: "x")
      let indices = [11, 0, 6, 7, 1]
      #expect(
        try data.batch(at: indices).inputs == ArrayDataset(inputs: wide).batch(at: indices).inputs)
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
