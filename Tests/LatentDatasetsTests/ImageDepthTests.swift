// What pixels become: averages of colours times their opacity, in the full depth of the file. The
// expected values are worked out by hand from that definition.

import LatentNumerics
import LatentStorage
import Testing

@testable import LatentDatasets

#if PNG
  @Suite struct ImageDepthTests {
    /// A PNG file of unfiltered rows.
    private func png(
      _ side: Int, depth: UInt8, colorType: UInt8, _ rows: [[UInt8]]
    ) throws -> [UInt8] {
      let size = UInt8(side)
      let header: [UInt8] = [0, 0, 0, size, 0, 0, 0, size, depth, colorType, 0, 0, 0]
      let pixels: [UInt8] = rows.flatMap { [0] + $0 }
      // The gzip file of the same bytes holds them as zlib wants them between its header and trailer.
      let deflated = Gzip.compress(pixels).dropFirst(10).dropLast(8)
      var (a, b) = (UInt32(1), UInt32(0))
      for byte in pixels {
        a = (a + UInt32(byte)) % 65_521
        b = (b + a) % 65_521
      }
      let sum = [UInt8(b >> 8), UInt8(b & 255), UInt8(a >> 8), UInt8(a & 255)]
      var bytes: [UInt8] = [0x89] + Array("PNG\r\n".utf8) + [0x1a, 0x0a]
      bytes += chunk("IHDR", header)
      bytes += chunk("IDAT", [0x78, 0x9c] + deflated + sum)
      return bytes + chunk("IEND", [])
    }

    private func chunk(_ type: String, _ body: [UInt8]) -> [UInt8] {
      let named = Array(type.utf8) + body
      // The checksum of gzip is that of PNG.
      let sum = Gzip.compress(named).suffix(8).prefix(4).reversed()
      return [0, 0, UInt8(body.count >> 8), UInt8(body.count & 255)] + named + sum
    }

    /// Opaque black beside transparent white is black, however it is averaged.
    @Test(arguments: [1, 2, 3, 5, 8, 11])
    func transparentColoursDoNotShine(side: Int) throws {
      try withTemporaryFolder { folder in
        let row = (0..<8).flatMap { column -> [UInt8] in
          column % 2 == 0 ? [0, 0, 0, 255] : [255, 255, 255, 0]
        }
        try write(
          png(8, depth: 8, colorType: 6, Array(repeating: row, count: 8)), to: "\(folder)/a.png")
        let data = try ImageFolder(path: folder, side: side)
        #expect(try data.batch(at: [0]).inputs.floats.allSatisfy { $0 == 0 })
        #expect(
          data.notes.count == 1 && data.notes[0].contains("1 of 1 pictures may be transparent"))
      }
    }

    /// Half of white, and half of nothing: the average is the share of covered white.
    @Test func opacityIsAWeight() throws {
      try withTemporaryFolder { folder in
        let rows: [[UInt8]] = [[255, 255, 200, 0], [100, 51, 0, 255]]
        try write(png(2, depth: 8, colorType: 4, rows), to: "\(folder)/a.png")
        // (255 * 255 + 100 * 51) / 4, of 255 * 255.
        let expected = 70_125.0 / 4 / 65_025
        let mean = try ImageFolder(path: folder, side: 1).batch(at: [0]).inputs.doubles[0]
        #expect(abs(mean - expected) < 1e-7)
        let plain = try ImageFolder(path: folder).batch(at: [0]).inputs.doubles
        let opaque: [Double] = [1, 0, 5_100.0 / 65_025, 0]
        #expect(zip(plain, opaque).allSatisfy { abs($0 - $1) < 1e-7 })
      }
    }

    @Test func sixteenBitsAreKept() throws {
      try withTemporaryFolder { folder in
        let rows: [[UInt8]] = (0..<4).map { row -> [UInt8] in
          (0..<4).flatMap { column -> [UInt8] in [0, UInt8(row * 64 + column * 16)] }
        }
        try PNG.write(
          NDArray([UInt8](repeating: 17, count: 16), shape: [4, 4]), to: "\(folder)/a.png")
        try write(png(4, depth: 16, colorType: 0, rows), to: "\(folder)/b.png")
        let data = try ImageFolder(path: folder)
        let batch = try data.batch(at: [1, 0]).inputs.floats
        #expect(batch[..<16].elementsEqual((0..<16).map { Float($0 * 16) / 65_535 }))
        #expect(isScaled(NDArray(Array(batch[16...])), [Int](repeating: 17, count: 16)))
        // A quarter of the sum of each block of four: the first is (0 + 16 + 64 + 80) / 4.
        let small = try ImageFolder(path: folder, side: 1).batch(at: [1]).inputs.doubles[0]
        #expect(abs(small - 120.0 / 65_535) < 1e-8)
      }
    }

    @Test func averagesOfBytesAreNotRounded() throws {
      try withTemporaryFolder { folder in
        try PNG.write(NDArray([0, 1, 1, 1] as [UInt8], shape: [2, 2]), to: "\(folder)/a.png")
        let mean = try ImageFolder(path: folder, side: 1).batch(at: [0]).inputs.doubles[0]
        #expect(abs(mean - 0.75 / 255) < 1e-9)
      }
    }

    @Test func lostColoursAreSaid() throws {
      try withTemporaryFolder { folder in
        let gray = NDArray([1, 2, 3, 4] as [UInt8], shape: [2, 2])
        let color = NDArray((0..<12).map { UInt8($0) }, shape: [2, 2, 3])
        try PNG.write(gray, to: "\(folder)/a.png")
        try PNG.write(color, to: "\(folder)/b.png")
        try PNG.write(color, to: "\(folder)/c.png")
        let notes = try ImageFolder(path: folder).notes
        #expect(notes.count == 1)
        #expect(notes.first?.hasPrefix("2 of 3 pictures have colours and become gray") == true)
        #expect(try ImageFolder(path: folder, channels: 1).notes.isEmpty)
        #expect(try ImageFolder(path: folder, channels: 3).notes.isEmpty)
        // All parts of a set say what the set says.
        let part = try ImageFolder(path: folder).split(validation: 0.34, seed: 1).validation
        #expect(part.notes == notes)
      }
    }

    @Test func endless() throws {
      try withTemporaryFolder { folder in
        for index in 0..<6 { try write([1], to: "\(folder)/\(index).txt") }
        #expect(throws: DatasetError.tooManyEntries(path: folder, limit: 5)) {
          try ImageListing(folder, entryLimit: 5)
        }
      }
    }
  }
#endif
