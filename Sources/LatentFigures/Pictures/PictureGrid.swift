// Many examples as one picture for a page.

import LatentNumerics
import LatentStorage

/// A picture as PNG, with its size.
public struct PictureGrid: Sendable {
  /// The bytes of the file.
  public let png: [UInt8]
  /// In pixels.
  public let width, height: Int

  /// Images side by side, row by row.
  ///
  /// - Parameters:
  ///   - images: `[count, height, width, 1|3]`, from 0 (black) to 1 (white).
  ///   - columns: images in a row.
  ///   - gap: pixels between neighbours.
  ///   - scale: each pixel becomes a square of so many.
  /// - Throws: `StorageError.notStorable` where there are no images.
  public init(
    _ images: NDArray, columns: Int, gap: Int = 1, scale: Int = 1, file: StaticString = #fileID,
    line: UInt = #line
  ) throws {
    try self.init(
      pixels: ImageGrid.tile(
        images, columns: columns, gap: gap, scale: scale, file: file, line: line))
  }

  /// One image of bytes, `[height, width, 1|3]`.
  /// - Throws: `StorageError.notStorable` for another shape or type.
  public init(pixels: NDArray) throws {
    png = try PNG.encode(pixels)
    (height, width) = (pixels.shape[0], pixels.shape[1])
  }
}
