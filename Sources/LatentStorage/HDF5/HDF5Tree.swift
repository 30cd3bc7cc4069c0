// Walking the groups of a file that may be hostile: hard links only and every group once, so that
// links in a circle and links that multiply both come to an end.

import CLatentHDF5

/// The datasets of a file, and what was passed over on the way to them.
struct HDF5Tree {
  /// How far a walk goes.
  enum Extent {
    /// A checkpoint, in which anything but arrays and texts, each under one name, is an error.
    case checkpoint
    /// What can be read of somebody else's file.
    case foreign
    /// The first of it, for messages.
    case glance
  }

  /// Groups below groups of foreign files are listed to this depth; by name, those below are found.
  private static let listedDepth = 1000
  /// Links that a glance looks at, in all and of each group.
  private static let glanceLinks = (all: 1000, each: 100)

  private let extent: Extent
  private let root: hid_t
  private let session: HDF5Session
  /// Groups in the order of their names' bytes.
  private(set) var datasets: [HDF5Path] = []
  private var seen: Set<UInt64> = []
  private var room: Int

  static func datasets(
    below root: borrowing HDF5Handle, _ extent: Extent, _ session: HDF5Session
  ) throws -> [HDF5Path] {
    var tree = try HDF5Tree(root, extent, session)
    try tree.walk()
    return tree.datasets
  }

  private init(
    _ root: borrowing HDF5Handle, _ extent: Extent, _ session: HDF5Session
  ) throws {
    self.root = root.id
    self.extent = extent
    self.session = session
    room =
      switch extent {
      case .checkpoint: StorageLimits.objects
      case .foreign: Int.max
      case .glance: Self.glanceLinks.all
      }
    var (kind, address) = (LATENT_H5_UNKNOWN, UInt64(0))
    try session.check(latent_h5_identity(root.id, ".", &kind, &address), "the root group")
    seen.insert(address)
  }

  private var depth: Int {
    if case .checkpoint = extent { StorageLimits.depth } else { Self.listedDepth }
  }

  /// Something that a checkpoint must not have.
  private func foreign(_ path: HDF5Path, _ found: String, _ expected: String) throws {
    if case .checkpoint = extent { throw session.unsupported(path.text, found, expected) }
  }

  private mutating func walk() throws {
    var pending = [HDF5Path.root]
    while let group = pending.popLast() {
      var inner: [HDF5Path] = []
      for link in try links(of: group) {
        let path = group.appending(link.name)
        switch link.kind {
        case LATENT_H5_HARD: try visit(path, adding: &inner)
        case LATENT_H5_SOFT: try foreign(path, "a soft link", "arrays and texts only")
        case LATENT_H5_EXTERNAL:
          try foreign(path, "a link to another file", "arrays and texts only")
        default: try foreign(path, "a link of an unknown kind", "arrays and texts only")
        }
      }
      pending.append(contentsOf: inner.reversed())
    }
  }

  private mutating func visit(_ path: HDF5Path, adding inner: inout [HDF5Path]) throws {
    var (kind, address) = (LATENT_H5_UNKNOWN, UInt64(0))
    if latent_h5_identity(root, path.cString, &kind, &address) < 0 {
      // What this library cannot read keeps nobody from reading what lies beside it.
      let problem = session.failure(path.text)
      if case .checkpoint = extent { throw problem }
      return
    }
    let isNew = seen.insert(address).inserted
    if !isNew { try foreign(path, "a second name of another object", "one name for each") }
    switch kind {
    case LATENT_H5_DATASET:
      if case .checkpoint = extent { try checkName(path) }
      datasets.append(path)
    case LATENT_H5_GROUP where !isNew: break
    case LATENT_H5_GROUP:
      if path.parts.count < depth {
        inner.append(path)
      } else {
        try foreign(path, "groups nested deeper than that", "at most \(depth) levels")
      }
    default: try foreign(path, "a named type", "arrays and texts only")
    }
  }

  private func checkName(_ path: HDF5Path) throws {
    let text = String(validating: path.bytes, as: UTF8.self)
    let problem = text.map(HDF5Names.problem(of:)) ?? "bytes that are not UTF-8"
    if let problem {
      throw session.unsupported("the name of an object", problem, HDF5Names.rule)
    }
  }

  private struct Links {
    var found: [(name: [UInt8], kind: latent_h5_link)] = []
    var room: Int
  }

  private mutating func links(
    of path: HDF5Path
  ) throws -> [(name: [UInt8], kind: latent_h5_link)] {
    let place = path == .root ? "the root group" : path.text
    let id = H5Gopen2(root, path.cString, latent_h5_default_list())
    var limit = room
    if case .glance = extent { limit = min(room, Self.glanceLinks.each) }
    var links = Links(room: limit)
    var status = herr_t(-1)
    if id >= 0 {
      defer { H5Gclose(id) }
      try checkCount(of: id, place)
      status = withUnsafeMutablePointer(to: &links) { links in
        latent_h5_links(
          id,
          { name, kind, context in
            guard let name, let links = context?.assumingMemoryBound(to: Links.self) else {
              return -1
            }
            if links.pointee.room == 0 { return 1 }
            links.pointee.room -= 1
            links.pointee.found.append((HDF5Path.bytes(of: name), kind))
            return 0
          }, links)
      }
    }
    if status < 0 {
      let problem = session.failure(place)
      // A group of which some links can be read has these.
      if path == .root && links.found.isEmpty { throw problem }
      if case .checkpoint = extent { throw problem }
    }
    room -= links.found.count
    return links.found
  }

  /// A checkpoint is refused before its links are looked at.
  private func checkCount(of group: hid_t, _ place: String) throws {
    guard case .checkpoint = extent else { return }
    var info = H5G_info_t()
    try session.check(H5Gget_info(group, &info), place)
    guard info.nlinks <= hsize_t(room) else {
      throw session.unsupported(
        place, "more objects than that", "at most \(StorageLimits.objects) in the file")
    }
  }
}
