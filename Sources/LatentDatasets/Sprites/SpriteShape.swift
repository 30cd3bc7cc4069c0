// The outlines of the sprites as signed distances: exact for the square and the heart, to first
// order for the ellipse (Inigo Quilez, "2D distance functions"). A distance in pixels gives the
// share of a pixel that a shape covers by one clamp, which is all the anti-aliasing there is.

import Foundation

/// The outline of a sprite.
public enum SpriteShape: Int, Sendable, Hashable, Codable, CaseIterable {
  /// By the number that stands for it in labels: 0, 1, 2.
  case square, ellipse, heart

  /// Half the edge of a square with a circumscribed circle of radius 1.
  static let squareHalf = Float(0.5).squareRoot()
  /// The semi-axes of the ellipse.
  static let ellipseAxes = SIMD2<Float>(1, 0.55)
  /// The heart is drawn with its tip at the origin, then centred on its circumscribed circle.
  static let heartCentre: Float = 0.6277
  static let heartRadius: Float = 0.6277

  /// The distance of a point from the outline, negative inside, for the shape with a circumscribed
  /// circle of radius 1 around the origin; y points up.
  @inline(__always)
  func signedDistance(_ x: Float, _ y: Float) -> Float {
    switch self {
    case .square: SpriteShape.squareDistance(x, y)
    case .ellipse: SpriteShape.ellipseDistance(x, y)
    case .heart: SpriteShape.heartDistance(x, y)
    }
  }

  @inline(__always)
  private static func squareDistance(_ x: Float, _ y: Float) -> Float {
    let dx = abs(x) - squareHalf
    let dy = abs(y) - squareHalf
    if dx <= 0 || dy <= 0 { return max(dx, dy) }
    return (dx * dx + dy * dy).squareRoot()
  }

  @inline(__always)
  private static func ellipseDistance(_ x: Float, _ y: Float) -> Float {
    let u = x / ellipseAxes.x
    let v = y / ellipseAxes.y
    let value = (u * u + v * v).squareRoot()
    let du = u / ellipseAxes.x
    let dv = v / ellipseAxes.y
    let slope = (du * du + dv * dv).squareRoot()
    return slope < 1e-3 ? -ellipseAxes.y : value * (value - 1) / slope
  }

  @inline(__always)
  private static func heartDistance(_ x: Float, _ y: Float) -> Float {
    let px = abs(x) * heartRadius
    let py = y * heartRadius + heartCentre
    let distance: Float
    if px + py > 1 {
      let dx = px - 0.25
      let dy = py - 0.75
      distance = (dx * dx + dy * dy).squareRoot() - Float(0.125).squareRoot()
    } else {
      let dy = py - 1
      let foot = 0.5 * max(px + py, 0)
      let toNotch = px * px + dy * dy
      let toEdge = (px - foot) * (px - foot) + (py - foot) * (py - foot)
      let length = min(toNotch, toEdge).squareRoot()
      distance = px < py ? -length : length
    }
    return distance / heartRadius
  }

  /// The area of the shape with a circumscribed circle of radius 1.
  public var area: Double {
    switch self {
    case .square: 2
    case .ellipse: 0.55 * Double.pi
    case .heart: (0.5 + Double.pi / 8) / (0.6277 * 0.6277)
    }
  }
}
