import LatentDatasets
import LatentNumerics
import Testing

@Suite struct SplitTests {
  @Test(arguments: [(100, 0.1, 10), (100, 0, 0), (7, 0.5, 4), (2, 0.5, 1), (1000, 0.999, 999)])
  func partsAreDisjointAndComplete(count: Int, share: Double, taken: Int) throws {
    let (training, validation) = try numberedDataset(count).split(validation: share, seed: 4)
    #expect(validation.count == taken)
    #expect((training.indices + validation.indices).sorted() == Array(0..<count))
    #expect(training.indices == training.indices.sorted())
  }

  @Test func splitIsAFunctionOfTheSeed() throws {
    let data = numberedDataset(1000)
    let first = try data.split(validation: 0.2, seed: 1).validation.indices
    #expect(try data.split(validation: 0.2, seed: 1).validation.indices == first)
    #expect(try data.split(validation: 0.2, seed: 2).validation.indices != first)
  }

  @Test func subsetsReadTheirBase() throws {
    let subset = Subset(Subset(numberedDataset(50), indices: [40, 30, 20]), indices: [2, 0])
    let batch = try subset.batch(at: [1, 0])
    #expect(batch.inputs.floats == [40, 40.5, 20, 20.5])
    #expect(batch.indices == [1, 0])
    #expect(subset.fieldShapes == numberedDataset(1).fieldShapes)
  }

  @Test(arguments: [(1, 0.5), (10, 1), (10, -0.1), (10, .nan), (3, 0.01), (0, 0)])
  func impossibleSplitsAreTypedErrors(count: Int, share: Double) {
    #expect(throws: DatasetError.self) {
      try numberedDataset(count).split(validation: share, seed: 0)
    }
  }

  @Test func theTextSaysWhatToTry() {
    #expect(
      datasetErrorText { _ = try numberedDataset(3).split(validation: 0.01, seed: 0) }
        == "cannot split a share of 0.01 from the 3 examples of numbers: the share must be in "
        + "0..<1 and leave at least one example on each side")
  }
}
