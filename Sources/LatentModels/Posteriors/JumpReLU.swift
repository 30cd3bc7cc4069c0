// Codes of numbers above a threshold, which is learned for each latent although a step has no slope: its derivative is
// that of the loss smoothed by a rectangle (Rajamanoharan et al. 2024, "Jumping ahead").

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// `y` where it is above its threshold, else 0, and whether it is, `[..., latents]` each.
///
/// The derivative for the threshold t is that of the smoothed functions, `-(t / width) [|y - t| < width / 2]` and
/// `-(1 / width) [|y - t| < width / 2]` (equations 11 and 12); that for `y` is 1 where it stays.
///
/// - Parameters:
///   - y: `[..., latents]`
///   - threshold: `[latents]`, positive
///   - width: of the rectangle, in the units of `y`; the paper's epsilon
public func jumpReLU(
  _ y: Tensor, threshold: Tensor, width: Double
) -> (value: Tensor, isActive: Tensor) {
  let limit = threshold.detached
  let isAbove = y.detached .> limit
  let slope = (abs(y.detached - limit) .< width / 2) / width
  // Nothing, but for its derivative.
  let shift = threshold - limit
  return (y * isAbove - shift * (slope * limit), isAbove - shift * slope)
}

/// Numbers above learned thresholds, and a loss for each that is.
public struct JumpReLUHead: PosteriorHead {
  /// Logarithms of the thresholds, `[latents]`: these are positive.
  public var logThreshold: Tensor
  /// What each active latent of an example adds to the loss.
  public let sparsity: Double
  /// The width of the rectangle that derivatives of thresholds come from.
  public let width: Double

  /// All thresholds start at `threshold`, which is positive.
  public init(latents: Int, threshold: Double, sparsity: Double, width: Double) {
    logThreshold = Tensor(repeating: Foundation.log(threshold), shape: [latents])
    self.sparsity = sparsity
    self.width = width
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&logThreshold, "logThreshold")
  }

  public func callAsFunction(
    _ raw: Tensor, eventRank: Int, _ context: inout LayerContext
  ) -> Delta {
    let (code, isActive) = jumpReLU(raw, threshold: exp(logThreshold), width: width)
    let axes = Array(raw.rank - eventRank..<raw.rank)
    context.add(loss: isActive.sum(axes: axes).mean(), sparseActive, weight: sparsity)
    return Delta(code, eventRank: eventRank)
  }
}

/// Codes of numbers above learned thresholds, in words.
public struct JumpReLUPosterior: PosteriorDescription {
  public static let name = "jumprelu"
  public static let origin = Origin(
    "a point of numbers above learned thresholds, as few as the loss allows",
    paper: "Rajamanoharan et al. 2024", equation: "9 to 12",
    test: "LatentModelsTests/SparseCodeTests.swift")

  /// What each active latent of an example adds to the loss.
  public var sparsity = 1e-3
  /// Where all thresholds start, in the units of the encoder's outputs.
  public var threshold = 1e-3
  /// The width of the rectangle that derivatives of thresholds come from, in the same units.
  public var width = 1e-3

  public init() {}
  public func validate() throws {
    try check(sparsity >= 0 && sparsity.isFinite, "sparsity", sparsity, "0 or more")
    try check(threshold > 0 && threshold.isFinite, "threshold", threshold, "a positive number")
    try check(width > 0 && width.isFinite, "width", width, "a positive number")
  }
  public func outputCount(latents: Int) -> Double { Double(latents) }
  public func parameterCount(latents: Int) -> Double { Double(latents) }
  public func makeHead(
    latentShape: Shape, using random: inout RandomStream
  ) -> any PosteriorHead {
    JumpReLUHead(
      latents: latentShape[-1], threshold: threshold, sparsity: sparsity, width: width)
  }
}
