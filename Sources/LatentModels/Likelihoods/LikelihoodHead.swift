// The last step of a ready-made decoder: raw network outputs become a likelihood. Another
// likelihood is another small module, not another decoder.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Turns raw outputs into a distribution over data.
public protocol LikelihoodHead: Module {
  /// The family of p(x | z).
  associatedtype Likelihood: EvaluableDistribution
  /// Raw outputs wanted for each element of the data.
  var outputsPerElement: Int { get }
  /// `[..., event]` with `outputsPerElement` times the last axis, to a likelihood of that event.
  func callAsFunction(_ raw: Tensor, eventRank: Int) -> Likelihood
  /// Takes its own parameters from data of these moments, `[..., elements]`.
  /// - Returns: raw outputs of a likelihood with their mean, `[..., outputsPerElement * elements]`, at
  ///   which a network starts; nil where any are as good.
  mutating func initialize(from moments: DataMoments) -> Tensor?
}

extension LikelihoodHead {
  public mutating func initialize(from moments: DataMoments) -> Tensor? { nil }
}

/// Bernoulli with the outputs as logits: binary data, or gray values in [0, 1] as soft targets.
public struct BernoulliHead: LikelihoodHead {
  /// A head without parameters.
  public init() {}
  public var outputsPerElement: Int { 1 }
  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  public func callAsFunction(_ raw: Tensor, eventRank: Int) -> Bernoulli {
    Bernoulli(logits: raw, eventRank: eventRank)
  }
  public mutating func initialize(from moments: DataMoments) -> Tensor? {
    StartingOutputs.logits(moments.mean)
  }
}

/// Continuous Bernoulli with the outputs as logits: gray values in [0, 1] with a proper density
/// (Loaiza-Ganem and Cunningham 2019).
public struct ContinuousBernoulliHead: LikelihoodHead {
  /// A head without parameters.
  public init() {}
  public var outputsPerElement: Int { 1 }
  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  public func callAsFunction(_ raw: Tensor, eventRank: Int) -> ContinuousBernoulli {
    ContinuousBernoulli(logits: raw, eventRank: eventRank)
  }
  public mutating func initialize(from moments: DataMoments) -> Tensor? {
    StartingOutputs.continuousLogits(moments.mean)
  }
}

/// Normal with the outputs as means.
public struct NormalHead: LikelihoodHead {
  /// Where the standard deviation comes from.
  public enum Scale: Sendable, Hashable {
    /// The same standard deviation everywhere, not learned.
    case fixed(Double)
    /// One standard deviation for everything, learned with the network.
    case shared(initial: Double = 1)
    /// A standard deviation for each element, a second set of outputs.
    case elementwise
  }

  /// Where the standard deviation comes from.
  public let scale: Scale
  /// `[1]`, where it is shared.
  public var logVariance: Tensor?

  /// Traps unless a given deviation is positive.
  public init(
    _ scale: Scale = .shared(), file: StaticString = #fileID, line: UInt = #line
  ) {
    self.scale = scale
    switch scale {
    case .fixed(let deviation), .shared(let deviation):
      require(
        deviation > 0, "a normal likelihood of standard deviation \(deviation)", file: file,
        line: line)
    case .elementwise: break
    }
    if case .shared(let initial) = scale {
      logVariance = Tensor(repeating: 2 * Foundation.log(initial), shape: [1])
    }
  }

  public var outputsPerElement: Int { scale == .elementwise ? 2 : 1 }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&logVariance, "logVariance")
  }

  /// Scales start at the deviation of the data around the means, which is what a network is off by that
  /// has learned nothing else (decision 0025). It is that of all elements together: elements that
  /// hardly vary would have a scale that the first outputs are far beyond.
  public mutating func initialize(from moments: DataMoments) -> Tensor? {
    let logDeviation = moments.deviation.map { Foundation.log($0) }
    if let old = logVariance, let logDeviation {
      logVariance = Tensor(repeating: 2 * logDeviation, shape: old.shape, old.dtype)
    }
    guard scale == .elementwise else { return moments.mean }
    let scales = moments.mean.zerosLike + 2 * (logDeviation ?? 0)
    return Tensor.concatenate([moments.mean, scales], axis: -1)
  }

  public func callAsFunction(_ raw: Tensor, eventRank: Int) -> DiagonalNormal {
    switch scale {
    case .fixed(let deviation):
      let constant = Tensor(repeating: 2 * Foundation.log(deviation), shape: [1], raw.dtype)
      return DiagonalNormal(mean: raw, logVariance: constant, eventRank: eventRank)
    case .shared:
      return DiagonalNormal(
        mean: raw, logVariance: logVariance ?? .zeros([1], raw.dtype), eventRank: eventRank)
    case .elementwise:
      let halves = raw.split(into: 2, axis: -1)
      return DiagonalNormal(mean: halves[0], logVariance: halves[1], eventRank: eventRank)
    }
  }
}
