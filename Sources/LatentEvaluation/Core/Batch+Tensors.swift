// A batch as a model takes it: where data sets and derivatives meet.

import LatentAutodiff
import LatentDatasets

extension Batch {
  /// All fields but the inputs, as tensors.
  public var tensors: [String: Tensor] {
    fields.filter { $0.key != Field.inputs }.mapValues { Tensor($0) }
  }
}
