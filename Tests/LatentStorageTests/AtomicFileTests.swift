// Whatever system call fails, the old file or the new one is there, complete, and nothing else.

import Foundation
import LatentNumerics
import Synchronization
import Testing

@testable import LatentStorage

/// Calls made so far, and which one is to fail. Shared by the closures of a table.
private final class Plan: Sendable {
  let made = Mutex<[String]>([])
  let failing: Int?
  let code: Int32

  init(failing: Int?, code: Int32) {
    self.failing = failing
    self.code = code
  }

  /// Whether the call that comes now shall fail; sets `errno` if so.
  func fails(_ name: String) -> Bool {
    let number = made.withLock {
      $0.append(name)
      return $0.count - 1
    }
    guard number == failing else { return false }
    errno = code
    return true
  }

  /// The system's calls, except for the one that fails; writes are cut to 1000 bytes.
  var calls: SystemCalls {
    let system = SystemCalls.system
    return SystemCalls(
      openFolder: { self.fails("openFolder") ? -1 : system.openFolder($0) },
      create: { self.fails("create") ? -1 : system.create($0, $1) },
      lock: { self.fails("lock") ? -1 : system.lock($0) },
      linkCount: { self.fails("linkCount") ? -1 : system.linkCount($0) },
      write: { self.fails("write") ? -1 : system.write($0, $1, min($2, 1000)) },
      sync: { self.fails("sync") ? -1 : system.sync($0) },
      rename: { self.fails("rename") ? -1 : system.rename($0, $1, $2) },
      syncFolder: { self.fails("syncFolder") ? -1 : system.syncFolder($0) },
      unlink: { self.fails("unlink") ? -1 : system.unlink($0, $1) },
      close: { file in
        // A failing close has closed the file all the same, on Linux.
        let result = system.close(file)
        return self.fails("close") ? -1 : result
      })
  }
}

@Suite struct AtomicFileTests {
  let old = [UInt8](repeating: 1, count: 3_000)
  let new = (0..<4_500).map { UInt8(truncatingIfNeeded: $0 &* 7) }

  private func write(_ plan: Plan, to path: String) throws {
    try new.withUnsafeBytes { try AtomicFile.write($0, to: path, calls: plan.calls) }
  }

  /// From the moment at which it has its name, also while its writer still holds it.
  @Test func whoReadsIsNotLockedOut() throws {
    let folder = try TemporaryFolder()
    let array = NDArray([1, 2, 3] as [Float])
    try HDF5File.write(arrays: ["x": array], to: folder.file("a.h5"))
    let bytes = try folder.bytes(of: "a.h5")
    let path = folder.file("b.h5")
    let read = Mutex<NDArray?>(nil)
    var calls = SystemCalls.system
    calls.syncFolder = { file in
      read.withLock { $0 = try? HDF5File(path: path).array("x") }
      return SystemCalls.system.syncFolder(file)
    }
    try bytes.withUnsafeBytes { try AtomicFile.write($0, to: path, calls: calls) }
    #expect(read.withLock { $0 } == array)
  }

