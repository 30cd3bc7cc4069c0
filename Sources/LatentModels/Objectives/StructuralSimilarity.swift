// The multi-scale structural similarity of pictures (Wang, Simoncelli and Bovik 2003, equation 7).

import Foundation
import LatentAutodiff
import LatentLayers
import LatentNumerics

/// MS-SSIM: the product over scales of contrast and structure, and of the luminance at the coarsest:
/// `prod_{j < L} cs_j^{w_j} ssim_L^{w_L}`, 1 for equal pictures.
///
/// Local moments are under a normal window of 11 pixels and deviation 1.5 that stays inside of the picture;
/// each next scale has the means of 2 x 2 pixels. Similarities are means over places, products over scales
/// are of each channel, and their mean is the result. Pictures that are too small for all five scales have
/// as many as the window fits into, their weights divided by their sum: two of 28 x 28.
public struct StructuralSimilarity: Sendable, Hashable {
  /// The width of the window in pixels.
  public static let window = 11
  /// The standard deviation of the window in pixels.
  public static let deviation = 1.5
  /// The exponents of the five scales, finest first.
  public static let exponents = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
  /// A mean similarity counts as at least this: pictures of opposite contrast have negative ones, of which
  /// there is no such power. Below it there is no derivative.
  public static let least = 1e-4

  /// The difference between the darkest and the brightest value, which the constants of the formula are
  /// relative to.
  public let range: Double

  /// Traps unless the range is positive.
  public init(range: Double = 1, file: StaticString = #fileID, line: UInt = #line) {
    require(range > 0 && range.isFinite, "pictures of range \(range)", file: file, line: line)
    self.range = range
  }

  /// The scales of pictures of this size; 0 where the window does not fit.
  public static func scales(height: Int, width: Int) -> Int {
    var (side, count) = (min(height, width), 0)
    while side >= window && count < exponents.count { (side, count) = (side / 2, count + 1) }
    return count
  }

  /// The similarity of pictures `[batch, height, width, channels]`, `[batch]`. Traps where they differ in
  /// shape or are smaller than the window.
  public func callAsFunction(_ x: Tensor, _ y: Tensor) -> Tensor {
    require(
      x.rank == 4 && x.shape == y.shape,
      "the similarity of \(x.shape) and \(y.shape): expected pictures [batch, height, width, channels]"
    )
    let count = StructuralSimilarity.scales(height: x.shape[1], width: x.shape[2])
    require(
      count > 0,
      "structural similarity of pictures \(x.shape): expected \(StructuralSimilarity.window) pixels or "
        + "more in height and width")
    let weights = StructuralSimilarity.exponents.prefix(count)
    let sum = weights.reduce(0, +)
    var (x, y) = (x, y)
    var logarithm: Tensor?
    for (scale, weight) in weights.enumerated() {
      let isLast = scale == count - 1
      let mean = similarity(x, y, withLuminance: isLast)
      let term = log(maximum(mean, mean.zerosLike + StructuralSimilarity.least)) * (weight / sum)
      logarithm = logarithm.map { $0 + term } ?? term
      if !isLast { (x, y) = (x.averagePooled(kernel: 2), y.averagePooled(kernel: 2)) }
    }
    guard let logarithm else { fatalError("pictures without a scale") }
    return exp(logarithm).mean(axes: [-1])
  }

  /// The mean over places of contrast and structure, times the luminance at each place where asked for:
  /// `[batch, channels]`.
  private func similarity(_ x: Tensor, _ y: Tensor, withLuminance: Bool) -> Tensor {
    let taps = (0..<StructuralSimilarity.window).map { tap -> Double in
      let distance = Double(tap - StructuralSimilarity.window / 2) / StructuralSimilarity.deviation
      return Foundation.exp(-distance * distance / 2)
    }
    let total = taps.reduce(0, +)
    let maps = AxisMap.filters(over: x.shape, taps: taps.map { $0 / total })
    func local(_ values: Tensor) -> Tensor { values.mapped(maps) }
    let (meanX, meanY) = (local(x), local(y))
    let (squareX, squareY, product) = (square(meanX), square(meanY), meanX * meanY)
    let variances = local(square(x)) + local(square(y)) - squareX - squareY
    let covariance = local(x * y) - product
    let small = (0.01 * range) * (0.01 * range)
    let large = (0.03 * range) * (0.03 * range)
    var map = (covariance * 2 + large) / (variances + large)
    if withLuminance { map = map * ((product * 2 + small) / (squareX + squareY + small)) }
    return map.mean(axes: [1, 2])
  }
}
