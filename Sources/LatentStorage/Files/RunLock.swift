// One process per run folder. The lock belongs to the kernel (flock), so it dies with the process
// and no stale lock file can keep anybody out; the file itself stays and only says who was last.

import Glibc

/// The exclusive right to write into a run folder, held until the object is released.
public final class RunLock: Sendable {
  /// The name of the lock file inside the folder.
  public static let fileName = ".lock"

  /// The folder that is locked.
  public let folder: String
  private let descriptor: Int32

  /// Takes the lock of an existing folder, without waiting.
  ///
  /// - Throws: `StorageError.busy` with the holder's process number when another process (or
  ///   another `RunLock` of this one) has it; `.cannotWrite` when the lock file cannot be made.
  public init(folder: String) throws {
    self.folder = folder
    let path = "\(folder)/\(RunLock.fileName)"
    descriptor = retry { open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666) }
    guard descriptor >= 0 else {
      throw StorageError.cannotWrite(
        file: path, action: "making the lock file", reason: systemMessage(errno))
    }
    if retry({ flock(descriptor, LOCK_EX | LOCK_NB) }) != 0 {
      let code = errno
      throw code == EWOULDBLOCK
        ? StorageError.busy(folder: folder, holder: RunLock.holder(descriptor))
        : StorageError.cannotWrite(
          file: path, action: "locking the folder", reason: systemMessage(code))
    }
    // For the message of whoever comes second; the lock does not depend on it.
    let text = Array("\(getpid())\n".utf8)
    if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.count, 0) }
  }

  deinit {
    guard descriptor >= 0 else { return }
    // Closing is not enough: a process that another thread is just starting has the file open too.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  private static func holder(_ descriptor: Int32) -> Int32? {
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard count > 0 else { return nil }
    return Int32(String(decoding: bytes[..<count].prefix { $0 != 10 }, as: UTF8.self))
  }
}
