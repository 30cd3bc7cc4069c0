// What a decoder of ordinary layers sees of a point of the Poincare ball. Its coordinates crowd at the boundary, where
// most of the volume is; the logarithmic map at 0 gives distances room.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Coordinates of latents on the Poincare ball, in words.
public enum BallCoordinates: String, SettingWord {
  /// Those of the ball itself, shorter than 1 / sqrt c.
  case ball
  /// The vector that leads from 0 to the point, as long as their distance.
  case tangent

  /// The model whose decoder sees these.
  func seen(
    by model: some LatentVariableModel, _ ball: PoincareBall
  ) throws -> any LatentVariableModel {
    switch self {
    case .ball: model
    case .tangent: try model.reparameterized(for: "a posterior on the Poincare ball").charted(ball)
    }
  }
}

extension ReparameterizedModel {
  fileprivate func charted(_ ball: PoincareBall) -> any LatentVariableModel {
    ChartedModel(self, ball: ball)
  }
}

/// A model with latents on the Poincare ball, whose decoder sees the vectors that lead from 0 to them.
///
/// Posterior, prior and every tool speak of points of the ball; paths of parameters are the inner model's.
public struct ChartedModel<Base: ReparameterizedModel>: SurroundingModel {
  /// The model of which the decoder is asked at other coordinates.
  public var base: Base
  /// Where latents lie.
  public let ball: PoincareBall

  /// The model with another view of its latents.
  public init(_ base: Base, ball: PoincareBall) {
    self.base = base
    self.ball = ball
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    base.visitParameters(&visitor)
  }

  public func posterior(_ x: Tensor, _ context: inout LayerContext) -> Base.Posterior {
    base.posterior(x, &context)
  }

  public func likelihood(_ z: Tensor, _ context: inout LayerContext) -> Base.Likelihood {
    base.likelihood(ball.logarithm(at: z.zerosLike, of: z), &context)
  }
}
