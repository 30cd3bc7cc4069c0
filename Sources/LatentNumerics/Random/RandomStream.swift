// Random numbers as a pure function of counters: Philox4x32-10, after Salmon, Moraes, Dror and
// Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011). Nothing is ever replayed: element i
// of draw d of a stream depends on (key, d, i) alone, whatever the threads or the batch split.

import CLatentKernels

/// An explicit source of randomness; a value, so that a copy repeats the same numbers.
///
/// A training step uses `root.split(step)`, so that resuming at a step needs only its number.
public struct RandomStream: Sendable, Hashable, Codable, RandomNumberGenerator {
  /// The Philox key: which of 2^64 streams this is.
  public let key: UInt64
  /// The number of the next draw.
  public private(set) var draw: UInt64

  /// The stream whose key is `seed`, before its first draw.
  public init(seed: UInt64) {
    key = seed
    draw = 0
  }

  private init(key: UInt64) {
    self.key = key
    draw = 0
  }

  /// The stream with number `index` below this one, independent of what has been drawn.
  ///
  /// Its key is half a Philox block of the index, with counter words no draw uses.
  public func split(_ index: UInt64) -> RandomStream { child(index, 0) }

  /// The stream with a name below this one; names and numbers never meet.
  public func split(_ name: String) -> RandomStream {
    name.utf8.reduce(child(UInt64(name.utf8.count), 1)) { $0.child(UInt64($1), 1) }
  }

  private func child(_ index: UInt64, _ domain: UInt32) -> RandomStream {
    let high = UInt32(truncatingIfNeeded: index >> 32)
    let block = RandomStream.block(
      counter: (UInt32(truncatingIfNeeded: index), high, domain, 0xFFFF_FFFF), key: key)
    return RandomStream(key: UInt64(block.1) << 32 | UInt64(block.0))
  }

  static func block(
    counter: (UInt32, UInt32, UInt32, UInt32), key: UInt64
  ) -> (UInt32, UInt32, UInt32, UInt32) {
    var output: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
    let keyWords = (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32))
    withUnsafeBytes(of: counter) { counter in
      withUnsafeBytes(of: keyWords) { key in
        withUnsafeMutableBytes(of: &output) { output in
          latent_philox_block(
            counter.baseAddress?.assumingMemoryBound(to: UInt32.self),
            key.baseAddress?.assumingMemoryBound(to: UInt32.self),
            output.baseAddress?.assumingMemoryBound(to: UInt32.self))
        }
      }
    }
    return output
  }

  private mutating func nextDraw() -> UInt64 {
    defer { draw += 1 }
    return draw
  }

  /// 64 random bits; takes one draw.
  public mutating func next() -> UInt64 {
    var words: (UInt32, UInt32) = (0, 0)
    let draw = nextDraw()
    withUnsafeMutableBytes(of: &words) {
      latent_random_bits(key, draw, 0, 2, $0.baseAddress?.assumingMemoryBound(to: UInt32.self))
    }
    return UInt64(words.0) << 32 | UInt64(words.1)
  }

  /// Uniform in the open interval (0, 1); takes one draw.
  public mutating func uniform(_ shape: Shape, _ dtype: DType = .float32) -> NDArray {
    require(dtype.isFloatingPoint, "uniform numbers of type \(dtype)")
    let result = NDArray(uninitialized: shape, dtype)
    latent_random_uniform(
      dtype.kernel, key, nextDraw(), 0, Int64(result.count), result.freshPointer)
    return result
  }

  /// Standard normal (Box-Muller); takes one draw.
  public mutating func normal(_ shape: Shape, _ dtype: DType = .float32) -> NDArray {
    require(dtype.isFloatingPoint, "normal numbers of type \(dtype)")
    let result = NDArray(uninitialized: shape, dtype)
    latent_random_normal(
      dtype.kernel, key, nextDraw(), 0, Int64(result.count), result.freshPointer)
    return result
  }

  /// The numbers 0..<count in random order (Fisher and Yates); takes one draw.
  public mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    let draw = nextDraw()
    var bits = [UInt32](repeating: 0, count: 2 * count)
    latent_random_bits(key, draw, 0, Int64(bits.count), &bits)
    for last in stride(from: count - 1, to: 0, by: -1) {
      let random = UInt64(bits[2 * last]) << 32 | UInt64(bits[2 * last + 1])
      order.swapAt(last, Int(random.multipliedFullWidth(by: UInt64(last + 1)).high))
    }
    return order
  }
}
