// Where discrete latents and their relaxations are before any data: every class, and either side of a coin, is as
// probable as any other.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A prior without parameters: the same distribution for every model.
public struct FixedPrior: Prior {
  private let make: @Sendable (DType) -> any Distribution

  /// `make` gives the distribution in a precision.
  public init(_ make: @escaping @Sendable (DType) -> any Distribution) { self.make = make }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  public func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution { make(dtype) }
}

/// A prior over groups of classes in words.
protocol CategoriesPriorDescription: PriorDescription {
  var classes: Int { get }
}

extension CategoriesPriorDescription {
  public func validate(
    latentShape: [Int], inputShape: [Int], posterior: any PosteriorDescription
  ) throws {
    let latents = latentShape.last ?? 1
    try check(
      classes > 1 && latents % classes == 0, "classes", classes,
      "2 or more, a number that divides the \(latents) latents")
    guard let posterior = posterior as? any CategoriesDescription else { return }
    try check(
      classes == posterior.classes, "classes", classes, "\(posterior.classes), as of the posterior")
  }
}

extension PriorDescription {
  fileprivate func check(temperature: Double) throws {
    try check(
      temperature > 0 && temperature.isFinite, "temperature", temperature, "a positive number")
  }
}

/// The same probability for every class of every group, in words.
public struct UniformCategoriesPrior: CategoriesPriorDescription {
  public static let name = "uniform-categories"
  public static let origin = Origin(
    "every class of each group with the same probability", paper: "Jang, Gu and Poole 2017",
    equation: "section 3", test: "LatentModelsTests/DiscretePosteriorTests.swift")

  /// The size of a group, that of the posterior.
  public var classes = 4

  public init() {}
  /// Over groups of so many classes.
  public init(classes: Int) { self.classes = classes }
  public var space: LatentSpace { .categories }
  public func makePrior(
    latentShape: Shape, inputShape: Shape, using random: inout RandomStream
  ) -> any Prior {
    FixedPrior { [classes] dtype in
      OneHotCategorical(
        logits: .zeros(latentShape, dtype), classes: classes, eventRank: latentShape.rank)
    }
  }
}

/// Relaxed classes without a preference, in words.
public struct RelaxedCategoriesPrior: CategoriesPriorDescription {
  public static let name = "relaxed-categories"
  public static let origin = Origin(
    "relaxed classes, none preferred", paper: "Maddison, Mnih and Teh 2017",
    equation: "section 3.3", test: "LatentModelsTests/DiscretePosteriorTests.swift")

  /// The size of a group, that of the posterior.
  public var classes = 4
  /// Of the draws, and of the density.
  public var temperature = 0.5

  public init() {}
  /// Over groups of so many classes.
  public init(classes: Int) { self.classes = classes }
  public var space: LatentSpace { .simplices }
  public func validate() throws { try check(temperature: temperature) }
  public func makePrior(
    latentShape: Shape, inputShape: Shape, using random: inout RandomStream
  ) -> any Prior {
    FixedPrior { [classes, temperature] dtype in
      RelaxedCategorical(
        logits: .zeros(latentShape, dtype), classes: classes, temperature: temperature,
        eventRank: latentShape.rank)
    }
  }
}

/// Fair coins in words.
public struct FairCoinsPrior: PriorDescription {
  public static let name = "fair-coins"
  public static let origin = Origin(
    "fair coins", paper: "Mnih and Rezende 2016", equation: "section 5",
    test: "LatentModelsTests/DiscretePosteriorTests.swift")

  public init() {}
  public var space: LatentSpace { .coins }
  public func makePrior(
    latentShape: Shape, inputShape: Shape, using random: inout RandomStream
  ) -> any Prior {
    FixedPrior { Bernoulli(logits: .zeros(latentShape, $0), eventRank: latentShape.rank) }
  }
}

/// Relaxed fair coins in words.
public struct RelaxedCoinsPrior: PriorDescription {
  public static let name = "relaxed-coins"
  public static let origin = Origin(
    "relaxed fair coins", paper: "Maddison, Mnih and Teh 2017", equation: "section 3.3",
    test: "LatentModelsTests/DiscretePosteriorTests.swift")

  /// Of the draws, and of the density.
  public var temperature = 0.5

  public init() {}
  public var space: LatentSpace { .unitCube }
  public func validate() throws { try check(temperature: temperature) }
  public func makePrior(
    latentShape: Shape, inputShape: Shape, using random: inout RandomStream
  ) -> any Prior {
    FixedPrior { [temperature] dtype in
      RelaxedBernoulli(
        logits: .zeros(latentShape, dtype), temperature: temperature, eventRank: latentShape.rank)
    }
  }
}
