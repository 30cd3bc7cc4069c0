// Finding an object by its name, link by link: hard links and soft links are followed inside the
// file, and what leads out of it is named instead. (HDF5 would follow external links by itself, to
// wherever a file of somebody else says.)

import CLatentHDF5

/// An object of a file, open.
struct HDF5Object: ~Copyable {
  /// The name by which it was found.
  let name: String
  /// Its place by hard links alone.
  let path: HDF5Path
  let handle: HDF5Handle

  /// As many soft links are followed on the way to an object, which is HDF5's own limit.
  private static let softLinks = 16

  var kind: H5I_type_t { H5Iget_type(handle.id) }

  /// The first of `candidates` that is there.
  init?(first candidates: [HDF5Path], in file: hid_t, _ session: HDF5Session) throws {
    for candidate in candidates {
      guard let found = try HDF5Object(candidate, in: file, session) else { continue }
      self = found
      return
    }
    return nil
  }

  /// The object at `wanted`; nil where there is none.
  ///
  /// - Throws: `StorageError.unsupported` for links out of the file, or what HDF5 says.
  private init?(_ wanted: HDF5Path, in file: hid_t, _ session: HDF5Session) throws {
    let name = wanted.text
    var current = try Self.root(of: file, session)
    var path = HDF5Path.root
    var rest = Array(wanted.parts.reversed())
    var softLinks = 0
    var target: String?
    while let part = rest.popLast() {
      let link = part.map { CChar(bitPattern: $0) } + [0]
      guard H5Iget_type(current.id) == H5I_GROUP, !part.contains(0),
        try session.check(H5Lexists(current.id, link, latent_h5_default_list()), name) > 0
      else {
        guard let target else { return nil }
        throw session.unsupported(
          name, "a soft link to '\(target)', where nothing is", "a dataset")
      }
      var kind = LATENT_H5_OTHER
      var size = 0
      try session.check(latent_h5_link_of(current.id, link, &kind, &size), name)
      switch kind {
      case LATENT_H5_HARD:
        current = try session.handle(
          H5Oopen(current.id, link, latent_h5_default_list()), H5Oclose, name)
        path = path.appending(part)
      case LATENT_H5_SOFT:
        softLinks += 1
        guard softLinks <= Self.softLinks else {
          throw session.unsupported(
            name, "more than \(Self.softLinks) soft links one after the other", "a dataset")
        }
        let value = try Self.value(of: link, size, in: current, name, session).prefix { $0 != 0 }
        target = HDF5Path.text(Array(value))
        if value.first == UInt8(ascii: "/") {
          current = try Self.root(of: file, session)
          path = .root
        }
        rest += HDF5Path(bytes: value).parts.reversed()
      case LATENT_H5_EXTERNAL:
        // A byte of flags, then the file and the path in it, both ended by zero.
        let value = try Self.value(of: link, size, in: current, name, session).dropFirst()
        let parts = value.split(separator: 0).map { HDF5Path.text(Array($0)) }
        throw session.unsupported(
          name, "a link to another file: '\(parts.last ?? "")' of '\(parts.first ?? "")'",
          "a dataset of this file (open that one instead)")
      default: throw session.unsupported(name, "a link of an unknown kind", "a dataset")
      }
    }
    self.name = name
    self.path = path
    handle = current
  }

  private static func root(of file: hid_t, _ session: HDF5Session) throws -> HDF5Handle {
    try session.handle(H5Gopen2(file, "/", latent_h5_default_list()), H5Gclose, "the root group")
  }

  private static func value(
    of link: [CChar], _ size: Int, in group: borrowing HDF5Handle, _ name: String,
    _ session: HDF5Session
  ) throws -> [UInt8] {
    var value = [UInt8](repeating: 0, count: max(size, 1))
    try session.check(
      H5Lget_val(group.id, link, &value, size, latent_h5_default_list()), name)
    return value
  }
}
