// What stands beside an array and is no array: units, names of classes, the version of whoever made
// it. HDF5 calls such notes attributes; datasets, groups and the root group can have them.

import LatentNumerics

/// The value of an attribute in an HDF5 file.
///
/// Literals are values: `["units": "mm", "scale": 0.5, "levels": 256]`.
public enum HDF5Attribute: Sendable, Equatable {
  /// Numbers of any shape; a single number has the shape `[]`.
  case array(NDArray)
  /// One text.
  case text(String)
  /// Several texts, row by row where they have more axes than one.
  case texts([String])
}

extension HDF5Attribute {
  /// The numbers, where it has some.
  public var array: NDArray? { if case .array(let array) = self { array } else { nil } }

  /// The text, where it is one.
  public var text: String? { if case .text(let text) = self { text } else { nil } }

  /// The texts, where it has some: one of itself, too.
  public var texts: [String]? {
    switch self {
    case .array: nil
    case .text(let text): [text]
    case .texts(let texts): texts
    }
  }
}

extension HDF5Attribute: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral
{
  public init(stringLiteral value: String) { self = .text(value) }

  /// An int32 number.
  public init(integerLiteral value: Int32) { self = .array(NDArray([value], shape: [])) }

  /// A float64 number.
  public init(floatLiteral value: Double) { self = .array(NDArray([value], shape: [])) }
}
