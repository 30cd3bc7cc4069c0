// What objectives ask of models beyond the protocols that they are generic over, each in one sentence
// where an objective is made, and words among settings.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

extension ObjectiveDescription {
  /// - Throws: `ModelRequirementError` where the posterior is a point, which has no divergence.
  func requireDivergence<Model: LatentVariableModel>(of model: Model) throws {
    try requirePosterior(
      of: model, !(Model.Posterior.self is any PointDistribution.Type), "a posterior with a density"
    )
  }

  /// - Throws: `ModelRequirementError` unless `holds`.
  func requirePosterior<Model: LatentVariableModel>(
    of model: Model, _ holds: Bool, _ expected: String
  ) throws {
    if !holds {
      throw ModelRequirementError(
        purpose: Self.purpose, found: "\(Model.Posterior.self)", expected: expected)
    }
  }

  /// - Throws: `ModelRequirementError` where the expectation of a posterior is not known.
  func requireMeanOfPosterior<Model: LatentVariableModel>(_ model: Model) throws {
    try requireMean(Model.Posterior.self, "a posterior with a mean")
  }

  /// - Throws: `ModelRequirementError` where the expectation of a likelihood is not known.
  func requireMeanOfLikelihood<Model: LatentVariableModel>(
    _ model: Model, or alternative: String = ""
  ) throws {
    try requireMean(Model.Likelihood.self, "a likelihood with a mean\(alternative)")
  }

  private func requireMean(_ type: any Distribution.Type, _ expected: String) throws {
    if !(type is any DistributionWithMean.Type) {
      throw ModelRequirementError(purpose: Self.purpose, found: "\(type)", expected: expected)
    }
  }
}

extension Distribution {
  /// The expectation; traps where it is not known, for `purpose`.
  func requiredMean(for purpose: String) -> Tensor {
    guard let mean = (self as? any DistributionWithMean)?.mean else {
      fatalError("\(purpose) needs a distribution with a mean: found \(Self.self)")
    }
    return mean
  }
}

/// A setting that is one of a few words; another is refused with the list of them.
public protocol SettingWord: RawRepresentable, CaseIterable, Codable, Sendable, Hashable
where RawValue == String {}

extension SettingWord {
  /// Reads one of the words.
  /// - Throws: `SettingError` of the setting's path, where the text is none of them.
  public init(from decoder: any Swift.Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let word = Self(rawValue: text) else {
      throw SettingError(
        key: decoder.codingPath.map(\.stringValue).joined(separator: "."), found: "'\(text)'",
        expected: Self.allCases.map(\.rawValue).joined(separator: ", "))
    }
    self = word
  }
}
