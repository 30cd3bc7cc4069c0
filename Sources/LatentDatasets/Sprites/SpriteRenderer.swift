// Draws one sprite into a square of bytes. Coordinates are shares of the edge, so that any size
// shows the same picture; centres move by 1/64 of the edge a level, one pixel at dSprites' 64.

import Foundation

/// Draws sprites of one size and number of channels.
struct SpriteRenderer: Sendable {
  /// Pixels along each edge.
  let side: Int
  let channels: Int

  /// Radius of the circumscribed circle at scale 1. Centres keep 0.2578 from the edges: a sprite
  /// is never cut off.
  static let radius: Float = 0.25
  /// Moves the centre by one level of x or y.
  static let step: Float = 1 / 64

  var byteCount: Int { side * side * channels }

  /// Fills `pixels` `[side, side, channels]` from factor values (shape, scale, rotation, x, y and,
  /// with three channels, hue).
  func draw(_ values: [Float], into pixels: UnsafeMutableBufferPointer<UInt8>) {
    pixels.update(repeating: 0)
    guard let shape = SpriteShape(rawValue: Int(values[0])) else { return }
    let edge = Float(side)
    let radius = SpriteRenderer.radius * values[1] * edge
    let centreX = edge * (0.5 + (values[3] * 31 - 15.5).roundedToHalves * SpriteRenderer.step)
    let centreY = edge * (0.5 + (values[4] * 31 - 15.5).roundedToHalves * SpriteRenderer.step)
    let paint = channels == 3 ? SpriteRenderer.color(hue: values[5]) : .one
    let cosine = Float(cos(Double(values[2]))) / radius
    let sine = Float(sin(Double(values[2]))) / radius
    let columns = visible(centreX, radius)
    for row in visible(centreY, radius) {
      let up = centreY - (Float(row) + 0.5)
      for column in columns {
        let right = Float(column) + 0.5 - centreX
        let distance = shape.signedDistance(
          right * cosine + up * sine, up * cosine - right * sine)
        let cover = min(max(0.5 - distance * radius, 0), 1)
        let start = (row * side + column) * channels
        if channels == 1 {
          pixels[start] = UInt8(cover * 255 + 0.5)
        } else {
          for channel in 0..<3 {
            pixels[start + channel] = UInt8(cover * paint[channel] * 255 + 0.5)
          }
        }
      }
    }
  }

  /// The pixels along one axis that a sprite may touch.
  private func visible(_ centre: Float, _ radius: Float) -> Range<Int> {
    let low = max(Int((centre - radius - 1).rounded(.down)), 0)
    return low..<max(min(Int((centre + radius + 1).rounded(.up)), side), low)
  }

  /// A bright colour: HSV with saturation 0.8 and value 1.
  static func color(hue: Float) -> SIMD3<Float> {
    var result = SIMD3<Float>.zero
    for channel in 0..<3 {
      let position = (hue * 6 + [5, 3, 1][channel]).truncatingRemainder(dividingBy: 6)
      result[channel] = 1 - 0.8 * max(0, min(min(position, 4 - position), 1))
    }
    return result
  }
}

extension Float {
  /// Undoes the rounding of `level / 31 * 31`, so that a level moves a sprite by exact pixels.
  fileprivate var roundedToHalves: Float { (self * 2).rounded() / 2 }
}
