// PNG: what we write is read back by libpng, what Pillow writes is read, the rest is refused.

import LatentNumerics
import Testing

@testable import LatentStorage

@Suite struct PNGTests {
  @Test func shapesAndTypes() throws {
    for shape in [[2], [0, 3], [3, 0], [2, 2, 2], [2, 2, 4], [1, 2, 2, 1]] as [Shape] {
      let error = storageError("\(shape)") {
        _ = try PNG.encode(NDArray(repeating: 0, shape: shape, .uint8))
      }
      #expect(error?.kind == .cannotWrite)
    }
    storageError { _ = try PNG.encode(NDArray(repeating: 0, shape: [2, 2])) }
  }

  @Test func bytesAreThoseOfTheFormat() throws {
    let bytes = try PNG.encode(NDArray([0, 255] as [UInt8], shape: [1, 2]))
    let head = "89504e470d0a1a0a0000000d4948445200000002000000010800000000"
    #expect(hex(bytes).hasPrefix(head))
    #expect(hex(bytes).hasSuffix("0000000049454e44ae426082"))
    #expect(try PNG.encode(NDArray([0, 255] as [UInt8], shape: [1, 2, 1])) == bytes)
  }

  /// Size, depth, colours and transparency, from the first bytes of files of Pillow.
  @Test(arguments: [
    ("0000000300000002" + "0100000000" + "b50f5bb7", "", 1, false, false),
    ("0000000200000001" + "1000000000" + "81d9fc15", "", 16, false, false),
    ("0000000200000001" + "0804000000" + "5e2bb701", "", 8, false, true),
    ("0000000100000001" + "0806000000" + "1f15c489", "", 8, true, true),
    (
      "0000000200000001" + "0103000000" + "ceecedc9",
      "00000006504c5445ff00000000ff6ca1fd8e", 1, true, false
    ),
    (
      "0000000200000001" + "0103000000" + "ceecedc9",
      "00000006504c5445ff00000000ff6ca1fd8e" + "0000000174524e530040e6d866", 1, true, true
    ),
  ])
  func headers(
    header: String, chunks: String, depth: Int, isColor: Bool, hasAlpha: Bool
  ) throws {
    let folder = try TemporaryFolder()
    let text = "89504e470d0a1a0a0000000d49484452" + header + chunks + "0000000149444154"
    let digits = Array(text.utf8)
    let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(decoding: digits[$0...($0 + 1)], as: UTF8.self), radix: 16)
    }
    let found = try PNGHeader(contentsOf: folder.make("a.png", bytes))
    #expect(found.height == bytes[23] && found.width == bytes[19] && found.bitDepth == depth)
    #expect(found.isColor == isColor && found.hasAlpha == hasAlpha)
    for length in 0..<30 {
      storageError { _ = try PNGHeader(contentsOf: folder.make("b.png", Array(bytes[..<length]))) }
      if length == 25 { break }
    }
  }

  #if PNG
    @Test func everyImageComesBack() throws {
      let folder = try TemporaryFolder()
      var random = Random(seed: 8)
      for (height, width) in [(1, 1), (1, 9), (9, 1), (7, 5), (64, 48), (300, 211)] {
        for channels in [1, 3] {
          let shape: Shape = [height, width, channels]
          let smooth = NDArray(
            (0..<shape.count).map { UInt8(truncatingIfNeeded: $0 / 7 + $0 % width) }, shape: shape)
          let binary = NDArray(
            (0..<shape.count).map { UInt8($0 / 5 % 2 * 255) }, shape: shape)
          for image in [NDArray(randomBits: shape, .uint8, &random), smooth, binary] {
            let bytes = try PNG.encode(image)
            #expect(try PNG.encode(image) == bytes)
            #expect(try PNG.decode(bytes) == image, "\(shape)")
          }
          try PNG.write(smooth, to: folder.file("a.png"))
          #expect(try PNG.decode(contentsOf: folder.file("a.png")) == smooth)
        }
      }
    }

    @Test func filtersPay() throws {
      let ramp = NDArray(
        (0..<10_000).map { UInt8(truncatingIfNeeded: $0 % 100 + $0 / 100) }, shape: [100, 100])
      #expect(try PNG.encode(ramp).count < 500)
    }

    /// Files of Pillow 12, in hexadecimal without the first 12 and the last 12 bytes, which are
    /// the same in all.
    static let pillow: [(form: String, bytes: String, image: NDArray)] = [
      (
        "1 bit",
        "0d4948445200000003000000020100000000b50f5bb70000000c4944415478da6358c0fc010002da0194a01a"
          + "2769", NDArray([255, 0, 255, 0, 255, 0] as [UInt8], shape: [2, 3, 1])
      ),
      (
        "palette",
        "0d4948445200000002000000010103000000ceecedc900000006504c5445ff00000000ff6ca1fd8e0000000a"
          + "4944415478da6368000000820081da45083b",
        NDArray([0, 0, 255, 255, 0, 0] as [UInt8], shape: [1, 2, 3])
      ),
      (
        "palette with transparency",
        "0d4948445200000002000000010103000000ceecedc900000006504c5445ff00000000ff6ca1fd8e00000001"
          + "74524e530040e6d8660000000a4944415478da6368000000820081da45083b",
        NDArray([0, 0, 255, 255, 255, 0, 0, 0] as [UInt8], shape: [1, 2, 4])
      ),
      (
        "16 bits",
        "0d494844520000000200000001100000000081d9fc150000000d4944415478da631032f9cf080002e8014730"
          + "ad6b94", NDArray([0x12, 0xff] as [UInt8], shape: [1, 2, 1])
      ),
      (
        "gray and alpha",
        "0d49484452000000020000000108040000005e2bb7010000000d4944415478da63e4121111010000aa004877"
          + "8e6f25", NDArray([10, 20, 30, 40] as [UInt8], shape: [1, 2, 2])
      ),
      (
        "colours and alpha",
        "0d49484452000000010000000108060000001f15c4890000000d4944415478da636064626601000019000b38"
          + "0454b4", NDArray([1, 2, 3, 4] as [UInt8], shape: [1, 1, 4])
      ),
    ]

    private func bytes(_ middle: String) -> [UInt8] {
      let text = Array("89504e470d0a1a0a000000\(middle)0000000049454e44ae426082".utf8)
      return stride(from: 0, to: text.count, by: 2).compactMap {
        UInt8(String(decoding: text[$0...($0 + 1)], as: UTF8.self), radix: 16)
      }
    }

    @Test(arguments: pillow.indices)
    func formsOfOthers(index: Int) throws {
      let (form, middle, image) = Self.pillow[index]
      #expect(try PNG.decode(bytes(middle)) == image, "\(form)")
    }

    /// Samples of 16 bits are kept where that is asked for; all others are what they were.
    @Test func fullDepth() throws {
      for (form, middle, image) in Self.pillow where form != "16 bits" {
        #expect(try PNG.decode(bytes(middle), fullDepth: true) == image, "\(form)")
      }
      // The samples are 0x1234 and 0xff01.
      let deep = try #require(Self.pillow.first { $0.form == "16 bits" })
      let samples = try PNG.decode(bytes(deep.bytes), fullDepth: true)
      #expect(
        samples == NDArray([Float(0x1234) / 65_535, Float(0xff01) / 65_535], shape: [1, 2, 1]))
    }

    @Test func damageIsRefusedOrHarmless() throws {
      let image = NDArray((0..<300).map { UInt8(truncatingIfNeeded: $0) }, shape: [10, 10, 3])
      let valid = try PNG.encode(image)
      for length in 0..<valid.count {
        storageError("length \(length)") { _ = try PNG.decode(Array(valid[..<length])) }
      }
      for seed in seeds(2_000) {
        var random = Random(seed: seed)
        do {
          let decoded = try PNG.decode(Mutation.random(of: valid, &random))
          #expect(decoded == image, "seed \(seed)")
        } catch let error as StorageError {
          #expect(error.kind == .badData)
        }
      }
    }

    @Test func hugeImagesAreRefusedBeforeTheyAreMade() throws {
      // A right header (with its checksum) of 30,000 x 30,000 pixels, and nothing behind it.
      var bomb = PNG.signature
      bomb += PNG.chunk("IHDR", [0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30, 8, 2, 0, 0, 0])
      bomb += PNG.chunk("IDAT", [0x78, 0x9c, 3, 0, 0, 0, 0, 1])
      bomb += PNG.chunk("IEND", [])
      let error = storageError { _ = try PNG.decode(bomb, source: "a.png") }
      #expect(error?.description.contains("30000 x 30000 pixels") == true, "\(error as Any)")
    }

    @Test func otherFilesAreRefused() throws {
      let error = storageError { _ = try PNG.decode(Array("GIF89a..".utf8), source: "a.gif") }
      #expect(error?.description.contains("it is a GIF picture, not a PNG picture") == true)
      let unknown = storageError { _ = try PNG.decode([1, 2, 3], source: "a.png") }
      #expect(unknown?.description.contains("a PNG image") == true)
      storageError { _ = try PNG.decode([]) }
      #expect(storageError { _ = try PNG.decode(contentsOf: "/no.png") }?.kind == .unreadable)
    }
  #else
    @Test func readingNamesThePackage() throws {
      let bytes = try PNG.encode(NDArray([0] as [UInt8], shape: [1, 1]))
      #expect(
        storageError { _ = try PNG.decode(bytes, source: "a.png") }
          == .needsTrait(file: "a.png", trait: "PNG", package: "libpng-dev"))
      #expect(!PNG.canDecode)
    }
  #endif
}
