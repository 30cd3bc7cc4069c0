import LatentDatasets
import LatentNumerics
import Testing

@Suite struct BatchTests {
  @Test func rowsComeInTheOrderAskedWithRepeats() throws {
    let batch = try numberedDataset(20).batch(at: [7, 3, 3, 19])
    #expect(batch.indices == [7, 3, 3, 19])
    #expect(batch.count == 4)
    #expect(batch.inputs.floats == [7, 7.5, 3, 3.5, 3, 3.5, 19, 19.5])
    #expect(batch.labels?.int32s == [7, 3, 3, 9])
    #expect(batch.factors == nil && batch.mask == nil)
  }

  @Test func anEmptyBatchKeepsTheShape() throws {
    let batch = try numberedDataset(5).batch(at: [])
    #expect(batch.inputs.shape == [0, 2])
    #expect(batch.labels?.shape == [0])
  }

  /// Bytes of inputs are images and scaled; bytes of other fields are numbers.
  @Test(arguments: [
    (Field.inputs, DType.uint8, DType.float32, [0, 1]), (Field.labels, .uint8, .int32, [0, 255]),
    (Field.mask, .uint8, .float32, [0, 255]), (Field.inputs, .float64, .float32, [0, 255]),
    (Field.inputs, .int32, .int32, [0, 255]), (Field.inputs, .float32, .float32, [0, 255]),
  ])
  func typesArriveInStandardForm(
    field: String, stored: DType, found: DType, values: [Double]
  ) throws {
    let array = NDArray([0, 255] as [Float]).converted(to: stored)
    let batch = try ArrayDataset([field: array]).batch(0..<2)
    #expect(batch[field].dtype == found)
    #expect(batch[field].doubles == values)
  }

  @Test func descriptionNamesTheFields() {
    #expect(numberedDataset(30).description == "numbers: 30 examples, inputs [2], labels []")
    #expect(numberedDataset(30).inputShape == [2])
  }

  @Test func trapsNameWhatIsThere() async {
    await #expect(processExitsWith: .failure) { _ = try numberedDataset(3).batch(at: [3]) }
    await #expect(processExitsWith: .failure) { _ = try numberedDataset(3).batch(at: [0])["mask"] }
    await #expect(processExitsWith: .failure) {
      _ = Batch(fields: ["inputs": NDArray([1, 2] as [Float])], indices: [0])
    }
  }
}
