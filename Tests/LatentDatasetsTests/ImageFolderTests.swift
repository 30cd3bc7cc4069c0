import LatentDatasets
import LatentNumerics
import LatentStorage
import Testing

/// A picture of one color for each channel.
private func plain(_ color: [UInt8], height: Int = 6, width: Int = 4) -> NDArray {
  NDArray(
    (0..<height * width).flatMap { _ in color }, shape: [height, width, color.count])
}

@Suite struct ImageFolderTests {
  @Test func foldersWithoutImagesAreTypedErrors() throws {
    try withTemporaryFolder { folder in
      #expect(throws: DatasetError.notAFolder(path: "\(folder)/none")) {
        try ImageFolder(path: "\(folder)/none")
      }
      try write([1, 2, 3], to: "\(folder)/notes.txt")
      let text = datasetErrorText { _ = try ImageFolder(path: folder) }
      #expect(text?.hasPrefix("cannot open \(folder): it holds no examples") == true)
      try makeFolder("\(folder)/cats")
      try PNG.write(plain([9]), to: "\(folder)/cats/a.png")
      try PNG.write(plain([9]), to: "\(folder)/b.png")
      #expect(throws: DatasetError.mixedFolder(folder: folder, file: "b.png", subfolder: "cats")) {
        try ImageFolder(path: folder)
      }
    }
  }

  #if PNG
    @Test func flatFoldersAreSortedAndHaveNoLabels() throws {
      try withTemporaryFolder { folder in
        for (name, gray) in [("b.png", 20), ("a.PNG", 10), ("c.png", 30)] as [(String, UInt8)] {
          try PNG.write(plain([gray]), to: "\(folder)/\(name)")
        }
        let data = try ImageFolder(path: folder)
        #expect(data.fieldShapes == ["inputs": [6, 4, 1]])
        let batch = try data.batch(at: [2, 0])
        let bytes = [Int](repeating: 30, count: 24) + [Int](repeating: 10, count: 24)
        #expect(isScaled(batch.inputs, bytes))
        #expect(batch.labels == nil)
        #expect(try data.batch(at: [2, 0]) == batch)
      }
    }

    @Test func foldersBelowAreClasses() throws {
      try withTemporaryFolder { folder in
        for (name, gray) in [("dogs", 2), ("cats", 1), ("empty", 0)] as [(String, UInt8)] {
          try makeFolder("\(folder)/\(name)")
          if gray == 0 { continue }
          for index in 0..<gray {
            try PNG.write(plain([gray]), to: "\(folder)/\(name)/\(index).png")
          }
        }
        let data = try ImageFolder(path: folder)
        #expect(data.classes == ["cats", "dogs"])
        #expect(try data.batch(0..<3).labels?.int32s == [0, 1, 1])
      }
    }

    @Test func colorsAndGraysAreConverted() throws {
      try withTemporaryFolder { folder in
        try PNG.write(plain([255, 0, 51]), to: "\(folder)/a.png")
        let color = try ImageFolder(path: folder).batch(at: [0]).inputs
        #expect(color.shape == [1, 6, 4, 3])
        #expect(isScaled(color.reshaped([24, 3]).rows(0..<1), [255, 0, 51]))
        let gray = try ImageFolder(path: folder, channels: 1).batch(at: [0]).inputs
        #expect(abs(gray.floats[5] - (0.299 + 0.114 * 0.2)) < 0.003)
        try PNG.write(plain([51]), to: "\(folder)/a.png")
        let back = try ImageFolder(path: folder, channels: 3).batch(at: [0]).inputs
        #expect(back.shape == [1, 6, 4, 3])
        #expect(isScaled(back, [Int](repeating: 51, count: 72)))
      }
    }

    /// Resizing keeps a plain picture plain, at any ratio, and the mean of a shrunken one.
    @Test(arguments: [4, 7, 16, 33])
    func resizingKeepsTheBrightness(side: Int) throws {
      try withTemporaryFolder { folder in
        try PNG.write(plain([51], height: 21, width: 13), to: "\(folder)/a.png")
        let ramp = (0..<32).flatMap { row in (0..<32).map { UInt8(row * 4 + $0 * 3) } }
        try PNG.write(NDArray(ramp, shape: [32, 32, 1]), to: "\(folder)/b.png")
        let batch = try ImageFolder(path: folder, side: side).batch(at: [0, 1])
        #expect(batch.inputs.shape == [2, side, side, 1])
        let pixels = batch.inputs.doubles
        #expect(pixels.prefix(side * side).allSatisfy { abs($0 - 0.2) < 0.003 })
        let mean = pixels.suffix(side * side).reduce(0, +) / Double(side * side)
        #expect(abs(mean - 108.5 / 255) < 0.005)
        // Brighter to the right in every row.
        #expect(pixels[side * side] < pixels[side * side + side - 1])
      }
    }

    @Test func sizesMustAgreeWithoutASide() throws {
      try withTemporaryFolder { folder in
        try PNG.write(plain([1]), to: "\(folder)/a.png")
        try PNG.write(plain([1], height: 5), to: "\(folder)/b.png")
        let text = datasetErrorText { _ = try ImageFolder(path: folder) }
        #expect(text?.contains("\(folder)/b.png") == true)
        #expect(text?.contains("its size is [5, 4]") == true)
        #expect(text?.contains("is [6, 4]; give a size to resize all images to") == true)
        // A file that changes after it was looked at.
        let data = try ImageFolder(path: folder, side: 4)
        #expect(try data.batch(at: [1]).inputs.shape == [1, 4, 4, 1])
      }
    }

    @Test func damageIsTheReadersError() throws {
      try withTemporaryFolder { folder in
        try PNG.write(plain([1]), to: "\(folder)/a.png")
        let whole = try read("\(folder)/a.png")
        try write(whole.dropLast(20), to: "\(folder)/b.png")
        let data = try ImageFolder(path: folder)
        #expect(throws: StorageError.self) { try data.batch(at: [0, 1]) }
        #expect(throws: Never.self) { try data.batch(at: [0]) }
        // What is no picture at all is found when the folder is opened.
        try write([1, 2, 3], to: "\(folder)/c.png")
        #expect(throws: StorageError.self) { try ImageFolder(path: folder) }
      }
    }
  #else
    @Test func withoutTheTraitReadingSaysSo() throws {
      try withTemporaryFolder { folder in
        try PNG.write(plain([1]), to: "\(folder)/a.png")
        #expect(throws: StorageError.self) { try ImageFolder(path: folder) }
      }
    }
  #endif
}
