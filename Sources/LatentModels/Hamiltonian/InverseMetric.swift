// A metric of latent space that is learned with the model (Chadebec, Mantoux and Allassonniere 2020, equation 9): near
// the codes of data, distances are what the factors of these data say, far away they are large.
//
//   G^-1(z) = sum_i L_i L_i^T exp(-|z - c_i|^2 / T^2) + lambda I

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The inverse of a metric of latent space, known at any place by centers and their factors.
///
/// Densities and energies of momenta need no other form of it: log det G = -log det G^-1.
public struct InverseMetric: Sendable {
  /// c_i, `[points, latents]`.
  public var centers: Tensor
  /// L_i, lower triangular with positive diagonals, `[points, latents, latents]`.
  public var factors: Tensor
  /// How much each of them counts, `[points]`, 0 or more.
  public var weights: Tensor
  /// T: how far the influence of a center reaches.
  public var reach: Double
  /// lambda: what is left far from all centers.
  public var floor: Double

  /// A metric of these centers and factors. Traps unless `reach` and `floor` are positive.
  public init(
    centers: Tensor, factors: Tensor, weights: Tensor, reach: Double, floor: Double,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      reach > 0 && floor > 0, "a metric of reach \(reach) and floor \(floor)", file: file,
      line: line)
    self.centers = centers
    self.factors = factors
    self.weights = weights
    self.reach = reach
    self.floor = floor
  }

  /// G^-1(z), `[..., latents, latents]`, symmetric and positive definite, at z `[..., latents]`.
  public func callAsFunction(_ z: Tensor) -> Tensor {
    let (points, latents) = (centers.shape[0], centers.shape[1])
    let difference = z.expandingDimension(at: z.rank - 1) - centers
    let distances = square(difference).sum(axes: [-1])
    let influence = exp(distances * (-1 / (reach * reach))) * weights
    let products = matmul(factors, factors, transpose: .right)
    let leading = z.shape.prefix(z.rank - 1)
    let sum = matmul(
      influence.reshaped([leading.count, points]), products.reshaped([points, latents * latents]))
    return sum.reshaped(leading + [latents, latents])
      + Tensor.identity(latents, z.dtype) * floor
  }

  /// G^-1(z) r, `[..., latents]`.
  func velocity(_ z: Tensor, _ momentum: Tensor) -> Tensor {
    matmul(self(z), momentum.expandingDimension(at: momentum.rank)).squeezed(-1)
  }

  /// The lower-triangular factor of G^-1(z), `[..., latents, latents]`. Of numbers that are not finite, which have
  /// none, it is NaN, so that the loss of a diverging run is, and the trainer stops it.
  func factor(_ z: Tensor) -> Tensor {
    let matrix = self(z)
    return (try? cholesky(matrix)) ?? matrix * .nan
  }

  /// 1/2 log det G^-1(z), `[...]`.
  func halfLogDeterminant(_ z: Tensor) -> Tensor { log(factor(z).diagonal).sum(axes: [-1]) }

  /// -log N(r; 0, G(z)) without d/2 log 2 pi: 1/2 r^T G^-1 r + 1/2 log det G, `[...]`.
  func energy(_ z: Tensor, _ momentum: Tensor) -> Tensor {
    (velocity(z, momentum) * momentum).sum(axes: [-1]) * 0.5 - halfLogDeterminant(z)
  }

  /// What turns standard normal noise into momenta of covariance G(z): L^-T noise, for G^-1 = L L^T.
  func momentum(_ z: Tensor, noise: Tensor) -> Tensor {
    triangularSolve(factor(z), noise.expandingDimension(at: noise.rank), transposed: true)
      .squeezed(-1)
  }
}
