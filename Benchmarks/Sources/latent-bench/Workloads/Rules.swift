// Inputs by rule: the same numbers in any language, without a file (the peers' WORKLOADS.md).

import Foundation
import Latent

enum Rules {
  /// Values in [0, 1), multiples of 2^-24: lowbias32 (Wellons 2018) over a counter.
  static func uniform(stream: Int, count: Int) -> [Double] {
    let start = UInt32(truncatingIfNeeded: (stream + 1) &* 0x9E37_79B1)
    return (0..<count).map { index in
      var h = UInt32(truncatingIfNeeded: index) &+ start
      h ^= h >> 16
      h = h &* 0x7FEB_352D
      h ^= h >> 15
      h = h &* 0x846C_A68B
      h ^= h >> 16
      return Double(h >> 8) / 16_777_216
    }
  }

  /// Standard normal numbers (Box and Muller 1958) from two streams.
  static func normals(_ shape: Shape, stream: Int = 2000) -> Tensor {
    let first = uniform(stream: stream, count: shape.count)
    let second = uniform(stream: stream + 1, count: shape.count)
    let values = zip(first, second).map { u, v in
      Float((-2 * log(1 - u)).squareRoot() * cos(2 * Double.pi * v))
    }
    return Tensor(values, shape: shape)
  }

  /// Images `[count, side, side, channels]` of square cells in [0, 1).
  static func blockyImages(_ count: Int, side: Int, channels: Int, stream: Int) -> Tensor {
    let cell = side == 28 ? side / 7 : side / 8
    let cells = side / cell
    let coarse = uniform(stream: stream, count: count * channels * cells * cells)
    var pixels = [Float](repeating: 0, count: count * side * side * channels)
    var position = 0
    for image in 0..<count {
      for y in 0..<side {
        for x in 0..<side {
          for channel in 0..<channels {
            let plane = (image * channels + channel) * cells
            pixels[position] = Float(coarse[(plane + y / cell) * cells + x / cell])
            position += 1
          }
        }
      }
    }
    return Tensor(pixels, shape: [count, side, side, channels])
  }
}
