// What bytes stand for: found once, said where it is not the usual, kept where it is given.

import LatentNumerics
import LatentStorage
import Testing

@testable import LatentDatasets

@Suite struct ByteScaleTests {
  /// Bytes, the rule asked for; then the rule, what batches hold, and how the note begins.
  static let rows:
    [(bytes: [UInt8], asked: ByteScale?, scale: ByteScale, factor: Float, says: String?)] = [
      ([0, 1, 1, 0], nil, .numbers, 1, "are 0 and 1 only, and are taken as these numbers"),
      ([0, 1, 1, 0], .numbers, .numbers, 1, nil),
      ([0, 1, 1, 0], .pictures, .pictures, 1 / 255, "go to 1 only, and are divided by 255"),
      ([0, 9, 3, 0], nil, .pictures, 1 / 255, "go to 9 only, and are divided by 255"),
      ([0, 9, 3, 0], .numbers, .numbers, 1, nil),
      ([0, 0, 0, 0], nil, .pictures, 1 / 255, nil),
      ([0, 64, 0, 1], nil, .pictures, 1 / 255, nil),
      ([0, 255, 7, 1], nil, .pictures, 1 / 255, nil),
      ([0, 255, 7, 1], .numbers, .numbers, 1, nil),
    ]

  @Test(arguments: rows.indices)
  func everySourceHasTheSameRule(index: Int) throws {
    let (bytes, asked, scale, factor, says) = Self.rows[index]
    try withTemporaryFolder { folder in
      let array = NDArray(bytes, shape: [2, 2])
      try NPY.write(array, to: "\(folder)/a.npy")
      try HDF5File.write(arrays: ["x": array], to: "\(folder)/a.h5")
      var sets: [any Dataset] = [ArrayDataset(inputs: array, bytes: asked)]
      for source in ["npy:\(folder)/a.npy", "hdf5:\(folder)/a.h5:x"] {
        sets.append(try DataSource(parsing: source).open(bytes: asked).training)
      }
      for data in sets {
        #expect(data.byteScale == scale, "\(data.name)")
        let expected = bytes.map { Float($0) * factor }
        #expect(try data.batch(0..<2).inputs.floats == expected, "\(data.name)")
        #expect(data.notes.count == (says == nil ? 0 : 1))
        if let says { #expect(data.notes.first?.contains(says) == true, "\(data.notes)") }
      }
    }
  }

  @Test func whatIsNoBytesHasNoRule() throws {
    try withTemporaryFolder { folder in
      let floats = ArrayDataset(inputs: NDArray([0, 1] as [Float], shape: [2, 1]))
      #expect(floats.byteScale == nil && floats.notes.isEmpty)
      try NPY.write(NDArray([0, 1] as [Int32]), to: "\(folder)/a.npy")
      #expect(try NPYDataset(path: "\(folder)/a.npy").byteScale == nil)
      // Labels are classes whatever the inputs are.
      let data = ArrayDataset(
        inputs: NDArray([0, 1] as [UInt8], shape: [2, 1]), labels: NDArray([0, 1] as [UInt8]))
      #expect(try data.batch(0..<2).labels == NDArray([0, 1] as [Int32]))
    }
  }

  /// A part has the rule of the whole, also where its own bytes would say otherwise.
  @Test func partsFollowTheWhole() throws {
    let data = ArrayDataset(inputs: NDArray([0, 1, 200, 1] as [UInt8], shape: [4, 1]))
    let part = Subset(data, indices: [0, 1])
    #expect(part.byteScale == .pictures)
    #expect(try part.batch(0..<2).inputs.floats == [0, 1 / 255])
    let seen = part.seen(through: FixedBinarization(threshold: 0.5))
    #expect(seen.byteScale == .pictures && seen.notes == data.notes)
  }

  /// A large array is judged by examples at equal distances; one that contradicts them is refused.
  @Test func samplesAreHeldTo() throws {
    let count = (ByteLook.wholeBytes >> 20) + 5
    var asked: [Int] = []
    let look = ByteLook(count: count, rowBytes: 1 << 20) { indices in
      asked += indices
      return NDArray([UInt8](repeating: 1, count: indices.count), shape: [indices.count, 1])
    }
    #expect(look.largest == 1 && look.sampled == 256)
    #expect(asked.count == 256 && asked.first == 0 && asked.last == count - 1)
    #expect(asked == Array(Set(asked)).sorted())
    let rule = ByteRule(nil, look, what: "the bytes of x")
    #expect(rule.scale == .numbers && rule.notes[0].contains("(of 256 examples looked at)"))
    let good = NDArray([0, 1, 1, 0] as [UInt8], shape: [2, 2])
    try rule.check(good, [7, 3], file: "x")
    let text = datasetErrorText {
      try rule.check(NDArray([0, 1, 1, 7] as [UInt8], shape: [2, 2]), [7, 3], file: "x")
    }
    #expect(text?.contains("cannot use example 3 of x: found the byte 7") == true, "\(text ?? "")")
    // What was asked for is not held to a sample.
    try ByteRule(.numbers, look, what: "x").check(
      NDArray([9] as [UInt8], shape: [1, 1]), [0], file: "x")
  }

  /// The look ends where bytes are those of pictures.
  @Test func picturesAreKnownAtOnce() {
    var reads = 0
    let look = ByteLook(count: 1 << 14, rowBytes: 1 << 10) { indices in
      reads += 1
      return NDArray([UInt8](repeating: 64, count: indices.count), shape: [indices.count, 1])
    }
    #expect(reads == 1 && look.largest == 64 && look.sampled == nil)
  }

  @Test(arguments: [0, 1, 2, 255, 256, 257, 1_000, 737_280, Int.max])
  func samplePositions(count: Int) {
    let positions = ExampleSample.positions(of: count)
    #expect(positions.count == min(count, 256))
    #expect(positions.first ?? 0 == 0 && positions.last ?? -1 == count - 1)
    #expect(zip(positions, positions.dropFirst()).allSatisfy { $0 < $1 })
  }

  @Test func largeIntegersAreSaidToBeRounded() throws {
    try withTemporaryFolder { folder in
      let path = "\(folder)/a.npy"
      try NPY.write(NDArray([0, 16_777_216] as [Int32]), to: path)
      #expect(try NPYDataset(path: path).notes.isEmpty)
      try NPY.write(NDArray([0, -16_777_217] as [Int32]), to: path)
      #expect(try NPYDataset(path: path).notes.first?.contains("go to 16777217") == true)
      #expect(try NPYDataset(path: path, integers: .tokens).notes.isEmpty)
    }
  }
}
