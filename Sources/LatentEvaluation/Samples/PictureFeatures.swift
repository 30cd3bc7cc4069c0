// From pictures of any kind to features, by one way and no other: half of what is wrong with published distances is
// the resize (Parmar, Zhang and Zhu 2022, "On aliased resizing and surprising subtleties in GAN evaluation").

import CLatentFeatures
import LatentAutodiff
import LatentDatasets
import LatentNumerics
import LatentStorage

/// A feature network by its name, with the pipeline before it.
///
/// ```swift
/// let features = try PictureFeatures("latent-features-1")
/// let distance = try FrechetDistance()(
///   real: features(real), fake: features(fake), using: &random)
/// ```
///
/// Pictures `[batch, height, width, channels]` between 0 and 1 are
/// 1. rounded to 8 bits, as a file of them would be: generated ones come as reals, and real ones as bytes;
/// 2. brought to three channels: gray three times, the opacity of a fourth channel multiplied in;
/// 3. brought to 32 x 32 by a triangle filter as wide as a target pixel (Pillow's antialiased bilinear filter), from the
///    middle square of pictures that are none;
/// 4. moved to -1...1.
///
/// The weights are a part of the program, so that there is no file to be found or to be the wrong one.
public struct PictureFeatures: Sendable {
  /// The names of all feature networks.
  public static let names = ["latent-features-1"]

  /// The network's name.
  public let name: String
  /// The SHA-256 of its file, in hexadecimal digits.
  public let digest: String
  /// The network.
  public let network: PictureNetwork

  /// The network of this name.
  /// - Throws: `SampleError.unknownFeatures`; `StorageError` where the program's copy of the weights is damaged.
  public init(_ name: String = names[0]) throws {
    guard PictureFeatures.names.contains(name) else {
      throw SampleError.unknownFeatures(name: name, known: PictureFeatures.names)
    }
    let file = UnsafeRawBufferPointer(
      start: latent_features_1(), count: latent_features_1_size())
    let checkpoint = try Checkpoint(decoding: Array(file), source: name)
    var random = RandomStream(seed: 0)
    var network = PictureNetwork(using: &random)
    try network.load(checkpoint.arrays)
    self.name = name
    digest = SHA256.digest(file).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    self.network = network
  }

  /// What a number over these features depends on, for its ``MetricValue/settings``.
  public var settings: [String: String] {
    [
      "features": name, "featuresDigest": digest,
      "pictures": "8 bits, \(PictureNetwork.side) x \(PictureNetwork.side), triangle filter",
    ]
  }

  /// Pictures for one pass; memory stays bounded.
  private static let batch = 256

  /// Features of pictures `[batch, height, width, channels]` between 0 and 1: float64 `[batch, 64]`.
  ///
  /// - Parameter inEightBits: Whether pictures are rounded first. Only ``PathLength`` does without, whose steps are
  ///   far smaller.
  /// - Throws: `SampleError.noPictures`.
  public func callAsFunction(_ pictures: Tensor, inEightBits: Bool = true) throws -> Tensor {
    let prepared = try PictureFeatures.prepared(pictures, inEightBits: inEightBits)
    let count = prepared.shape[0]
    if count == 0 { return .zeros([0, PictureNetwork.features], .float64) }
    let parts = stride(from: 0, to: count, by: PictureFeatures.batch).map { start in
      let rows = start..<min(start + PictureFeatures.batch, count)
      return network(prepared.sliced(0, rows)).converted(to: .float64)
    }
    return Tensor.concatenate(parts, axis: 0)
  }

  /// Pictures as the networks take them: `[batch, height, width, channels]` between 0 and 1 to float32
  /// `[batch, 32, 32, 3]` between -1 and 1.
  /// - Throws: `SampleError.noPictures`.
  public static func prepared(
    _ pictures: Tensor, inEightBits: Bool = true
  ) throws -> Tensor {
    guard pictures.rank == 4, (1...4).contains(pictures.shape[3]), pictures.shape[1] > 0,
      pictures.shape[2] > 0, pictures.dtype.isFloatingPoint
    else { throw SampleError.noPictures(shape: pictures.shape) }
    let side = PictureNetwork.side
    let count = pictures.shape[0]
    let size = side * side * PictureNetwork.channels
    let source = pictures.array.converted(to: .float32)
    let result = NDArray(
      shape: [count, side, side, PictureNetwork.channels], .float32
    ) { memory in
      nonisolated(unsafe) let target = memory.bindMemory(to: Float.self)
      parallelFor(count) { index in
        let picture = inEightBits ? eightBits(source[index]) : source[index]
        let resized = ImageResizing.resized(
          ImageResizing.withChannels(picture, PictureNetwork.channels),
          to: ImageSize(height: side, width: side))
        resized.withUnsafeElements(of: Float.self) { values in
          for position in 0..<size { target[index * size + position] = 2 * values[position] - 1 }
        }
      }
    }
    return Tensor(result)
  }

  /// The nearest multiples of 1/255 between 0 and 1.
  static func eightBits(_ picture: NDArray) -> NDArray {
    picture.withUnsafeElements(of: Float.self) { values in
      NDArray(shape: picture.shape, .float32) { memory in
        let target = memory.bindMemory(to: Float.self)
        for (position, value) in values.enumerated() {
          target[position] = (min(max(value, 0), 1) * 255).rounded() / 255
        }
      }
    }
  }
}
