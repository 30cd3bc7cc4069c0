import Foundation
import LatentFigures
import LatentNumerics
import LatentStorage
import Testing

@Suite struct PictureTests {
  /// Types and contents of the chunks of a PNG file.
  private func chunks(_ png: [UInt8]) -> [(type: String, body: [UInt8])] {
    var rest = png.dropFirst(8)
    var result: [(String, [UInt8])] = []
    while rest.count >= 12 {
      let length = number(Array(rest.prefix(4)))
      let type = String(decoding: rest.dropFirst(4).prefix(4), as: UTF8.self)
      result.append((type, Array(rest.dropFirst(8).prefix(length))))
      rest = rest.dropFirst(length + 12)
    }
    return result
  }

  private func number(_ bytes: some Sequence<UInt8>) -> Int {
    bytes.reduce(0) { $0 << 8 | Int($1) }
  }

  private func frames(_ count: Int) -> [NDArray] {
    (0..<count).map { frame in
      NDArray((0..<48).map { Float(($0 * 5 + frame * 7) % 48) / 47 }, shape: [1, 4, 4, 3])
    }
  }

  @Test("An animation is the still picture with frames that are played there and back")
  func animations() throws {
    let animation = try Animation(frames(4), columns: 1, milliseconds: 50, gap: 0)
    let parts = chunks(animation.png)
    #expect(parts.first?.type == "IHDR" && parts.last?.type == "IEND")
    #expect(parts[1].type == "acTL" && number(parts[1].body.prefix(4)) == 6)
    #expect(number(parts[1].body.suffix(4)) == 0, "without end")
    // The picture of readers without animation is the first frame.
    let still = chunks(animation.still.png)
    #expect(parts.first { $0.type == "IDAT" }?.body == still.first { $0.type == "IDAT" }?.body)
    #expect(parts[0].body == still[0].body)
    let controls = parts.filter { $0.type == "fcTL" }.map(\.body)
    #expect(controls.map { number($0[20..<22]) } == [300, 50, 50, 300, 50, 50])
    #expect(controls.allSatisfy { number($0[22..<24]) == 1000 && number($0[4..<8]) == 4 })
    // Frame controls and later frames count together (the specification's sequence numbers).
    let numbers = parts.filter { ["fcTL", "fdAT"].contains($0.type) }.map {
      number($0.body.prefix(4))
    }
    #expect(numbers == Array(0..<11))
    // Forwards 0 1 2 3, backwards 2 1.
    let data = parts.filter { $0.type == "fdAT" }.map { Array($0.body.dropFirst(4)) }
    #expect(data[1] == data[3] && data[0] == data[4] && data[0] != data[1])
  }

  @Test("Frames have one shape, and there is one")
  func wrongAnimations() {
    let other = NDArray([Float](repeating: 0, count: 16), shape: [1, 4, 4, 1])
    for frames in [[], frames(2) + [other]] {
      #expect(throws: StorageError.self) { try Animation(frames, columns: 1) }
    }
    #expect(throws: StorageError.self) {
      try PNG.encode(
        frames: [NDArray([UInt8](repeating: 0, count: 4), shape: [2, 2])], delays: [70_000])
    }
  }

  @Test("A grid knows its size and is what storage makes of it")
  func grids() throws {
    let images = NDArray((0..<96).map { Float($0) / 95 }, shape: [6, 4, 4, 1])
    let grid = try PictureGrid(images, columns: 4, gap: 2, scale: 3)
    #expect(grid.width == 4 * 14 + 2 && grid.height == 2 * 14 + 2)
    #expect(try grid.png == PNG.encode(ImageGrid.tile(images, columns: 4, gap: 2, scale: 3)))
    #expect(throws: StorageError.self) { try PictureGrid(pixels: NDArray([1.5], shape: [1, 1])) }
  }

  @Test("Points are seen in the colours of their labels")
  func scatters() {
    let places = NDArray([0.0, 0, 1, 1], shape: [2, 2])
    let picture = ScatterPicture(places, labels: [0, 1]).image(side: 100)
    #expect(picture.shape == [100, 100, 3])
    let bytes = picture.doubles
    func pixel(_ row: Int, _ column: Int) -> [Double] {
      Array(bytes[(row * 100 + column) * 3..<(row * 100 + column) * 3 + 3])
    }
    // Near the corners, seven tenths of the colour.
    for (group, place) in [(0, (97, 2)), (1, (2, 97))] {
      let color = Palette.light.groups[group]
      let expected = [color.red, color.green, color.blue].map { 255 + (Double($0) - 255) * 0.7 }
      #expect(zip(pixel(place.0, place.1), expected).allSatisfy { abs($0 - $1) <= 1 }, "\(group)")
    }
    #expect(pixel(50, 50) == [255, 255, 255])
  }
}
