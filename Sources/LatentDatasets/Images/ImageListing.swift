// Which files of a folder are examples, and of which class.

import Foundation

/// The PNG files of a folder and their classes.
struct ImageListing {
  var files: [String] = []
  var classes: [String] = []
  /// The class of each file, where folders below make classes.
  var labels: [Int32]?

  /// Throws `DatasetError.notAFolder`, `.empty` and `.mixedFolder`.
  init(_ path: String) throws {
    let names = try Folder.list(path)
    files = names.filter { ImageListing.isImage($0) && !Folder.isFolder("\(path)/\($0)") }
    var below: [(folder: String, files: [String])] = []
    for name in names where Folder.isFolder("\(path)/\(name)") {
      let found = try ImageListing.images(in: path, name)
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
      let other = names.first { !Folder.isFolder("\(path)/\($0)") }
      let found = other.map { "it holds other files such as \($0)" } ?? "no file lies in it"
      throw DatasetError.empty(path: path, hint: "images must be .png files (\(found))")
    }
  }

  private static func isImage(_ name: String) -> Bool { name.lowercased().hasSuffix(".png") }

  /// The images of a folder below `root` and of the folders below that.
  private static func images(in root: String, _ folder: String) throws -> [String] {
    try Folder.list("\(root)/\(folder)").flatMap { name in
      let inner = "\(folder)/\(name)"
      if Folder.isFolder("\(root)/\(inner)") { return try images(in: root, inner) }
      return isImage(name) ? [inner] : []
    }
  }
}
