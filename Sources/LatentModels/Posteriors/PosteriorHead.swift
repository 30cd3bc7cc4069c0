// The last step of a ready-made encoder: raw network outputs become a posterior. Another posterior is
// another small module, not another encoder.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Some of the raw outputs that an encoder ends in, one part beside the others.
public struct RawOutputs: Sendable, Hashable {
  /// How many.
  public let count: Int
  /// Where they start; nil where the network's own first weights say it.
  public let start: Double?

  /// So many, which start around a number or where the network's first weights put them.
  public init(_ count: Int, startingAt start: Double? = nil) {
    self.count = count
    self.start = start
  }
}

/// Turns raw outputs of an encoder into a distribution over latents.
public protocol PosteriorHead: Module {
  /// The family of q(z | x).
  associatedtype Posterior: Distribution
  /// The raw outputs that it takes for so many latents, part by part: for all of a vector, or at each place
  /// of latents `[height, width, channels]` for the channels. One for each latent where nothing is said.
  func outputs(latents: Int) -> [RawOutputs]
  /// Raw outputs `[batch, place, outputs]` to a posterior of batch shape `[batch]` and an event of
  /// `eventRank` axes, `[place, latents]`.
  func callAsFunction(_ raw: Tensor, eventRank: Int, _ context: inout LayerContext) -> Posterior
}

extension PosteriorHead {
  public func outputs(latents: Int) -> [RawOutputs] { [RawOutputs(latents)] }

  /// The number of raw outputs for so many latents.
  public func outputCount(latents: Int) -> Int {
    outputs(latents: latents).reduce(0) { $0 + $1.count }
  }

  /// Lets the last bias of an encoder start where the outputs are to.
  func start(_ bias: inout Tensor?, latents: Int) {
    guard let old = bias else { return }
    var position = 0
    let parts = outputs(latents: latents).map { part in
      defer { position += part.count }
      let own = old.sliced(0, position..<position + part.count)
      return part.start.map { own.zerosLike + $0 } ?? own
    }
    bias = Tensor.concatenate(parts, axis: 0)
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
  public func outputs(latents: Int) -> [RawOutputs] {
    [RawOutputs(latents), RawOutputs(latents, startingAt: -2)]
  }
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
  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  public func callAsFunction(
    _ raw: Tensor, eventRank: Int, _ context: inout LayerContext
  ) -> Delta {
    Delta(raw, eventRank: eventRank)
  }
}
