// Memory of arrays. Freed blocks are kept in size classes and handed out again, so that after the
// first steps of a training run nothing is asked of the system any more.

import Foundation
import Synchronization

/// A block of 64-byte aligned memory, given back to the pool when the last array lets go of it.
///
/// Unchecked because of the raw pointer: arrays write only into storage that nobody else holds.
public final class Storage: @unchecked Sendable {
  let pointer: UnsafeMutableRawPointer
  let byteCount: Int
  private let sizeClass: Int

  init(byteCount: Int) {
    self.byteCount = byteCount
    sizeClass = StoragePool.sizeClass(of: byteCount)
    pointer = StoragePool.take(sizeClass)
  }

  deinit { StoragePool.giveBack(pointer, sizeClass) }
}

/// The free blocks of the process, by size class.
public enum StoragePool {
  private struct State: ~Copyable {
    var free = [[UInt]](repeating: [], count: 256)
    var bytesFromSystem = 0
    var bytesFree = 0
  }
  private static let state = Mutex(State())

  /// Bytes asked of the system and not returned: flat in a steady training loop.
  public static var bytesFromSystem: Int { state.withLock { $0.bytesFromSystem } }
  /// Bytes of those that no array uses at the moment.
  public static var bytesFree: Int { state.withLock { $0.bytesFree } }

  /// Returns the free blocks to the system.
  public static func releaseUnused() {
    state.withLock { state in
      for index in state.free.indices {
        for address in state.free[index] { free(UnsafeMutableRawPointer(bitPattern: address)) }
        state.free[index] = []
      }
      state.bytesFromSystem -= state.bytesFree
      state.bytesFree = 0
    }
  }

  /// Four classes for each power of two, from 64 bytes: at most a quarter of a block is wasted.
  static func sizeClass(of byteCount: Int) -> Int {
    let size = max(byteCount, 64)
    let power = Int.bitWidth - 1 - (size - 1 | 1).leadingZeroBitCount
    let quarter = ((size - 1) >> (power - 2)) & 3
    return (power - 5) * 4 + quarter
  }

  /// The capacity of a class: the largest size that belongs to it.
  static func capacity(of sizeClass: Int) -> Int {
    let power = sizeClass / 4 + 5
    return (4 + sizeClass % 4 + 1) << (power - 2)
  }

  static func take(_ sizeClass: Int) -> UnsafeMutableRawPointer {
    let capacity = capacity(of: sizeClass)
    let reused = state.withLock { state -> UInt? in
      guard let address = state.free[sizeClass].popLast() else {
        state.bytesFromSystem += capacity
        return nil
      }
      state.bytesFree -= capacity
      return address
    }
    if let reused { return UnsafeMutableRawPointer(bitPattern: reused).unsafelyUnwrapped }
    var block: UnsafeMutableRawPointer?
    require(posix_memalign(&block, 64, capacity) == 0, "out of memory: \(capacity) bytes")
    return block.unsafelyUnwrapped
  }

  static func giveBack(_ pointer: UnsafeMutableRawPointer, _ sizeClass: Int) {
    state.withLock { state in
      state.free[sizeClass].append(UInt(bitPattern: pointer))
      state.bytesFree += capacity(of: sizeClass)
    }
  }
}
