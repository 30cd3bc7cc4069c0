// The type of elements as HDF5 describes it, and how they come from the file to one of our types.

import CLatentHDF5
import LatentNumerics

/// What the elements of a dataset or an attribute are.
enum HDF5ElementType: Equatable {
  case number(StoredType, HDF5Reading, DType)
  /// Texts of so many bytes each; nil for texts of varying length.
  case text(bytes: Int?)
  /// Something else, in words.
  case other(String)

  /// The class, sizes and fields of an open type.
  init(_ type: hid_t, _ place: String, _ session: HDF5Session) throws {
    let size = H5Tget_size(type)
    switch H5Tget_class(type) {
    case H5T_FLOAT: self = try Self.float(type, size, place, session)
    case H5T_INTEGER:
      self = Self.integer(
        type, size, Self.isSigned(type) ? { .signedInteger(bits: $0) } : StoredType.unsignedInteger)
    case H5T_BITFIELD: self = Self.integer(type, size, StoredType.bitfield)
    case H5T_ENUM:
      let base = try session.handle(H5Tget_super(type), H5Tclose, place)
      self =
        try Self.isBoolean(type, base, place, session)
        ? .number(.boolean, .direct, .uint8)
        : Self.integer(base.id, size, StoredType.enumeration)
    case H5T_STRING: self = .text(bytes: H5Tis_variable_str(type) > 0 ? nil : size)
    case H5T_COMPOUND: self = .other(try Self.record(type, place, session))
    case H5T_VLEN: self = .other("lists of varying length")
    case H5T_REFERENCE: self = .other("references")
    case H5T_ARRAY: self = .other("arrays as elements")
    case H5T_OPAQUE: self = .other("opaque elements of \(size) bytes")
    case H5T_TIME: self = .other("times")
    default: self = .other("elements of an unknown class")
    }
  }

  var description: String {
    switch self {
    case .number(let stored, _, _): stored.description
    case .text(let bytes): bytes.map { "texts of \($0) bytes" } ?? "texts of varying length"
    case .other(let words): words
    }
  }

  /// float32 where that holds every value, else float64, to which wider ones are rounded.
  private static func float(
    _ type: hid_t, _ size: Int, _ place: String, _ session: HDF5Session
  ) throws -> HDF5ElementType {
    var (sign, exponent, exponentBits, mantissa, mantissaBits) = (0, 0, 0, 0, 0)
    try session.check(
      H5Tget_fields(type, &sign, &exponent, &exponentBits, &mantissa, &mantissaBits), place)
    guard size <= 16 else { return .other("floats of \(size) bytes") }
    let isNarrow = size <= 4 && exponentBits <= 8 && mantissaBits <= 23
    return .number(.float(bits: size * 8), .direct, isNarrow ? .float32 : .float64)
  }

  /// Bytes stay bytes; everything else becomes int32, where it fits.
  private static func integer(
    _ type: hid_t, _ size: Int, _ stored: (Int) -> StoredType
  ) -> HDF5ElementType {
    let bits = H5Tget_precision(type)
    guard size <= 8 else { return .other("integers of \(size) bytes") }
    switch stored(bits) {
    case .unsignedInteger where size == 1: return .number(stored(bits), .direct, .uint8)
    case .bitfield: return .number(stored(bits), .bits, .int32)
    case _ where isSigned(type):
      return .number(stored(bits), bits <= 32 ? .direct : .wideInteger, .int32)
    default: return .number(stored(bits), bits < 32 ? .direct : .wideUnsignedInteger, .int32)
    }
  }

  private static func isSigned(_ type: hid_t) -> Bool { H5Tget_sign(type) != H5T_SGN_NONE }

  /// Exactly FALSE = 0 and TRUE = 1.
  private static func isBoolean(
    _ type: hid_t, _ base: borrowing HDF5Handle, _ place: String, _ session: HDF5Session
  ) throws -> Bool {
    guard H5Tget_nmembers(type) == 2, H5Tget_size(base.id) <= 8 else { return false }
    for (name, value) in [("FALSE", 0), ("TRUE", 1)] as [(String, Int64)] {
      var bytes = [UInt8](repeating: 0, count: 8)
      guard H5Tenum_valueof(type, name, &bytes) >= 0 else {
        H5Eclear2(latent_h5_error_stack())
        return false
      }
      try session.check(
        H5Tconvert(
          base.id, latent_h5_native_int64(), 1, &bytes, nil, latent_h5_default_list()), place)
      guard bytes.withUnsafeBytes({ $0.loadUnaligned(as: Int64.self) }) == value else {
        return false
      }
    }
    return true
  }

  private static func record(
    _ type: hid_t, _ place: String, _ session: HDF5Session
  ) throws -> String {
    var names: [String] = []
    let count = try session.check(H5Tget_nmembers(type), place)
    for index in 0..<UInt32(min(count, 8)) {
      guard let name = H5Tget_member_name(type, index) else { throw session.failure(place) }
      names.append(HDF5Path.text(HDF5Path.bytes(of: name)))
      H5free_memory(name)
    }
    return names == ["r", "i"]
      ? "complex numbers (records of r and i)"
      : "records of \(names.joined(separator: ", "))\(count > 8 ? ", ..." : "")"
  }
}

/// How elements come from file to memory.
enum HDF5Reading: Equatable {
  case direct
  /// Through 64 bits, with a check that they fit int32.
  case wideInteger, wideUnsignedInteger
  /// As bits, which HDF5 does not take for numbers.
  case bits

  /// What integers become that do not all fit int32.
  enum Wide { case refused, float64WhereExact }

  /// Elements read by `read`, which is given their type in memory and the place for them.
  func array(
    _ shape: Shape, _ dtype: DType, wide policy: Wide = .refused,
    unfit: (Int, String) -> StorageError,
    _ read: (hid_t, UnsafeMutableRawPointer?) throws -> Void
  ) throws -> NDArray {
    func wide<Wide: FixedWidthInteger>(_ type: hid_t, _ initial: Wide) throws -> NDArray {
      let values = try [Wide](unsafeUninitializedCapacity: shape.count) { buffer, count in
        try read(type, UnsafeMutableRawPointer(buffer.baseAddress))
        count = shape.count
      }
      if policy == .float64WhereExact, values.contains(where: { Int32(exactly: $0) == nil }) {
        let doubles = values.compactMap { Double(exactly: $0) }
        if doubles.count == values.count { return NDArray(doubles, shape: shape) }
      }
      return try NDArray(narrowing: values, shape: shape) { unfit($0, "\($1)") }
    }
    switch self {
    case .direct:
      return try NDArray(shape: shape, dtype) { try read(dtype.memoryType, $0.baseAddress) }
    case .wideInteger: return try wide(latent_h5_native_int64(), Int64(0))
    case .wideUnsignedInteger: return try wide(latent_h5_native_uint64(), UInt64(0))
    case .bits: return try wide(latent_h5_native_b64(), UInt64(0))
    }
  }
}

extension NDArray {
  /// An int32 array of wider integers that all fit; else the error made of position and value.
  init<Wide: FixedWidthInteger>(
    narrowing values: [Wide], shape: Shape, error: (Int, Wide) -> StorageError
  ) throws {
    try self.init(shape: shape, .int32) { buffer in
      let target = buffer.bindMemory(to: Int32.self)
      for (index, value) in values.enumerated() {
        guard let narrow = Int32(exactly: value) else { throw error(index, value) }
        target[index] = narrow
      }
    }
  }
}
