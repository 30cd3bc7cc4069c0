// Not every number can be had of every model: what a number needs and does not find is said in a sentence, in its
// place.

/// A number that was measured, or why it could not be.
public enum Measured<Value: Sendable>: Sendable {
  /// The number.
  case found(Value)
  /// What is missing.
  case missing(Unmeasurable)

  /// The number, nil where there is none.
  public var value: Value? { if case .found(let value) = self { value } else { nil } }

  /// What is missing, nil where nothing is.
  public var reason: Unmeasurable? { if case .missing(let reason) = self { reason } else { nil } }

  /// The number.
  /// - Throws: `Unmeasurable` where it is missing.
  public func get() throws -> Value {
    switch self {
    case .found(let value): return value
    case .missing(let reason): throw reason
    }
  }

  /// The number as another one.
  func map<Other>(_ change: (Value) -> Other) -> Measured<Other> {
    switch self {
    case .found(let value): .found(change(value))
    case .missing(let reason): .missing(reason)
    }
  }
}

extension Measured: Equatable where Value: Equatable {}

/// Why a number cannot be measured of a model.
public enum Unmeasurable: Error, Sendable, Hashable, CustomStringConvertible {
  /// There are no examples.
  case noExamples
  /// The posterior is no product over latent dimensions.
  case dependentPosterior(String)
  /// The prior is no product over latent dimensions.
  case dependentPrior(String)
  /// The posterior knows the density of its own draws only.
  case posteriorOfOwnDraws(String)
  /// The prior knows the density of its own draws only.
  case priorOfOwnDraws(String)
  /// The posterior is a point.
  case pointPosterior(String)
  /// The posterior has neither a mean nor a mode.
  case noPoint(String)
  /// The likelihood lies in no flat space, so that the decoder has no derivative to measure.
  case noEmbedding(String)

  public var description: String {
    switch self {
    case .noExamples: "there are no examples"
    case .dependentPosterior(let type):
      "the posterior \(type) is no product over latent dimensions, so that none has a density of its own"
    case .dependentPrior(let type):
      "the prior \(type) is no product over latent dimensions, so that none has a density of its own"
    case .posteriorOfOwnDraws(let type):
      "the posterior \(type) knows the density of its own draws only, not of another example's"
    case .priorOfOwnDraws(let type):
      "the prior \(type) knows the density of its own draws only, not of the posterior's"
    case .pointPosterior(let type): "the posterior \(type) is a point, which has no density"
    case .noPoint(let type): "the posterior \(type) has neither a mean nor a mode"
    case .noEmbedding(let type):
      "the likelihood \(type) lies in no flat space in which steps of the decoder have a length"
    }
  }
}
