// The feature network that ships with the library: its weights, its pipeline, and that it sees what it should.

import Foundation
import Latent
import Testing

@Suite struct SamplesFeatureTests {
  let features: PictureFeatures

  init() throws { features = try PictureFeatures() }

  /// Other weights are another network and need another name, or numbers under one name would not compare.
  static let digest = "a65e46832b5fbaaa412df197286e07a9f0436fa2fc63c24b84c8689a02aad844"

  @Test("It is known by its name and its digest, and no other name is")
  func name() throws {
    #expect(features.name == "latent-features-1" && features.digest == Self.digest)
    #expect(features.settings["featuresDigest"] == features.digest)
    #expect(throws: SampleError.unknownFeatures(name: "fid", known: ["latent-features-1"])) {
      try PictureFeatures("fid")
    }
  }

  @Test("PyTorch finds the same features from the same file")
  func reference() throws {
    let count = 2 * 32 * 32 * 3
    let bytes = (0..<count).map {
      (127.5 + 127.5 * sin(0.37 * Double($0))).rounded(.toNearestOrEven)
    }
    let pictures = Tensor(bytes.map { Float($0 / 255) }, shape: [2, 32, 32, 3])
    let found = try features(pictures).doubles
    for (found, expected) in zip(found, SamplesReference.all.features.flatMap { $0 }) {
      #expect(abs(found - expected) < 2e-4, "\(found), \(expected)")
    }
  }

  @Test("Pictures of any size and kind enter by one way")
  func pipeline() throws {
    var random = RandomStream(seed: 1)
    let gray = random.uniformTensor([3, 28, 28, 1])
    let color = gray.broadcast(to: [3, 28, 28, 3])
    #expect(try PictureFeatures.prepared(gray).array == PictureFeatures.prepared(color).array)
    // A constant picture stays constant, at the nearest of 256 levels, whatever its size.
    for shape: Shape in [[1, 7, 7, 1], [1, 32, 32, 3], [1, 64, 64, 3], [1, 40, 90, 2]] {
      let level = Tensor(repeating: 0.5004, shape: shape)
      let expected = shape[3] == 2 ? (128.0 / 255) * (128.0 / 255) : 128.0 / 255
      for value in try PictureFeatures.prepared(level).doubles {
        #expect(abs(value - (2 * expected - 1)) < 1e-5)
      }
    }
    // Values beyond white are white, and rounding can be left out.
    #expect(try PictureFeatures.prepared(.ones([1, 8, 8, 1]) * 1.5).doubles.allSatisfy { $0 == 1 })
    let fine = try PictureFeatures.prepared(
      Tensor(repeating: 0.5004, shape: [1, 4, 4, 1]), inEightBits: false)
    #expect(fine.doubles.allSatisfy { abs($0 - 0.0008) < 1e-6 })
    #expect(throws: SampleError.noPictures(shape: [4, 9])) { try features(.zeros([4, 9])) }
    #expect(try features(.zeros([0, 8, 8, 1])).shape == [0, 64])
  }

  @Test("A picture has the same features in any batch")
  func batches() throws {
    let sprites = Sprites(side: 16, count: 300, seed: 1)
    let pictures = Tensor(try sprites.batch(0..<300).inputs)
    let all = try features(pictures)
    let some = try features(pictures[255..<260])
    for (one, other) in zip(all[255..<260].doubles, some.doubles) {
      #expect(abs(one - other) < 1e-4)
    }
  }

  @Test("Spoiled pictures are farther from the data than other data are")
  func order() throws {
    let data = Sprites(side: 32, count: 300, seed: 7, hasColor: true)
    let pictures = Tensor(try data.batch(0..<300).inputs)
    let (real, fresh) = (pictures[..<150], pictures[150...])
    var random = RandomStream(seed: 2)
    let damaged = [
      "blur": fresh.resized(to: [10, 10], .linear()).resized(to: [32, 32], .linear()),
      "noise": fresh + random.normalTensor(fresh.shape) * 0.1,
      "one color": fresh.mean(axes: [3], keepingDimensions: true).broadcast(to: fresh.shape),
    ]
    func distance(_ fake: Tensor) throws -> Double {
      try KernelDistance().value(
        .kernelDistance, real: try features(real), fake: try features(fake)
      ).value
    }
    let honest = try distance(fresh)
    for (kind, pictures) in damaged {
      let found = try distance(pictures)
      #expect(found > 0.05 && found > 5 * abs(honest), "\(kind): \(found), fresh \(honest)")
    }
  }
}
