// Latents on the move. The format is animated PNG: its colours are those of the pictures, without loss and without a
// palette of 256 (GIF), and every browser plays it without a script or a video decoder.

import Foundation
import LatentNumerics
import LatentStorage

/// A walk that is played without end, there and back, with its first frame for those who want no motion.
///
/// Pages show the first frame in print and where the reader asks for less motion, and have a switch that holds the
/// animation still (WCAG 2.2, 2.2.2).
public struct Animation: Sendable {
  /// The bytes of the animated file.
  public let png: [UInt8]
  /// The first frame alone.
  public let still: PictureGrid

  /// Frames that are played forwards and backwards; the first and the last one rest for longer.
  ///
  /// - Parameters:
  ///   - frames: each a set of images `[count, height, width, 1|3]` from 0 to 1, all of one shape.
  ///   - columns: images in a row of a frame.
  ///   - milliseconds: how long a frame is seen.
  ///   - gap: pixels between neighbours.
  ///   - scale: each pixel becomes a square of so many.
  /// - Throws: `StorageError.notStorable` where there are no frames, or frames of several shapes.
  public init(
    _ frames: [NDArray], columns: Int, milliseconds: Int = 80, gap: Int = 1, scale: Int = 1
  ) throws {
    let grids = frames.map { ImageGrid.tile($0, columns: columns, gap: gap, scale: scale) }
    let back = grids.dropFirst().dropLast().reversed()
    let delays = grids.indices.map {
      $0 == 0 || $0 == grids.count - 1 ? 6 * milliseconds : milliseconds
    }
    png = try PNG.encode(
      frames: grids + back, delays: delays + back.map { _ in milliseconds })
    still = try PictureGrid(pixels: grids[0])
  }
}
