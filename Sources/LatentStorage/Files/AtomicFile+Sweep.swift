// Temporary files of writers that died in the middle, found by their names and recognised as
// abandoned by their locks.

import Glibc

extension AtomicFile {
  private static let prefix = ".latent-"
  private static let suffix = ".partial"

  static func temporaryName(process: Int32, number: Int) -> String {
    "\(prefix)\(process)-\(number)\(suffix)"
  }

  /// The process that a temporary name speaks of; nil for other names.
  static func process(ofTemporary name: String) -> Int32? {
    guard name.hasPrefix(prefix), name.hasSuffix(suffix) else { return nil }
    let parts = name.dropFirst(prefix.count).dropLast(suffix.count).split(separator: "-")
    guard parts.count == 2, Int(parts[1]) != nil else { return nil }
    return Int32(parts[0])
  }

  /// Removes the temporary files that dead writers left in `folder`, and returns their names.
  ///
  /// Files that another process, or another thread, is writing at this moment stay.
  ///
  /// - Throws: `StorageError.missing` or `.unreadable` when the folder cannot be listed. A file
  ///   that cannot be removed is left without a word.
  @discardableResult
  public static func sweepLeftovers(in folder: String) throws -> [String] {
    let descriptor = retry { open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else {
      throw errno == ENOENT
        ? StorageError.missing(file: folder)
        : StorageError.unreadable(file: folder, reason: systemMessage(errno))
    }
    defer { close(descriptor) }
    return try Folder.names(in: folder).filter { name in
      guard let process = process(ofTemporary: name) else { return false }
      return remove(name, of: process, in: descriptor)
    }
  }

  private static func remove(_ name: String, of process: Int32, in folder: Int32) -> Bool {
    let file = retry { openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK) }
    guard file >= 0 else { return false }
    defer { close(file) }
    if retry({ flock(file, LOCK_EX | LOCK_NB) }) != 0 {
      // Held by its writer, or a file system without locks: there the process decides.
      if errno == EWOULDBLOCK || kill(process, 0) == 0 || errno != ESRCH { return false }
    }
    return unlinkat(folder, name, 0) == 0
  }
}
