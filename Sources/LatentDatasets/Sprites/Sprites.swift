// Data that need not be downloaded: white shapes on black whose factors of variation are known,
// modelled on dSprites (Matthey, Higgins, Hassabis and Lerchner 2017) and drawn when asked for.

import Foundation
import LatentNumerics

/// Generated images of a square, an ellipse or a heart; scale, rotation and position vary.
///
/// Fields: `inputs` `[batch, side, side, channels]` in [0, 1], `labels` (the shape: 0 square,
/// 1 ellipse, 2 heart), `factors` `[batch, 5]` (6 with colour) as described by `grid`.
public struct Sprites: Dataset {
  /// The factors and all their combinations.
  public let grid: SpriteGrid
  public let count: Int
  public let name: String
  private let renderer: SpriteRenderer
  /// The combination behind each example; nil where they are the whole grid in order.
  private let combinations: [Int]?
  /// uint8 `[count, side, side, channels]`, where that is small.
  private let images: NDArray?

  /// Up to this many bytes of images are drawn once and kept.
  public static let cacheLimit = 128 << 20

  /// Every combination of the factors once: example `i` is combination `i` of the grid.
  public init(side: Int = 64, hasColor: Bool = false) {
    let grid = SpriteGrid(hasColor: hasColor)
    self.init(side: side, hasColor: hasColor, grid: grid, count: grid.count, combinations: nil)
  }

  /// `count` different combinations, chosen at random as a function of `seed` alone, after leaving
  /// out the first `skipping`: with the same seed, `Sprites(side: 64, count: 10_000, seed: 1)` and
  /// `Sprites(side: 64, count: 1_000, seed: 1, skipping: 10_000)` have no picture in common.
  ///
  /// Traps when the grid has fewer combinations.
  public init(
    side: Int = 64, count: Int, seed: UInt64 = 0, skipping: Int = 0, hasColor: Bool = false
  ) {
    let grid = SpriteGrid(hasColor: hasColor)
    require(
      count >= 0 && skipping >= 0 && count <= grid.count - skipping,
      "sprites: \(count) examples after \(skipping) of \(grid.count) combinations")
    var random = RandomStream(seed: seed).split("sprites")
    let chosen = Sprites.choose(skipping + count, of: grid.count, using: &random)
    self.init(
      side: side, hasColor: hasColor, grid: grid, count: count,
      combinations: Array(chosen.dropFirst(skipping)))
  }

  private init(side: Int, hasColor: Bool, grid: SpriteGrid, count: Int, combinations: [Int]?) {
    require(side > 0, "sprites with a side of \(side) pixels")
    self.grid = grid
    self.count = count
    self.combinations = combinations
    renderer = SpriteRenderer(side: side, channels: hasColor ? 3 : 1)
    name = "sprites \(side) x \(side)" + (hasColor ? " in colour" : "")
    let fits = combinations != nil && count <= Sprites.cacheLimit / renderer.byteCount
    images = fits ? Sprites.draw(combinations ?? [], grid, renderer) : nil
  }

  /// Pixels along each edge.
  public var side: Int { renderer.side }
  public var classNames: [String] { SpriteShape.allCases.map { "\($0)" } }
  public var factorNames: [String] { grid.factors.map(\.name) }

  public var fieldShapes: [String: Shape] {
    [
      Field.inputs: [side, side, renderer.channels], Field.labels: [],
      Field.factors: [grid.factors.count],
    ]
  }

  /// The combination of the grid that example `index` shows.
  public func combination(at index: Int) -> Int {
    checkIndices([index])
    return combinations?[index] ?? index
  }

  public func batch(at indices: [Int]) throws -> Batch {
    checkIndices(indices)
    let chosen = indices.map { combinations?[$0] ?? $0 }
    let bytes =
      images.map { StandardForm.rows(indices, of: $0) } ?? Sprites.draw(chosen, grid, renderer)
    let factors = chosen.flatMap { grid.values(at: $0) }
    let perShape = grid.count / SpriteShape.allCases.count
    let fields = [
      Field.inputs: StandardForm.converted(bytes, field: Field.inputs),
      Field.labels: NDArray(chosen.map { Int32($0 / perShape) }),
      Field.factors: NDArray(factors, shape: [indices.count, grid.factors.count]),
    ]
    return Batch(fields: fields, indices: indices)
  }

  /// The picture of a combination of factor levels, float32 `[side, side, channels]`, for
  /// traversals of the true factors.
  public func image(levels: [Int]) -> NDArray {
    let bytes = Sprites.draw([grid.index(of: levels)], grid, renderer)
    return StandardForm.converted(bytes, field: Field.inputs)
      .reshaped([side, side, renderer.channels])
  }

  private static func draw(
    _ combinations: [Int], _ grid: SpriteGrid, _ renderer: SpriteRenderer
  ) -> NDArray {
    let shape: Shape = [combinations.count, renderer.side, renderer.side, renderer.channels]
    return NDArray(shape: shape, .uint8) { memory in
      let pixels = memory.bindMemory(to: UInt8.self)
      let run = 16
      parallelFor((combinations.count + run - 1) / run) { part in
        for row in (part * run)..<min((part + 1) * run, combinations.count) {
          let start = row * renderer.byteCount
          renderer.draw(
            grid.values(at: combinations[row]),
            into: UnsafeMutableBufferPointer(rebasing: pixels[start..<start + renderer.byteCount]))
        }
      }
    }
  }

  /// The first `count` numbers of a random permutation of `0..<total` (Fisher and Yates from the
  /// front, with only the displaced numbers in memory).
  private static func choose(
    _ count: Int, of total: Int, using random: inout RandomStream
  ) -> [Int] {
    var displaced: [Int: Int] = [:]
    return (0..<count).map { position in
      let other = position + Int(random.next(upperBound: UInt64(total - position)))
      let chosen = displaced[other] ?? other
      displaced[other] = displaced[position] ?? position
      return chosen
    }
  }
}
