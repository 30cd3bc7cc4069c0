// The latents of a whole data set, with its labels.

import Latent

extension LatentVariableModel {
  /// What stands for the posterior of each example, `[examples, ...]`, and the labels where the data have them.
  /// - Throws: `ModelRequirementError` where nothing does; `DatasetError`; `CommandError` where there are no examples.
  public func codes(
    of dataset: any Dataset, batch: Int = 512
  ) throws -> (codes: Tensor, labels: [Int]?) {
    var codes: [Tensor] = []
    var labels: [Int]? = []
    for start in stride(from: 0, to: dataset.count, by: batch) {
      let rows = try dataset.batch(start..<min(start + batch, dataset.count))
      try rows.requireFinite(in: dataset)
      codes.append(
        try encode(Tensor(rows.inputs), fields: rows.tensors).point(for: "encoding").detached)
      labels = rows.labels.flatMap { new in labels.map { $0 + new.int32s.map(Int.init) } }
    }
    if codes.isEmpty { throw CommandError("\(dataset.name) has no examples", .dataError) }
    return (Tensor.concatenate(codes, axis: 0), labels)
  }
}
