// Coin flips as latents: each number of a latent is 0 or 1, with a straight-through derivative, or relaxed to a number
// between.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

extension LatentSpace {
  /// Vectors of zeros and ones.
  public static let coins = LatentSpace("zeros and ones")
  /// Vectors of numbers from 0 to 1.
  public static let unitCube = LatentSpace("numbers from 0 to 1")
}

/// Raw outputs as log-odds of flips with a straight-through derivative.
public struct BinaryHead: PosteriorHead {
  /// Of the logistic function that the derivative of a draw is that of.
  public let temperature: WeightSchedule

  /// A head without parameters.
  public init(temperature: WeightSchedule = 1) { self.temperature = temperature }
  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  public func callAsFunction(
    _ raw: Tensor, eventRank: Int, _ context: inout LayerContext
  ) -> StraightThroughBernoulli {
    StraightThroughBernoulli(
      logits: raw, temperature: context.temperature(temperature), eventRank: eventRank)
  }
}

/// Raw outputs as log-odds of relaxed flips.
public struct RelaxedBinaryHead: PosteriorHead {
  /// Of the draws.
  public let temperature: WeightSchedule
  /// What counts as the divergence from the prior.
  public let divergence: RelaxedDivergence

  /// A head without parameters.
  public init(temperature: WeightSchedule = 1, divergence: RelaxedDivergence = .discrete) {
    self.temperature = temperature
    self.divergence = divergence
  }
  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  public func callAsFunction(
    _ raw: Tensor, eventRank: Int, _ context: inout LayerContext
  ) -> RelaxedBernoulli {
    RelaxedBernoulli(
      logits: raw, temperature: context.temperature(temperature),
      hasDiscreteDivergence: divergence == .discrete, eventRank: eventRank)
  }
}

/// A posterior over coin flips in words.
protocol CoinsDescription: PosteriorDescription {
  var temperature: WeightSchedule { get }
}

extension CoinsDescription {
  public func validate() throws { try check(temperature: temperature) }
  public func outputCount(latents: Int) -> Double { Double(latents) }
}

/// Coin flips in words.
public struct BinaryPosterior: CoinsDescription {
  public static let name = "binary"
  public static let origin = Origin(
    "coin flips, with the derivative of a logistic function",
    paper: "Bengio, Leonard and Courville 2013", equation: "section 4",
    test: "LatentModelsTests/DiscretePosteriorTests.swift")

  /// Of the logistic function that the derivative of a draw is that of.
  public var temperature: WeightSchedule = 1

  public init() {}
  public var space: LatentSpace { .coins }
  public var standardPrior: any PriorDescription { FairCoinsPrior() }
  public func makeHead(
    latentShape: Shape, using random: inout RandomStream
  ) -> any PosteriorHead { BinaryHead(temperature: temperature) }
}

/// Relaxed coin flips in words.
public struct RelaxedBinaryPosterior: CoinsDescription {
  public static let name = "relaxed-binary"
  public static let origin = Origin(
    "coin flips relaxed to numbers from 0 to 1 (binary concrete)",
    paper: "Maddison, Mnih and Teh 2017", equation: "16",
    test: "LatentModelsTests/DiscretePosteriorTests.swift")

  /// Of the draws.
  public var temperature: WeightSchedule = 0.67
  /// What counts as the divergence from the prior.
  public var divergence = RelaxedDivergence.discrete

  public init() {}
  public var space: LatentSpace { .unitCube }
  public var standardPrior: any PriorDescription { RelaxedCoinsPrior() }
  public func makeHead(
    latentShape: Shape, using random: inout RandomStream
  ) -> any PosteriorHead {
    RelaxedBinaryHead(temperature: temperature, divergence: divergence)
  }
}
