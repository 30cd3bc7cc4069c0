import LatentDatasets
import LatentNumerics
import Testing

@Suite struct SpritesTests {
  static let sides = [16, 28, 64, 101]

  @Test(arguments: [false, true])
  func combinationsAndLevelsAreABijection(hasColor: Bool) {
    let grid = SpriteGrid(hasColor: hasColor)
    #expect(grid.count == (hasColor ? 8 : 1) * 737_280)
    var previous = [-1]
    for index in stride(from: 0, to: grid.count, by: 977) {
      let levels = grid.levels(at: index)
      #expect(grid.index(of: levels) == index)
      #expect(previous.lexicographicallyPrecedes(levels))
      previous = levels
    }
    #expect(grid.levels(at: grid.count - 1) == grid.factors.map { $0.count - 1 })
    #expect(
      grid.factors.map(\.name)
        == ["shape", "scale", "rotation", "x", "y"] + (hasColor ? ["hue"] : []))
  }

  @Test(arguments: sides)
  func batchesHaveShapesRangesAndFactors(side: Int) throws {
    let sprites = Sprites(side: side)
    let indices = [0, 737_279, 400_000, 123_456]
    let batch = try sprites.batch(at: indices)
    #expect(batch.inputs.shape == [4, side, side, 1])
    #expect(batch.inputs.dtype == .float32)
    #expect(batch.inputs.floats.allSatisfy { (0...1).contains($0) })
    #expect(batch.labels?.int32s == indices.map { Int32(sprites.grid.levels(at: $0)[0]) })
    #expect(batch.factors?.floats == indices.flatMap { sprites.grid.values(at: $0) })
    #expect(sprites.fieldShapes[Field.factors] == [5])
  }

  /// Mass, in pixels, is the area of the shape: 1 % of it and the rounding of the rim to bytes.
  /// A sprite that was cut off or badly anti-aliased would fail.
  @Test(arguments: sides, SpriteShape.allCases)
  func massIsTheArea(side: Int, shape: SpriteShape) {
    let sprites = Sprites(side: side)
    var previous = 0.0
    for scale in 0..<6 {
      let radius = 0.25 * (0.5 + 0.1 * Double(scale)) * Double(side)
      let expected = shape.area * radius * radius
      for (rotation, x, y) in [(0, 0, 0), (3, 31, 31), (17, 5, 20)] {
        let image = sprites.image(levels: [shape.rawValue, scale, rotation, x, y])
        let mass = image.doubles.reduce(0, +)
        #expect(abs(mass - expected) < 0.01 * expected + 0.03 * radius + 0.5)
        #expect(mass > previous)
      }
      previous = sprites.image(levels: [shape.rawValue, scale, 17, 5, 20]).doubles.reduce(0, +)
    }
  }

  /// At 64 pixels one level of x or y is one pixel, exactly.
  @Test(arguments: SpriteShape.allCases)
  func oneLevelShiftsByOnePixel(shape: SpriteShape) {
    let sprites = Sprites(side: 64)
    for level in 0..<31 {
      let base = sprites.image(levels: [shape.rawValue, 5, 7, level, 30 - level])
      let right = sprites.image(levels: [shape.rawValue, 5, 7, level + 1, 30 - level])
      let down = sprites.image(levels: [shape.rawValue, 5, 7, level, 31 - level])
      #expect(right.sliced(1, 1..<64) == base.sliced(1, 0..<63))
      #expect(down.sliced(0, 1..<64) == base.sliced(0, 0..<63))
    }
  }

  @Test(arguments: sides)
  func symmetriesOfTheShapes(side: Int) {
    let sprites = Sprites(side: side)
    func image(_ shape: SpriteShape, rotation: Int, _ x: Int = 15, _ y: Int = 15) -> NDArray {
      sprites.image(levels: [shape.rawValue, 5, rotation, x, y])
    }
    func difference(_ a: NDArray, _ b: NDArray) -> Double {
      zip(a.doubles, b.doubles).map { abs($0 - $1) }.max() ?? 0
    }
    // A quarter turn of the square, half a turn of the ellipse: the same picture.
    #expect(difference(image(.square, rotation: 3), image(.square, rotation: 13)) < 0.02)
    #expect(difference(image(.ellipse, rotation: 3), image(.ellipse, rotation: 23)) < 0.02)
    // The upright heart is its own mirror image (x levels 15 and 16 mirror each other).
    let mirrored = image(.heart, rotation: 0, 16).reversed(1)
    #expect(difference(image(.heart, rotation: 0, 15), mirrored) < 0.02)
    // Its tip points down: the upright heart's centre of mass is higher than that of the heart on
    // its head, whose circumscribed circle is the same.
    func centreRow(_ image: NDArray) -> Double {
      let pixels = image.doubles
      let moment = pixels.indices.reduce(0) { $0 + pixels[$1] * Double($1 / side) }
      return moment / pixels.reduce(0, +)
    }
    let upright = centreRow(image(.heart, rotation: 0))
    #expect(upright < centreRow(image(.heart, rotation: 20)) - 0.01 * Double(side))
  }

  @Test func subsetsAreDistinctDeterministicAndDisjoint() throws {
    let training = Sprites(side: 16, count: 3000, seed: 8)
    let test = Sprites(side: 16, count: 500, seed: 8, skipping: 3000)
    let first = (0..<3000).map(training.combination)
    let second = (0..<500).map(test.combination)
    #expect(Set(first + second).count == 3500)
    #expect((0..<3000).map(Sprites(side: 16, count: 3000, seed: 8).combination) == first)
    #expect(
      (0..<100).map(Sprites(side: 16, count: 100, seed: 8).combination) == Array(first.prefix(100)))
    #expect((0..<3000).map(Sprites(side: 16, count: 3000, seed: 9).combination) != first)
    // The pictures kept in memory are those that the whole grid draws.
    let kept = try training.batch(at: [5, 2999, 17])
    let drawn = try Sprites(side: 16).batch(at: [5, 2999, 17].map(training.combination))
    #expect(kept.fields == drawn.fields)
  }

  @Test func picturesDoNotDependOnTheThreads() throws {
    let indices = (0..<200).map { $0 * 3000 }
    let before = Threads.count
    defer { Threads.count = before }
    Threads.count = 1
    let alone = try Sprites(side: 28).batch(at: indices)
    Threads.count = 4
    #expect(try Sprites(side: 28).batch(at: indices) == alone)
  }

  @Test func colorsFollowTheHue() throws {
    let sprites = Sprites(side: 32, hasColor: true)
    #expect(sprites.fieldShapes[Field.inputs] == [32, 32, 3])
    #expect(sprites.fieldShapes[Field.factors] == [6])
    let centre = (16 * 32 + 16) * 3
    func color(_ hue: Int) -> [Float] {
      Array(sprites.image(levels: [0, 5, 0, 15, 15, hue]).floats[centre..<centre + 3])
    }
    #expect(color(0)[0] == 1 && color(0)[1] == color(0)[2] && color(0)[1] < 0.25)
    #expect(Set((0..<8).map(color)).count == 8)
    for hue in 0..<8 { #expect(color(hue).max() == 1) }
  }
}
