// Files are read front to back as a stream of bytes, so that a header can be judged before the
// body is allocated, and so that plain and compressed files go through the same parser.

import Glibc

/// A source of bytes.
protocol ByteStream {
  /// The name of the source in messages.
  var name: String { get }
  /// The most bytes that can still come, as far as is known without reading them.
  var upperBound: Int { get }
  /// Reads at most `buffer.count` bytes (at least one unless the end is reached); 0 at the end.
  mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

extension ByteStream {
  /// Fills `buffer`, or says that `place` ends too early.
  mutating func fill(_ buffer: UnsafeMutableRawBufferPointer, place: String) throws {
    var done = 0
    while done < buffer.count {
      let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]))
      if count == 0 {
        throw StorageError.damaged(
          file: name, place: place, found: "the end after \(done) bytes",
          expected: "\(buffer.count) bytes")
      }
      done += count
    }
  }

  mutating func bytes(_ count: Int, place: String) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      try fill(
        UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]),
        place: place)
      initialized = count
    }
  }

  /// Refuses anything after the last byte that belongs to the format.
  mutating func expectEnd(after place: String) throws {
    var extra: UInt8 = 0
    let count = try withUnsafeMutableBytes(of: &extra) { try read(into: $0) }
    if count != 0 {
      throw StorageError.damaged(
        file: name, place: "the end", found: "more bytes after \(place)", expected: "none")
    }
  }
}

/// Bytes in memory as a stream. The memory must outlive it.
struct MemoryStream: ByteStream {
  let name: String
  private var rest: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer, name: String) {
    self.name = name
    rest = bytes
  }

  var upperBound: Int { rest.count }

  mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(buffer.count, rest.count)
    guard count > 0 else { return 0 }
    buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
    return count
  }
}

/// A regular file, open for reading.
final class FileStream: ByteStream {
  let name: String
  let size: Int
  private let descriptor: Int32
  private var position = 0

  init(path: String) throws {
    name = path
    guard !path.utf8.contains(0) else {
      throw StorageError.unreadable(file: path, reason: "the path contains a zero byte")
    }
    let opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard opened >= 0 else { throw FileStream.failure(path, errno) }
    descriptor = opened
    var status = stat()
    let known = fstat(opened, &status)
    size = Int(status.st_size)
    if known != 0 { throw FileStream.failure(path, errno) }
    if status.st_mode & S_IFMT != S_IFREG {
      let folder = status.st_mode & S_IFMT == S_IFDIR
      throw StorageError.unreadable(
        file: path, reason: folder ? "it is a folder, not a file" : "it is not a regular file")
    }
  }

  deinit { close(descriptor) }

  var upperBound: Int { size - position }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    guard buffer.count > 0 else { return 0 }
    while true {
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 {
        position += count
        return count
      }
      if errno != EINTR { throw FileStream.failure(name, errno) }
    }
  }

  /// A descriptor of the same file that outlives this stream.
  func duplicate() throws -> Int32 {
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    if copy < 0 { throw FileStream.failure(name, errno) }
    return copy
  }

  func rewind() throws {
    if lseek(descriptor, 0, SEEK_SET) != 0 { throw FileStream.failure(name, errno) }
    position = 0
  }

  /// The whole file, if it is not larger than `limit`.
  static func contents(of path: String, limit: Int) throws -> [UInt8] {
    var stream = try FileStream(path: path)
    guard stream.size <= limit else {
      throw StorageError.unsupported(
        file: path, place: "the whole", found: "\(stream.size) bytes",
        expected: "at most \(limit) bytes")
    }
    let result = try stream.bytes(stream.size, place: "the body")
    try stream.expectEnd(after: "its size of \(stream.size) bytes")
    return result
  }

  private static func failure(_ path: String, _ code: Int32) -> StorageError {
    code == ENOENT || code == ENOTDIR
      ? .missing(file: path) : .unreadable(file: path, reason: systemMessage(code))
  }
}

/// What the system says about an error number, and the number.
func systemMessage(_ code: Int32) -> String {
  "\(String(cString: strerror(code))) (error \(code))"
}
