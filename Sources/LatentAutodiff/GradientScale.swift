// A factor on a derivative that is known only later in the forward pass than the tensor it belongs to.
// Doubly reparameterised gradients (Tucker et al. 2019) need it: what comes back to a draw is multiplied
// by the draw's weight, which is computed from what becomes of the draw. PyTorch's `register_hook` is
// used for the same.

import LatentNumerics
import Synchronization

/// The factor of one `scalingGradient(by:)`: made before the tensor is used, set before the derivative is
/// asked for.
///
/// A reference, because the operation that multiplies and the code that knows the factor meet nowhere
/// else. It is made anew for each forward pass.
public final class GradientScale: Sendable {
  private let factor = Mutex<NDArray?>(nil)

  /// Not set yet.
  public init() {}

  /// Sets the factor, a constant. Its axes are the first ones of the tensor that is scaled: a factor of
  /// shape `[sample, batch]` is the same for all elements of each `[sample, batch, ...]`.
  public func set(_ factor: Tensor) {
    self.factor.withLock { $0 = factor.array }
  }

  fileprivate func scaled(_ cotangent: Tensor) -> Tensor {
    guard let factor = factor.withLock({ $0 }) else {
      fatalError("scalingGradient(by:): the scale was not set before the derivative was asked for")
    }
    let missing = cotangent.rank - factor.shape.rank
    require(
      missing >= 0, "scalingGradient(by:): a factor of shape \(factor.shape) for \(cotangent.shape)"
    )
    let ones = Shape(Array(repeating: 1, count: missing))
    return cotangent * Tensor(factor.reshaped(factor.shape + ones))
  }
}

extension Tensor {
  /// The same values, through which derivatives come back multiplied by what `scale` is set to: a second
  /// derivative passes twice. Traps in the backward pass where it was not set.
  public func scalingGradient(by scale: GradientScale) -> Tensor {
    Tensor.record("scaleGradient", self, array, saving: []) { g, _ in [scale.scaled(g)] }
  }
}
