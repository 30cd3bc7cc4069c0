// The texts that people read when something is wrong.

import Testing

@testable import LatentStorage

@Suite struct StorageErrorTests {
  static let texts: [(StorageError, StorageError.Kind, String)] = [
    (
      .missing(file: "a.h5"), .unreadable,
      "cannot read 'a.h5': it does not exist; check the path"
    ),
    (
      .unreadable(file: "a.h5", reason: "Permission denied (error 13)"), .unreadable,
      "cannot read 'a.h5': Permission denied (error 13)"
    ),
    (
      .damaged(file: "a.h5", place: "the end", found: "3 bytes", expected: "4 bytes"), .badData,
      "'a.h5' is damaged at the end: found 3 bytes, expected 4 bytes; copy or make the file again"
    ),
    (
      .unsupported(file: "a.npy", place: "the element type", found: "'<c8'", expected: "f4"),
      .badData,
      "cannot read the element type of 'a.npy': found '<c8', expected f4; convert it and try again"
    ),
    (
      .otherFormat(
        file: "a.npy", found: "a JPEG picture", expected: "a NumPy array", advice: "convert it"),
      .badData, "cannot read 'a.npy': it is a JPEG picture, not a NumPy array; convert it"
    ),
    (
      .tooNew(file: "a.h5", formatVersion: 9, minimumReader: 7, supported: 1), .badData,
      "cannot read 'a.h5': its format version 9 needs a reader of version 7 or later, this one "
        + "reads up to version 1; install a newer Latent"
    ),
    (
      .noSuchDataset(file: "a.h5", name: "x", available: ["y", "z"]), .badData,
      "cannot read 'x' of 'a.h5': there is no dataset of this name; there are: 'y', 'z'"
    ),
    (
      .noSuchDataset(file: "a.h5", name: "x", available: []), .badData,
      "cannot read 'x' of 'a.h5': there is no dataset of this name; there are none that Latent reads"
    ),
    (
      .inUse(file: "a.h5", isMarked: false), .unreadable,
      "cannot read 'a.h5': it is in use by another process for writing; wait for it to end"
    ),
    (
      .inUse(file: "a.h5", isMarked: true), .unreadable,
      "cannot read 'a.h5': it is marked as in use by another process for writing; wait for it to "
        + "end, or, where none has it open, remove the mark: h5clear -s FILE"
    ),
    (
      .rowsOutOfRange(file: "a.h5", dataset: "x", rows: 5..<9, count: 6), .badData,
      "cannot read rows 5..<9 of 'x' in 'a.h5': it has 6 rows"
    ),
    (
      .needsTrait(file: "a.png", trait: "PNG", package: "libpng-dev"), .unreadable,
      "cannot read 'a.png': this build has no support for it; install libpng-dev and build with "
        + "the package trait PNG (swift build --traits default,PNG)"
    ),
    (
      .cannotWrite(file: "a.h5", action: "renaming", reason: "no"), .cannotWrite,
      "cannot write 'a.h5': renaming: no"
    ),
    (
      .notStorable(name: "a//b", found: "an empty part", expected: "none"), .cannotWrite,
      "cannot store 'a//b': found an empty part, expected none"
    ),
    (
      .busy(folder: "run", holder: 42), .cannotWrite,
      "cannot use 'run': process 42 is working on it; wait for it to end or choose another folder"
    ),
  ]

  @Test(arguments: texts.indices)
  func textsAndKinds(index: Int) {
    let (error, kind, text) = Self.texts[index]
    #expect(error.description == text)
    #expect(error.kind == kind)
  }

  @Test func longListsAreCut() {
    let error = StorageError.noSuchDataset(
      file: "a", name: "b", available: (0..<13).map { "d\($0)" })
    #expect(error.description.hasSuffix("'d9' and more"))
  }

  @Test func writingSaysWhatToDo() throws {
    let error = storageError { try AtomicFile.write([1], to: "/no/such/folder/f") }
    #expect(
      error?.description
        == "cannot write '/no/such/folder/f': opening the folder '/no/such/folder': "
        + "No such file or directory (error 2); make the folder first")
  }

  @Test func foldersAreMadeAndListed() throws {
    let folder = try TemporaryFolder()
    try Folder.create(folder.file("a/b/c"))
    try Folder.create(folder.file("a/b/c/"))
    #expect(try Folder.names(in: folder.file("a/b")) == ["c"])
    let file = try folder.make("f", [1])
    #expect(storageError { try Folder.create("\(file)/x") }?.kind == .cannotWrite)
    #expect(storageError { try Folder.create(file) }?.kind == .cannotWrite)
    #expect(storageError { _ = try Folder.names(in: folder.file("no")) }?.kind == .unreadable)
    #expect(storageError { _ = try Folder.names(in: file) }?.kind == .unreadable)
  }
}
