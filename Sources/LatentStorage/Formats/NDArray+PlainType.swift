// Only checkpoints keep weights of low precision as they are; other formats have no such numbers.

import LatentNumerics

extension NDArray {
  /// This array, as float32 where its type only stores weights.
  var inPlainType: NDArray { dtype.isLowPrecision ? converted(to: .float32) : self }
}
