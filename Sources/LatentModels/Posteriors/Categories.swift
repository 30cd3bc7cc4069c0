// Classes as latents: each group of `classes` numbers of a latent is one of so many classes, as a one-hot vector with a
// straight-through derivative, or relaxed to a point between them.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

extension LatentSpace {
  /// Vectors of zeros and ones, with a single one in each group.
  public static let categories = LatentSpace("one class in each group of latents")
  /// Points between classes.
  public static let simplices = LatentSpace("probabilities of the classes in each group of latents")
}

extension LayerContext {
  /// A temperature at this step of training; after training, the one it ends at.
  func temperature(_ schedule: WeightSchedule) -> Double {
    isTraining ? schedule.value(step: step) : schedule.final
  }
}

/// Raw outputs as logits of one-hot classes with a straight-through derivative.
public struct StraightThroughHead: PosteriorHead {
  /// The size of a group.
  public let classes: Int
  /// Of the softmax that the derivative of a draw is that of.
  public let temperature: WeightSchedule

  /// A head without parameters, for latents of which `classes` divides the number.
  public init(classes: Int, temperature: WeightSchedule = 1) {
    self.classes = classes
    self.temperature = temperature
  }
  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  public func callAsFunction(
    _ raw: Tensor, eventRank: Int, _ context: inout LayerContext
  ) -> OneHotCategorical {
    OneHotCategorical(
      logits: raw, classes: classes, temperature: context.temperature(temperature),
      eventRank: eventRank)
  }
}

/// Raw outputs as logits of relaxed classes.
public struct RelaxedCategoricalHead: PosteriorHead {
  /// The size of a group.
  public let classes: Int
  /// Of the draws.
  public let temperature: WeightSchedule
  /// What counts as the divergence from the prior.
  public let divergence: RelaxedDivergence

  /// A head without parameters, for latents of which `classes` divides the number.
  public init(
    classes: Int, temperature: WeightSchedule = 1, divergence: RelaxedDivergence = .discrete
  ) {
    self.classes = classes
    self.temperature = temperature
    self.divergence = divergence
  }
  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  public func callAsFunction(
    _ raw: Tensor, eventRank: Int, _ context: inout LayerContext
  ) -> RelaxedCategorical {
    RelaxedCategorical(
      logits: raw, classes: classes, temperature: context.temperature(temperature),
      hasDiscreteDivergence: divergence == .discrete, eventRank: eventRank)
  }
}

/// What counts as the divergence of relaxed latents from their prior.
public enum RelaxedDivergence: String, SettingWord {
  /// That of the discrete variables that they relax, in closed form (Jang, Gu and Poole 2017). The loss is then no
  /// bound on log p(x) of the relaxed model.
  case discrete
  /// That of the relaxed densities, estimated by the draws (Maddison, Mnih and Teh 2017): a bound.
  case relaxed
}

/// A posterior over groups of classes in words.
protocol CategoriesDescription: PosteriorDescription {
  /// The size of a group.
  var classes: Int { get }
  var temperature: WeightSchedule { get }
}

extension CategoriesDescription {
  public func validate() throws {
    try check((2...65536).contains(classes), "classes", classes, "2 to 65536")
    try check(temperature: temperature)
  }

  public func validate(latentShape: [Int]) throws {
    let latents = latentShape.last ?? 1
    try check(
      latents % classes == 0, "classes", classes,
      "a number that divides \(latents), the latents of the network \(latentShape)")
  }

  public func outputCount(latents: Int) -> Double { Double(latents) }
}

extension PosteriorDescription {
  /// - Throws: `SettingError` unless a temperature is always positive.
  func check(temperature: WeightSchedule) throws {
    try check(temperature.isPossible, "temperature", temperature, WeightSchedule.forms)
    try check(
      temperature.values.allSatisfy { $0 > 0 }, "temperature", temperature, "positive numbers")
  }
}

/// One-hot classes in words.
public struct StraightThroughPosterior: CategoriesDescription {
  public static let name = "straight-through"
  public static let origin = Origin(
    "one class in each group, with the derivative of a softmax",
    paper: "Jang, Gu and Poole 2017", equation: "section 2.2",
    test: "LatentModelsTests/DiscretePosteriorTests.swift")

  /// The size of a group, which divides the latents.
  public var classes = 4
  /// Of the softmax that the derivative of a draw is that of.
  public var temperature: WeightSchedule = 1

  public init() {}
  public var space: LatentSpace { .categories }
  public var standardPrior: any PriorDescription { UniformCategoriesPrior(classes: classes) }
  public func makeHead(
    latentShape: Shape, using random: inout RandomStream
  ) -> any PosteriorHead { StraightThroughHead(classes: classes, temperature: temperature) }
}

/// Relaxed classes in words.
public struct RelaxedCategoricalPosterior: CategoriesDescription {
  public static let name = "relaxed-categorical"
  public static let origin = Origin(
    "classes relaxed to points between them (concrete, Gumbel-softmax)",
    paper: "Maddison, Mnih and Teh 2017; Jang, Gu and Poole 2017", equation: "10; 2",
    test: "LatentModelsTests/DiscretePosteriorTests.swift")

  /// The size of a group, which divides the latents.
  public var classes = 4
  /// Of the draws.
  public var temperature: WeightSchedule = 0.67
  /// What counts as the divergence from the prior.
  public var divergence = RelaxedDivergence.discrete

  public init() {}
  public var space: LatentSpace { .simplices }
  public var standardPrior: any PriorDescription { RelaxedCategoriesPrior(classes: classes) }
  public func makeHead(
    latentShape: Shape, using random: inout RandomStream
  ) -> any PosteriorHead {
    RelaxedCategoricalHead(classes: classes, temperature: temperature, divergence: divergence)
  }
}
