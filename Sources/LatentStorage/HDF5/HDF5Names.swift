// Names of objects in files. A name is a path; its parents become groups.

enum HDF5Names {
  /// The names in the order of their bytes, or an error for one that cannot be stored.
  static func checked(_ names: [String]) throws -> [String] {
    guard names.count <= StorageLimits.objects else {
      throw StorageError.notStorable(
        name: "the file", found: "\(names.count) names",
        expected: "at most \(StorageLimits.objects)")
    }
    var leaves: Set<String> = []
    for name in names {
      if let problem = problem(of: name) {
        throw StorageError.notStorable(name: name, found: problem, expected: rule)
      }
      guard leaves.insert(name).inserted else {
        throw StorageError.notStorable(
          name: name, found: "the name twice", expected: "one array or text of a name")
      }
    }
    for name in names {
      if let group = parents(of: name).first(where: leaves.contains) {
        throw StorageError.notStorable(
          name: name, found: "an array or text called '\(group)'",
          expected: "no name that is also the folder of another")
      }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  static let rule =
    "parts between single slashes, none empty, '.' or '..', without control characters, at most "
    + "\(StorageLimits.depth) parts and \(StorageLimits.pathBytes) bytes"

  /// What is wrong with a name; nil for a good one.
  static func problem(of name: String) -> String? {
    if name.utf8.count > StorageLimits.pathBytes { return "\(name.utf8.count) bytes" }
    if name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
      return "a control character"
    }
    let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    if parts.count > StorageLimits.depth { return "\(parts.count) parts" }
    for part in parts {
      if part.isEmpty { return "an empty part" }
      if part.elementsEqual(".".utf8) || part.elementsEqual("..".utf8) { return "a dot part" }
    }
    return nil
  }

  /// `a`, `a/b` for `a/b/c`.
  static func parents(of name: String) -> [String] {
    name.utf8.indices.filter { name.utf8[$0] == UInt8(ascii: "/") }.map { String(name[..<$0]) }
  }
}
