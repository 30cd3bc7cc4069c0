// Marks tell the files that a program made from all others, and from those changed since.

import Foundation
import Testing

@testable import LatentStorage

@Suite struct FileMarkTests {
  @Test func changesAreNoticed() throws {
    let folder = try TemporaryFolder()
    let path = try folder.make("made", [1, 2, 3])
    #expect(!FileMark.holds(for: path))
    FileMark.set(on: path)
    try #require(FileMark.holds(for: path), "the file system of \(path) keeps no notes")
    // Reading, renaming and further names leave it what it is.
    _ = try folder.bytes(of: "made")
    rename(path, folder.file("renamed"))
    link(folder.file("renamed"), path)
    #expect(FileMark.holds(for: path) && FileMark.holds(for: folder.file("renamed")))
    // A copy, a longer file, other bytes of the same length, another file of the name are not ours.
    try FileManager.default.copyItem(atPath: path, toPath: folder.file("copy"))
    usleep(20_000)
    let file = try #require(FileHandle(forUpdatingAtPath: path))
    try file.write(contentsOf: Data([9]))
    try file.close()
    #expect(!FileMark.holds(for: path))
    FileMark.set(on: path)
    try AtomicFile.write([9, 2, 3], to: path)
    #expect(!FileMark.holds(for: path))
    #expect(!FileMark.holds(for: folder.path) && !FileMark.holds(for: folder.file("none")))
  }
}
