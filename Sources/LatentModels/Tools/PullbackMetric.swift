// The metric that a decoder gives its latent space: how far the likelihood moves for a small step of the latent
// (Arvanitidis, Hansen and Hauberg 2018; Tosi et al. 2014).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The metric `J^T J` of a map at points, where J is its Jacobian: `[points, latent] -> [points, latent, latent]`.
///
/// `map` takes `[points, latent]` to `[points, any]`, each point for itself. Columns of J come from derivatives of
/// derivatives, two passes for each latent.
public func pullbackMetric(
  at z: Tensor, file: StaticString = #fileID, line: UInt = #line, of map: (Tensor) -> Tensor
) -> Tensor {
  require(
    z.rank == 2, "a metric at points \(z.shape): expected [points, latent]", file: file, line: line)
  let point = z.detached
  let image = map(point)
  require(
    image.rank == 2 && image.shape[0] == z.shape[0],
    "a map of points \(z.shape) to \(image.shape): expected [\(z.shape[0]), any]", file: file,
    line: line)
  // J^T u is linear in u, and its derivative along u is J.
  let columns = (0..<z.shape[1]).map { latent in
    gradient(at: image.zerosLike) { u in
      let slope = gradient(at: point) { (map($0) * u).sum() }
      return slope.sliced(1, latent..<latent + 1).sum()
    }
  }
  let jacobian = Tensor.stack(columns, axis: 1)
  return matmul(jacobian, jacobian, transpose: .right)
}

extension LatentVariableModel {
  /// The metric of the latent space at latents `[points, ...]`, `[points, latent, latent]`: lengths by it are those that
  /// the likelihood moves, as its `FlatlyEmbeddedDistribution` measures them. Latents of several axes count as
  /// vectors. `fields` have one row or `points`.
  ///
  /// - Throws: `ModelRequirementError` where the likelihood lies in no flat space.
  public func metric(at z: Tensor, fields: [String: Tensor] = [:]) throws -> Tensor {
    pullbackMetric(
      at: z.flattened(from: 1), of: try likelihoodEmbedding(fields, z.shape.removing(0)))
  }

  /// The map from latents `[points, latent]` to where their likelihoods are.
  /// - Throws: `ModelRequirementError`.
  func likelihoodEmbedding(
    _ fields: [String: Tensor], _ latentShape: Shape
  ) throws -> (Tensor) -> Tensor {
    guard Likelihood.self is any FlatlyEmbeddedDistribution.Type else {
      throw ModelRequirementError(
        purpose: "a metric of latents", found: "\(Likelihood.self)",
        expected: "a normal, Laplace, Bernoulli or categorical likelihood")
    }
    return { z in
      let count = z.shape[0]
      let likelihood = decode(
        z.reshaped([count] + latentShape), fields: repeated(fields, count))
      guard let place = (likelihood as? any FlatlyEmbeddedDistribution)?.flatEmbedding else {
        fatalError("\(Likelihood.self) lost its embedding")
      }
      return place
    }
  }
}
