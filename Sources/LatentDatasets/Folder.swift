// The little this module asks of the file system.

import Foundation

/// Folders and paths.
enum Folder {
  /// The names in a folder, sorted by their bytes (the same order on every machine), without
  /// hidden ones. Throws `DatasetError.notAFolder`.
  static func list(_ path: String) throws -> [String] {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
      throw DatasetError.notAFolder(path: path)
    }
    return names.filter { !$0.hasPrefix(".") }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  static func isFolder(_ path: String) -> Bool {
    var answer: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &answer) && answer.boolValue
  }
}

extension String {
  /// What stands after the last slash, for names; the whole text where there is none.
  var lastPathComponent: String {
    split(separator: "/").last.map(String.init) ?? self
  }

  /// The home folder for a leading tilde, which shells leave alone after a colon.
  var withHomeFolder: String {
    guard self == "~" || hasPrefix("~/") else { return self }
    let home = ProcessInfo.processInfo.environment["HOME"] ?? ""
    return (home.isEmpty ? FileManager.default.homeDirectoryForCurrentUser.path : home)
      + dropFirst()
  }
}
