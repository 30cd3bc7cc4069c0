// What the machine can do at this moment: the best matrix product and the best copy, measured beside
// everything that is judged. Seconds drift with neighbours, clocks and temperature; ratios to these
// two drift far less.

import Latent

/// The two kernels that stand for the machine.
final class Reference {
  enum Kind: String, Codable, Sendable {
    /// A square float32 product: arithmetic.
    case product
    /// A copy much larger than the caches: memory.
    case copy
  }

  /// Side of the matrices.
  static let side = 1024
  /// Bytes of an array that no cache holds.
  static let copiedBytes = 256 << 20
  private static let copyPieces = 64

  static let productOperations = 2 * Double(side * side * side)
  /// Read once and written once.
  static let copyTraffic = 2 * Double(copiedBytes)

  private let left, right, source: NDArray
  private var target: NDArray
  private var productsPerBlock = 1
  private var copiesPerBlock = 1

  init() {
    var random = RandomStream(seed: 11)
    left = random.uniform([Reference.side, Reference.side])
    right = random.uniform([Reference.side, Reference.side])
    source = NDArray(repeating: 1, shape: [Reference.copiedBytes / 4])
    target = NDArray(repeating: 0, shape: [Reference.copiedBytes / 4])
    productsPerBlock = warmUp(0.1) { product() }
    copiesPerBlock = warmUp(0.1) { copy() }
  }

  /// Seconds of one call, from one block.
  func seconds(_ kind: Kind) -> Double {
    switch kind {
    case .product: block(productsPerBlock) { product() }
    case .copy: block(copiesPerBlock) { copy() }
    }
  }

  /// The machine's peak, from the best of a few blocks.
  func peak(blocks: Int = 5) -> Peak {
    func best(_ kind: Kind) -> Double { (0..<blocks).map { _ in seconds(kind) }.min() ?? .nan }
    return Peak(
      flops: Reference.productOperations / best(.product),
      bandwidth: Reference.copyTraffic / best(.copy))
  }

  private func product() { blackHole(Tensor(left.matmul(right))) }

  private func copy() {
    let size = Reference.copiedBytes / Reference.copyPieces
    source.withUnsafeBytes { source in
      target.withUnsafeMutableBytes { target in
        parallelFor(Reference.copyPieces) { piece in
          let range = piece * size..<(piece + 1) * size
          UnsafeMutableRawBufferPointer(rebasing: target[range])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[range]))
        }
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
