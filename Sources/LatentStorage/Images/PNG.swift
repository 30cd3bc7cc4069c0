// PNG (ISO/IEC 15948). Writing needs only zlib; reading, with its many forms, is libpng's work.

import CLatentPNG
import CLatentZlib
import LatentNumerics

/// Reads and writes PNG pictures.
public enum PNG {
  private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

  /// The file of a uint8 picture `[height, width]`, `[height, width, 1]` or `[height, width, 3]`.
  ///
  /// - Throws: `StorageError.notStorable` for other shapes and types.
  public static func encode(_ image: NDArray) throws -> [UInt8] {
    let shape = image.shape
    let channels = shape.rank == 3 ? shape[2] : 1
    guard image.dtype == .uint8, shape.rank == 2 || shape.rank == 3,
      channels == 1 || channels == 3, shape[0] > 0, shape[1] > 0,
      shape[0] <= Int(Int32.max), shape[1] <= Int(Int32.max)
    else {
      throw StorageError.notStorable(
        name: "a picture", found: "\(image.dtype.rawValue) \(shape)",
        expected: "uint8 [height, width] or [height, width, 1 or 3]")
    }
    var header: [UInt8] = []
    header.append(bigEndian: UInt32(shape[1]))
    header.append(bigEndian: UInt32(shape[0]))
    header += [8, channels == 1 ? 0 : 2, 0, 0, 0]
    let rows = image.withUnsafeElements(of: UInt8.self) {
      filtered($0, width: shape[1] * channels, pixel: channels)
    }
    return signature + chunk("IHDR", header)
      + chunk("IDAT", Deflate.compress(rows, level: 6, windowBits: 15)) + chunk("IEND", [])
  }

  /// Writes a picture atomically.
  ///
  /// - Throws: `StorageError.cannotWrite`, `.notStorable`.
  public static func write(_ image: NDArray, to path: String) throws {
    try AtomicFile.write(try encode(image), to: path)
  }

  /// Each row in the one of the five filters with the least sum of magnitudes, the usual rule.
  private static func filtered(
    _ pixels: UnsafeBufferPointer<UInt8>, width: Int, pixel: Int
  ) -> [UInt8] {
    let height = pixels.count / width
    var output: [UInt8] = []
    output.reserveCapacity(height * (width + 1))
    var candidate = [UInt8](repeating: 0, count: width)
    for row in 0..<height {
      var best: (cost: Int, filter: UInt8, bytes: [UInt8])?
      for filter in UInt8(0)...4 {
        var cost = 0
        for x in 0..<width {
          let here = Int(pixels[row * width + x])
          let left = x >= pixel ? Int(pixels[row * width + x - pixel]) : 0
          let above = row > 0 ? Int(pixels[(row - 1) * width + x]) : 0
          let corner = row > 0 && x >= pixel ? Int(pixels[(row - 1) * width + x - pixel]) : 0
          let predicted =
            switch filter {
            case 0: 0
            case 1: left
            case 2: above
            case 3: (left + above) / 2
            default: paeth(left, above, corner)
            }
          candidate[x] = UInt8(truncatingIfNeeded: here - predicted)
          cost += abs(Int(Int8(bitPattern: candidate[x])))
        }
        if best.map({ cost < $0.cost }) ?? true { best = (cost, filter, candidate) }
      }
      if let best {
        output.append(best.filter)
        output += best.bytes
      }
    }
    return output
  }

  private static func paeth(_ left: Int, _ above: Int, _ corner: Int) -> Int {
    let estimate = left + above - corner
    let (a, b, c) = (abs(estimate - left), abs(estimate - above), abs(estimate - corner))
    return a <= b && a <= c ? left : b <= c ? above : corner
  }

  private static func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(bigEndian: UInt32(data.count))
    let body = Array(type.utf8) + data
    bytes += body
    bytes.append(bigEndian: UInt32(crc32(0, body, UInt32(body.count))))
    return bytes
  }

  /// Reads a picture as uint8 `[height, width, channels]`, 1 to 4 of them; 16 bits are reduced to
  /// 8, palettes resolved.
  ///
  /// - Throws: `StorageError.missing`, `.unreadable`, `.damaged`; `.needsTrait` in a build without
  ///   libpng.
  public static func decode(contentsOf path: String) throws -> NDArray {
    try decode(FileStream.contents(of: path, limit: 4 * StorageLimits.imagePixels), name: path)
  }

  /// Reads the bytes of a picture.
  public static func decode(_ bytes: [UInt8], name: String = "PNG data in memory") throws -> NDArray {
    var message = [CChar](repeating: 0, count: Int(LATENT_PNG_MESSAGE_SIZE))
    func check(_ status: latent_png_status) throws {
      if status == LATENT_PNG_UNAVAILABLE {
        throw StorageError.needsTrait(file: name, trait: "PNG", package: "libpng-dev")
      }
      if status != LATENT_PNG_OK {
        let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        throw StorageError.damaged(
          file: name, place: "the picture", found: text, expected: "a PNG file")
      }
    }
    var header = latent_png_header()
    try check(latent_png_read_header(bytes, bytes.count, &header, &message))
    let extents = [Int(header.height), Int(header.width), Int(header.channels)]
    guard let count = checkedProduct(extents), count <= 4 * StorageLimits.imagePixels,
      extents[0] * extents[1] <= StorageLimits.imagePixels
    else {
      throw StorageError.damaged(
        file: name, place: "the size", found: "\(extents[1]) x \(extents[0])",
        expected: "at most \(StorageLimits.imagePixels) pixels")
    }
    return try NDArray(shape: Shape(extents), .uint8) { pixels in
      try check(
        latent_png_read_pixels(
          bytes, bytes.count, pixels.baseAddress?.assumingMemoryBound(to: UInt8.self),
          pixels.count, &message))
    }
  }
}
