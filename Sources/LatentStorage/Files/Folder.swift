// Listing and making folders with typed errors.

import Glibc

/// Helpers for folders.
public enum Folder {
  /// The names in a folder in the order of their bytes, without "." and "..".
  ///
  /// - Throws: `StorageError.missing` or `.unreadable`.
  public static func names(in path: String) throws -> [String] {
    guard let folder = opendir(path) else {
      throw errno == ENOENT
        ? StorageError.missing(file: path)
        : StorageError.unreadable(file: path, reason: systemMessage(errno))
    }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Makes a folder and those above it; nothing happens where it exists already.
  ///
  /// - Throws: `StorageError.cannotWrite`.
  public static func create(_ path: String) throws {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return }
    if let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.startIndex {
      try create(String(path[..<slash]))
    }
    if mkdir(path, 0o777) != 0 && errno != EEXIST {
      throw StorageError.cannotWrite(
        file: path, action: "making the folder", reason: systemMessage(errno))
    }
    if stat(path, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR {
      throw StorageError.cannotWrite(
        file: path, action: "making the folder", reason: "there is a file of this name")
    }
  }
}
