// PNG images (W3C, third edition). Written here, with zlib for the deflating, so that pictures need
// no library beyond those of the checkpoints; read through libpng where the trait "PNG" is on.

import CLatentZlib
import LatentNumerics

/// Reads and writes PNG images of 8 bits a sample.
public enum PNG {
  static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

  /// The bytes of a PNG file; the same for the same image and the same zlib.
  ///
  /// - Parameter image: uint8 of shape `[height, width]`, `[height, width, 1]` (gray) or
  ///   `[height, width, 3]` (red, green, blue).
  /// - Throws: `StorageError.notStorable` for anything else.
  public static func encode(_ image: NDArray) throws -> [UInt8] {
    signature + chunk("IHDR", try header(image)) + chunk("IDAT", pixels(image)) + chunk("IEND", [])
  }

  /// The contents of the header.
  /// - Throws: `StorageError.notStorable` for what is no image.
  static func header(_ image: NDArray) throws -> [UInt8] {
    let shape = image.shape
    let channels = channels(image)
    guard image.dtype == .uint8, shape.rank == 2 || shape.rank == 3,
      channels == 1 || channels == 3, image.count > 0,
      shape[0] <= Int(Int32.max), shape[1] <= Int(Int32.max) / channels
    else {
      throw StorageError.notStorable(
        name: "a PNG image", found: "\(image.dtype.name) of shape \(shape)",
        expected: "uint8 of shape [height, width], [height, width, 1] or [height, width, 3]")
    }
    var header: [UInt8] = []
    header.append(bigEndian: UInt32(shape[1]))
    header.append(bigEndian: UInt32(shape[0]))
    // Bits, colour type, and one choice each of compression, filters and interlacing.
    return header + [8, channels == 1 ? 0 : 2, 0, 0, 0]
  }

  /// The rows of an image, filtered and compressed.
  static func pixels(_ image: NDArray) -> [UInt8] {
    let (shape, channels) = (image.shape, channels(image))
    let rows = image.withUnsafeBytes { pixels in
      PNGFilter.filtered(
        pixels, rowBytes: shape[1] * channels, rows: shape[0], pixelBytes: channels)
    }
    return Deflate.compress(rows, level: 6, wrapper: .zlib)
  }

  private static func channels(_ image: NDArray) -> Int {
    image.shape.rank == 3 ? image.shape[2] : 1
  }

  /// Writes an image atomically; see ``encode(_:)`` for its shape.
  ///
  /// - Throws: `StorageError.notStorable` or `.cannotWrite`.
  public static func write(_ image: NDArray, to path: String) throws {
    try AtomicFile.write(encode(image), to: path)
  }

  static func chunk(_ type: String, _ body: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(body.count + 12)
    bytes.append(bigEndian: UInt32(body.count))
    bytes.append(contentsOf: type.utf8)
    bytes.append(contentsOf: body)
    // The checksum covers type and body, not the length.
    let sum = bytes.withUnsafeBufferPointer { bytes in
      crc32_z(0, bytes.baseAddress.map { $0 + 4 }, bytes.count - 4)
    }
    bytes.append(bigEndian: UInt32(truncatingIfNeeded: sum))
    return bytes
  }
}
