// Gzip through zlib, as a stream. zlib checks the CRC and the length that follow the data.
// Several members one after the other are one file by the standard (RFC 1952, 2.2), and some tools
// write them on purpose: they are read as one. Anything else after a member is refused.

import CLatentZlib

/// Gzip compression of bytes in memory.
public enum Gzip {
  static let magic: [UInt8] = [0x1f, 0x8b]

  /// The bytes compressed; the same for the same input (no time, no name).
  public static func compress(_ bytes: [UInt8], level: Int = 6) -> [UInt8] {
    Deflate.compress(bytes, level: level, wrapper: .gzip)
  }

  /// The contents of a gzip file of one or more members.
  ///
  /// - Parameters:
  ///   - limit: The most bytes to make of it; more is an error, found before they are allocated.
  ///   - source: What messages call the bytes.
  /// - Throws: `StorageError.damaged`.
  public static func decompress(
    _ bytes: [UInt8], limit: Int, source: String = "gzip in memory"
  ) throws -> [UInt8] {
    try bytes.withUnsafeBytes { bytes in
      let stream = GzipStream(MemoryStream(bytes, name: source))
      var result: [UInt8] = []
      var piece = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let count = try piece.withUnsafeMutableBytes { try stream.read(into: $0) }
        if count == 0 { return result }
        guard count <= limit - result.count else {
          throw StorageError.damaged(
            file: source, place: "the contents", found: "more than \(limit) bytes",
            expected: "at most that")
        }
        result.append(contentsOf: piece[..<count])
      }
    }
  }
}

extension ByteStream {
  /// Reads to the end, but not much further than `limit` bytes, and returns their number.
  mutating func countBytes(limit: Int) throws -> Int {
    var total = 0
    try withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 16) { buffer in
      while total <= limit {
        let count = try read(into: buffer)
        if count == 0 { break }
        total += count
      }
    }
    return total
  }
}

/// The decompressed bytes of another stream.
final class GzipStream<Source: ByteStream>: ByteStream {
  private enum Position { case start, inside, between, end }

  private var source: Source
  private let inflater: UnsafeMutablePointer<z_stream>
  private let input: UnsafeMutableBufferPointer<UInt8>
  private var position = Position.start
  private let bound: Int

  init(_ source: Source) {
    self.source = source
    bound = Self.bound(compressed: source.upperBound)
    input = .allocate(capacity: 1 << 16)
    inflater = .allocate(capacity: 1)
    inflater.initialize(to: z_stream())
    // 15 bits of window, 16 for "gzip wrapper only".
    let status = inflateInit2_(
      inflater, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib does not start (status \(status)): out of memory?")
  }

  deinit {
    inflateEnd(inflater)
    inflater.deallocate()
    input.deallocate()
  }

  var name: String { source.name }
  var upperBound: Int { bound }

  /// Deflate cannot expand by more than a factor; nothing bigger can come out.
  private static func bound(compressed: Int) -> Int {
    let (product, overflow) = compressed.multipliedReportingOverflow(
      by: StorageLimits.deflateRatio)
    return overflow ? Int.max : product
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    guard buffer.count > 0, position != .end else { return 0 }
    let wanted = min(buffer.count, 1 << 30)
    inflater.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
    inflater.pointee.avail_out = UInt32(wanted)
    while inflater.pointee.avail_out == UInt32(wanted) {
      if inflater.pointee.avail_in == 0, try refill() == 0 {
        if position == .between {
          position = .end
          return 0
        }
        throw damaged("the end of the file", "a complete gzip stream")
      }
      if position == .between { try startMember() }
      position = .inside
      switch inflate(inflater, Z_NO_FLUSH) {
      case Z_OK, Z_BUF_ERROR: break
      case Z_STREAM_END: position = .between
      default:
        let message = inflater.pointee.msg.map { String(cString: $0) } ?? "invalid data"
        throw damaged(message, "valid gzip data")
      }
    }
    return wanted - Int(inflater.pointee.avail_out)
  }

  private func startMember() throws {
    // The first byte is enough to tell garbage from a member; zlib checks the rest of the header.
    guard inflater.pointee.next_in.pointee == Gzip.magic[0] else {
      throw damaged("other bytes after the gzip stream", "none, or another gzip member")
    }
    inflateReset(inflater)
  }

  private func refill() throws -> Int {
    let count = try source.read(into: UnsafeMutableRawBufferPointer(input))
    inflater.pointee.next_in = input.baseAddress
    inflater.pointee.avail_in = UInt32(count)
    return count
  }

  private func damaged(_ found: String, _ expected: String) -> StorageError {
    .damaged(file: name, place: "the compressed data", found: found, expected: expected)
  }
}
