import Foundation
import LatentDatasets
import LatentNumerics
import LatentStorage
import Testing

@Suite struct DataSourceTests {
  static let good: [(String, DataSource.Kind)] = [
    ("sprites", .sprites(side: 64)), ("sprites:28", .sprites(side: 28)),
    ("mnist:data/mnist", .mnist(folder: "data/mnist")), ("mnist:C:x", .mnist(folder: "C:x")),
    ("hdf5:a.h5:train/images", .hdf5(path: "a.h5", dataset: "train/images")),
    ("hdf5:a:b.h5:x", .hdf5(path: "a:b.h5", dataset: "x")),
    ("npy:/tmp/x.npy", .npy(path: "/tmp/x.npy")),
    ("images:photos", .images(folder: "photos", side: nil)),
    ("images:photos:32", .images(folder: "photos", side: 32)),
    ("images:a:b/c", .images(folder: "a:b/c", side: nil)),
    ("text:book.txt", .text(path: "book.txt", length: 64)),
    ("text:book.txt:128", .text(path: "book.txt", length: 128)),
    ("text:a:b.txt", .text(path: "a:b.txt", length: 64)),
  ]

  @Test(arguments: good)
  func textsParseAndComeBack(text: String, kind: DataSource.Kind) throws {
    let source = try DataSource(parsing: text)
    #expect(source.kind == kind)
    #expect(try DataSource(parsing: source.description) == source)
    let data = try JSONEncoder().encode([source])
    #expect(try JSONDecoder().decode([String].self, from: data) == [source.description])
    #expect(try JSONDecoder().decode([DataSource].self, from: data) == [source])
  }

  static let bad = [
    ("", "no kind of data"), ("cifar:x", "no kind of data"), ("mnist", "folder is missing"),
    ("mnist:", "folder is missing"), ("npy:", "file is missing"), ("hdf5:a.h5", "missing"),
    ("hdf5:a.h5:", "missing"), ("hdf5::x", "missing"), ("images", "folder is missing"),
    ("images:", "folder is missing"), ("sprites:", "side"), ("sprites:abc", "side"),
    ("sprites:0", "side"), ("sprites:-4", "side"), ("sprites:99999999999999999999", "side"),
    ("sprites:100000", "side"), ("sprites:28:3", ""), ("images:photos:0", "side"),
    ("text", "file is missing"), ("text:", "file is missing"), ("text:x:0", "length"),
    ("text:x:70000", "length"),
  ]

  @Test(arguments: bad)
  func badTextsGiveOneSentenceWithTheForms(text: String, reason: String) {
    let found = datasetErrorText { _ = try DataSource(parsing: text) }
    #expect(found?.hasPrefix("cannot understand the data source \"\(text)\": ") == true)
    #expect(reason.isEmpty || found?.contains(reason) == true, "\(found ?? "no error")")
    #expect(
      found?.hasSuffix(
        "the forms are sprites[:SIDE], mnist:DIR, hdf5:FILE:DATASET, npy:FILE, "
          + "images:DIR[:SIDE], text:FILE[:LENGTH]") == true)
    #expect(found?.contains("\n") == false)
  }

  @Test func spritesOpenWithTheirTestSet() throws {
    let (training, test) = try DataSource(parsing: "sprites:16").open()
    #expect(training.count == 20_000 && test?.count == 2_000)
    #expect(try training.batch(0..<2).inputs.shape == [2, 16, 16, 1])
  }

  @Test func filesOpen() throws {
    try withTemporaryFolder { folder in
      let rows = NDArray((0..<12).map { Float($0) }, shape: [4, 3])
      try NPY.write(rows, to: "\(folder)/x.npy")
      try HDF5File.write(arrays: ["x": rows], to: "\(folder)/x.h5")
      for text in ["npy:\(folder)/x.npy", "hdf5:\(folder)/x.h5:x"] {
        let (training, test) = try DataSource(parsing: text).open()
        #expect(test == nil)
        #expect(try training.batch(0..<4).inputs == rows)
      }
      try write(Array("so much text".utf8), to: "\(folder)/x.txt")
      let text = try DataSource(parsing: "text:\(folder)/x.txt:6").open()
      #expect(text.training.count == 2 && text.test == nil)
      #expect(throws: StorageError.self) { try DataSource(parsing: "npy:\(folder)/n.npy").open() }
      #expect(throws: DatasetError.self) { try DataSource(parsing: "mnist:\(folder)").open() }
      #expect(throws: DatasetError.self) { try DataSource(parsing: "images:\(folder)/n").open() }
    }
  }
}
