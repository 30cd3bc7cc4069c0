// Inputs that are no numbers are named by the example and its element; what a mask hides may be anything.

import LatentDatasets
import LatentNumerics
import Testing

@Suite struct FiniteTests {
  static func data(_ values: [(Int, Float)], mask: [(Int, Float)]? = nil) -> ArrayDataset {
    func array(_ fill: Float, _ changes: [(Int, Float)]) -> NDArray {
      var numbers = [Float](repeating: fill, count: 4 * 6)
      for (place, value) in changes { numbers[place] = value }
      return NDArray(numbers, shape: [4, 3, 2])
    }
    var fields = [Field.inputs: array(0.5, values)]
    fields[Field.mask] = mask.map { array(1, $0) }
    return ArrayDataset(fields, name: "numbers")
  }

  static func error(_ data: some Dataset, _ indices: [Int]) -> DatasetError? {
    do {
      try data.batch(at: indices).requireFinite(in: data)
      return nil
    } catch {
      return error as? DatasetError
    }
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity]) func theFirstOneIsNamed(value: Float) {
    let data = FiniteTests.data([(2 * 6 + 3, value), (3 * 6, .nan)])
    #expect(FiniteTests.error(data, [0, 1]) == nil)
    guard case .nonFinite("numbers", 2, [1, 1], let found) = FiniteTests.error(data, [1, 2, 3])
    else {
      Issue.record("\(String(describing: FiniteTests.error(data, [1, 2, 3])))")
      return
    }
    #expect(found == Double(value) || found.isNaN && value.isNaN)
    #expect(
      FiniteTests.error(data, [2])?.description
        == "cannot use example 2 of numbers: element [1, 1] of its inputs is \(Double(value)), "
        + "expected a finite number of float32; leave the example out, replace the number, or mark it "
        + "as not observed by a field \"mask\"")
    #expect(FiniteTests.error(data, [2])?.isUsage == false)
  }

  @Test func partsNameTheWhole() {
    let data = FiniteTests.data([(2 * 6, .nan)])
    let part = Subset(Subset(data, indices: [3, 2, 0]), indices: [1, 2])
    guard case .nonFinite("numbers", 2, [0, 0], _) = FiniteTests.error(part, [1, 0]) else {
      Issue.record("\(String(describing: FiniteTests.error(part, [1, 0])))")
      return
    }
    #expect(part.origin(of: 1).index == 0)
  }

  @Test func hiddenEntriesMayBeAnything() {
    let hidden = FiniteTests.data([(7, .nan), (13, .infinity)], mask: [(7, 0), (13, 0)])
    #expect(FiniteTests.error(hidden, [0, 1, 2, 3]) == nil)
    let observed = FiniteTests.data([(7, .nan), (13, .infinity)], mask: [(7, 0)])
    guard case .nonFinite("numbers", 2, [0, 1], _) = FiniteTests.error(observed, [0, 1, 2, 3])
    else {
      Issue.record("an observed entry")
      return
    }
  }

  @Test func tokensAreNumbers() throws {
    let data = ArrayDataset(inputs: NDArray([1, 2, 3, 4] as [Int32], shape: [2, 2]), name: "text")
    try data.batch(at: [0, 1]).requireFinite(in: data)
  }
}
