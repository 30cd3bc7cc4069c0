// The factors of variation of the sprites and their grid. An example is a number in mixed radix:
// its digits, most significant first, are the levels of the factors.

import Foundation
import LatentNumerics

/// One factor of variation: its name and the value of each of its levels.
public struct SpriteFactor: Sendable, Hashable {
  /// Such as "rotation".
  public let name: String
  /// What stands in the `factors` field, level by level.
  public let values: [Float]

  /// The number of levels.
  public var count: Int { values.count }

  init(_ name: String, _ values: [Float]) {
    self.name = name
    self.values = values
  }
}

/// The factors of the sprites and the numbering of their combinations.
public struct SpriteGrid: Sendable, Hashable {
  /// In the order of the columns of the `factors` field; the last one varies fastest.
  public let factors: [SpriteFactor]

  /// shape 3 (0 square, 1 ellipse, 2 heart), scale 6 (0.5 ... 1), rotation 40 (radians,
  /// counterclockwise), x 32 and y 32 (0 ... 1, left to right and top to bottom); with colour,
  /// hue 8 (0 ..< 1, red first).
  ///
  /// dSprites has 40 rotations from 0 to 2 pi inclusive, so that the first and the last are the
  /// same picture; here they are 40 different ones.
  public init(hasColor: Bool = false) {
    let unit = (0..<32).map { Float($0) / 31 }
    var factors = [
      SpriteFactor("shape", SpriteShape.allCases.map { Float($0.rawValue) }),
      SpriteFactor("scale", (0..<6).map { 0.5 + 0.1 * Float($0) }),
      SpriteFactor("rotation", (0..<40).map { Float(2 * Double.pi * Double($0) / 40) }),
      SpriteFactor("x", unit),
      SpriteFactor("y", unit),
    ]
    if hasColor { factors.append(SpriteFactor("hue", (0..<8).map { Float($0) / 8 })) }
    self.factors = factors
  }

  /// The number of combinations: 737,280, or eight times as many with hue.
  public var count: Int { factors.reduce(1) { $0 * $1.count } }

  /// The level of each factor in combination `index`; traps outside `0..<count`.
  public func levels(at index: Int) -> [Int] {
    require(index >= 0 && index < count, "sprite \(index) of \(count)")
    var rest = index
    var levels = [Int](repeating: 0, count: factors.count)
    for position in factors.indices.reversed() {
      (rest, levels[position]) = rest.quotientAndRemainder(dividingBy: factors[position].count)
    }
    return levels
  }

  /// The combination with these levels: the inverse of `levels(at:)`.
  public func index(of levels: [Int]) -> Int {
    require(levels.count == factors.count, "\(levels.count) levels for \(factors.count) factors")
    return zip(factors, levels).reduce(0) { sum, pair in
      let (factor, level) = pair
      require(level >= 0 && level < factor.count, "level \(level) of \(factor.name)")
      return sum * factor.count + level
    }
  }

  /// The value of each factor in combination `index`.
  public func values(at index: Int) -> [Float] {
    zip(factors, levels(at: index)).map { $0.values[$1] }
  }
}
