// Data are looked at before anything is computed with them: a comparison, a clamp or a product in
// integers can make a plausible number of NaN, after which nobody would know.

import LatentNumerics

extension Batch {
  /// Refuses inputs `[batch, ...]` with a NaN or an infinity, in one pass over them.
  ///
  /// Where there is a mask, entries that were not observed may be anything.
  /// - Throws: `DatasetError.nonFinite` with the example, as `dataset` knows it, and the element.
  public func requireFinite(in dataset: some Dataset) throws {
    guard let inputs = fields[Field.inputs], inputs.nonFiniteCount > 0 else { return }
    let numbers = inputs.doubles
    let observed = mask.flatMap { $0.shape == inputs.shape ? $0.doubles : nil }
    let found = numbers.indices.first { !numbers[$0].isFinite && observed?[$0] != 0 }
    guard let found else { return }
    let example = inputs.shape.removing(0)
    let (dataset, index) = dataset.origin(of: indices[found / example.count])
    var (element, rest) = ([Int](), found % example.count)
    for axis in (0..<example.rank).reversed() {
      element.insert(rest % example[axis], at: 0)
      rest /= example[axis]
    }
    throw DatasetError.nonFinite(
      dataset: dataset, example: index, element: element, found: numbers[found])
  }
}
