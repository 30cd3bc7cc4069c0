// Where data come from, in one word of a command line; checkpoints keep that word.

import LatentNumerics
import LatentStorage

/// A data set by its description, such as `mnist:data/mnist`.
public struct DataSource: Sendable, Hashable, Codable, CustomStringConvertible {
  /// Where data come from, with what is needed to find them.
  public enum Kind: Sendable, Hashable, Codable {
    /// Drawn by the library, square pictures of `side` pixels; in colour, hue is another factor.
    case sprites(side: Int, hasColor: Bool = false)
    /// A folder with the four IDX files of MNIST, or of others of the same form.
    case mnist(folder: String)
    /// A dataset of an HDF5 file and, where named, that of the labels.
    case hdf5(path: String, dataset: String, labels: String? = nil)
    /// A file of NumPy and, where named, that of the labels.
    case npy(path: String, labels: String? = nil)
    /// A folder of pictures; where `side` is given they are cut and scaled to squares of it.
    case images(folder: String, side: Int?)
    /// A file cut into pieces of `length` bytes.
    case text(path: String, length: Int)
  }

  /// What `init(parsing:)` understands, for help texts.
  public static let forms = [
    "sprites[:SIDE][:rgb]", "mnist:DIR", "hdf5:FILE:DATASET[:LABELS]", "npy:FILE[:LABELS]",
    "images:DIR[:SIDE]", textForm,
  ]

  /// The form of sources of text.
  public static let textForm = "text:FILE[:LENGTH]"

  /// Pictures of generated sets: so many for training, and for testing.
  public static let spriteCounts = (training: 20_000, test: 2_000)

  /// Bytes of an example of text where no other number is given.
  public static let textLength = 64

  /// Where the data come from.
  public let kind: Kind

  /// A source that is known without a word for it.
  public init(_ kind: Kind) { self.kind = kind }

  /// Whether examples are texts, bytes `[length]` as int32.
  public var isText: Bool {
    if case .text = kind { true } else { false }
  }

  /// Colons in the names of files are told from those between parts by the files that exist.
  ///
  /// - Throws: `DatasetError.badSource`, which lists the forms.
  public init(parsing text: String) throws {
    let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    func bad(_ reason: String) -> DatasetError { .badSource(text: text, reason: reason) }
    func side(_ text: String) throws -> Int {
      guard let side = Int(text), (4...1024).contains(side) else {
        throw bad("the side \"\(text)\" is not a number from 4 to 1024")
      }
      return side
    }
    let rest = Array(parts.dropFirst())
    let path = rest.joined(separator: ":")
    switch parts[0] {
    case "sprites":
      let hasColor = rest.last == "rgb"
      let sizes = hasColor ? rest.dropLast() : rest
      guard sizes.count <= 1 else { throw bad("too many parts") }
      kind = .sprites(side: try sizes.first.map(side) ?? 64, hasColor: hasColor)
    case "mnist":
      guard !path.isEmpty else { throw bad("the folder is missing") }
      kind = .mnist(folder: path)
    case "hdf5":
      let file = DataSource.file(
        rest, parts: 2...3, endings: ["h5", "hdf5", "hdf", "he5", "mat", "nc", "nc4"])
      let names = rest.dropFirst(file.parts)
      guard rest.count >= 2, !rest[0].isEmpty, let name = names.first, !names.contains("") else {
        throw bad("the file or the data set is missing")
      }
      kind = .hdf5(
        path: file.path, dataset: name, labels: names.count > 1 ? names.last : nil)
    case "npy":
      let file = DataSource.file(rest, parts: 1...Int.max, endings: ["npy"])
      let labels = rest.dropFirst(file.parts).joined(separator: ":")
      guard !file.path.isEmpty else { throw bad("the file is missing") }
      guard file.parts == rest.count || !labels.isEmpty else { throw bad("the labels are missing") }
      kind = .npy(path: file.path, labels: labels.isEmpty ? nil : labels)
    case "images":
      guard !path.isEmpty else { throw bad("the folder is missing") }
      if rest.count > 1, let last = rest.last, Int(last) != nil {
        kind = .images(folder: rest.dropLast().joined(separator: ":"), side: try side(last))
      } else {
        kind = .images(folder: path, side: nil)
      }
    case "text":
      guard !path.isEmpty else { throw bad("the file is missing") }
      if rest.count > 1, let last = rest.last, Int(last) != nil {
        guard let length = Int(last), (1...65_536).contains(length) else {
          throw bad("the length \"\(last)\" is not a number from 1 to 65536")
        }
        kind = .text(path: rest.dropLast().joined(separator: ":"), length: length)
      } else {
        kind = .text(path: path, length: DataSource.textLength)
      }
    default: throw bad("\"\(parts[0])\" is no kind of data")
    }
  }

