// Rows of arrays that lie in a file as they do in memory. A call of HDF5 for one row costs more
// than the row, and what it reads around the row grows with what its cache no longer holds; a read
// at the right byte costs the same in a file of any size.

import CLatentDigest
import CLatentHDF5
import LatentNumerics
import Synchronization

/// An array in one piece, row after row, in a type of ours: its bytes are read where they lie, by
/// any thread at any time, without the library.
final class FlatArray: Sendable {
  private let file: ByteFile
  private let dataset: HDF5File.Dataset
  private let start: Int
  private let byteCount: Int
  private let rowBytes: Int
  private let checksums: BlockChecksums?
  /// Block by block, whether it was found to be as it was written.
  private let verified: Mutex<[Bool]>

  /// The dataset behind `handle`, whose elements begin at byte `start`.
  init(
    _ dataset: HDF5File.Dataset, _ handle: borrowing HDF5Handle, start: Int, in file: ByteFile,
    _ session: HDF5Session
  ) throws {
    byteCount = dataset.shape.count * dataset.dtype.size
    guard byteCount > 0, byteCount <= file.size, start <= file.size - byteCount else {
      throw session.damaged(
        dataset.name, "\(byteCount) bytes from byte \(start)", "a place among \(file.size) bytes")
    }
    self.file = file
    self.dataset = dataset
    self.start = start
    checksums = try BlockChecksums(reading: handle, byteCount: byteCount, dataset.name, session)
    rowBytes = dataset.shape.rank == 0 ? byteCount : byteCount / dataset.shape[0]
    verified = Mutex([Bool](repeating: false, count: checksums?.values.count ?? 0))
  }

  /// All of it.
  func array() throws -> NDArray {
    try NDArray(shape: dataset.shape, dataset.dtype) { try read(0..<byteCount, into: $0) }
  }

  /// The rows of several ranges, one range after the other.
  func rows(_ ranges: [Range<Int>]) throws -> NDArray {
    let count = ranges.reduce(0) { $0 + $1.count }
    return try NDArray(shape: dataset.shape.replacing(0, with: count), dataset.dtype) { buffer in
      var place = 0
      for range in ranges where !range.isEmpty {
        let bytes = range.lowerBound * rowBytes..<range.upperBound * rowBytes
        try read(bytes, into: .init(rebasing: buffer[place..<place + bytes.count]))
        place += bytes.count
      }
    }
  }

  private func read(_ bytes: Range<Int>, into buffer: UnsafeMutableRawBufferPointer) throws {
    try file.read(from: start + bytes.lowerBound, into: buffer)
    guard let checksums else { return }
    let touched = checksums.blocks(of: bytes)
    let unknown = verified.withLock { verified in touched.filter { !verified[$0] } }
    guard !unknown.isEmpty else { return }
    for block in unknown {
      let range = checksums.bytes(of: block, among: byteCount)
      let shared = range.clamped(to: bytes)
      let part = UnsafeMutableRawBufferPointer(
        rebasing: buffer[
          shared.lowerBound - bytes.lowerBound..<shared.upperBound - bytes.lowerBound])
      var found: UInt32 = 0
      if shared == range {
        found = CRC32C.checksum(UnsafeRawBufferPointer(part))
      } else {
        // What is handed out is what was compared, even while somebody writes.
        found = try withUnsafeTemporaryAllocation(byteCount: range.count, alignment: 64) { whole in
          try file.read(from: start + range.lowerBound, into: whole)
          part.copyMemory(
            from: .init(
              rebasing: whole[
                shared.lowerBound - range.lowerBound..<shared.upperBound - range.lowerBound]))
          return CRC32C.checksum(UnsafeRawBufferPointer(whole))
        }
      }
      guard found == checksums.values[block] else {
        throw damaged(range, found: found, expected: checksums.values[block])
      }
    }
    verified.withLock { verified in for block in unknown { verified[block] = true } }
  }

