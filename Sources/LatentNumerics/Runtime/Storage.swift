// Memory of arrays. Freed blocks are kept in size classes and handed out again, so that after the
// first steps of a training run nothing is asked of the system any more.

import CLatentKernels
import Foundation
import Synchronization

/// A block of 64-byte aligned memory, given back to the pool when the last array lets go of it.
///
/// Unchecked because of the raw pointer: arrays write only into storage that nobody else holds.
package final class Storage: @unchecked Sendable {
  let pointer: UnsafeMutableRawPointer
  let byteCount: Int
  /// What the bytes stand for, where they are int8 weights.
  let quantization: Quantization?
  private let sizeClass: Int
  private let derived = Mutex<[DerivedKey: NDArray]>([:])

  init(byteCount: Int, _ quantization: Quantization? = nil) {
    self.byteCount = byteCount
    self.quantization = quantization
    sizeClass = StoragePool.sizeClass(of: byteCount)
    pointer = StoragePool.take(sizeClass)
  }

  deinit { StoragePool.giveBack(pointer, sizeClass) }

  /// What `make` computes from the elements at `offset`: kept until the memory is written to.
  func derived(_ key: DerivedKey, make: () -> NDArray) -> NDArray {
    if let known = derived.withLock({ $0[key] }) { return known }
    let made = make()
    derived.withLock { $0[key] = made }
    return made
  }

  /// To be called before the memory is written to.
  func forgetDerived() {
    derived.withLock { if !$0.isEmpty { $0 = [:] } }
  }
}

/// Other forms of an array that its memory keeps: weights in the layout that a kernel wants.
struct DerivedKey: Hashable {
  /// Of the array, in bytes.
  var offset: Int
  /// The number of the layout. Those of plans stand for the array's extents too.
  var layout: Int64
  /// The array's elements and first extent, as far as the form depends on them: slices and reshaped
  /// arrays share memory.
  var count = 0
  var rows = 0
}

/// The free blocks of the process, by size class and by the thread that used them last: networks that
/// run whole on each thread then find their blocks in their own core's cache, instead of fetching
/// what another core wrote into them.
public enum StoragePool {
  private struct State: ~Copyable {
    var free = [[UInt]](repeating: [], count: homes * classes)
    var bytesFromSystem = 0
    var bytesFree = 0
  }
  private static let classes = 256
  /// Threads beyond so many share them.
  private static let homes = 16
  private static var home: Int { Int(latent_pool_thread_number()) % homes }
  private static let state = Mutex(State())

  /// Bytes asked of the system and not returned: flat in a steady training loop.
  public static var bytesFromSystem: Int { state.withLock { $0.bytesFromSystem } }
  /// Bytes of those that no array uses at the moment.
  public static var bytesFree: Int { state.withLock { $0.bytesFree } }

  private static let shortage = Mutex<(@Sendable (Int) -> Void)?>(nil)

  /// Called with the bytes asked for when the system has no memory for an array, before the process
  /// traps: a program may say so in its own words and end. It must not make arrays.
  public static var onShortage: (@Sendable (_ byteCount: Int) -> Void)? {
    get { shortage.withLock { $0 } }
    set { shortage.withLock { $0 = newValue } }
  }

  /// Returns the free blocks to the system.
  public static func releaseUnused() {
    state.withLock { state in
      for index in state.free.indices {
        for address in state.free[index] {
          SystemMemory.free(
            UnsafeMutableRawPointer(bitPattern: address), capacity(of: index % classes))
        }
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
    let home = home
    let reused = state.withLock { state -> UInt? in
      for step in 0..<homes {
        let index = (home + step) % homes * classes + sizeClass
        guard let address = state.free[index].popLast() else { continue }
        state.bytesFree -= capacity
        return address
      }
      state.bytesFromSystem += capacity
      return nil
    }
    if let reused { return UnsafeMutableRawPointer(bitPattern: reused).unsafelyUnwrapped }
    if let block = SystemMemory.allocate(capacity) { return block }
    // Free blocks of other sizes are room as well.
    releaseUnused()
    if let block = SystemMemory.allocate(capacity) { return block }
    onShortage?(capacity)
    fatalError("out of memory: an array of \(capacity) bytes")
  }

  static func giveBack(_ pointer: UnsafeMutableRawPointer, _ sizeClass: Int) {
    let index = home * classes + sizeClass
    state.withLock { state in
      state.free[index].append(UInt(bitPattern: pointer))
      state.bytesFree += capacity(of: sizeClass)
    }
  }
}

/// Blocks from the system: large ones on huge pages, where the kernel has them. Weights and moments
/// are read from end to end at every step, and with 4 KiB pages a virtual machine walks two page
/// tables for each of them.
private enum SystemMemory {
  private static let hugePage = 2 << 20
  private static let smallestHuge = 1 << 20

  /// Nil where the system has none.
  static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer? {
    var block: UnsafeMutableRawPointer?
    if byteCount < smallestHuge {
      return posix_memalign(&block, 64, byteCount) == 0 ? block : nil
    }
    // Mapped with room to spare, then cut to whole huge pages.
    let length = rounded(byteCount)
    let mapped = mmap(
      nil, length + hugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let mapped, mapped != MAP_FAILED else { return nil }
    let before = (hugePage - Int(bitPattern: mapped) % hugePage) % hugePage
    if before > 0 { munmap(mapped, before) }
    munmap(mapped + before + length, hugePage - before)
    madvise(mapped + before, length, 14)  // MADV_HUGEPAGE; only advice, refused where unknown
    return mapped + before
  }

  static func free(_ block: UnsafeMutableRawPointer?, _ byteCount: Int) {
    if byteCount < smallestHuge {
      Foundation.free(block)
    } else {
      munmap(block, rounded(byteCount))
    }
  }

  private static func rounded(_ byteCount: Int) -> Int {
    (byteCount + hugePage - 1) / hugePage * hugePage
  }
}
