// Attributes as we write them: numbers as they are, and texts of fixed length, in UTF-8, which lie in
// the header of their object, under its checksum. Texts of varying length would lie in a heap without
// one, where one wrong byte can keep HDF5 1.10 busy for ever.

import CLatentHDF5
import LatentNumerics

extension HDF5Attribute {
  /// The attributes of a file by its objects, or an error for one that cannot be stored.
  ///
  /// - Parameter names: The arrays and texts of the file.
  static func checked(
    _ attributes: [String: [String: HDF5Attribute]], names: [String]
  ) throws -> [(object: HDF5Path, name: String, value: HDF5Attribute)] {
    let leaves = names.map { HDF5Path(bytes: Array($0.utf8)) }
    let objects = Set(leaves + leaves.flatMap(\.parents))
    var result: [(object: HDF5Path, name: String, value: HDF5Attribute)] = []
    for (objectName, values) in attributes {
      let object = HDF5Path(bytes: Array(objectName.utf8))
      guard objects.contains(object) || object == .root else {
        throw StorageError.notStorable(
          name: objectName, found: "attributes of it, but no array or group of this name",
          expected: "names of arrays, of groups that hold some, or '/' for the whole file")
      }
      for (name, value) in values {
        if let problem = value.problem(name: name) {
          throw StorageError.notStorable(
            name: "the attribute '\(name)' of '\(objectName)'", found: problem.found,
            expected: problem.expected)
        }
        result.append((object, name, value))
      }
    }
    return result.sorted {
      $0.object == $1.object
        ? $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
        : HDF5Path.precedes($0.object, $1.object)
    }
  }

  private func problem(name: String) -> (found: String, expected: String)? {
    if name.isEmpty { return ("no name", "one") }
    if name.utf8.count > StorageLimits.pathBytes {
      return ("a name of \(name.utf8.count) bytes", "at most \(StorageLimits.pathBytes)")
    }
    if name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
      return ("a control character in the name", "none")
    }
    if name == BlockChecksums.attribute {
      return ("the name of our checksums", "another")
    }
    if let texts, texts.contains(where: { $0.utf8.contains(0) }) {
      return ("a text with a zero character", "none")
    }
    return nil
  }

  /// Adds the attribute to an open object.
  func write(_ name: String, to object: hid_t, _ session: HDF5Session) throws {
    let creation = try session.list(latent_h5_attribute_create_class())
    try session.check(H5Pset_char_encoding(creation.id, H5T_CSET_UTF8), name)
    switch self {
    case .array(let array):
      let plain = array.inPlainType
      let space = try session.space(plain.shape, name)
      let attribute = try session.handle(
        H5Acreate2(
          object, name, plain.dtype.fileType, space.id, creation.id, latent_h5_default_list()),
        H5Aclose, name)
      guard plain.count > 0 else { return }
      try plain.withUnsafeBytes { bytes in
        _ = try session.check(
          H5Awrite(attribute.id, plain.dtype.memoryType, bytes.baseAddress), name)
      }
    case .text(let text): try Self.write([text], [], name, to: object, creation, session)
    case .texts(let texts):
      try Self.write(texts, [texts.count], name, to: object, creation, session)
    }
  }

  private static func write(
    _ texts: [String], _ shape: Shape, _ name: String, to object: hid_t,
    _ creation: borrowing HDF5Handle, _ session: HDF5Session
  ) throws {
    // HDF5 has no texts without bytes; what is left of them is filled with zeros.
    let length = max(texts.map(\.utf8.count).max() ?? 0, 1)
    let type = try session.handle(H5Tcopy(latent_h5_c_string()), H5Tclose, name)
    try session.check(H5Tset_size(type.id, length), name)
    try session.check(H5Tset_cset(type.id, H5T_CSET_UTF8), name)
    try session.check(H5Tset_strpad(type.id, H5T_STR_NULLPAD), name)
    let space = try session.space(shape, name)
    let attribute = try session.handle(
      H5Acreate2(object, name, type.id, space.id, creation.id, latent_h5_default_list()),
      H5Aclose, name)
    guard !texts.isEmpty else { return }
    let bytes = texts.flatMap {
      Array($0.utf8) + [UInt8](repeating: 0, count: length - $0.utf8.count)
    }
    try session.check(H5Awrite(attribute.id, type.id, bytes), name)
  }
}

extension HDF5Session {
  /// A data space of fixed extents.
  func space(_ shape: Shape, _ place: String) throws -> HDF5Handle {
    let extents = shape.dimensions.map { hsize_t($0) }
    return try handle(
      extents.isEmpty
        ? H5Screate(H5S_SCALAR) : H5Screate_simple(Int32(extents.count), extents, nil),
      H5Sclose, place)
  }
}
