// A model with several levels of latents (Sonderby et al. 2016; Kingma et al. 2016): features of the data go up, latents
// go down, and the lowest state becomes data. The prior and the posterior share the way down.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// What the data say of each level: features that go up from level to level.
public struct LadderEncoder<Bottom: Encoder>: Module where Bottom.Posterior == Delta {
  /// From data `[batch, ...]` to features `[batch, width]`, before an activation.
  public var bottom: Bottom
  /// From the features of a level to those of the next one.
  public var layers: [Linear]
  /// From the features of a level to raw outputs `[batch, 2 latents]`.
  public var heads: [Linear]
  /// From the state of a level to what is added to them, where the posterior is the prior and a residual.
  public var states: [Linear]
  private let activation: Activation

  /// `widths` and `latents` are those of the levels, `bottom` gives the first width.
  public init(
    bottom: Bottom, widths: [Int], latents: [Int], merging: HierarchyMerging,
    activation: Activation = .relu, using random: inout RandomStream
  ) {
    self.bottom = bottom
    self.activation = activation
    layers = zip(widths, widths.dropFirst()).map {
      Linear($0, $1, activation: activation, initializer: .heUniform, using: &random)
    }
    let ending = DiagonalHead()
    heads = zip(widths, latents).map { width, count in
      var head = Linear(width, 2 * count, using: &random)
      ending.start(&head.bias, latents: count)
      return head
    }
    states =
      merging == .residual
      ? zip(widths, latents).dropLast().map {
        Linear($0, 2 * $1, bias: false, initializer: .output(fanIn: $0), using: &random)
      } : []
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&bottom, "bottom")
    visitor.visit(&layers, "layers")
    visitor.visit(&heads, "heads")
    visitor.visit(&states, "states")
  }

  /// Raw outputs of each level, `[batch, 2 latents]`.
  func evidence(_ x: Tensor, _ context: inout LayerContext) -> [Tensor] {
    var features = activation(bottom(x, &context).value)
    return heads.indices.map { level in
      if level > 0 { features = layers[level - 1](features) }
      return heads[level](features)
    }
  }
}

/// A hierarchy of latents between an encoder of features and a decoder of the lowest state.
public struct HierarchicalModel<Bottom: Encoder, Output: Decoder>: ReparameterizedModel
where Bottom.Posterior == Delta {
  /// What the data say.
  public var encoder: LadderEncoder<Bottom>
  /// From the lowest state to the likelihood.
  public var decoder: Output
  /// From the top down.
  public var prior: TopDown
  /// How the two halves of the posterior are put together.
  public let merging: HierarchyMerging

  /// A model of these parts, made for the same levels.
  public init(
    encoder: LadderEncoder<Bottom>, decoder: Output, prior: TopDown, merging: HierarchyMerging
  ) {
    self.encoder = encoder
    self.decoder = decoder
    self.prior = prior
    self.merging = merging
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&encoder, "encoder")
    visitor.visit(&decoder, "decoder")
    visitor.visit(&prior, "prior")
  }

  public func posterior(_ x: Tensor, _ context: inout LayerContext) -> HierarchicalPosterior {
    let evidence = encoder.evidence(x, &context)
    return HierarchicalPosterior(
      topDown: prior, merging: merging, evidence: evidence, states: encoder.states,
      batchShape: evidence[0].shape.prefix(1))
  }

  public func likelihood(_ z: Tensor, _ context: inout LayerContext) -> Output.Likelihood {
    decoder(prior.state(of: z), &context)
  }

  public func prior(_ dtype: DType, _ context: inout LayerContext) -> any Distribution {
    TopDownNormal(prior, dtype: dtype)
  }
}

extension HierarchicalModel: DataInitializable {
  /// Tells the ends that see data.
  public mutating func initialize(from statistics: DataStatistics) {
    inform(&encoder.bottom, of: statistics)
    inform(&decoder, of: statistics)
  }
}
