// A file as bytes at any place, for data that are read in pieces and never whole.

import Glibc

/// A regular file, open for reading anywhere; any thread may read at any time.
package final class ByteFile: Sendable {
  /// As it was opened.
  package let path: String
  /// Bytes when it was opened.
  package let size: Int
  private let descriptor: Int32

  /// Opens a file for reading.
  ///
  /// - Throws: `StorageError.missing`, `.unreadable`.
  package init(path: String) throws {
    let stream = try FileStream(path: path)
    self.path = path
    size = stream.size
    descriptor = try stream.duplicate()
  }

  /// The file that somebody else has open, under a descriptor of its own.
  /// - Throws: `StorageError.unreadable`.
  init(path: String, sharing other: Int32) throws {
    var status = stat()
    let copy = fcntl(other, F_DUPFD_CLOEXEC, 0)
    guard copy >= 0 else {
      throw StorageError.unreadable(file: path, reason: systemMessage(errno))
    }
    guard fstat(copy, &status) == 0 else {
      let reason = systemMessage(errno)
      close(copy)
      throw StorageError.unreadable(file: path, reason: reason)
    }
    self.path = path
    size = Int(status.st_size)
    descriptor = copy
  }

  deinit { close(descriptor) }

  /// Fills `buffer` with the bytes from `start` on.
  /// - Throws: `StorageError.damaged` when the file ends before, `.unreadable`.
  package func read(from start: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
    var done = 0
    while done < buffer.count {
      let count = pread(
        descriptor, buffer.baseAddress.unsafelyUnwrapped + done, buffer.count - done, start + done)
      if count < 0 && errno == EINTR { continue }
      if count < 0 { throw StorageError.unreadable(file: path, reason: systemMessage(errno)) }
      if count == 0 {
        throw StorageError.damaged(
          file: path, place: "bytes \(start)..<\(start + buffer.count)",
          found: "the end after \(start + done) bytes", expected: "\(size) bytes, as at first")
      }
      done += count
    }
  }
}
