// The system calls of the atomic writer as a table of functions, so that tests can make each of
// them fail. Every function sets `errno` when it returns a negative number.

import Glibc

struct SystemCalls: Sendable {
  /// Opens a folder for the calls below.
  var openFolder: @Sendable (_ path: String) -> Int32
  /// Creates a file that must not exist.
  var create: @Sendable (_ folder: Int32, _ name: String) -> Int32
  /// Takes the shared lock of an open file without waiting. It keeps off sweepers, who want the file
  /// for themselves, but not HDF5, which shares what it reads: ours lasts until after the rename,
  /// and longer in a process that is just being started by another thread.
  var lock: @Sendable (_ file: Int32) -> Int32
  /// The number of names an open file has; 0 when it was unlinked.
  var linkCount: @Sendable (_ file: Int32) -> Int
  var write: @Sendable (_ file: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int
  var sync: @Sendable (_ file: Int32) -> Int32
  var rename: @Sendable (_ folder: Int32, _ from: String, _ to: String) -> Int32
  var syncFolder: @Sendable (_ folder: Int32) -> Int32
  var unlink: @Sendable (_ folder: Int32, _ name: String) -> Int32
  var close: @Sendable (_ file: Int32) -> Int32

  static let system = SystemCalls(
    openFolder: { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) },
    create: { openat($0, $1, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o666) },
    lock: { flock($0, LOCK_SH | LOCK_NB) },
    linkCount: { file in
      var status = stat()
      return fstat(file, &status) == 0 ? Int(status.st_nlink) : -1
    },
    write: { Glibc.write($0, $1, $2) },
    sync: { fsync($0) },
    rename: { renameat($0, $1, $0, $2) },
    syncFolder: { fsync($0) },
    unlink: { unlinkat($0, $1, 0) },
    close: { Glibc.close($0) })
}
