// The last step of a ready-made encoder: raw network outputs become a posterior. Another posterior is
// another small module, not another encoder.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Turns raw outputs of an encoder into a distribution over latents.
public protocol PosteriorHead: Module {
  /// The family of q(z | x).
  associatedtype Posterior: Distribution
  /// Raw outputs wanted for each latent.
  var outputsPerLatent: Int { get }
  /// `[batch, event]` with `outputsPerLatent` times the last axis, to a posterior of that event.
  func callAsFunction(_ raw: Tensor, eventRank: Int, _ context: inout LayerContext) -> Posterior
  /// Where each of the `outputsPerLatent` starts; nil where the network's own first weights say it.
  var startingOutputs: [Double?] { get }
  /// What a ready network puts before its decoder: where the posterior's latents lie.
  associatedtype MatchingPrior: Prior = StandardNormalPrior
  /// The prior over latents of a shape.
  func makePrior(_ latentShape: Shape) -> MatchingPrior
}

extension PosteriorHead where MatchingPrior == StandardNormalPrior {
  /// N(0, I).
  public func makePrior(_ latentShape: Shape) -> StandardNormalPrior {
    StandardNormalPrior(latentShape)
  }
}

extension PosteriorHead {
  public var startingOutputs: [Double?] { Array(repeating: nil, count: outputsPerLatent) }

  /// Lets the last bias of an encoder, `outputsPerLatent` equal parts, start where the outputs are to.
  func start(_ bias: inout Tensor?) {
    guard let old = bias else { return }
    let parts = zip(old.split(into: outputsPerLatent, axis: 0), startingOutputs)
    bias = Tensor.concatenate(
      parts.map { part, start in start.map { part.zerosLike + $0 } ?? part }, axis: 0)
  }
}

/// A head without settings, which encoders make for themselves.
public protocol PlainPosteriorHead: PosteriorHead {
  /// The head.
  init()
}

/// A diagonal normal: means first, then log-variances.
///
/// Dense and convolutional encoders start with log-variances around -2: latents that are nearly noise teach
/// a decoder to do without them (decision 0029).
public struct DiagonalHead: PlainPosteriorHead {
  /// A head without parameters.
  public init() {}
  public var outputsPerLatent: Int { 2 }
  public var startingOutputs: [Double?] { [nil, -2] }
  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  public func callAsFunction(
    _ raw: Tensor, eventRank: Int, _ context: inout LayerContext
  ) -> DiagonalNormal {
    let halves = raw.split(into: 2, axis: -1)
    return DiagonalNormal(mean: halves[0], logVariance: halves[1], eventRank: eventRank)
  }
}

/// A point: the encoder of a plain autoencoder.
public struct PointHead: PlainPosteriorHead {
  /// A head without parameters.
  public init() {}
  public var outputsPerLatent: Int { 1 }
  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  public func callAsFunction(
    _ raw: Tensor, eventRank: Int, _ context: inout LayerContext
  ) -> Delta {
    Delta(raw, eventRank: eventRank)
  }
}
