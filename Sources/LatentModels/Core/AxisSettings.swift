// The axes of what can be put together (objectives, posteriors, priors): each value brings its own description, and
// none is known but by the list of its axis.

/// A value of an axis in words.
///
/// Stored properties are the keys of files and of the command line (`--set objective.beta=4`), beside `name`.
public protocol AxisDescription: Sendable, Hashable, Codable {
  /// The word for the value.
  static var name: String { get }
  /// What it is, in a few words for help texts, and where it is from.
  static var origin: Origin { get }
  /// Every setting as it is where nothing is said.
  init()
  /// Checks every number. - Throws: `SettingError` of the keys.
  func validate() throws
}

/// An axis: the values that there are.
public protocol Axis {
  /// `any` description of the axis.
  associatedtype Description: Sendable
  /// `any` type of description of the axis.
  associatedtype DescriptionType
  /// Every value that can be asked for by name. A new one is a file with its description, and its line in
  /// this list.
  static var all: [DescriptionType] { get }
  /// What stands where nothing is said.
  static var standard: Description { get }
  /// That nothing is called `name`; `expected` lists the names.
  static func unknown(_ name: String, expected: String) -> any Error
}

/// A value of an axis with its settings, as files hold it.
public struct AxisSettings<Values: Axis>: Sendable, Hashable, Codable {
  /// The value and its numbers.
  public var description: Values.Description

  /// The standard value where nothing else is said.
  public init(_ description: Values.Description = Values.standard) {
    self.description = description
  }

  /// Every value that can be asked for by name.
  public static var all: [Values.DescriptionType] { Values.all }

  /// The value of this name with its standard settings.
  /// - Throws: the error of the axis, which lists the names.
  public init(named name: String) throws {
    let types = Values.all.compactMap { $0 as? any AxisDescription.Type }
    guard let type = types.first(where: { $0.name == name }) else {
      throw Values.unknown(name, expected: types.map { $0.name }.joined(separator: ", "))
    }
    self.init(AxisSettings.typed(type.init()))
  }

  /// The word for the value.
  public var name: String { type(of: plain).name }

  /// The description as one of any axis.
  private var plain: any AxisDescription {
    guard let plain = description as? any AxisDescription else {
      fatalError("\(Values.Description.self) is no AxisDescription")
    }
    return plain
  }

  private static func typed(_ plain: any AxisDescription) -> Values.Description {
    guard let description = plain as? Values.Description else {
      fatalError("\(type(of: plain)) is no \(Values.Description.self)")
    }
    return description
  }

  public static func == (first: AxisSettings, second: AxisSettings) -> Bool {
    AnyHashable(first.plain) == AnyHashable(second.plain)
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(AnyHashable(plain)) }

  private enum CodingKeys: String, CodingKey { case name }

  public init(from decoder: any Swift.Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    // The first versions had one objective, and no word for it.
    let name = try container.decodeIfPresent(String.self, forKey: .name)
    let standard: AxisSettings
    do {
      standard = try name.map { try AxisSettings(named: $0) } ?? AxisSettings()
    } catch let error as SettingError where !decoder.codingPath.isEmpty {
      let path = decoder.codingPath.map(\.stringValue) + [CodingKeys.name.stringValue]
      throw SettingError(
        key: path.joined(separator: "."), found: error.found, expected: error.expected)
    }
    description = AxisSettings.typed(try type(of: standard.plain).init(from: decoder))
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try plain.encode(to: encoder)
  }
}
