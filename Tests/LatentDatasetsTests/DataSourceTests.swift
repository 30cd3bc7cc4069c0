import Foundation
import LatentDatasets
import LatentNumerics
import LatentStorage
import Testing

@Suite struct DataSourceTests {
  static let good: [(String, DataSource.Kind)] = [
    ("sprites", .sprites(side: 64)), ("sprites:28", .sprites(side: 28)),
    ("sprites:rgb", .sprites(side: 64, hasColor: true)),
    ("sprites:32:rgb", .sprites(side: 32, hasColor: true)),
    ("mnist:data/mnist", .mnist(folder: "data/mnist")), ("mnist:C:x", .mnist(folder: "C:x")),
    ("hdf5:a.h5:train/images", .hdf5(path: "a.h5", dataset: "train/images")),
    ("hdf5:a:b.h5:x", .hdf5(path: "a:b.h5", dataset: "x")),
    ("hdf5:a.h5:x:y", .hdf5(path: "a.h5", dataset: "x", labels: "y")),
    ("hdf5:a:b.hdf5:x:y", .hdf5(path: "a:b.hdf5", dataset: "x", labels: "y")),
    ("npy:x.npy:y.npy", .npy(path: "x.npy", labels: "y.npy")),
    ("npy:a:x.npy", .npy(path: "a:x.npy")), ("npy:a:b", .npy(path: "a:b")),
    ("npy:a/\u{301}:x.npy:y", .npy(path: "a/\u{301}:x.npy", labels: "y")),
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
    ("text:x:70000", "length"), ("npy:a.npy:", "labels are missing"),
    ("hdf5:a.h5:x:", "missing"),
  ]

  @Test(arguments: bad)
  func badTextsGiveOneSentenceWithTheForms(text: String, reason: String) {
    let found = datasetErrorText { _ = try DataSource(parsing: text) }
    #expect(found?.hasPrefix("cannot understand the data source \"\(text)\": ") == true)
    #expect(reason.isEmpty || found?.contains(reason) == true, "\(found ?? "no error")")
    #expect(
      found?.hasSuffix(
        "the forms are sprites[:SIDE][:rgb], mnist:DIR, hdf5:FILE:DATASET[:LABELS], npy:FILE[:LABELS], "
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

  /// Of several readings the one whose file exists.
  @Test func colonsInNamesAreToldByTheFiles() throws {
    try withTemporaryFolder { folder in
      let rows = NDArray((0..<4).map { Float($0) }, shape: [4, 1])
      let classes = NDArray([3, 1, 0, 2] as [Int32])
      for name in ["a", "a:b", "a.npy:c.npy"] { try NPY.write(rows, to: "\(folder)/\(name)") }
      try HDF5File.write(arrays: ["x": rows, "y": classes], to: "\(folder)/h:x")
      try HDF5File.write(arrays: ["x": rows, "y": classes], to: "\(folder)/g")
      let readings: [(String, DataSource.Kind)] = [
        ("npy:\(folder)/a:b", .npy(path: "\(folder)/a:b")),
        ("npy:\(folder)/a:c", .npy(path: "\(folder)/a", labels: "c")),
        ("npy:\(folder)/a:b:c:d", .npy(path: "\(folder)/a:b", labels: "c:d")),
        ("npy:\(folder)/a.npy:c.npy", .npy(path: "\(folder)/a.npy:c.npy")),
        ("hdf5:\(folder)/h:x:y", .hdf5(path: "\(folder)/h:x", dataset: "y")),
        ("hdf5:\(folder)/g:x:y", .hdf5(path: "\(folder)/g", dataset: "x", labels: "y")),
      ]
      for (text, kind) in readings {
        let source = try DataSource(parsing: text)
        #expect(source.kind == kind, "\(text)")
        #expect(try DataSource(parsing: source.description) == source)
      }
    }
  }

  /// Classes come as int32 whatever they were stored as, factors as float32.
  @Test func labelsComeWithFiles() throws {
    try withTemporaryFolder { folder in
      let rows = NDArray((0..<8).map { Float($0) }, shape: [4, 2])
      let factors = NDArray((0..<12).map { Double($0) / 4 }, shape: [4, 3])
      let classes: [(String, NDArray)] = [
        ("i", NDArray([3, 1, 0, 2] as [Int32])), ("u", NDArray([3, 1, 0, 2] as [UInt8])),
        ("d", NDArray([3, 1, 0, 2] as [Double])),
      ]
      try NPY.write(rows, to: "\(folder)/x.npy")
      for (name, array) in classes + [("f", factors)] {
        try NPY.write(array, to: "\(folder)/\(name).npy")
      }
      try HDF5File.write(
        arrays: ["x": rows, "f": factors].merging(classes) { first, _ in first },
        to: "\(folder)/x.h5")
      for source in [
        // A name without a folder is also looked for beside the data.
        "npy:\(folder)/x.npy:i.npy", "npy:\(folder)/x.npy:\(folder)/u.npy",
        "npy:\(folder)/x.npy:d.npy", "hdf5:\(folder)/x.h5:x:i", "hdf5:\(folder)/x.h5:x:u",
        "hdf5:\(folder)/x.h5:x:d",
      ] {
        let data = try DataSource(parsing: source).open().training
        #expect(data.fieldShapes == [Field.inputs: [2], Field.labels: []], "\(source)")
        let batch = try data.batch(at: [3, 0])
        #expect(batch.labels == NDArray([2, 3] as [Int32]), "\(source)")
      }
      for source in ["npy:\(folder)/x.npy:f.npy", "hdf5:\(folder)/x.h5:x:f"] {
        let batch = try DataSource(parsing: source).open().training.batch(at: [1])
        #expect(batch.factors == NDArray([0.75, 1, 1.25] as [Float], shape: [1, 3]), "\(source)")
      }
    }
  }

  @Test func labelsMustFit() throws {
    try withTemporaryFolder { folder in
      let rows = NDArray((0..<8).map { Float($0) }, shape: [4, 2])
      let others: [String: NDArray] = [
        "few": NDArray([1, 2, 3] as [Int32]), "half": NDArray([1, 2, 3, 0.5] as [Float]),
        "cube": NDArray(repeating: 0, shape: [4, 1, 1]),
        "nan": NDArray([1, .nan, 0, 0] as [Float]),
      ]
      try NPY.write(rows, to: "\(folder)/x.npy")
      for (name, array) in others { try NPY.write(array, to: "\(folder)/\(name).npy") }
      try HDF5File.write(
        arrays: others.merging(["x": rows]) { first, _ in first }, to: "\(folder)/x.h5")
      for (source, says) in [
        ("npy:\(folder)/x.npy:few.npy", "3 against 4 examples"),
        ("npy:\(folder)/x.npy:half.npy", "cannot use label 3"),
        ("npy:\(folder)/x.npy:nan.npy", "cannot use label 1"),
        ("npy:\(folder)/x.npy:cube.npy", "expected classes [count] or factors"),
        ("hdf5:\(folder)/x.h5:x:few", "3 against 4 examples"),
        ("hdf5:\(folder)/x.h5:x:cube", "expected classes [count] or factors"),
      ] {
        let text = datasetErrorText { _ = try DataSource(parsing: source).open() }
        #expect(text?.contains(says) == true, "\(source): \(text ?? "no error")")
      }
      #expect(throws: StorageError.self) {
        try DataSource(parsing: "npy:\(folder)/x.npy:none.npy").open()
      }
      #expect(throws: StorageError.self) {
        try DataSource(parsing: "hdf5:\(folder)/x.h5:x:none").open()
      }
    }
  }
}
