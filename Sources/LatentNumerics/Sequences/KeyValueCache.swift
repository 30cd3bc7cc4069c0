// What attention remembers while a sequence is made one position at a time: the keys and values of
// all positions so far, so that each new one costs one query instead of a whole pass (Shazeer 2019
// names the memory traffic that remains). A value, but written in place by its only holder.

import CLatentKernels

/// Keys and values of the positions of a sequence that have been seen.
public struct KeyValueCache: Sendable {
  /// Sequences that are made side by side.
  public let batch: Int
  /// Heads of attention.
  public let heads: Int
  /// The width of a head.
  public let headSize: Int
  /// The most positions it can hold.
  public let capacity: Int
  /// Positions seen.
  public private(set) var count = 0
  /// `[batch, heads, head size, capacity]`, so that one query meets neighbouring keys.
  private var keys: NDArray
  /// `[batch, heads, capacity, head size]`
  private var values: NDArray

  /// Room for `capacity` positions; empty at first.
  public init(
    batch: Int, heads: Int, headSize: Int, capacity: Int, _ dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      heads > 0 && headSize > 0 && capacity > 0 && dtype.isFloatingPoint,
      "a cache of \(heads) heads of \(headSize), \(capacity) positions of \(dtype)", file: file,
      line: line)
    self.batch = batch
    self.heads = heads
    self.headSize = headSize
    self.capacity = capacity
    let padded = Int(latent_attention_capacity(Int64(capacity)))
    keys = NDArray(repeating: 0, shape: [batch, heads, headSize, padded], dtype)
    values = NDArray(repeating: 0, shape: [batch, heads, capacity, headSize], dtype)
  }

  /// The type of keys and values.
  public var dtype: DType { keys.dtype }

  /// Takes the next position's queries, keys and values `[batch, 3 * width]` and gives what its
  /// query finds among the positions so far, its own included: `[batch, width]`. Traps when the
  /// cache is full.
  public mutating func attend(
    _ projection: NDArray, file: StaticString = #fileID, line: UInt = #line
  ) -> NDArray {
    let width = heads * headSize
    require(
      projection.shape == [batch, 3 * width] && projection.dtype == dtype,
      "key/value cache: projection \(projection.shape) of \(projection.dtype), expected "
        + "\([batch, 3 * width] as Shape) of \(dtype)", file: file, line: line)
    require(
      count < capacity, "key/value cache: all \(capacity) positions are taken", file: file,
      line: line)
    keys.makeUnique()
    values.makeUnique()
    let output = NDArray(uninitialized: [batch, width], dtype)
    let (batch, heads, size) = (Int64(batch), Int64(heads), Int64(headSize))
    let wanted = latent_attention_step_scratch(batch, heads, size, Int64(capacity))
    let scratch = NDArray(uninitialized: [Int(wanted)], dtype)
    latent_attention_step(
      dtype.kernel, batch, heads, size, Int64(capacity), Int64(count),
      1 / Double(headSize).squareRoot(), projection.pointer, keys.freshPointer,
      values.freshPointer, output.freshPointer, scratch.freshPointer)
    keepAlive(projection.storage)
    keepAlive(scratch.storage)
    count += 1
    return output
  }
}
