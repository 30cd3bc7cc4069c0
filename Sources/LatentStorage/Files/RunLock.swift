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
  private let held: HeldFolder

  /// Takes the lock of an existing folder, without waiting.
  ///
  /// - Throws: `StorageError.busy` with the holder's process number when another process (or
  ///   another `RunLock` of this one) has it; `.cannotWrite` when the lock file cannot be made.
  public init(folder: String) throws {
    self.folder = folder
    let path = "\(folder)/\(RunLock.fileName)"
    let file = retry { open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666) }
    guard file >= 0 else {
      throw StorageError.cannotWrite(
        file: path, action: "making the lock file", reason: systemMessage(errno))
    }
    do {
      held = try HeldFolder(folder)
    } catch {
      close(file)
      throw error
    }
    descriptor = file
    if retry({ flock(descriptor, LOCK_EX | LOCK_NB) }) != 0 {
      let code = errno
      throw code == EWOULDBLOCK
        ? StorageError.busy(folder: folder, holder: RunLock.holder(descriptor))
        : StorageError.cannotWrite(
          file: path, action: "locking the folder", reason: systemMessage(code))
    }
    // The file may be somebody else's, of the same name.
    guard RunLock.isOurs(descriptor) else {
      throw StorageError.cannotWrite(
        file: path, action: "locking the folder",
        reason: "the file is not one of Latent's; choose another folder")
    }
    // For the message of whoever comes second; the lock does not depend on it.
    let text = Array("\(getpid())\n".utf8)
    if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.count, 0) }
  }

  deinit {
    // Closing is not enough: a process that another thread is just starting has the file open too.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  /// Checks that the folder is still the one that was locked.
  ///
  /// - Throws: `StorageError.replaced` where the folder or its lock file was removed or made anew.
  public func verify() throws { try held.verify() }

  /// Whether the folder was locked for a run before, or is at this moment.
  public static func exists(in folder: String) -> Bool {
    let flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
    let file = retry { open("\(folder)/\(fileName)", flags) }
    guard file >= 0 else { return false }
    defer { close(file) }
    return holder(file) != nil && isOurs(file)
  }

  /// Whether an open file holds nothing but the number of a process.
  private static func isOurs(_ descriptor: Int32) -> Bool {
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    if count <= 0 { return count == 0 }
    let digits = bytes[..<(count - 1)]
    return count < bytes.count && bytes[count - 1] == 10
      && digits.allSatisfy { (48...57).contains($0) }
  }

  private static func holder(_ descriptor: Int32) -> Int32? {
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = pread(descriptor, &bytes, bytes.count, 0)
    guard count > 0 else { return nil }
    return Int32(String(decoding: bytes[..<count].prefix { $0 != 10 }, as: UTF8.self))
  }
}
