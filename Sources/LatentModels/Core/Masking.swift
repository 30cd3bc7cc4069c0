// What an encoder sees of incomplete data. The entries that a mask hides may hold anything (zeros,
// NaN, the very values that are to be predicted), so they are replaced before the encoder sees them:
// a number that leaks through here is a fault nobody would find in the results.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// What stands for the entries of the inputs that the batch's field `mask` hides (0: hidden).
public struct Masking: Sendable, Hashable, Codable {
  /// The number in place of a hidden entry. Zero is the mean of standardised data (Nazabal et al. 2020
  /// and Mattei and Frellsen 2019 fill with it).
  public var filling: Double
  /// Whether the mask is shown too, behind the last axis: `[batch, ..., c]` becomes
  /// `[batch, ..., 2 c]`. An encoder can then tell a hidden entry from an observed one of this value.
  public var showsMask: Bool

  /// Zeros in place of hidden entries, and no word about which they are, unless told otherwise.
  public init(filling: Double = 0, showsMask: Bool = false) {
    self.filling = filling
    self.showsMask = showsMask
  }

  /// x `[batch, ...]` as an encoder sees it. `mask` has the shape of x or broadcasts to it; without
  /// one, everything was observed.
  public func callAsFunction(_ x: Tensor, mask: Tensor?) -> Tensor {
    guard mask != nil || showsMask else { return x }
    let observed = observed(mask, as: x)
    let seen = mask == nil ? x : Tensor.where(observed, x, x.zerosLike + filling)
    return showsMask ? Tensor.concatenate([seen, observed], axis: -1) : seen
  }

  private func observed(_ mask: Tensor?, as x: Tensor) -> Tensor {
    guard let mask else { return x.onesLike }
    require(
      mask.shape.broadcast(with: x.shape) == x.shape,
      "the mask \(mask.shape) does not broadcast to the inputs \(x.shape)")
    return (mask.detached.converted(to: x.dtype) .!= 0).broadcast(to: x.shape)
  }
}
