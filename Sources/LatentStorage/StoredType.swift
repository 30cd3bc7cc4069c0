// What elements are in a file, before they become one of the types that we compute with. Bytes and
// truth values are both read as uint8, small integers and enumerations as int32; what the numbers
// mean may depend on which they were.

/// The type of the elements of an array in a file.
public enum StoredType: Sendable, Hashable, CustomStringConvertible {
  /// Truth values: of HDF5 an enumeration of exactly FALSE = 0 and TRUE = 1, as h5py writes them.
  case boolean
  /// Integers from 0; `.unsignedInteger(bits: 8)` are bytes.
  case unsignedInteger(bits: Int)
  /// Integers of both signs.
  case signedInteger(bits: Int)
  /// Floating-point numbers, of 8 bits to 128.
  case float(bits: Int)
  /// Names for integers, which are read as these.
  case enumeration(bits: Int)
  /// Bits that are no number by declaration, read as an integer from 0.
  case bitfield(bits: Int)

  /// Bytes, which may be gray levels and colours.
  public static let byte = StoredType.unsignedInteger(bits: 8)

  /// As in `16-bit integers`.
  public var description: String {
    switch self {
    case .boolean: "booleans"
    case .unsignedInteger(let bits): "\(bits)-bit unsigned integers"
    case .signedInteger(let bits): "\(bits)-bit integers"
    case .float(let bits): "\(bits)-bit floats"
    case .enumeration(let bits): "enumerations of \(bits) bits"
    case .bitfield(let bits): "fields of \(bits) bits"
    }
  }
}
