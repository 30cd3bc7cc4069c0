// Resampling with a triangle filter as wide as a target pixel: an area average where a picture
// shrinks (no aliasing), bilinear where it grows. The two axes are filtered one after the other,
// as in Pillow's antialiased bilinear filter.

import LatentNumerics

/// Pictures `[height, width, channels]`, float32 in [0, 1] of any depth, brought to a size and a number of channels.
package enum ImageResizing {
  /// Source pixels and their weights for each target pixel along one axis.
  struct Taps {
    var first: [Int] = []
    var weights: [[Float]] = []

    /// Reads `target` pixels from `length` source pixels starting at `start`.
    init(start: Int, length: Int, target: Int) {
      let ratio = Float(length) / Float(target)
      let support = max(ratio, 1)
      for pixel in 0..<target {
        let centre = (Float(pixel) + 0.5) * ratio
        let low = max(Int((centre - support).rounded(.down)), 0)
        let high = min(Int((centre + support).rounded(.up)), length)
        var taps = (low..<high).map { max(0, 1 - abs(Float($0) + 0.5 - centre) / support) }
        let sum = taps.reduce(0, +)
        for position in taps.indices { taps[position] /= sum }
        first.append(start + low)
        weights.append(taps)
      }
    }
  }

  /// The middle of the picture in the target's proportions, resampled. Parts that were transparent are
  /// black already (`withChannels`): the average of colours times their opacity.
  package static func resized(_ image: NDArray, to size: ImageSize) -> NDArray {
    let (height, width, channels) = (image.shape[0], image.shape[1], image.shape[2])
    if height == size.height && width == size.width { return image }
    // The larger part of the proportions that fits: height / width == size.height / size.width.
    let cropHeight = min(height, max(1, (width * size.height + size.width / 2) / size.width))
    let cropWidth = min(width, max(1, (height * size.width + size.height / 2) / size.height))
    let rows = Taps(start: (height - cropHeight) / 2, length: cropHeight, target: size.height)
    let columns = Taps(start: (width - cropWidth) / 2, length: cropWidth, target: size.width)
    // Along the width, for the source rows that are needed, then along the height.
    var wide = [Float](repeating: 0, count: height * size.width * channels)
    return image.withUnsafeElements(of: Float.self) { source in
      let used = (height - cropHeight) / 2..<(height - cropHeight) / 2 + cropHeight
      for row in used {
        for column in 0..<size.width {
          for (tap, weight) in columns.weights[column].enumerated() {
            let from = (row * width + columns.first[column] + tap) * channels
            let to = (row * size.width + column) * channels
            for channel in 0..<channels {
              wide[to + channel] += weight * source[from + channel]
            }
          }
        }
      }
      return NDArray(shape: [size.height, size.width, channels], .float32) { memory in
        let target = memory.bindMemory(to: Float.self)
        let span = size.width * channels
        var sums = [Float](repeating: 0, count: span)
        for row in 0..<size.height {
          for position in 0..<span { sums[position] = 0 }
          for (tap, weight) in rows.weights[row].enumerated() {
            let from = (rows.first[row] + tap) * span
            for position in 0..<span { sums[position] += weight * wide[from + position] }
          }
          for position in 0..<span {
            target[row * span + position] = min(sums[position], 1)
          }
        }
      }
    }
  }

  /// 1 or 3 channels from 1 (gray), 2 (gray, alpha), 3 (RGB) or 4 (RGB, alpha). Transparent parts
  /// become black; gray from RGB is ITU-R 601 luma.
  package static func withChannels(_ image: NDArray, _ channels: Int) -> NDArray {
    let given = image.shape[2]
    if given == channels { return image }
    let hasAlpha = given == 2 || given == 4
    let isColor = given >= 3
    return image.withUnsafeElements(of: Float.self) { source in
      NDArray(shape: image.shape.replacing(2, with: channels), .float32) { memory in
        let target = memory.bindMemory(to: Float.self)
        for pixel in 0..<image.shape[0] * image.shape[1] {
          let start = pixel * given
          let cover = hasAlpha ? source[start + given - 1] : 1
          var color = SIMD3<Float>(repeating: source[start])
          if isColor { color = [color.x, source[start + 1], source[start + 2]] }
          if channels == 1 {
            let gray = isColor ? (color * [0.299, 0.587, 0.114]).sum() : color.x
            target[pixel] = min(gray * cover, 1)
          } else {
            for channel in 0..<3 { target[pixel * 3 + channel] = color[channel] * cover }
          }
        }
      }
    }
  }
}
