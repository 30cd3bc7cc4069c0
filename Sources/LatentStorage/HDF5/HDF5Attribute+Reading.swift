// Attributes as others wrote them: numbers of every type that datasets have, texts of fixed and of
// varying length, in ASCII and UTF-8.

import CLatentHDF5
import LatentNumerics

extension HDF5Attribute {
  /// Judges an open attribute and reads it.
  ///
  /// - Parameters:
  ///   - place: What messages call it.
  ///   - fileSize: What its elements cannot exceed.
  init(
    reading attribute: borrowing HDF5Handle, _ place: String, fileSize: Int, _ session: HDF5Session
  ) throws {
    let type = try session.handle(H5Aget_type(attribute.id), H5Tclose, place)
    let space = try session.handle(H5Aget_space(attribute.id), H5Sclose, place)
    let elementType = try HDF5ElementType(type.id, place, session)
    let shape = try Self.shape(of: space, elementType, place, session)
    // Attributes are stored whole.
    let size = H5Tget_size(type.id)
    guard let byteCount = checkedProduct(shape.dimensions + [size]), byteCount <= fileSize else {
      throw session.damaged(
        place, "shape \(shape) of \(elementType.description)", "at most \(fileSize) bytes")
    }
    switch elementType {
    case .number(_, let reading, let dtype):
      let array = try reading.array(shape, dtype, wide: .float64WhereExact) { _, value in
        session.unsupported(place, value, "integers that fit 32 bits, or a float64 exactly")
      } _: { type, buffer in
        if shape.count > 0 { try session.check(H5Aread(attribute.id, type, buffer), place) }
      }
      self = .array(array)
    case .text(let bytes):
      let texts =
        if shape.count == 0 {
          [String]()
        } else if let bytes {
          try Self.fixed(attribute, type, shape.count, bytes, place, session)
        } else {
          try Self.varying(attribute, type, space, shape.count, place, session)
        }
      self = shape.rank == 0 ? .text(texts[0]) : .texts(texts)
    case .other(let words):
      throw session.unsupported(place, words, "numbers or texts")
    }
  }

  private static func shape(
    of space: borrowing HDF5Handle, _ type: HDF5ElementType, _ place: String,
    _ session: HDF5Session
  ) throws -> Shape {
    guard H5Sget_simple_extent_type(space.id) != H5S_NULL else {
      throw session.unsupported(
        place, "no value (a null data space) of \(type.description)", "numbers or texts")
    }
    let rank = Int(try session.check(H5Sget_simple_extent_ndims(space.id), place))
    guard rank <= StorageLimits.rank else {
      throw session.unsupported(place, "\(rank) axes", "at most \(StorageLimits.rank)")
    }
    var sizes = [hsize_t](repeating: 0, count: rank + 1)
    try session.check(H5Sget_simple_extent_dims(space.id, &sizes, nil), place)
    let extents = sizes.prefix(rank).map { Int(clamping: $0) }
    guard checkedProduct(extents + [16]) != nil else {
      throw session.unsupported(place, "shape \(extents)", "a number of bytes below 2^63")
    }
    return Shape(extents)
  }

  private static func fixed(
    _ attribute: borrowing HDF5Handle, _ type: borrowing HDF5Handle, _ count: Int, _ length: Int,
    _ place: String, _ session: HDF5Session
  ) throws -> [String] {
    var bytes = [UInt8](repeating: 0, count: count * length)
    try session.check(H5Aread(attribute.id, type.id, &bytes), place)
    let padding = H5Tget_strpad(type.id)
    return try (0..<count).map { index in
      let all = bytes[index * length..<(index + 1) * length]
      let filler: UInt8 = padding == H5T_STR_SPACEPAD ? 0x20 : 0
      let used =
        padding == H5T_STR_NULLTERM
        ? all.prefix { $0 != 0 } : all.dropLast(all.reversed().prefix { $0 == filler }.count)
      return try text(Array(used), place, session)
    }
  }

  private static func varying(
    _ attribute: borrowing HDF5Handle, _ type: borrowing HDF5Handle,
    _ space: borrowing HDF5Handle, _ count: Int, _ place: String, _ session: HDF5Session
  ) throws -> [String] {
    var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: count)
    try session.check(H5Aread(attribute.id, type.id, &pointers), place)
    let bytes = pointers.map { $0.map { HDF5Path.bytes(of: $0) } ?? [] }
    try session.check(latent_h5_reclaim(type.id, space.id, &pointers), place)
    return try bytes.map { try text($0, place, session) }
  }

  private static func text(
    _ bytes: [UInt8], _ place: String, _ session: HDF5Session
  ) throws -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw session.unsupported(
        place, "a text that is not UTF-8, '\(HDF5Path.text(bytes))'", "UTF-8 or ASCII")
    }
    return text
  }
}