  private func damaged(_ bytes: Range<Int>, found: UInt32, expected: UInt32) -> StorageError {
    let (first, end) = (start + bytes.lowerBound, start + bytes.upperBound)
    return .damaged(
      file: file.path, place: "bytes \(first)..<\(end), of '\(dataset.name)'",
      found: "CRC-32C \(String(found, radix: 16))",
      expected: "\(String(expected, radix: 16)), as the attribute \(BlockChecksums.attribute) says "
        + "(to be removed by whoever changes the array)")
  }
}

/// Checksums of the bytes of an array, block by block, as an attribute of its dataset: the size of
/// a block in bytes, then the CRC-32C of each, as 32-bit numbers.
struct BlockChecksums {
  static let attribute = "latent_crc32c"
  /// Bytes of the blocks we write. The first row read from a block costs its verification.
  static let writtenBlock = 1 << 16
  /// Bytes that a block of a file may have.
  private static let allowedBlocks = 64...(1 << 24)

  let blockBytes: Int
  let values: [UInt32]

  init(of bytes: UnsafeRawBufferPointer, blockBytes: Int) {
    self.blockBytes = blockBytes
    values = stride(from: 0, to: bytes.count, by: blockBytes).map { first in
      let end = min(first + blockBytes, bytes.count)
      return CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[first..<end]))
    }
  }

  /// The numbers of the blocks that hold any of `bytes`, which are not empty.
  func blocks(of bytes: Range<Int>) -> Range<Int> {
    bytes.lowerBound / blockBytes..<(bytes.upperBound - 1) / blockBytes + 1
  }

  /// The bytes of a block of an array of `byteCount`.
  func bytes(of block: Int, among byteCount: Int) -> Range<Int> {
    block * blockBytes..<min((block + 1) * blockBytes, byteCount)
  }

  func write(to dataset: borrowing HDF5Handle, _ path: String, _ session: HDF5Session) throws {
    let extent = [hsize_t(values.count + 1)]
    let space = try session.handle(H5Screate_simple(1, extent, nil), H5Sclose, path)
    let attribute = try session.handle(
      H5Acreate2(
        dataset.id, Self.attribute, latent_h5_u32le(), space.id, latent_h5_default_list(),
        latent_h5_default_list()), H5Aclose, path)
    try session.check(
      H5Awrite(attribute.id, latent_h5_native_uint32(), [UInt32(blockBytes)] + values), path)
  }

  /// Those of a dataset with `byteCount` bytes; nil where it has none, or has attributes of others
  /// that this library cannot read (what is damaged of a header of ours is seen before).
  init?(
    reading dataset: borrowing HDF5Handle, byteCount: Int, _ path: String, _ session: HDF5Session
  ) throws {
    guard H5Aexists(dataset.id, Self.attribute) > 0 else { return nil }
    let attribute = try session.handle(
      H5Aopen(dataset.id, Self.attribute, latent_h5_default_list()), H5Aclose, path)
    let type = try session.handle(H5Aget_type(attribute.id), H5Tclose, path)
    let space = try session.handle(H5Aget_space(attribute.id), H5Sclose, path)
    let count = Int(try session.check(H5Sget_simple_extent_npoints(space.id), path))
    let most = byteCount / Self.allowedBlocks.lowerBound + 2
    guard H5Tequal(type.id, latent_h5_u32le()) > 0, 1...most ~= count else {
      throw session.damaged(
        path, "an attribute \(Self.attribute) of \(count) elements",
        "at most \(most) unsigned 32-bit integers")
    }
    var words = [UInt32](repeating: 0, count: count)
    try session.check(H5Aread(attribute.id, latent_h5_native_uint32(), &words), path)
    let block = Int(words[0])
    guard Self.allowedBlocks ~= block, count - 1 == (byteCount + block - 1) / block else {
      throw session.damaged(
        path, "\(count - 1) checksums of blocks of \(block) bytes", "those of \(byteCount) bytes")
    }
    blockBytes = block
    values = Array(words.dropFirst())
  }
}

enum CRC32C {
  /// CRC-32C (RFC 3720, 12.1).
  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    latent_crc32c(bytes.baseAddress, bytes.count)
  }
}
