import LatentDatasets
import LatentNumerics
import Testing

@Suite struct DrawnDatasetTests {
  private static var gray: ArrayDataset {
    let values = (0..<60).map { Float($0) / 60 }
    return ArrayDataset(
      [Field.inputs: NDArray(values, shape: [10, 6])], name: "gray")
  }

  @Test("An example is drawn once, whatever batch it comes in")
  func drawnOnce() throws {
    let drawn = DrawnDataset(DrawnDatasetTests.gray, DynamicBinarization(), seed: 4)
    let all = try drawn.batch(0..<10).inputs
    #expect(all.floats.allSatisfy { $0 == 0 || $0 == 1 })
    #expect(try drawn.batch(at: [7, 2, 7]).inputs.floats == [7, 2, 7].flatMap { all[$0].floats })
    #expect(try drawn.batch(at: [3]).indices == [3])
    let other = try DrawnDataset(DrawnDatasetTests.gray, DynamicBinarization(), seed: 5)
      .batch(0..<10).inputs
    #expect(other != all)
    #expect(try drawn.batch(at: []).inputs.shape == [0, 6])
    #expect(drawn.name == "gray, binarize drawn with seed 4")
  }
}
