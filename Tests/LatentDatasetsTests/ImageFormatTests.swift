// Pictures that are not PNG are refused with what converts them, and no picture is passed over.

import Foundation
import LatentDatasets
import LatentNumerics
import LatentStorage
import Testing

#if PNG
  @Suite struct ImageFormatTests {
    static let jpeg: [UInt8] = [0xff, 0xd8, 0xff, 0xe0, 0, 16] + Array("JFIF".utf8)
    static let gif = Array("GIF89a".utf8) + [1, 0, 1, 0]

    private func picture(_ value: UInt8) -> NDArray {
      NDArray([UInt8](repeating: value, count: 16), shape: [4, 4])
    }

    /// Files of a folder (those ending in .png without bytes here are PNG), and what is said.
    static let folders: [(files: [(name: String, bytes: [UInt8]?)], says: [String])] = [
      (
        [("a.png", nil), ("b.png", nil), ("c.jpg", jpeg), ("d.JPEG", jpeg)],
        ["c.jpg is a JPEG picture", "2 of 4", "'mogrify -format png *.jpg *.JPEG'"]
      ),
      ([("a.jpg", jpeg)], ["a.jpg is a JPEG picture", "1 of 1", "'mogrify -format png *.jpg'"]),
      ([("a.png", nil), ("b.png", jpeg)], ["b.png is a JPEG picture", "png *.png'"]),
      ([("a.png", nil), ("b.GIF", gif)], ["b.GIF is a GIF picture", "png *.GIF'"]),
      (
        [("cats/1.png", nil), ("dogs/1.jpg", jpeg), ("dogs/2/3.jpg", jpeg)],
        ["dogs/1.jpg is a JPEG picture", "2 of 3", "png */*.jpg */*/*.jpg'"]
      ),
    ]

    @Test(arguments: folders.indices)
    func othersAreRefused(index: Int) throws {
      let (files, says) = Self.folders[index]
      try withTemporaryFolder { folder in
        for (name, bytes) in files {
          let path = "\(folder)/\(name)"
          try makeFolder((path as NSString).deletingLastPathComponent)
          if let bytes { try write(bytes, to: path) } else { try PNG.write(picture(1), to: path) }
        }
        let text = datasetErrorText { _ = try ImageFolder(path: folder) }
        for part in says + ["cannot read the pictures in \(folder)", "only PNG is read"] {
          #expect(text?.contains(part) == true, "\(text ?? "no error")")
        }
      }
    }

    /// After the command that the error gives, the folder is read; that is said too.
    @Test func convertedPicturesStandForTheirOriginals() throws {
      try withTemporaryFolder { folder in
        try PNG.write(picture(51), to: "\(folder)/c.png")
        try write(Self.jpeg, to: "\(folder)/c.jpg")
        // A PNG under another ending is what its bytes say.
        try PNG.write(picture(255), to: "\(folder)/d.jpeg")
        let data = try ImageFolder(path: folder)
        #expect(data.files == ["c.png", "d.jpeg"])
        #expect(try data.batch(0..<2).inputs.reshaped([2, 16]).floats.last == 1)
        #expect(data.notes.count == 1 && data.notes[0].hasPrefix("1 pictures of other formats"))
      }
    }

    @Test func emptyAndForeignFilesAreNamed() throws {
      try withTemporaryFolder { folder in
        try write([], to: "\(folder)/a.png")
        #expect(
          storageErrorText { _ = try ImageFolder(path: folder) }?.contains("it is empty") == true)
        try write(Array("<html><body>".utf8), to: "\(folder)/a.png")
        #expect(
          storageErrorText { _ = try ImageFolder(path: folder) }?.contains("a web page") == true)
      }
    }
  }
#endif
