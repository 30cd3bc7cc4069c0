// The mixture of the posteriors of all examples, and the product of its marginals, at many latents. Pairs of latents and
// posteriors are visited in pieces, so that memory does not grow with their number.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentNumerics

/// q(z) = (1/n) sum_n q(z | x_n), and each q(z_j), in float64.
struct AggregateDensity {
  private let posteriors: [any EvaluableDistribution]
  private let count: Int
  /// All of them, where they are independent normals, `[n, latents]`.
  private let normal: DiagonalNormal?

  /// Numbers of pairs that are in memory together.
  private static let piece = 1 << 21

  /// Nil unless every posterior knows its density at any value.
  init?(_ posteriors: [any Distribution]) {
    let densities = posteriors.compactMap { $0 as? any EvaluableDistribution }
    guard densities.count == posteriors.count else { return nil }
    self.posteriors = densities
    count = posteriors.reduce(0) { $0 + $1.batchShape[0] }
    let normals = posteriors.compactMap { $0 as? DiagonalNormal }
    guard normals.count == posteriors.count, !normals.isEmpty else {
      normal = nil
      return
    }
    func joined(_ part: (DiagonalNormal) -> Tensor) -> Tensor {
      Tensor.concatenate(
        normals.map { normal in
          part(normal).broadcast(to: normal.batchShape + normal.eventShape)
            .reshaped([normal.batchShape[0], normal.eventShape.count]).converted(to: .float64)
        }, axis: 0)
    }
    normal = DiagonalNormal(mean: joined(\.mean), logVariance: joined(\.logVariance))
  }

  /// log q(z_i | x_i) of latents, posterior by posterior.
  func own(_ codes: [Tensor]) -> [Double] {
    if let normal { return normal.logProbability(of: rows(codes)).doubles }
    return zip(posteriors, codes).flatMap { $0.logProbability(of: $1).doubles }
  }

  /// log q(z_i) of latents, and log q(z_ij) `[n, latents]`, where posteriors are products over them.
  func logProbabilities(of codes: [Tensor]) -> (Measured<[Double]>, Measured<Tensor>) {
    if let normal { return normalLogProbabilities(normal, rows(codes)) }
    let factors = posteriors.compactMap { $0 as? any FactorizedDistribution }
    let isProduct = factors.count == posteriors.count
    var joint: [Double] = []
    var marginals: [Tensor] = []
    for codes in codes {
      let step = max(1, AggregateDensity.piece / max(1, codes.count / codes.shape[0] * largest))
      for start in stride(from: 0, to: codes.shape[0], by: step) {
        let z = codes[start..<min(start + step, codes.shape[0])]
        // Each value beside each posterior of a batch, batch after batch.
        let groups = posteriors.map { q in
          let pairs = z.expandingDimension(at: 1)
            .broadcast(to: [z.shape[0]] + q.batchShape + q.eventShape)
          guard isProduct, let q = q as? any FactorizedDistribution else {
            return (q.logProbability(of: pairs), nil as Tensor?)
          }
          let elements = q.elementLogProbabilities(of: pairs).flattened(from: 2)
          return (elements.sum(axes: [2]), elements.logSumExp(axes: [1]))
        }
        let whole = groups.map { $0.0.converted(to: .float64).logSumExp(axes: [1]) }
        joint += (Tensor.stack(whole).logSumExp(axes: [0]) - log(Double(count))).doubles
        let parts = groups.compactMap { $0.1?.converted(to: .float64) }
        if !parts.isEmpty {
          marginals.append(Tensor.stack(parts).logSumExp(axes: [0]) - log(Double(count)))
        }
      }
    }
    let reason = Unmeasurable.dependentPosterior("\(type(of: posteriors[0]))")
    return (
      .found(joint),
      isProduct ? .found(Tensor.concatenate(marginals, axis: 0)) : .missing(reason)
    )
  }

  private var largest: Int { posteriors.map { $0.batchShape[0] }.max() ?? 1 }

  private func rows(_ codes: [Tensor]) -> Tensor {
    Tensor.concatenate(
      codes.map { $0.reshaped([$0.shape[0], $0.count / $0.shape[0]]).converted(to: .float64) },
      axis: 0)
  }

  /// By the kernel for mixtures of normals, which writes no pair of a latent and a posterior to memory.
  private func normalLogProbabilities(
    _ normal: DiagonalNormal, _ z: Tensor
  ) -> (Measured<[Double]>, Measured<Tensor>) {
    let logVariances = normal.logVariance.transposed
    let (means, precisions) = (normal.mean.transposed.array, exp(-logVariances).array)
    let constants = (logVariances + log(2 * Double.pi)).array
    let step = max(1, AggregateDensity.piece / count)
    var joint: [Double] = []
    var marginals: [Tensor] = []
    for start in stride(from: 0, to: count, by: step) {
      let rows = start..<min(start + step, count)
      let mixture = NormalMixture(
        means: means, precisions: precisions, constants: constants,
        logWeights: NDArray(
          repeating: -log(Double(count)), shape: [rows.count, count], .float64))
      let found = mixture.logProbabilities(of: z[rows].array)
      joint += found.densities[0].doubles
      marginals.append(Tensor(found.marginals))
    }
    return (.found(joint), .found(Tensor.concatenate(marginals, axis: 0)))
  }
}
