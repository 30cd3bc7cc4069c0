// Compression through zlib, bare of any file format.

import CLatentZlib

enum Deflate {
  /// What stands around the compressed bytes.
  enum Wrapper: Int32 {
    case zlib = 15
    case gzip = 31
  }

  static func compress(_ bytes: [UInt8], level: Int, wrapper: Wrapper) -> [UInt8] {
    var stream = z_stream()
    let started = deflateInit2_(
      &stream, Int32(min(max(level, 0), 9)), Z_DEFLATED, wrapper.rawValue, 8, Z_DEFAULT_STRATEGY,
      ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(started == Z_OK, "zlib does not start (status \(started)): out of memory?")
    defer { deflateEnd(&stream) }
    let capacity = Int(deflateBound(&stream, UInt(bytes.count)))
    return bytes.withUnsafeBufferPointer { source in
      [UInt8](unsafeUninitializedCapacity: capacity) { target, count in
        stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
        stream.next_out = target.baseAddress
        // zlib counts in 32 bits; larger inputs go in pieces.
        var (rest, room) = (source.count, capacity)
        var status = Z_OK
        while status == Z_OK {
          let (give, take) = (min(rest, 1 << 30), min(room, 1 << 30))
          (stream.avail_in, stream.avail_out) = (UInt32(give), UInt32(take))
          status = deflate(&stream, give == rest ? Z_FINISH : Z_NO_FLUSH)
          rest -= give - Int(stream.avail_in)
          room -= take - Int(stream.avail_out)
        }
        precondition(status == Z_STREAM_END, "zlib stops with status \(status)")
        count = capacity - room
      }
    }
  }
}
