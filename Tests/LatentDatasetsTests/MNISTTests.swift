import Foundation
import LatentDatasets
import LatentNumerics
import LatentStorage
import Testing

/// A folder in MNIST's form with `counts` images of 4 x 3 pixels; pixel p of image i is
/// (12 i + p) mod 256, its label i mod 10.
private func writeDigits(
  _ folder: String, gzip: Bool = false, separator: String = "-", labels: Int? = nil,
  counts: [(String, Int)] = [("train", 5), ("t10k", 3)]
) throws {
  for (prefix, count) in counts {
    let pixels = (0..<count * 12).map { UInt8($0 % 256) }
    let marks = (0..<(labels ?? count)).map { UInt8($0 % 10) }
    for (name, array) in [
      ("images\(separator)idx3", NDArray(pixels, shape: [count, 4, 3])),
      ("labels\(separator)idx1", NDArray(marks)),
    ] {
      let path = "\(folder)/\(prefix)-\(name)-ubyte"
      try IDX.write(array, to: path)
      if gzip {
        try write(Gzip.compress(read(path)), to: "\(path).gz")
        try FileManager.default.removeItem(atPath: path)
      }
    }
  }
}

@Suite struct MNISTTests {
  @Test(arguments: [false, true], ["-", "."])
  func readsPlainAndCompressedFiles(gzip: Bool, separator: String) throws {
    try withTemporaryFolder { folder in
      try writeDigits(folder, gzip: gzip, separator: separator)
      let mnist = try MNIST(folder: folder)
      #expect(mnist.training.count == 5 && mnist.test.count == 3)
      let batch = try mnist.training.batch(at: [4, 1])
      #expect(batch.inputs.shape == [2, 4, 3, 1])
      #expect(isScaled(batch.inputs, Array(48..<60) + Array(12..<24)))
      #expect(batch.labels?.int32s == [4, 1])
    }
  }

  /// Kaggle's archive: folders that bear the files' names, with the files in them, and files beside.
  @Test(arguments: [false, true], [false, true])
  func readsFilesInFoldersOfTheirNames(gzip: Bool, hasFilesBeside: Bool) throws {
    try withTemporaryFolder { folder in
      try makeFolder("\(folder)/files")
      try writeDigits("\(folder)/files", gzip: gzip)
      if hasFilesBeside {
        try writeDigits(folder, separator: ".", counts: [("train", 5)])
      }
      for name in try FileManager.default.contentsOfDirectory(atPath: "\(folder)/files") {
        let bare = name.replacing(".gz", with: "")
        try makeFolder("\(folder)/\(bare)")
        try write(read("\(folder)/files/\(name)"), to: "\(folder)/\(bare)/\(name)")
      }
      let mnist = try MNIST(folder: folder)
      #expect(mnist.training.count == 5 && mnist.test.count == 3)
      #expect(isScaled(try mnist.test.batch(at: [2]).inputs, Array(24..<36)))
    }
  }

  /// Pictures of 0 and 1 are such numbers, and those of the test set follow the training set's rule.
  @Test func binaryPicturesAreNumbers() throws {
    try withTemporaryFolder { folder in
      try writeDigits(folder)
      let ones = NDArray((0..<60).map { UInt8($0 % 2) }, shape: [5, 4, 3])
      let images = "\(folder)/train-images-idx3-ubyte"
      try IDX.write(ones, to: images)
      let mnist = try MNIST(folder: folder)
      #expect(mnist.training.byteScale == .numbers && mnist.test.byteScale == .numbers)
      #expect(try mnist.training.batch(at: [0]).inputs.floats.max() == 1)
      #expect(try mnist.test.batch(at: [2]).inputs.floats.max() == 35)
      let asked = try MNIST(folder: folder, bytes: .pictures)
      #expect(isScaled(try asked.test.batch(at: [2]).inputs, Array(24..<36)))
    }
  }

  @Test func aMissingFileIsNamedWithWhatWasFound() throws {
    try withTemporaryFolder { folder in
      let nothing = datasetErrorText { _ = try MNIST(folder: folder) }
      #expect(nothing?.contains("train-images-idx3-ubyte") == true)
      #expect(nothing?.contains("the folder is empty") == true)
      try writeDigits(folder, counts: [("train", 5)])
      let half = datasetErrorText { _ = try MNIST(folder: folder) }
      #expect(half?.contains("t10k-images-idx3-ubyte") == true)
      #expect(half?.contains("it holds train-images-idx3-ubyte") == true)
      #expect(
        datasetErrorText { _ = try MNIST(folder: "\(folder)/none") }
          == "cannot open the data in \(folder)/none: there is no such folder")
    }
  }

  @Test func labelsMustMatchTheImages() throws {
    try withTemporaryFolder { folder in
      try writeDigits(folder, labels: 4)
      let text = datasetErrorText { _ = try MNIST(folder: folder) }
      #expect(text?.contains("4 against 5 examples") == true)
      #expect(text?.contains("train-labels-idx1-ubyte") == true)
    }
  }

  @Test func otherShapesAndEmptyFilesAreTypedErrors() throws {
    try withTemporaryFolder { folder in
      try writeDigits(folder)
      let images = "\(folder)/train-images-idx3-ubyte"
      try IDX.write(NDArray([1, 2, 3, 4, 5] as [UInt8]), to: images)
      let shape = datasetErrorText { _ = try MNIST(folder: folder) }
      #expect(shape?.contains("found uint8 [5]") == true)
      #expect(shape?.contains("expected uint8 [count, height, width]") == true)
      try writeDigits(folder, counts: [("train", 0)])
      #expect(throws: (any Error).self) { try MNIST(folder: folder) }
    }
  }

  @Test func damageIsTheReadersError() throws {
    try withTemporaryFolder { folder in
      try writeDigits(folder)
      let path = "\(folder)/train-images-idx3-ubyte"
      try write(read(path).dropLast(), to: path)
      #expect(throws: StorageError.self) { try MNIST(folder: folder) }
    }
  }
}
