// Reading the attributes of a file's objects.

import CLatentHDF5
import LatentNumerics

extension HDF5File {
  /// The attributes of a dataset or a group, of the whole file where nothing else is said, by name.
  ///
  /// Those that are no numbers and no texts are passed over; asking for one by its name says why. So
  /// are our own checksums of arrays. Names that are not UTF-8 are as in `Dataset.name`.
  ///
  /// - Throws: `StorageError.noSuchDataset`, `.damaged`, `.unsupported`.
  public func attributes(of object: String = "/") throws -> [String: HDF5Attribute] {
    try HDF5Library.locked(path) { session in
      let owner = try self.object(object, session)
      var result: [String: HDF5Attribute] = [:]
      for name in try Self.names(of: owner, session)
      where name != Array(BlockChecksums.attribute.utf8) {
        guard let value = try? read(name, of: owner, session) else { continue }
        // Two names may be the same text to Swift, composed and decomposed.
        let text = HDF5Path.text(name)
        result[result[text] == nil ? text : HDF5Path.plainText(name)] = value
      }
      return result
    }
  }

  /// An attribute of a dataset or a group, of the whole file where nothing else is said; nil where
  /// there is none of this name.
  ///
  /// Integers that do not fit int32 come as float64, where they fit that exactly.
  ///
  /// - Throws: `StorageError.noSuchDataset` without such an object, `.unsupported` for what is no
  ///   number and no text, `.damaged`.
  public func attribute(_ name: String, of object: String = "/") throws -> HDF5Attribute? {
    try HDF5Library.locked(path) { session in
      let owner = try self.object(object, session)
      let plain = Array(name.utf8)
      for bytes in [HDF5Path.unescaped(plain), plain] where !bytes.isEmpty && !bytes.contains(0) {
        let cName = bytes.map { CChar(bitPattern: $0) } + [0]
        let isThere = try session.check(H5Aexists(owner.handle.id, cName), "the attributes") > 0
        if isThere { return try read(bytes, of: owner, session) }
      }
      return nil
    }
  }

  private func read(
    _ name: [UInt8], of owner: borrowing HDF5Object, _ session: HDF5Session
  ) throws -> HDF5Attribute {
    let object = owner.name.isEmpty ? "the file" : "'\(owner.name)'"
    let place = "the attribute '\(HDF5Path.text(name))' of \(object)"
    let cName = name.map { CChar(bitPattern: $0) } + [0]
    let attribute = try session.handle(
      H5Aopen(owner.handle.id, cName, latent_h5_default_list()), H5Aclose, place)
    return try HDF5Attribute(reading: attribute, place, fileSize: byteCount, session)
  }

  private static func names(
    of owner: borrowing HDF5Object, _ session: HDF5Session
  ) throws -> [[UInt8]] {
    var names: [[UInt8]] = []
    let status = withUnsafeMutablePointer(to: &names) { names in
      H5Aiterate2(
        owner.handle.id, H5_INDEX_NAME, H5_ITER_INC, nil,
        { _, name, _, context in
          guard let name, let names = context?.assumingMemoryBound(to: [[UInt8]].self) else {
            return -1
          }
          names.pointee.append(HDF5Path.bytes(of: name))
          return 0
        }, names)
    }
    try session.check(status, owner.name.isEmpty ? "the attributes of the file" : owner.name)
    return names
  }
}
