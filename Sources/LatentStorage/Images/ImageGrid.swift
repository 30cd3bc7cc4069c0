// Many images as one: what people look at first.

import LatentNumerics

/// Arranges images in rows and columns.
public enum ImageGrid {
  /// Tiles `images` `[count, height, width, 1|3]` (float, 0 black to 1 white; values outside are
  /// clamped, NaN is black) row by row into one uint8 picture `[rows, columns, 1|3]`.
  ///
  /// - Parameters:
  ///   - columns: images in a row; the last row may be short.
  ///   - gap: gray pixels between neighbours.
  ///   - scale: each pixel becomes a square of so many.
  public static func tile(
    _ images: NDArray, columns: Int, gap: Int = 1, scale: Int = 1, file: StaticString = #fileID,
    line: UInt = #line
  ) -> NDArray {
    let shape = images.shape
    require(
      shape.rank == 4 && (shape[3] == 1 || shape[3] == 3) && columns > 0 && gap >= 0 && scale > 0,
      "image grid of shape \(shape), \(columns) columns, gap \(gap), scale \(scale): "
        + "expected [count, height, width, 1 or 3]", file: file, line: line)
    let (count, height, width, channels) = (shape[0], shape[1], shape[2], shape[3])
    let rows = (count + columns - 1) / columns
    let (cellHeight, cellWidth) = (height * scale + gap, width * scale + gap)
    let size: Shape = [rows * cellHeight + gap, columns * cellWidth + gap, channels]
    let pixels = images.converted(to: .float32).floats
    return NDArray(shape: size, .uint8) { bytes in
      for index in bytes.indices { bytes[index] = 96 }
      for image in 0..<count {
        let top = image / columns * cellHeight + gap
        let left = image % columns * cellWidth + gap
        for y in 0..<(height * scale) {
          for x in 0..<(width * scale) {
            let source = ((image * height + y / scale) * width + x / scale) * channels
            let target = ((top + y) * size[1] + left + x) * channels
            for channel in 0..<channels { bytes[target + channel] = gray(pixels[source + channel]) }
          }
        }
      }
    }
  }

  private static func gray(_ value: Float) -> UInt8 {
    value.isNaN ? 0 : UInt8((min(1, max(0, value)) * 255).rounded())
  }
}
