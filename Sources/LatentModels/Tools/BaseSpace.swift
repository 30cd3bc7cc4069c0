// Paths that are straight where a flow comes from: between two latents they stay where the flow has its density, which
// straight lines between latents do not (Kingma and Dhariwal 2018, section 5, interpolate like this).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// What knows, both ways, a map between latents and a space where they are a standard normal.
public protocol BaseSpace: Sendable {
  /// Where latents `[..., latent]` come from, of the same shape.
  func base(of latents: Tensor) -> Tensor
  /// The latents of points of the normal `[..., latent]`, of the same shape.
  func latents(at base: Tensor) -> Tensor
}

extension TransformedDistribution: BaseSpace
where Base == StandardNormal, Map: InvertibleBijection {
  public func base(of latents: Tensor) -> Tensor { map.inverse(latents).value }
  public func latents(at base: Tensor) -> Tensor { map.forward(base).value }
}

extension FlowSampler: BaseSpace {
  public func base(of latents: Tensor) -> Tensor { distribution.base(of: latents) }
  public func latents(at base: Tensor) -> Tensor { distribution.latents(at: base) }
}

/// Along the flow of no class.
extension FlowMatchingSampler: BaseSpace {
  private var path: ProbabilityFlow {
    ProbabilityFlow(flow.velocity, steps: settings.solverSteps)
  }

  public func base(of latents: Tensor) -> Tensor {
    let rows = latents.reshaped([latents.count / latentShape.count, latentShape.count])
    return path.start(of: flow.scale.standardized(rows)).reshaped(latents.shape)
  }

  public func latents(at base: Tensor) -> Tensor {
    let rows = base.reshaped([base.count / latentShape.count, latentShape.count])
    return flow.scale.restored(path.codes(from: rows)).reshaped(base.shape)
  }
}

extension BaseSpace {
  /// Points between two latents of one shape, ends included, that are straight in the space of the normal:
  /// `[steps] + shape`.
  public func path(
    from start: Tensor, to end: Tensor, steps: Int, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    latents(
      at: interpolated(
        from: base(of: start), to: base(of: end), steps: steps, .linear, file: file, line: line))
  }
}

extension LatentVariableModel {
  /// The model's prior as a flow.
  /// - Throws: `ModelRequirementError` where it is none.
  public func priorFlow(fields: [String: Tensor] = [:]) throws -> any BaseSpace {
    var context = LayerContext.inference
    context.fields = fields
    let prior = prior(numberType, &context)
    guard let flow = prior as? any BaseSpace else {
      throw ModelRequirementError(
        purpose: "a path along a flow", found: "\(type(of: prior))",
        expected: "a prior that is a flow with an inverse")
    }
    return flow
  }
}
