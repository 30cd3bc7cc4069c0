// Whole files replaced in one step: a temporary sibling is written, made durable and renamed over
// the target, then the folder is made durable. Readers see the old file or the new one, never a
// part, and so does whoever comes after a crash.
//
// The temporary file is locked while it is written. The kernel drops the lock when the process
// dies, so a temporary file that can be locked exclusively belongs to nobody and may be swept
// away, also across containers, where process numbers say nothing.

import Glibc
import Synchronization

/// Writes files so that they are complete or not there at all.
public enum AtomicFile {
  private static let counter = Atomic<Int>(0)

  /// Replaces the file at `path` by `bytes`, durably.
  ///
  /// The parent folder must exist. A symbolic link at `path` is replaced, not followed.
  ///
  /// - Throws: `StorageError.cannotWrite`. The old file is then intact, except when only the last
  ///   step failed (making the rename durable): then the new file is there.
  public static func write(_ bytes: [UInt8], to path: String) throws {
    try bytes.withUnsafeBytes { try write($0, to: path) }
  }

  /// Replaces the file at `path` by `bytes`, durably.
  public static func write(_ bytes: UnsafeRawBufferPointer, to path: String) throws {
    try write(bytes, to: path, calls: .system)
  }

  static func write(
    _ bytes: UnsafeRawBufferPointer, to path: String, calls: SystemCalls
  ) throws {
    let (folderPath, name) = try split(path)
    func failure(_ action: String, _ code: Int32 = errno) -> StorageError {
      .cannotWrite(file: path, action: action, reason: systemMessage(code) + advice(code))
    }
    let folder = retry { calls.openFolder(folderPath) }
    guard folder >= 0 else { throw failure("opening the folder '\(folderPath)'") }
    defer { _ = calls.close(folder) }

    let (file, temporary) = try createTemporary(in: folder, calls, failure)
    // Durable data cannot be lost by a failing close, so nothing depends on its result.
    defer { _ = calls.close(file) }
    do {
      try withoutWriteSignals { try writeAll(bytes, to: file, calls, failure) }
      guard retry({ calls.sync(file) }) >= 0 else { throw failure("making the data durable") }
      guard retry({ calls.rename(folder, temporary, name) }) >= 0 else {
        throw failure("renaming the finished file")
      }
    } catch {
      _ = calls.unlink(folder, temporary)
      throw error
    }
    // Some file systems do not know folder syncs and say so by EINVAL.
    guard retry({ calls.syncFolder(folder) }) >= 0 || errno == EINVAL else {
      throw failure("making the new name durable")
    }
  }

  private static func createTemporary(
    in folder: Int32, _ calls: SystemCalls, _ failure: (String, Int32) -> StorageError
  ) throws -> (file: Int32, name: String) {
    for _ in 0..<100 {
      let number = counter.wrappingAdd(1, ordering: .relaxed).newValue
      let name = temporaryName(process: getpid(), number: number)
      let file = retry { calls.create(folder, name) }
      if file < 0 {
        if errno == EEXIST { continue }
        throw failure("creating a temporary file", errno)
      }
      // File systems without locks get along without: sweeping asks for the process there.
      let locked = calls.lock(file)
      if locked >= 0 || errno != EWOULDBLOCK, calls.linkCount(file) != 0 { return (file, name) }
      // A sweeper came between creating and locking and took the file away: start again.
      _ = calls.close(file)
    }
    throw failure("creating a temporary file", EEXIST)
  }

  private static func writeAll(
    _ bytes: UnsafeRawBufferPointer, to file: Int32, _ calls: SystemCalls,
    _ failure: (String, Int32) -> StorageError
  ) throws {
    var done = 0
    while let base = bytes.baseAddress, done < bytes.count {
      let count = calls.write(file, base + done, min(bytes.count - done, 1 << 30))
      if count < 0 {
        if errno == EINTR { continue }
        throw failure("writing byte \(done) of \(bytes.count)", errno)
      }
      if count == 0 { throw failure("writing byte \(done) of \(bytes.count)", ENOSPC) }
      done += count
    }
  }

  /// Folder and name of a path.
  private static func split(_ path: String) throws -> (folder: String, name: String) {
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    // A slash may carry a combining mark: it is one character with it, but a byte of its own.
    let name = slash.map { String(path[path.utf8.index(after: $0)...]) } ?? path
    guard !["", ".", ".."].contains(name), !path.utf8.contains(0) else {
      throw StorageError.cannotWrite(
        file: path, action: "reading the path", reason: "it does not name a file")
    }
    guard let slash else { return (".", name) }
    return (slash == path.startIndex ? "/" : String(path[..<slash]), name)
  }

  private static func advice(_ code: Int32) -> String {
    switch code {
    case ENOSPC, EDQUOT: "; free some space or choose another folder"
    case EFBIG: "; raise the limit on file sizes (ulimit -f)"
    case EACCES, EPERM, EROFS: "; choose a folder you may write to"
    case ENOENT, ENOTDIR: "; make the folder first"
    default: ""
    }
  }
}

/// Calls again while a signal interrupts.
func retry<Number: SignedInteger>(_ call: () -> Number) -> Number {
  while true {
    let result = call()
    if result >= 0 || errno != EINTR { return result }
  }
}

/// Runs `body` with the signals for too large files and for pipes without a reader held back on this
/// thread, so that they arrive as error numbers, and forgets them afterwards.
func withoutWriteSignals(_ body: () throws -> Void) rethrows {
  var both = sigset_t()
  var before = sigset_t()
  sigemptyset(&both)
  sigaddset(&both, SIGXFSZ)
  sigaddset(&both, SIGPIPE)
  pthread_sigmask(SIG_BLOCK, &both, &before)
  defer {
    let saved = errno
    for signal in [SIGXFSZ, SIGPIPE] where sigismember(&before, signal) == 0 {
      var only = sigset_t()
      var none = timespec()
      sigemptyset(&only)
      sigaddset(&only, signal)
      while sigtimedwait(&only, nil, &none) >= 0 {}
    }
    errno = saved
    pthread_sigmask(SIG_SETMASK, &before, nil)
  }
  try body()
}
