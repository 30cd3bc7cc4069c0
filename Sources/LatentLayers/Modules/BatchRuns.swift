// Inference run by run. A network that treats examples independently can take a few of them through
// all of its layers on one thread: what lies between the layers stays in that core's cache, and
// threads wait for each other once instead of after every layer.

import LatentAutodiff
import LatentNumerics

extension Tensor {
  /// `network` of x `[batch, ...]`, which are these, in runs of `length` examples, joined along the
  /// batch. `network` must treat examples independently; while it records derivatives (`recording`),
  /// while somebody observes its weights, or where the batch is short, it is applied to all of them at
  /// once. Runs depend on the sizes alone, so results are the same bits for any number of threads.
  package func inRuns(
    of length: Int, recording: Bool, _ network: (Tensor) -> Tensor
  ) -> Tensor {
    let batch = shape[0]
    if recording || isRecorded || batch < 2 * length || WeightObserver.isWatching {
      return network(self)
    }
    return Tensor(
      NDArray.joined(rows: batch, parts: batch / length) { network(sliced(0, $0)).array })
  }
}
