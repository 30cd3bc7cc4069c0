// The way through folders: links, hidden and special files, names that are no plain text.

import Foundation
import LatentDatasets
import LatentNumerics
import LatentStorage
import Testing

#if PNG
  @Suite struct ImageFolderWalkTests {
    private func write(_ name: String, _ folder: String) throws {
      let path = "\(folder)/\(name)"
      try makeFolder((path as NSString).deletingLastPathComponent)
      let picture = try PNG.encode(NDArray([UInt8](repeating: 9, count: 4), shape: [2, 2]))
      try LatentDatasetsTests.write(picture, to: path)
    }

    private func link(_ name: String, to target: String, _ folder: String) throws {
      try FileManager.default.createSymbolicLink(
        atPath: "\(folder)/\(name)", withDestinationPath: target)
    }

    @Test func linksToAboveAreMetOnce() throws {
      try withTemporaryFolder { folder in
        try write("a.png", folder)
        try write("b.png", folder)
        try link("self", to: ".", folder)
        let data = try ImageFolder(path: folder)
        #expect(data.files == ["a.png", "b.png"] && data.classes.isEmpty)
        #expect(data.notes.count == 1 && data.notes[0].contains("1 names in"))
      }
    }

    @Test func everyPictureIsOneExample() throws {
      try withTemporaryFolder { folder in
        try write("cats/1.png", folder)
        try write("cats/deep/er/2.png", folder)
        try write("dogs/3.png", folder)
        try write("elsewhere.d/4.png", "\(folder)-beside")
        defer { try? FileManager.default.removeItem(atPath: "\(folder)-beside") }
        try link("cats/loop", to: "../cats", folder)
        try link("dogs/again.png", to: "../cats/1.png", folder)
        try link("emus", to: "\(folder)-beside/elsewhere.d", folder)
        let all = try ImageFolder(path: folder)
        #expect(
          all.files == ["cats/1.png", "cats/deep/er/2.png", "dogs/3.png", "emus/4.png"])
        #expect(all.classNames == ["cats", "dogs", "emus"])
        #expect(try all.batch(0..<4).labels?.int32s == [0, 0, 1, 2])
      }
    }

    @Test func namesAreBytes() throws {
      try withTemporaryFolder { folder in
        // Two spellings of one name to Swift, and a name that begins with a combining mark.
        for name in ["caf\u{e9}.png", "cafe\u{301}.png", "\u{301}.PnG", "k.\u{212a}png"] {
          try write(name, folder)
        }
        let files = try ImageFolder(path: folder).files
        #expect(
          files.map { Array($0.utf8) }
            == ["cafe\u{301}.png", "caf\u{e9}.png", "\u{301}.PnG"].map { Array($0.utf8) })
        #expect(try ImageFolder(path: folder).batch(0..<3).count == 3)
        var path = (Array("\(folder)/".utf8) + [0xff] + Array(".png".utf8) + [0]).map {
          CChar(bitPattern: $0)
        }
        close(open(&path, O_CREAT | O_WRONLY, 0o600))
        let text = datasetErrorText { _ = try ImageFolder(path: folder) }
        #expect(text?.contains("is no text in UTF-8; rename it") == true, "\(text ?? "no error")")
      }
    }

    @Test func whatIsNoFileIsLeftOut() throws {
      try withTemporaryFolder { folder in
        try write("cats/1.png", folder)
        try write(".hidden/2.png", folder)
        try write("cats/.3.png", folder)
        try link("proc", to: "/proc", folder)
        try link("sys", to: "/sys", folder)
        mkfifo("\(folder)/pipe.png", 0o600)
        #expect(try ImageFolder(path: folder).files == ["cats/1.png"])
        // A picture that is promised but not there is missing, not passed over.
        try link("cats/gone.png", to: "nowhere", folder)
        #expect(throws: StorageError.missing(file: "\(folder)/cats/gone.png")) {
          try ImageFolder(path: folder)
        }
      }
    }
  }
#endif
