// Changed data are recognised, and the same data are not taken for others.

import LatentDatasets
import LatentNumerics
import LatentStorage
import Testing

@Suite struct DatasetFingerprintTests {
  private func rows(
    _ count: Int, changing index: Int? = nil, by amount: Float = 0.25, width: Int = 3
  ) -> ArrayDataset {
    var numbers = (0..<count * width).map { Float($0) }
    if let index { numbers[index * width] += amount }
    return ArrayDataset(inputs: NDArray(numbers, shape: [count, width]), name: "rows")
  }

  @Test func theSameDataPass() throws {
    let saved = try DatasetFingerprint(of: rows(1_000)).encoded
    let again = try DatasetFingerprint(of: rows(1_000))
    #expect(again.encoded == saved && again.count == 1_000 && again.sampled == 256)
    try again.check(against: saved, of: "rows")
    // Runs of before know nothing, and texts of other versions say nothing.
    try again.check(against: nil, of: "rows")
    try again.check(against: "{\"version\": 9}", of: "rows")
    #expect(!saved.contains("\n"))
  }

  @Test func changesAreSaid() throws {
    let saved = try DatasetFingerprint(of: rows(100)).encoded
    let labelled = ArrayDataset(
      inputs: rows(100).arrays[Field.inputs]!, labels: NDArray([Int32](repeating: 0, count: 100)))
    let changed: [(data: ArrayDataset, says: String)] = [
      (rows(97), "found 97 examples, was 100 examples"),
      (rows(101), "found 101 examples, was 100 examples"),
      (rows(100, width: 4), "found inputs [4], was inputs [3]"),
      (labelled, "found inputs [3], labels [], was inputs [3]"),
      (rows(100, changing: 42), "of 100 examples, was checksum"),
      (rows(100, changing: 0, by: -0.0), ""),
      (rows(100, changing: 99, by: 1e-4), "of 100 examples, was checksum"),
    ]
    for (data, says) in changed {
      let print = try DatasetFingerprint(of: data)
      let text = datasetErrorText { try print.check(against: saved, of: "npy:a.npy") }
      if says.isEmpty {
        #expect(text == nil)
        continue
      }
      #expect(text?.hasPrefix("the data npy:a.npy have changed since the run was saved: ") == true)
      #expect(text?.contains(says) == true, "\(text ?? "no error")")
    }
  }

  /// Of a large set the first and the last example are among those looked at, and so is the order.
  @Test func samplesOfLargeSets() throws {
    let count = 10_000
    let saved = try DatasetFingerprint(of: rows(count)).encoded
    for index in [0, count - 1] {
      let print = try DatasetFingerprint(of: rows(count, changing: index, by: 0.5))
      #expect(throws: DatasetError.self) { try print.check(against: saved, of: "rows") }
    }
    let turned = Subset(rows(count), indices: Array((0..<count).reversed()))
    #expect(try DatasetFingerprint(of: turned).encoded != saved)
    #expect(try DatasetFingerprint(of: Subset(turned, indices: [])).count == 0)
  }

  /// Another rule for bytes is another set to the model.
  @Test func theRuleForBytesCounts() throws {
    let bytes = NDArray([0, 1, 1, 0] as [UInt8], shape: [4, 1])
    let prints = try [ByteScale.pictures, .numbers].map {
      try DatasetFingerprint(of: ArrayDataset(inputs: bytes, bytes: $0))
    }
    #expect(prints[0] != prints[1])
  }
}
