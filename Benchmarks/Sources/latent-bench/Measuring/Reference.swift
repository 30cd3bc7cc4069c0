// What the machine can do at this moment: the best matrix product and the fastest pass over memory,
// measured beside everything that is judged. Seconds drift with neighbours, clocks and temperature;
// ratios to these two drift far less.

import Latent

/// The two kernels that stand for the machine.
final class Reference {
  enum Kind: String, Codable, Sendable {
    /// A square float32 product: arithmetic.
    case product
    /// An array much larger than the caches, changed in place. This moves more bytes a second than a
    /// copy, whose target is read before it is overwritten or written past the caches.
    case memory
  }

  /// Side of the matrices.
  static let side = 512
  /// Bytes of an array that no cache holds.
  static let byteCount = 256 << 20

  static let productOperations = 2 * Double(side * side * side)
  /// Read once and written once.
  static let traffic = 2 * Double(byteCount)

  private let left, right: NDArray
  private var array: NDArray
  private var productsPerBlock = 1
  private var passesPerBlock = 1

  init() {
    var random = RandomStream(seed: 11)
    left = random.uniform([Reference.side, Reference.side])
    right = random.uniform([Reference.side, Reference.side])
    array = NDArray(repeating: 1, shape: [Reference.byteCount / 4])
    productsPerBlock = warmUp(0.1) { product() }
    passesPerBlock = warmUp(0.1) { pass() }
  }

  /// Seconds of one call, from one block.
  func seconds(_ kind: Kind) -> Double {
    switch kind {
    case .product: block(productsPerBlock) { product() }
    case .memory: block(passesPerBlock) { pass() }
    }
  }

  /// The machine's peak, from the best of a few blocks.
  func peak(blocks: Int = 5) -> Peak {
    func best(_ kind: Kind) -> Double { (0..<blocks).map { _ in seconds(kind) }.min() ?? .nan }
    return Peak(
      flops: Reference.productOperations / best(.product),
      bandwidth: Reference.traffic / best(.memory))
  }

  private func product() { blackHole(Tensor(left.matmul(right))) }

  private func pass() {
    array.withUnsafeMutableBytes { bytes in
      let vectors = bytes.bindMemory(to: SIMD16<Float>.self)
      let pieces = 64
      let length = vectors.count / pieces
      parallelFor(pieces) { piece in
        for index in piece * length..<(piece + 1) * length { vectors[index] = -vectors[index] }
      }
    }
  }
}

/// Floating-point operations and bytes per second.
struct Peak {
  var flops: Double
  var bandwidth: Double

  /// The least time for so much work: arithmetic and traffic may overlap.
  func limit(operations: Double, bytes: Double) -> Double {
    max(operations / flops, bytes / bandwidth)
  }
}
