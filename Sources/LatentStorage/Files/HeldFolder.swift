// A folder that is written to for hours may be removed meanwhile, and made anew by somebody else.
// Names do not tell; the numbers of the folder and of its lock file do, and they are given to nothing
// else as long as both are held open. Files are written through the folder that is held open too, so
// that nothing gets into another one that takes its name between looking and writing.

import Glibc

/// A folder as it was when this was made, to be compared with what its path names later.
package final class HeldFolder: Sendable {
  package let path: String
  private let folder: Int32
  /// Of its lock file, where it had one; else negative.
  private let lock: Int32

  /// - Throws: `StorageError.missing` or `.unreadable`.
  package init(_ path: String) throws {
    self.path = path
    let opened = retry { open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    let code = errno
    folder = opened
    lock = opened < 0 ? -1 : retry { openat(opened, RunLock.fileName, O_RDONLY | O_CLOEXEC) }
    guard opened >= 0 else {
      throw code == ENOENT
        ? StorageError.missing(file: path)
        : StorageError.unreadable(file: path, reason: systemMessage(code))
    }
  }

  deinit {
    if lock >= 0 { close(lock) }
    if folder >= 0 { close(folder) }
  }

  /// - Throws: `StorageError.replaced` where the path names another folder now, or none, or where
  ///   the folder's lock file is another one.
  package func verify() throws {
    guard FileIdentity(path) == FileIdentity(descriptor: folder),
      lock < 0 || FileIdentity("\(path)/\(RunLock.fileName)") == FileIdentity(descriptor: lock)
    else { throw StorageError.replaced(folder: path) }
  }

  /// Replaces a file of the folder by `bytes`, durably.
  ///
  /// - Throws: `StorageError.replaced`, `.cannotWrite`.
  package func write(_ bytes: [UInt8], to name: String) throws {
    try verify()
    var calls = SystemCalls.system
    calls.openFolder = { [folder] _ in fcntl(folder, F_DUPFD_CLOEXEC, 0) }
    do {
      try bytes.withUnsafeBytes { try AtomicFile.write($0, to: "\(path)/\(name)", calls: calls) }
    } catch {
      // Where the folder was removed meanwhile that is the reason, whatever could not be done.
      try verify()
      throw error
    }
  }

  /// Removes a file of the folder, where it is there.
  package func remove(_ name: String) { unlinkat(folder, name, 0) }
}

/// What a file is, whatever names lead to it.
package struct FileIdentity: Hashable, Sendable {
  private let device: UInt
  private let number: UInt

  /// What the path leads to, through links; nil where there is nothing.
  package init?(_ path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  init?(descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  private init(_ status: stat) {
    device = UInt(status.st_dev)
    number = UInt(status.st_ino)
  }
}
