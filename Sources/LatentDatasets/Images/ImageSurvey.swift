// A look at the headers of all pictures before the first is decoded: what is no PNG, what has another
// size and what will be lost is found when a set is opened, not hours later.

import LatentNumerics
import LatentStorage
import Synchronization

/// What the headers of a folder's pictures say together.
struct ImageSurvey {
  let first: PNGHeader
  /// How many have colours, and how many may be transparent.
  private(set) var colored = 0
  private(set) var transparent = 0
  private let count: Int

  /// Reads the headers of `files` in the folder `path`; with `sameSize`, all must have the size of the
  /// first.
  ///
  /// Throws `DatasetError.otherPictures` and `.imageSizeDiffers`, and `StorageError` for files that
  /// cannot be read or are no pictures.
  init(_ files: [String], in path: String, sameSize: Bool) throws {
    let results = Mutex([Result<PNGHeader, any Error>?](repeating: nil, count: files.count))
    let run = 64
    parallelFor((files.count + run - 1) / run) { part in
      let range = (part * run)..<min((part + 1) * run, files.count)
      let found = range.map { index in
        Result { try PNGHeader(contentsOf: "\(path)/\(files[index])") }
      }
      results.withLock { results in
        for (index, result) in zip(range, found) { results[index] = result }
      }
    }
    let found = results.withLock { $0.compactMap { $0 } }
    try ImageSurvey.refuseOthers(found, files, path)
    let headers = try found.map { try $0.get() }
    first = headers[0]
    count = headers.count
    for (file, header) in zip(files, headers) {
      if sameSize, header.height != first.height || header.width != first.width {
        throw DatasetError.imageSizeDiffers(
          file: "\(path)/\(file)", found: [header.height, header.width], first: files[0],
          expected: [first.height, first.width])
      }
      if header.isColor { colored += 1 }
      if header.hasAlpha { transparent += 1 }
    }
  }

  /// What is lost on the way to `channels`; `asked` where somebody chose them.
  func notes(first file: String, channels: Int, asked: Bool) -> [String] {
    var notes: [String] = []
    if channels == 1 && colored > 0 && !asked {
      notes.append(
        "\(colored) of \(count) pictures have colours and become gray, because the first, \(file), is "
          + "gray; make that one RGB, or ask for 3 channels, to keep them")
    }
    if transparent > 0 {
      notes.append(
        "\(transparent) of \(count) pictures may be transparent in parts, which become black")
    }
    return notes
  }

  /// Says which pictures are of other formats, and how to convert them all.
  private static func refuseOthers(
    _ results: [Result<PNGHeader, any Error>], _ files: [String], _ path: String
  ) throws {
    var others: [(file: String, kind: FileKind)] = []
    for (file, result) in zip(files, results) {
      guard case .failure(StorageError.otherFormat) = result,
        let kind = try FileKind(contentsOf: "\(path)/\(file)"), kind.isPicture
      else { continue }
      others.append((file, kind))
    }
    guard let first = others.first else { return }
    var patterns: [String] = []
    for (file, _) in others {
      let depth = file.utf8.count(where: { $0 == UInt8(ascii: "/") })
      let dot = file.utf8.lastIndex(of: UInt8(ascii: ".")) ?? file.utf8.startIndex
      let pattern =
        String(repeating: "*/", count: depth) + "*"
        + String(decoding: file.utf8[dot...], as: UTF8.self)
      if !patterns.contains(where: { $0.elementsEqualBytes(pattern) }) { patterns.append(pattern) }
    }
    throw DatasetError.otherPictures(
      folder: path, file: first.file, kind: "\(first.kind)", count: others.count, of: files.count,
      command: "mogrify -format png " + patterns.prefix(3).joined(separator: " ")
        + (patterns.count > 3 ? " ..." : ""))
  }
}
