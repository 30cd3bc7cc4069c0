// Walking the groups of a file that may be hostile: hard links only, every group once, with bounds
// on depth and on the number of objects, so that links in a circle and links that multiply both
// come to an end.

import CLatentHDF5

/// The datasets of a file, and what was passed over on the way to them.
struct HDF5Tree {
  /// Paths of datasets, groups in the order of their names.
  private(set) var datasets: [String] = []
  /// Paths of other things and why they are not followed.
  private(set) var skipped: [(path: String, reason: String)] = []
  /// Addresses of the objects seen so far, and whether one had two names.
  private var seen: Set<UInt64> = []
  private var aliases: [String] = []

  /// The datasets, provided that there is nothing else, and one name for each.
  func strict(_ session: HDF5Session) throws -> [String] {
    if let alias = aliases.first {
      throw session.damaged(alias, "a second name of another object", "one name for each")
    }
    if let other = skipped.first {
      throw session.damaged(other.path, other.reason, "arrays and texts only")
    }
    for path in datasets {
      if let problem = HDF5Names.problem(of: path) {
        throw session.damaged("the name of an object", problem, HDF5Names.rule)
      }
    }
    return datasets
  }

  static func objects(
    below root: borrowing HDF5Handle, session: HDF5Session
  ) throws -> HDF5Tree {
    var tree = HDF5Tree()
    var rootAddress: UInt64 = 0
    try session.check(latent_h5_address(root.id, &rootAddress), "the root group")
    tree.seen.insert(rootAddress)
    var pending = [(path: "", depth: 0)]
    var budget = StorageLimits.objects
    while let group = pending.popLast() {
      var inner: [(path: String, depth: Int)] = []
      for link in try links(of: group.path, in: root, budget: &budget, session) {
        let path = group.path.isEmpty ? link.name : "\(group.path)/\(link.name)"
        switch link.kind {
        case LATENT_H5_HARD:
          let object = try identity(of: path, in: root, session)
          let isNew = tree.seen.insert(object.address).inserted
          if !isNew { tree.aliases.append(path) }
          switch object.kind {
          case H5I_DATASET: tree.datasets.append(path)
          case H5I_GROUP where !isNew: tree.skipped.append((path, "a second name of a group"))
          case H5I_GROUP:
            guard group.depth + 1 < StorageLimits.depth else {
              throw session.damaged(
                path, "groups nested deeper than that", "at most \(StorageLimits.depth) levels")
            }
            inner.append((path, group.depth + 1))
          default: tree.skipped.append((path, "a named type"))
          }
        case LATENT_H5_SOFT: tree.skipped.append((path, "a soft link"))
        case LATENT_H5_EXTERNAL: tree.skipped.append((path, "a link to another file"))
        default: tree.skipped.append((path, "a link of an unknown kind"))
        }
      }
      pending.append(contentsOf: inner.reversed())
    }
    return tree
  }

  private static func identity(
    of path: String, in root: borrowing HDF5Handle, _ session: HDF5Session
  ) throws -> (kind: H5I_type_t, address: UInt64) {
    let object = try session.handle(
      H5Oopen(root.id, path, latent_h5_default_list()), H5Oclose, path)
    var address: UInt64 = 0
    try session.check(latent_h5_address(object.id, &address), path)
    return (H5Iget_type(object.id), address)
  }

  private struct Links {
    var found: [(name: String, kind: latent_h5_link)] = []
    var room: Int
  }

  private static func links(
    of path: String, in root: borrowing HDF5Handle, budget: inout Int, _ session: HDF5Session
  ) throws -> [(name: String, kind: latent_h5_link)] {
    let place = path.isEmpty ? "the root group" : path
    let group = try session.handle(
      H5Gopen2(root.id, path.isEmpty ? "." : path, latent_h5_default_list()), H5Gclose, place)
    var info = H5G_info_t()
    try session.check(H5Gget_info(group.id, &info), place)
    guard info.nlinks <= hsize_t(budget) else {
      throw session.damaged(
        place, "more objects than that", "at most \(StorageLimits.objects) in the file")
    }
    var links = Links(room: budget)
    let status = withUnsafeMutablePointer(to: &links) { links in
      latent_h5_links(
        group.id,
        { name, kind, context in
          guard let name, let links = context?.assumingMemoryBound(to: Links.self),
            links.pointee.room > 0
          else { return -1 }
          links.pointee.room -= 1
          links.pointee.found.append((String(cString: name), kind))
          return 0
        }, links)
    }
    try session.check(status, place)
    budget = links.room
    return links.found
  }
}
