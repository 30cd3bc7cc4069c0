// Gzip (RFC 1952) as a stream: the output is bounded by what the reader asks for, so that a small
// file cannot fill the memory, and a stream counts as read only when its check sum agreed.

import CLatentZlib

/// Compression in the gzip format.
public enum Gzip {
  static let magic: [UInt8] = [0x1f, 0x8b]

  /// The bytes as one gzip member without name and time: the same for the same bytes.
  public static func compress(_ bytes: [UInt8], level: Int = 6) -> [UInt8] {
    Deflate.compress(bytes, level: level, windowBits: 15 + 16)
  }

  /// All members of a gzip file, at most `limit` bytes of output.
  ///
  /// - Throws: `StorageError.damaged` for truncated, damaged or trailing bytes or more than `limit`.
  public static func decompress(
    _ bytes: [UInt8], limit: Int, name: String = "gzip data in memory"
  ) throws -> [UInt8] {
    try bytes.withUnsafeBytes { bytes in
      var stream = try GzipStream(MemoryStream(bytes, name: name))
      var result: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: min(1 << 16, limit + 1))
      while true {
        let count = try buffer.withUnsafeMutableBytes { try stream.read(into: $0) }
        if count == 0 { return result }
        guard result.count + count <= limit else {
          throw StorageError.damaged(
            file: name, place: "the compressed data", found: "more than \(limit) bytes",
            expected: "at most that")
        }
        result += buffer[..<count]
      }
    }
  }
}

enum Deflate {
  /// zlib's deflate in one call; `windowBits` chooses the wrapper (15 zlib, 31 gzip).
  static func compress(_ bytes: [UInt8], level: Int, windowBits: Int32) -> [UInt8] {
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    guard
      deflateInit2_(
        &stream, Int32(level), Z_DEFLATED, windowBits, 9, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
        == Z_OK
    else { fatalError("zlib does not start: level \(level)") }
    defer { deflateEnd(&stream) }
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    var input = bytes
    input.withUnsafeMutableBufferPointer { input in
      var done = 0
      var status = Z_OK
      while status != Z_STREAM_END {
        if stream.avail_in == 0 && done < input.count {
          let part = min(input.count - done, 1 << 30)
          stream.next_in = input.baseAddress.map { $0 + done }
          stream.avail_in = UInt32(part)
          done += part
        }
        buffer.withUnsafeMutableBufferPointer { buffer in
          stream.next_out = buffer.baseAddress
          stream.avail_out = UInt32(buffer.count)
          status = deflate(&stream, done == input.count ? Z_FINISH : Z_NO_FLUSH)
          output += buffer[..<(buffer.count - Int(stream.avail_out))]
        }
      }
    }
    return output
  }
}

/// The decompressed bytes of a gzip file. Concatenated members follow each other, as gzip does it.
struct GzipStream<Source: ByteStream>: ByteStream {
  private final class State {
    var stream = z_stream()
    var input = [UInt8](repeating: 0, count: 1 << 16)
    var start = 0
    var end = 0
    var isBetweenMembers = false

    init() throws {
      inflateInit2_(
        &stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    }

    deinit { inflateEnd(&stream) }
  }

  private var source: Source
  private let state: State

  init(_ source: Source) throws {
    self.source = source
    state = try State()
  }

  var name: String { source.name }

  var upperBound: Int {
    let input = source.upperBound + state.end - state.start
    let (bound, overflow) = input.multipliedReportingOverflow(by: StorageLimits.deflateRatio)
    return overflow ? .max : bound
  }

  private func damaged(_ found: String) -> StorageError {
    .damaged(
      file: name, place: "the compressed data", found: found, expected: "a complete gzip stream")
  }

  mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    guard buffer.count > 0 else { return 0 }
    while true {
      if state.start == state.end {
        state.end = try state.input.withUnsafeMutableBytes { try source.read(into: $0) }
        state.start = 0
      }
      if state.isBetweenMembers {
        if state.start == state.end { return 0 }
        guard state.input[state.start] == Gzip.magic[0] else {
          throw damaged("other bytes after the end")
        }
        inflateReset(&state.stream)
        state.isBetweenMembers = false
      }
      if state.start == state.end { throw damaged("the end in its middle") }
      let capacity = min(buffer.count, 1 << 30)
      let status = state.input.withUnsafeMutableBufferPointer { input -> Int32 in
        state.stream.next_in = input.baseAddress.map { $0 + state.start }
        state.stream.avail_in = UInt32(state.end - state.start)
        state.stream.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        state.stream.avail_out = UInt32(capacity)
        let status = inflate(&state.stream, Z_NO_FLUSH)
        state.start = state.end - Int(state.stream.avail_in)
        return status
      }
      let produced = capacity - Int(state.stream.avail_out)
      switch status {
      case Z_STREAM_END: state.isBetweenMembers = true
      case Z_OK, Z_BUF_ERROR: break
      default:
        throw damaged(state.stream.msg.map { String(cString: $0) } ?? "zlib error \(status)")
      }
      if produced > 0 { return produced }
    }
  }
}
