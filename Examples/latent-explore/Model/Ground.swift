// Where latents of a run may be. Sliders and maps move in straight lines, which leave a sphere or a ball: what was set is
// brought back to the nearest point of the set before it is decoded.

import Latent
import LatentCommands

/// A set of latents that can be walked in.
enum Ground: Sendable, Equatable {
  /// All vectors.
  case open
  /// Vectors of this length.
  case sphere(radius: Double)
  /// Points of the Poincare ball of curvature minus this.
  case ball(curvature: Double)
  /// Each number from 0 to 1.
  case cube
  /// Each number 0 or 1.
  case corners

  /// - Throws: `CommandError` where between latents there is nothing, or the set is not known.
  init(of configuration: RunConfiguration, latents: Int) throws {
    let space = configuration.model.posterior.description.space
    let prior = configuration.model.prior.description
    switch space {
    case .vectors: self = .open
    case .wideSphere: self = .sphere(radius: Double(latents).squareRoot())
    case .unitSphere: self = .sphere(radius: 1)
    case .unitCube: self = .cube
    case .coins: self = .corners
    default:
      if let curvature = (prior as? WrappedNormalPrior)?.curvature,
        space == .ball(curvature: curvature)
      {
        self = .ball(curvature: curvature)
        return
      }
      throw CommandError(
        "latents of this run lie on \(space), where there is nothing to walk through from one to another: "
          + "latent-generate draws examples from them, and latent-encode writes them", .dataError)
    }
  }

  /// The point of the set nearest to `z`.
  /// - Throws: `HTTPFault` where there is none.
  func nearest(to z: [Double]) throws -> [Double] {
    switch self {
    case .open: return z
    case .sphere(let radius):
      let length = z.reduce(0) { $0 + $1 * $1 }.squareRoot()
      if length < 1e-6 {
        throw HTTPFault(400, "latents lie on a sphere, and all its points are as far from 0")
      }
      return z.map { $0 * radius / length }
    case .ball(let curvature):
      return PoincareBall(curvature: curvature).inside(Tensor(z.map { Float($0) })).doubles
    case .cube: return z.map { min(1, max(0, $0)) }
    case .corners: return z.map { $0 < 0.5 ? 0 : 1 }
    }
  }

  /// What a user should know of it, nil of all vectors.
  var note: String? {
    switch self {
    case .open: nil
    case .sphere: "Latents lie on a sphere: what you set is drawn back to it."
    case .ball: "Latents lie in a ball: what you set beyond its edge is drawn back."
    case .cube: "Latents are numbers from 0 to 1."
    case .corners: "Latents are switches, 0 or 1."
    }
  }
}
