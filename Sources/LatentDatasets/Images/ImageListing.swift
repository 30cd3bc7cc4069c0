// Which files of a folder are examples, and of which class. A file is a picture by the ending of its
// name and PNG by its first bytes; pictures of other formats are refused, never passed over.

import Glibc
import LatentNumerics
import LatentStorage

/// The pictures of a folder and their classes.
struct ImageListing {
  var files: [String] = []
  var classes: [String] = []
  /// The class of each file, where folders below make classes.
  var labels: [Int32]?
  var notes: [String] = []

  /// The most files and folders that are looked at; a set of pictures has fewer, a disk may not.
  static let entryLimit = 20_000_000

  /// Throws `DatasetError.notAFolder`, `.empty`, `.mixedFolder` and `.tooManyEntries`, and
  /// `StorageError` for what cannot be read.
  init(_ path: String, entryLimit: Int = ImageListing.entryLimit) throws {
    var walk = Walk(root: path, entryLimit: entryLimit)
    let top = try walk.contents(of: "")
    files = top.files
    var below: [(folder: String, files: [String])] = []
    for name in top.folders {
      let found = try walk.pictures(below: name)
      if !found.isEmpty { below.append((name, found)) }
    }
    if let file = files.first, let folder = below.first?.folder {
      throw DatasetError.mixedFolder(folder: path, file: file, subfolder: folder)
    }
    if !below.isEmpty {
      classes = below.map(\.folder)
      files = below.flatMap(\.files)
      labels = below.enumerated().flatMap { label, part in
        [Int32](repeating: Int32(label), count: part.files.count)
      }
    }
    if files.isEmpty {
      let found =
        walk.otherFile.map { "it holds other files such as \($0)" } ?? "no file lies in it"
      throw DatasetError.empty(path: path, hint: "images must be .png files (\(found))")
    }
    notes = walk.notes
  }
}

/// Goes through folders, meeting each once.
private struct Walk {
  let root: String
  let entryLimit: Int
  /// A file of the root that is no picture.
  private(set) var otherFile: String?
  private var entries = 0
  private var met: Set<FileIdentity> = []
  private var metAgain = 0
  private var converted = 0

  /// Endings of the names of pictures, in whatever format.
  private static let endings: Set<String> = [
    "png", "jpg", "jpeg", "jpe", "jfif", "gif", "webp", "bmp", "tif", "tiff", "heic", "heif",
    "avif",
    "pgm", "ppm", "pbm", "pnm",
  ]

  init(root: String, entryLimit: Int) {
    self.root = root
    self.entryLimit = entryLimit
  }

  var notes: [String] {
    var notes: [String] = []
    if metAgain > 0 {
      notes.append(
        "\(metAgain) names in \(root) lead to files or folders that have another name there; each "
          + "picture is taken once")
    }
    if converted > 0 {
      notes.append(
        "\(converted) pictures of other formats in \(root) are left out: a PNG of the same name lies "
          + "beside each")
    }
    return notes
  }

  /// The pictures of a folder and of the folders below it.
  mutating func pictures(below folder: String) throws -> [String] {
    let contents = try contents(of: folder)
    // In the order of the names, files among folders.
    var found: [(name: String, files: [String])] = contents.files.map { ($0, [$0]) }
    for name in contents.folders { found.append((name, try pictures(below: name))) }
    return found.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }.flatMap(\.files)
  }

  /// The pictures and the folders in a folder, by their paths below the root.
  mutating func contents(of folder: String) throws -> (files: [String], folders: [String]) {
    let path = folder.isEmpty ? root : "\(root)/\(folder)"
    guard let status = Folder.status(path), status.isFolder else {
      throw DatasetError.notAFolder(path: path)
    }
    guard isNew(FileIdentity(status)), !Folder.isKernelView(status) else { return ([], []) }
    let names = try Folder.list(path)
    entries += names.count
    if entries > entryLimit { throw DatasetError.tooManyEntries(path: root, limit: entryLimit) }
    let stems = Set(names.filter { $0.nameEnding == "png" }.map(Walk.stem))
    var files: [String] = []
    var folders: [String] = []
    for name in names {
      let inner = folder.isEmpty ? name : "\(folder)/\(name)"
      let isPicture = name.nameEnding.map(Walk.endings.contains) ?? false
      guard let status = Folder.status("\(root)/\(inner)") else {
        // A link that leads nowhere.
        if isPicture { throw StorageError.missing(file: "\(root)/\(inner)") }
        continue
      }
      if status.isFolder { folders.append(inner) }
      guard status.isFile else { continue }
      if !isPicture {
        if folder.isEmpty && otherFile == nil { otherFile = name }
      } else if name.nameEnding != "png" && stems.contains(Walk.stem(name)) {
        converted += 1
      } else if isNew(FileIdentity(status)) {
        files.append(inner)
      }
    }
    return (files, folders)
  }

  private mutating func isNew(_ identity: FileIdentity) -> Bool {
    if met.insert(identity).inserted { return true }
    metAgain += 1
    return false
  }

  /// The bytes of a name before its ending.
  private static func stem(_ name: String) -> [UInt8] {
    Array(name.utf8.prefix(upTo: name.utf8.lastIndex(of: UInt8(ascii: ".")) ?? name.utf8.endIndex))
  }
}
