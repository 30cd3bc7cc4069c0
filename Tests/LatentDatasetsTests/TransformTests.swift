import Foundation
import LatentDatasets
import LatentNumerics
import Testing

@Suite struct TransformTests {
  /// 1000 pixels of each of five probabilities.
  let batch = Batch(
    fields: [
      Field.inputs: NDArray(
        ([0, 0.25, 0.5, 0.75, 1] as [Float]).flatMap { [Float](repeating: $0, count: 10_000) },
        shape: [5, 10_000]),
      Field.labels: NDArray([0, 1, 2, 3, 4] as [Int32]),
    ], indices: [5, 6, 7, 8, 9])

  @Test func dynamicBinarizationDrawsWithThePixelsProbability() {
    var random = RandomStream(seed: 11)
    let drawn = DynamicBinarization()(batch, using: &random)
    #expect(drawn.inputs.floats.allSatisfy { $0 == 0 || $0 == 1 })
    #expect(drawn.indices == batch.indices && drawn.labels == batch.labels)
    for row in 0..<5 {
      let probability = Double(row) / 4
      let mean = drawn.inputs.rows(row..<row + 1).doubles.reduce(0, +) / 10_000
      let error = (probability * (1 - probability) / 10_000).squareRoot()
      #expect(abs(mean - probability) <= 5 * error)
    }
  }

  @Test func dynamicBinarizationIsAFunctionOfTheStream() {
    var first = RandomStream(seed: 1).split(7)
    var again = RandomStream(seed: 1).split(7)
    let drawn = DynamicBinarization()(batch, using: &first)
    #expect(DynamicBinarization()(batch, using: &again) == drawn)
    #expect(DynamicBinarization()(batch, using: &again) != drawn)
  }

  @Test func fixedBinarizationComparesAndDrawsNothing() {
    var random = RandomStream(seed: 1)
    let drawn = FixedBinarization(threshold: 0.5)(batch, using: &random)
    #expect(random.draw == 0)
    let rows = (0..<5).map { drawn.inputs.rows($0..<$0 + 1).doubles.reduce(0, +) }
    #expect(rows == [0, 0, 0, 10_000, 10_000])
  }

  /// A trained model is shown what a transform does each time, not what it draws.
  @Test(arguments: [("none", false), ("binarize", false), ("threshold:0.5", true)])
  func dataAreSeenThroughWhatIsNotRandom(text: String, changes: Bool) throws {
    let grays = NDArray([0, 0.25, 0.75, 1, 0.5, 0.6] as [Float], shape: [3, 2])
    let labels = NDArray([0, 1, 2] as [Int32])
    let data = ArrayDataset(inputs: grays, labels: labels, name: "grays")
    let seen = data.seen(through: try BatchTransforms.parse(text))
    #expect(seen.count == 3 && seen.fieldShapes == data.fieldShapes && seen.name == "grays")
    let batch = try seen.batch(at: [1, 2, 0])
    #expect(batch.inputs.floats == (changes ? [1, 1, 0, 1, 0, 0] : [0.75, 1, 0.5, 0.6, 0, 0.25]))
    #expect(batch.labels == NDArray([1, 2, 0] as [Int32]) && batch.indices == [1, 2, 0])
  }

  @Test(arguments: ["binarize", "threshold:0.25", "threshold", "threshold:1"])
  func descriptionsParseAgain(text: String) throws {
    let transform = try #require(try BatchTransforms.parse(text))
    let again = try #require(try BatchTransforms.parse(transform.description))
    #expect(again.description == transform.description)
  }

  @Test func noneIsNoTransform() throws {
    #expect(try BatchTransforms.parse("none") == nil)
    let fixed = FixedBinarization(threshold: 0.3)
    let data = try JSONEncoder().encode(fixed)
    #expect(try JSONDecoder().decode(FixedBinarization.self, from: data) == fixed)
  }

  @Test(arguments: ["", "blur", "threshold:2", "threshold:nan", "binarize:3", "threshold:0.1:2"])
  func badDescriptionsAreTypedErrors(text: String) {
    #expect(
      datasetErrorText { _ = try BatchTransforms.parse(text) }
        == "cannot understand the transform \"\(text)\"; the forms are none, binarize, "
        + "threshold[:VALUE]")
  }
}
