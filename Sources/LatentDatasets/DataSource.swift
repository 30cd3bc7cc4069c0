// Where data come from, in one word of a command line; checkpoints keep that word.

import LatentNumerics

/// A data set by its description, such as `mnist:data/mnist`.
public struct DataSource: Sendable, Hashable, Codable, CustomStringConvertible {
  public enum Kind: Sendable, Hashable, Codable {
    case sprites(side: Int)
    case mnist(folder: String)
    case hdf5(path: String, dataset: String)
    case npy(path: String)
    case images(folder: String, side: Int?)
    case text(path: String, length: Int)
  }

  /// What `init(parsing:)` understands, for help texts.
  public static let forms = [
    "sprites[:SIDE]", "mnist:DIR", "hdf5:FILE:DATASET", "npy:FILE", "images:DIR[:SIDE]",
    textForm,
  ]

  /// The form of sources of text.
  public static let textForm = "text:FILE[:LENGTH]"

  /// Pictures of generated sets: so many for training, and for testing.
  public static let spriteCounts = (training: 20_000, test: 2_000)

  /// Bytes of an example of text where no other number is given.
  public static let textLength = 64

  public let kind: Kind

  public init(_ kind: Kind) { self.kind = kind }

  /// Whether examples are texts, bytes `[length]` as int32.
  public var isText: Bool {
    if case .text = kind { true } else { false }
  }

  /// - Throws: `DatasetError.badSource`, which lists the forms.
  public init(parsing text: String) throws {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
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
      guard rest.count <= 1 else { throw bad("too many parts") }
      kind = .sprites(side: try rest.first.map(side) ?? 64)
    case "mnist":
      guard !path.isEmpty else { throw bad("the folder is missing") }
      kind = .mnist(folder: path)
    case "hdf5":
      guard rest.count >= 2, let name = rest.last, !name.isEmpty, !rest[0].isEmpty else {
        throw bad("the file or the data set is missing")
      }
      kind = .hdf5(path: rest.dropLast().joined(separator: ":"), dataset: name)
    case "npy":
      guard !path.isEmpty else { throw bad("the file is missing") }
      kind = .npy(path: path)
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

  public var description: String {
    switch kind {
    case .sprites(let side): "sprites:\(side)"
    case .mnist(let folder): "mnist:\(folder)"
    case .hdf5(let path, let dataset): "hdf5:\(path):\(dataset)"
    case .npy(let path): "npy:\(path)"
    case .images(let folder, let side): "images:\(folder)" + (side.map { ":\($0)" } ?? "")
    case .text(let path, let length): "text:\(path):\(length)"
    }
  }

  /// Opens the data: a set for training and, where there is one of its own, a set for testing.
  ///
  /// - Throws: `DatasetError`, `StorageError`.
  public func open() throws -> (training: any Dataset, test: (any Dataset)?) {
    switch kind {
    case .sprites(let side):
      let counts = DataSource.spriteCounts
      return (
        Sprites(side: side, count: counts.training),
        Sprites(side: side, count: counts.test, skipping: counts.training)
      )
    case .mnist(let folder):
      let mnist = try MNIST(folder: folder.withHomeFolder)
      return (mnist.training, mnist.test)
    case .hdf5(let path, let dataset):
      return (try HDF5Dataset(path: path.withHomeFolder, dataset: dataset), nil)
    case .npy(let path): return (try NPYDataset(path: path.withHomeFolder), nil)
    case .images(let folder, let side):
      return (try ImageFolder(path: folder.withHomeFolder, side: side), nil)
    case .text(let path, let length):
      return (try ByteText(path: path.withHomeFolder, length: length), nil)
    }
  }

  public init(from decoder: any Swift.Decoder) throws {
    try self.init(parsing: try String(from: decoder))
  }

  public func encode(to encoder: any Swift.Encoder) throws { try description.encode(to: encoder) }
}
