// Where latents that are decoded come from once a model is trained. A prior says where codes were meant to be; a sampler
// learns where they are, and the model stays as it is.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A module that draws latents for a trained model's decoder.
public protocol LatentSampler: Module {
  /// Labels that it can draw by are 0 to one less; 0, as where nothing is said, where it has no classes.
  var classCount: Int { get }
  /// `count` latents, `[count, latent...]`, without derivative. `fields` have a row for each, such as labels, where
  /// they are known.
  func latents(
    _ count: Int, of model: some LatentVariableModel, fields: [String: Tensor],
    using random: inout RandomStream
  ) -> Tensor
}

extension LatentSampler {
  public var classCount: Int { 0 }

  /// The classes of so many latents, int32 `[count]`: the labels of the fields where these have some, else classes as
  /// frequent as in training (`counts`, `[classes]`); nil where the sampler knows none. Traps where a label is unknown
  /// to it.
  func labels(
    _ count: Int, _ fields: [String: Tensor], counts: Tensor, using random: inout RandomStream
  ) -> Tensor? {
    let classes = classCount
    if classes == 0 { return nil }
    guard let labels = fields[FieldName.labels] else {
      return Categorical(logits: log(counts)).sample([count], using: &random)
    }
    require(
      labels.array.doubles.allSatisfy { $0 >= 0 && $0 < Double(classes) },
      "labels of a sampler of \(classes) classes: expected 0 to \(classes - 1)")
    return labels
  }
}

/// A sampler in words.
public protocol SamplerDescription: AxisDescription {
  /// Whether it learns from codes; true where nothing is said.
  static var isFitted: Bool { get }
  /// Whether it knows latents on a space; all vectors alone where nothing is said. What learns codes as vectors would
  /// leave any other set.
  static func draws(on space: LatentSpace) -> Bool
  /// The settings as far as they say what is learned: those that only say how it is drawn from at their standard
  /// values. What was fitted with the same ones need not be fitted again.
  var ofFit: Self { get }
  /// Refuses a model that it cannot draw for.
  /// - Throws: `ModelRequirementError`.
  func validate(for model: some LatentVariableModel) throws
  /// The sampler before it has learned anything, of the shapes that it has afterwards.
  func makeSampler(_ facts: SamplerFacts, using random: inout RandomStream) -> any LatentSampler
  /// The sampler that has learned from codes. `progress` hears from time to time how far it is.
  /// - Throws: what makes codes unfit for it.
  func fit(
    _ data: EncodedData, using random: inout RandomStream, progress: (String) -> Void
  ) throws -> any LatentSampler
}

/// What the shapes of a sampler follow from.
public struct SamplerFacts: Sendable, Hashable, Codable {
  /// The shape of one latent.
  public var latentShape: [Int]
  /// The examples whose codes are learned from.
  public var examples: Int
  /// Labels of these are 0 to one less; 0 where there are none.
  public var classes: Int
  /// How many codes there are for each index of a latent; nil where it is none of codes.
  public var codeCounts: [Int]?

  /// Of codes of a shape.
  public init(latentShape: [Int], examples: Int, classes: Int, codeCounts: [Int]? = nil) {
    self.latentShape = latentShape
    self.examples = examples
    self.classes = classes
    self.codeCounts = codeCounts
  }

  /// The numbers of one latent.
  public var latents: Int { latentShape.reduce(1, *) }
}

extension SamplerDescription {
  public static var isFitted: Bool { true }
  public static func draws(on space: LatentSpace) -> Bool { space == .vectors }
  public var ofFit: Self { self }
  public func validate() throws {}
  public func validate(for model: some LatentVariableModel) throws {}

  // MARK: What descriptions share

  /// For errors: `sampler 'gmm'`.
  static var purpose: String { "sampler '\(name)'" }

  /// - Throws: `SettingError` of `sampler.KEY` unless the condition holds.
  func check(
    _ condition: Bool, _ key: String, _ found: Any, _ expected: @autoclosure () -> String
  ) throws {
    if !condition {
      throw SettingError(key: "sampler.\(key)", found: "\(found)", expected: expected())
    }
  }

  /// A number of components, steps, widths.
  func check(size: Int, _ key: String, most: Int = 1_000_000_000) throws {
    try check((1...most).contains(size), key, size, "1 to \(most)")
  }
}

/// Samplers by their names.
public enum SamplerAxis: Axis {
  public static var standard: any SamplerDescription { PriorSamplerDescription() }

  /// A `SettingError`.
  public static func unknown(_ name: String, expected: String) -> any Error {
    SettingError(key: "sampler.name", found: "'\(name)'", expected: expected)
  }
}

/// A sampler of a run, by default its prior.
public typealias SamplerSettings = AxisSettings<SamplerAxis>
