// The maximum mean discrepancy between codes and draws of the prior (Gretton et al. 2012, lemma 6), with the
// kernels of Tolstikhin et al. 2018, "Wasserstein auto-encoders", section 4.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The unbiased estimate of MMD² between two samples of n codes:
///
///     sum_{i != j} (k(z_i, z_j) + k(y_i, y_j)) / (n (n - 1)) - 2 sum_{i, j} k(z_i, y_j) / n²
///
/// It is negative for some samples, as it must be to be right on average. Kernels are sums over `scales`,
/// not means, so that a weight depends on how many there are. A scale s belongs to C = 2 d s for d latents:
/// s times the mean squared distance between two draws of N(0, I).
public struct MaximumMeanDiscrepancy: CodeDistance {
  /// The form of the kernel.
  public enum Kernel: String, SettingWord {
    /// exp(-|a - b|² / C): in one dimension a normal of variance s.
    case rbf
    /// C / (C + |a - b|²), whose tails also reach codes that are far from the prior.
    case imq
  }

  /// The form of the kernel.
  public let kernel: Kernel
  /// The scales of the kernels that are added.
  public let scales: [Double]

  /// The seven scales of the reference implementation of Wasserstein autoencoders.
  public static let manyScales = [0.1, 0.2, 0.5, 1, 2, 5, 10]

  /// Traps unless there are scales, all positive.
  public init(
    _ kernel: Kernel = .imq, scales: [Double] = MaximumMeanDiscrepancy.manyScales,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      !scales.isEmpty && scales.allSatisfy { $0 > 0 && $0.isFinite }, "kernels of scales \(scales)",
      file: file, line: line)
    self.kernel = kernel
    self.scales = scales
  }

  public var smallestSample: Int { 2 }
  public var term: String { "mmd" }

  /// MMD² of codes z and y, each `[n, ...]` with n of 2 and more, `[]`.
  public func callAsFunction(_ z: Tensor, _ y: Tensor) -> Tensor {
    require(
      z.shape == y.shape && z.rank > 1 && z.shape[0] > 1,
      "the discrepancy of codes \(z.shape) and \(y.shape): expected two samples of the same shape, of 2 "
        + "and more codes")
    let (z, y) = (z.flattened(from: 1), y.flattened(from: 1))
    let count = Double(z.shape[0])
    let pairs = count * (count - 1)
    // A code is like itself: 1 for each scale, constant.
    let own = count * Double(scales.count)
    let within = (similarities(z, z).sum() - own) + (similarities(y, y).sum() - own)
    return within / pairs - similarities(z, y).sum() * (2 / (count * count))
  }

  public func callAsFunction(
    from z: Tensor, to y: Tensor, using random: inout RandomStream
  ) -> Tensor { self(z, y) }

  /// The kernel of every pair, `[n, d], [m, d] -> [n, m]`.
  private func similarities(_ a: Tensor, _ b: Tensor) -> Tensor {
    radialKernelSum(
      squaredDistances(a, b), kernel == .rbf ? .rbf : .imq,
      scales: scales.map { 2 * Double(a.shape[1]) * $0 })
  }
}

/// |a_i - b_j|² of every pair, `[n, d], [m, d] -> [n, m]`, as one product of (a, |a|², 1) and (-2 b, 1, |b|²).
///
/// Rounding is relative to the squares of the codes: distances that are much smaller, zero included, may
/// come out slightly negative.
func squaredDistances(_ a: Tensor, _ b: Tensor) -> Tensor {
  func squares(_ x: Tensor) -> Tensor { square(x).sum(axes: [1], keepingDimensions: true) }
  let (left, right) = (squares(a), squares(b))
  return matmul(
    Tensor.concatenate([a, left, left.onesLike], axis: 1),
    Tensor.concatenate([b * -2, right.onesLike, right], axis: 1), transpose: .right)
}