  /// How many of the parts between colons are the name of a file, where `parts` says how many it and what
  /// follows can be: the most that name a file that exists, else the fewest of a file's ending, else as
  /// many as can be.
  private static func file(
    _ parts: [String], parts total: ClosedRange<Int>, endings: [String]
  ) -> (path: String, parts: Int) {
    let most = parts.count - total.lowerBound + 1
    let fewest = max(1, total.upperBound == .max ? 1 : parts.count - total.upperBound + 1)
    func path(_ count: Int) -> String { parts.prefix(count).joined(separator: ":") }
    guard most > fewest else { return (path(max(most, 0)), max(most, 0)) }
    let counts = fewest...most
    let found =
      counts.last { Folder.isFile(path($0).withHomeFolder) }
      ?? counts.first { endings.contains(path($0).nameEnding ?? "") } ?? most
    return (path(found), found)
  }

  public var description: String {
    switch kind {
    case .sprites(let side, let hasColor): "sprites:\(side)\(hasColor ? ":rgb" : "")"
    case .mnist(let folder): "mnist:\(folder)"
    case .hdf5(let path, let dataset, let labels):
      "hdf5:\(path):\(dataset)" + (labels.map { ":\($0)" } ?? "")
    case .npy(let path, let labels): "npy:\(path)" + (labels.map { ":\($0)" } ?? "")
    case .images(let folder, let side): "images:\(folder)" + (side.map { ":\($0)" } ?? "")
    case .text(let path, let length): "text:\(path):\(length)"
    }
  }

  /// Opens the data: a set for training and, where there is one of its own, a set for testing.
  ///
  /// - Parameter bytes: What bytes of inputs stand for; nil looks at them. A model that was trained by a
  ///   rule must meet other data by the same: `Dataset.byteScale` of its training data.
  /// - Throws: `DatasetError`, `StorageError`.
  public func open(
    bytes: ByteScale? = nil
  ) throws -> (training: any Dataset, test: (any Dataset)?) {
    switch kind {
    case .sprites(let side, let hasColor):
      let counts = DataSource.spriteCounts
      return (
        Sprites(side: side, count: counts.training, hasColor: hasColor),
        Sprites(
          side: side, count: counts.test, skipping: counts.training, hasColor: hasColor)
      )
    case .mnist(let folder):
      let mnist = try MNIST(folder: folder.withHomeFolder, bytes: bytes)
      return (mnist.training, mnist.test)
    case .hdf5(let path, let dataset, let labels):
      let path = path.withHomeFolder
      let data = try HDF5Dataset(path: path, dataset: dataset, bytes: bytes)
      guard let labels else { return (data, nil) }
      let values = try HDF5File(path: path).array(labels)
      return (try LabelledDataset(data, labels: values, source: "\(labels) of \(path)"), nil)
    case .npy(let path, let labels):
      let path = path.withHomeFolder
      let data = try NPYDataset(path: path, bytes: bytes)
      guard let labels else { return (data, nil) }
      let file = DataSource.sibling(labels, of: path)
      return (try LabelledDataset(data, labels: try NPY.read(file), source: file), nil)
    case .images(let folder, let side):
      return (try ImageFolder(path: folder.withHomeFolder, side: side), nil)
    case .text(let path, let length):
      return (try ByteText(path: path.withHomeFolder, length: length), nil)
    }
  }

  /// A file of labels: where its name says, else beside the file of the data.
  private static func sibling(_ name: String, of path: String) -> String {
    let given = name.withHomeFolder
    let beside = path.folderPrefix + given
    let isElsewhere = given.utf8.first != UInt8(ascii: "/") && !Folder.isFile(given)
    return isElsewhere && Folder.isFile(beside) ? beside : given
  }

  public init(from decoder: any Swift.Decoder) throws {
    try self.init(parsing: try String(from: decoder))
  }

  public func encode(to encoder: any Swift.Encoder) throws { try description.encode(to: encoder) }
}
