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

  /// Also while another process has the file open, as one that is just being started has.
  @Test func theLockEndsWithItsHolder() throws {
    let folder = try TemporaryFolder()
    var copies: [Int32] = []
    do {
      let first = try RunLock(folder: folder.path)
      // All descriptors of this process for the lock file stand for that of a child.
      for descriptor in Int32(3)..<1024 where isLockFile(descriptor, of: folder) {
        copies.append(dup(descriptor))
      }
      _ = first.folder
    }
    defer { for copy in copies { close(copy) } }
    #expect(!copies.isEmpty)
    _ = try RunLock(folder: folder.path)
  }

  private func isLockFile(_ descriptor: Int32, of folder: TemporaryFolder) -> Bool {
    var (one, other) = (stat(), stat())
    return fstat(descriptor, &one) == 0 && stat(folder.file(RunLock.fileName), &other) == 0
      && one.st_ino == other.st_ino && one.st_dev == other.st_dev
  }

  /// Numbers of files are used again at once, but not while the lock holds them open.
  @Test func removedFoldersAreNoticed() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("run")
    let names = ["removed", "made anew", "another lock"]
    for (index, name) in names.enumerated() {
      try Folder.create(path)
      let lock = try RunLock(folder: path)
      let held = try HeldFolder(path)
      try lock.verify()
      unlink("\(path)/\(RunLock.fileName)")
      if index < 2 { rmdir(path) }
      if index == 1 { try Folder.create(path) }
      let other = index > 0 ? try RunLock(folder: path) : nil
      #expect(storageError(name) { try lock.verify() } == .replaced(folder: path))
      #expect(storageError(name) { try held.verify() } == .replaced(folder: path))
      try other?.verify()
      try? FileManager.default.removeItem(atPath: path)
    }
    // Without a lock the folder itself is compared.
    try Folder.create(path)
    let held = try HeldFolder(path)
    _ = try RunLock(folder: path)
    try held.verify()
    #expect(storageError { _ = try HeldFolder(folder.file("none")) } != nil)
  }

  @Test func foreignLockFilesStay() throws {
    for text in ["somebody else's", "12", "12\n34\n", "\n\n", String(repeating: "1", count: 20)] {
      let folder = try TemporaryFolder()
      _ = try folder.make(RunLock.fileName, Array(text.utf8))
      let error = storageError(text) { _ = try RunLock(folder: folder.path) }
      #expect(error?.kind == .cannotWrite)
      #expect(!RunLock.exists(in: folder.path))
      #expect(try folder.bytes(of: RunLock.fileName) == Array(text.utf8))
    }
    let folder = try TemporaryFolder()
    _ = try RunLock(folder: folder.path)
    #expect(RunLock.exists(in: folder.path))
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
