// One holder per folder, and none after death.

import Foundation
import Testing

@testable import LatentStorage

@Suite struct RunLockTests {
  @Test func theSecondIsTurnedAway() throws {
    let folder = try TemporaryFolder()
    do {
      let first = try RunLock(folder: folder.path)
      let error = storageError { _ = try RunLock(folder: folder.path) }
      #expect(error == .busy(folder: folder.path, holder: getpid()))
      _ = first.folder
    }
    _ = try RunLock(folder: folder.path)
    #expect(storageError { _ = try RunLock(folder: "/no/such") }?.kind == .cannotWrite)
  }

  @Test func theLockDiesWithItsProcess() throws {
    let folder = try TemporaryFolder()
    let holder = Process()
    holder.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
    // Without a child of its own, which would inherit the lock.
    holder.arguments = ["--no-fork", folder.file(RunLock.fileName), "sleep", "60"]
    try holder.run()
    for _ in 0..<500 where (try? RunLock(folder: folder.path)) != nil { usleep(10_000) }
    #expect(storageError { _ = try RunLock(folder: folder.path) }?.kind == .cannotWrite)
    kill(holder.processIdentifier, SIGKILL)
    holder.waitUntilExit()
    _ = try RunLock(folder: folder.path)
  }
}
