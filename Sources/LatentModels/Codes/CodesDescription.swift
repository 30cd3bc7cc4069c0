// A quantiser in words: each brings its own, none is known here but by the list.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// The settings of a quantiser: which codes there are for the vectors that latents are cut into.
public protocol CodesDescription: AxisDescription {
  /// The numbers of a vector; 0 for all that a place of the latents has: the channels of latents `[height, width,
  /// channels]`, a whole vector of others.
  var vectorSize: Int { get }
  /// Checks every number with the size of a vector, which is positive.
  /// - Throws: `SettingError`.
  func validate(dimension: Int) throws
  /// Numbers that are trained, in double. Called with valid settings only, as what follows.
  func parameterCount(dimension: Int) -> Double
  /// The quantiser of vectors of so many numbers, with first codes from `random`.
  func makeQuantizer(dimension: Int, using random: inout RandomStream) -> any Quantizer
}

extension CodesDescription {
  public func validate(dimension: Int) throws {}
  public func parameterCount(dimension: Int) -> Double { 0 }

  // MARK: What descriptions share

  /// - Throws: `SettingError` of `model.posterior.codes.KEY` unless the condition holds.
  func check(
    _ condition: Bool, _ key: String, _ found: Any, _ expected: @autoclosure () -> String
  ) throws {
    if !condition {
      throw SettingError(
        key: CodesAxis.group + key, found: "\(found)", expected: expected())
    }
  }

  /// The numbers of a vector, or 0 for all.
  func check(vectorSize: Int, _ key: String) throws {
    let limit = ModelDescription.maximumParameters
    try check((0...limit).contains(vectorSize), key, vectorSize, "0 to \(limit)")
  }

  /// A weight that is never negative.
  func check(weight: Double, _ key: String) throws {
    try check(weight >= 0 && weight.isFinite, key, weight, "0 or more")
  }

  /// Sizes of the digits of an index, whose product an index can hold.
  func check(levels: [Int], _ key: String, least: Int) throws {
    try check(
      !levels.isEmpty && levels.allSatisfy { $0 >= least }, key, levels,
      "one number or more, each at least \(least)")
    let product = levels.reduce(1.0) { $0 * Double($1) }
    try check(product <= Double(Int32.max), key, levels, "a product of at most \(Int32.max)")
  }

  /// A code book of so many vectors.
  func check(codes: Int, dimension: Int) throws {
    let limit = ModelDescription.maximumParameters
    try check(
      Double(codes) * Double(dimension) <= Double(limit), "codes", codes,
      "at most \(limit / dimension) of \(dimension) numbers")
  }
}

/// Quantisers by their names.
public enum CodesAxis: Axis {
  /// Keys of settings begin with this.
  static let group = "model.posterior.codes."

  public static var standard: any CodesDescription { VectorCodes() }

  /// A `SettingError`.
  public static func unknown(_ name: String, expected: String) -> any Error {
    SettingError(key: group + "name", found: "'\(name)'", expected: expected)
  }
}

/// A quantiser of a model's latents, by default a code book.
public typealias CodesSettings = AxisSettings<CodesAxis>

/// A quantiser that is made of others; `inside` is a stored property like every other.
public protocol CompositeCodesDescription: CodesDescription {
  /// What it is made of.
  var inside: CodesSettings { get set }
}

extension CompositeCodesDescription {
  /// Checks what is inside.
  /// - Throws: `SettingError` of keys below `inside`.
  func checkingInside(_ body: (any CodesDescription) throws -> Void) throws {
    do {
      try body(inside.description)
    } catch let error as SettingError {
      guard error.key.hasPrefix(CodesAxis.group) else { throw error }
      throw SettingError(
        key: CodesAxis.group + "inside." + error.key.dropFirst(CodesAxis.group.count),
        found: error.found, expected: error.expected)
    }
  }
}

extension CodesSettings {
  /// What a quantiser is made of; nil where it is one.
  public var inside: CodesSettings? { (description as? any CompositeCodesDescription)?.inside }

  /// The names from outside to inside.
  public var chain: [String] { [name] + (inside?.chain ?? []) }

  /// The quantisers of these names, each made of the next, with their standard settings.
  /// - Throws: `SettingError` for an unknown name, and for one that is made of no others before the last.
  public init(chain names: [String]) throws {
    guard let first = names.first else {
      self.init()
      return
    }
    try self.init(named: first)
    if names.count == 1 { return }
    guard var composite = description as? any CompositeCodesDescription else {
      let composites = CodesSettings.all.filter { $0 is any CompositeCodesDescription.Type }
      throw SettingError(
        key: CodesAxis.group + "name", found: "'\(names.joined(separator: ":"))'",
        expected: "only \(composites.map { $0.name }.joined(separator: ", ")) before a colon")
    }
    composite.inside = try CodesSettings(chain: Array(names.dropFirst()))
    description = composite
  }
}
