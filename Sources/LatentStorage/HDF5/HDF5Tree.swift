// The objects of a file by path. Only hard links are followed; a link to another place or another
// file is not data of this file.

import CLatentHDF5

/// What stands below a group.
struct HDF5Listing {
  /// Paths of datasets, in the order of their bytes.
  var datasets: [String] = []
  /// Paths that are not plain datasets or groups, and what they are.
  var refused: [(path: String, what: String)] = []

  /// The datasets of a file of ours, where nothing else may be.
  func strict(_ session: HDF5Session) throws -> [String] {
    if let first = refused.first {
      throw session.damaged(first.path, first.what, "datasets and groups only")
    }
    return datasets
  }
}

enum HDF5Tree {
  static func objects(
    below root: borrowing HDF5Handle, session: HDF5Session
  ) throws -> HDF5Listing {
    var listing = HDF5Listing()
    var seen = 0
    try visit(root, prefix: "", depth: 0, &listing, &seen, session)
    return listing
  }

  private static func visit(
    _ group: borrowing HDF5Handle, prefix: String, depth: Int, _ listing: inout HDF5Listing,
    _ seen: inout Int, _ session: HDF5Session
  ) throws {
    guard depth < StorageLimits.depth else {
      throw session.damaged(
        prefix, "groups nested deeper than \(StorageLimits.depth)", "a flatter file")
    }
    for (name, kind) in try links(of: group, prefix, session) {
      seen += 1
      let path = prefix.isEmpty ? name : "\(prefix)/\(name)"
      guard seen <= StorageLimits.objects, path.utf8.count <= StorageLimits.pathBytes else {
        throw session.damaged(
          "the names", "more than \(StorageLimits.objects) objects or a path too long", "fewer")
      }
      guard kind == LATENT_H5_HARD else {
        listing.refused.append((path, "a soft or external link"))
        continue
      }
      let object = try session.handle(
        H5Oopen(group.id, name, latent_h5_default_list()), H5Oclose, path)
      switch H5Iget_type(object.id) {
      case H5I_DATASET: listing.datasets.append(path)
      case H5I_GROUP:
        try visit(object, prefix: path, depth: depth + 1, &listing, &seen, session)
      default: listing.refused.append((path, "a named datatype"))
      }
    }
  }

  private final class Names {
    var list: [(String, latent_h5_link)] = []
    var isValid = true
  }

  private static func links(
    of group: borrowing HDF5Handle, _ path: String, _ session: HDF5Session
  ) throws -> [(String, latent_h5_link)] {
    let names = Names()
    let status = latent_h5_links(
      group.id,
      { name, kind, context in
        guard let name, let context else { return -1 }
        let names = Unmanaged<Names>.fromOpaque(context).takeUnretainedValue()
        guard let text = String(validatingCString: name), !text.isEmpty, !text.contains("/"),
          names.list.count <= StorageLimits.objects
        else {
          names.isValid = false
          return 1
        }
        names.list.append((text, kind))
        return 0
      }, Unmanaged.passUnretained(names).toOpaque())
    try session.check(status, path.isEmpty ? "the root group" : path)
    guard names.isValid else {
      throw session.damaged(
        path.isEmpty ? "the root group" : path, "a name that is not plain UTF-8 or too many names",
        "plain names")
    }
    return names.list
  }
}