  @Test func bytesArriveThroughShortWrites() throws {
    let folder = try TemporaryFolder()
    let plan = Plan(failing: nil, code: 0)
    try write(plan, to: folder.file("f"))
    #expect(try folder.bytes(of: "f") == new)
    #expect(
      plan.made.withLock { $0 } == [
        "openFolder", "create", "lock", "linkCount", "write", "write", "write", "write", "write",
        "sync", "rename", "syncFolder", "close", "close",
      ])
  }

  @Test(arguments: [EIO, ENOSPC, EDQUOT, EACCES, EROFS, EFBIG])
  func everyCallMayFail(code: Int32) throws {
    for failing in 0..<14 {
      let folder = try TemporaryFolder()
      let path = try folder.make("f", old)
      let plan = Plan(failing: failing, code: code)
      var failure: StorageError?
      do { try write(plan, to: path) } catch { failure = error as? StorageError }
      let call = plan.made.withLock { $0[failing] }
      let content = try folder.bytes(of: "f")
      switch call {
      case "close", "lock", "linkCount":
        // Nothing depends on these: durable data survives a failing close, and a file system
        // without locks is no reason to lose a checkpoint.
        #expect(failure == nil && content == new, "\(call)")
      case "syncFolder":
        #expect(failure?.kind == .cannotWrite && content == new, "\(call)")
      default:
        #expect(failure?.kind == .cannotWrite && content == old, "\(call)")
        #expect(failure?.description.contains("(error \(code))") == true)
      }
      #expect(try Folder.names(in: folder.path) == ["f"], "\(call)")
    }
  }

  @Test func interruptionsAreRetried() throws {
    for failing in [0, 1, 4, 6, 9, 10, 11] {
      let folder = try TemporaryFolder()
      try write(Plan(failing: failing, code: EINTR), to: folder.file("f"))
      #expect(try folder.bytes(of: "f") == new)
    }
  }

  @Test func aSweeperBetweenCreateAndLockIsNoticed() throws {
    let folder = try TemporaryFolder()
    let swept = Mutex(3)
    var calls = SystemCalls.system
    calls.create = { descriptor, name in
      let file = SystemCalls.system.create(descriptor, name)
      let sweeps = swept.withLock {
        $0 -= 1
        return $0 >= 0
      }
      if sweeps { _ = SystemCalls.system.unlink(descriptor, name) }
      return file
    }
    try new.withUnsafeBytes { try AtomicFile.write($0, to: folder.file("f"), calls: calls) }
    #expect(try folder.bytes(of: "f") == new)
  }

  @Test func realLimits() throws {
    // A folder that is not there, one that is a file, a path without a name.
    let folder = try TemporaryFolder()
    let file = try folder.make("f", old)
    let root = folder.path
    for path in ["\(root)/no/f", "\(file)/g", root, "\(root)/", "", "..", "a\0b"] {
      let error = storageError(path) { try AtomicFile.write(new, to: path) }
      #expect(error?.kind == .cannotWrite)
    }
    #expect(try Folder.names(in: folder.path) == ["f"])
    try AtomicFile.write([], to: folder.file("empty"))
    #expect(try folder.bytes(of: "empty") == [])
  }

  @Test func sizeLimitIsAnErrorNotASignal() async throws {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let path = try folder.make("f", [1, 2, 3])
      var limit = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      limit.rlim_cur = 100_000
      setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      let big = [UInt8](repeating: 5, count: 1 << 20)
      for _ in 0..<50 {
        let error = storageError { try AtomicFile.write(big, to: path) }
        #expect(error?.description.contains("ulimit -f") == true)
      }
      #expect(try folder.bytes(of: "f") == [1, 2, 3])
      #expect(try Folder.names(in: folder.path) == ["f"])
    }
  }

  @Test func leftoversOfTheDeadAreSwept() throws {
    let folder = try TemporaryFolder()
    let kept = ["a.h5", ".latent-x.partial", ".latent-1-2.partial.bak", ".latent-1.partial"]
    for name in kept { _ = try folder.make(name, [1]) }
    // Names like ours that nobody holds, whatever process they speak of.
    let dead = [AtomicFile.temporaryName(process: 1, number: 7), ".latent-999999999-1.partial"]
    for name in dead { _ = try folder.make(name, [1]) }
    // One that is being written.
    let live = folder.file(AtomicFile.temporaryName(process: getpid(), number: 1_000_000))
    let file = open(live, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
    #expect(SystemCalls.system.lock(file) == 0)
    #expect(try Set(AtomicFile.sweepLeftovers(in: folder.path)) == Set(dead))
    #expect(try Set(Folder.names(in: folder.path)).count == kept.count + 1)
    flock(file, LOCK_UN)
    close(file)
    #expect(try AtomicFile.sweepLeftovers(in: folder.path).count == 1)
    #expect(storageError { try AtomicFile.sweepLeftovers(in: "/no/such") }?.kind == .unreadable)
  }

  @Test func writersAndSweepersTogether() async throws {
    let folder = try TemporaryFolder()
    let path = folder.path
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<4 {
        group.addTask {
          for round in 0..<50 {
            let bytes = [UInt8](repeating: UInt8(round), count: 2_000)
            try AtomicFile.write(bytes, to: "\(path)/\(writer)")
          }
        }
      }
      group.addTask { for _ in 0..<300 { try AtomicFile.sweepLeftovers(in: path) } }
      try await group.waitForAll()
    }
    for writer in 0..<4 {
      #expect(try folder.bytes(of: "\(writer)") == [UInt8](repeating: 49, count: 2_000))
    }
  }
}
