// Reading PNG through libpng. Samples are taken as they are stored: no gamma or colour management, as
// Pillow and torchvision do; palettes become colours, transparency becomes a channel. Samples of 16 bits
// keep their high byte or, where asked, all of it.

import LatentNumerics

#if PNG
  import CLatentPNG
#endif

extension PNG {
  /// Whether this build reads PNG (the package trait `PNG`).
  public static var canDecode: Bool {
    #if PNG
      true
    #else
      false
    #endif
  }

  /// Reads an image file: uint8 of shape `[height, width, channels]`, with 1 (gray), 2 (gray and
  /// alpha), 3 (RGB) or 4 (RGB and alpha) channels.
  ///
  /// - Parameter fullDepth: Whether an image of 16 bits a sample becomes float32 in [0, 1] (the sample
  ///   divided by 65535) instead of the samples' high bytes.
  /// - Throws: `StorageError.missing` or `.unreadable` for the file, `.otherFormat` for a file of
  ///   another format, `.damaged` for its contents, `.needsTrait` where this build has no libpng.
  public static func decode(contentsOf path: String, fullDepth: Bool = false) throws -> NDArray {
    // Eight bytes a pixel is the most that the format stores without compression.
    try decode(
      FileStream.contents(of: path, limit: StorageLimits.imagePixels * 9), source: path,
      fullDepth: fullDepth)
  }

  /// Reads the bytes of an image file; see ``decode(contentsOf:fullDepth:)``.
  public static func decode(
    _ bytes: [UInt8], source: String = "PNG in memory", fullDepth: Bool = false
  ) throws -> NDArray {
    #if PNG
      guard bytes.starts(with: signature) else { throw notPNG(bytes, source) }
      var header = latent_png_header()
      try check(source) { latent_png_read_header(bytes, bytes.count, &header, $0) }
      let extents = [Int(header.height), Int(header.width), Int(header.channels)]
      let isDeep = fullDepth && header.bits == 16
      guard let size = checkedProduct(extents + [isDeep ? 2 : 1]),
        extents[0] * extents[1] <= limit(of: bytes.count),
        // Samples of 16 bits have as many before compression.
        !isDeep || size / StorageLimits.deflateRatio <= bytes.count
      else {
        throw StorageError.damaged(
          file: source, place: "the header", found: "\(extents[1]) x \(extents[0]) pixels",
          expected: "at most \(limit(of: bytes.count)) in a file of \(bytes.count) bytes")
      }
      if isDeep { return try deep(bytes, source, Shape(extents), size) }
      return try NDArray(shape: Shape(extents), .uint8) { pixels in
        let target = pixels.baseAddress?.assumingMemoryBound(to: UInt8.self)
        try check(source) { latent_png_read_pixels(bytes, bytes.count, 8, target, size, $0) }
      }
    #else
      throw StorageError.needsTrait(file: source, trait: "PNG", package: "libpng-dev")
    #endif
  }

  /// What is said of a file that does not begin as a PNG image does.
  static func notPNG(_ start: [UInt8], _ source: String) -> StorageError {
    .notOfFormat(
      start, file: source, expected: "a PNG picture", magic: "\(hex(signature)), a PNG image")
  }

  #if PNG
    private static func deep(
      _ bytes: [UInt8], _ source: String, _ shape: Shape, _ size: Int
    ) throws -> NDArray {
      var samples = [UInt16](repeating: 0, count: size / 2)
      try samples.withUnsafeMutableBytes { buffer in
        let target = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
        try check(source) { latent_png_read_pixels(bytes, bytes.count, 16, target, size, $0) }
      }
      return NDArray(shape: shape, .float32) { buffer in
        let target = buffer.bindMemory(to: Float.self)
        for (index, sample) in samples.enumerated() { target[index] = Float(sample) / 65_535 }
      }
    }

    /// A pixel has at least one bit before compression, so a small file has few.
    private static func limit(of byteCount: Int) -> Int {
      let (bits, overflow) = byteCount.multipliedReportingOverflow(
        by: StorageLimits.deflateRatio * 8)
      return overflow ? StorageLimits.imagePixels : min(StorageLimits.imagePixels, bits)
    }

    private static func check(
      _ source: String, _ call: (UnsafeMutablePointer<CChar>?) -> latent_png_status
    ) throws {
      var message = [CChar](repeating: 0, count: Int(LATENT_PNG_MESSAGE_SIZE))
      let status = message.withUnsafeMutableBufferPointer { call($0.baseAddress) }
      guard status != LATENT_PNG_OK else { return }
      let text = message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      throw StorageError.damaged(
        file: source, place: "the image",
        found: "what libpng calls '\(String(decoding: text, as: UTF8.self))'",
        expected: "a valid PNG image")
    }
  #endif
}
