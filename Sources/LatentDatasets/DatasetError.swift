// What can go wrong with data. Damaged files are `StorageError`s of the readers and pass through;
// the cases here are about files that are absent or do not fit together.

import LatentNumerics

/// Why a data set cannot be opened, split or read.
public enum DatasetError: Error, Sendable, Equatable, CustomStringConvertible {
  /// None of the file names that were looked for is in the folder.
  case missingFile(folder: String, names: [String], found: [String])
  /// The path does not exist, or is not a folder.
  case notAFolder(path: String)
  /// An array has other axes or another element type than the data set needs.
  case wrongShape(file: String, what: String, found: String, expected: String)
  /// Two arrays that belong together have different numbers of examples.
  case countMismatch(file: String, found: Int, other: String, expected: Int)
  /// There is nothing to learn from.
  case empty(path: String, hint: String)
  /// Images lie both in the folder and in folders below it, so that classes are ambiguous.
  case mixedFolder(folder: String, file: String, subfolder: String)
  /// Images are of a format that is not read; `command` converts them.
  case otherPictures(
    folder: String, file: String, kind: String, count: Int, of: Int, command: String)
  /// More files and folders lie in a folder and below it than a set of images has.
  case tooManyEntries(path: String, limit: Int)
  /// The name of a file is no text in UTF-8; `name` shows what of it is.
  case nameIsNotText(folder: String, name: String)
  /// An image has another size than the first one, and no size to resize to was given.
  case imageSizeDiffers(file: String, found: Shape, first: String, expected: Shape)
  /// An input that is NaN or infinite, where no mask hides it. `element` is its place in the example.
  case nonFinite(dataset: String, example: Int, element: [Int], found: Double)
  /// A part of the split would be empty, or the share is not in [0, 1).
  case cannotSplit(name: String, count: Int, share: Double)
  /// The data are not those that a run was begun with.
  case changedData(name: String, was: String, found: String)
  /// The text does not describe a data source.
  case badSource(text: String, reason: String)
  /// The text does not describe a transform.
  case badTransform(text: String)

  public var description: String {
    switch self {
    case .missingFile(let folder, let names, let found):
      "cannot open the data in \(folder): none of \(names.joined(separator: ", ")) is there; "
        + (found.isEmpty ? "the folder is empty" : "it holds \(listed(found))")
    case .notAFolder(let path):
      "cannot open the data in \(path): there is no such folder"
    case .wrongShape(let file, let what, let found, let expected):
      "cannot use \(what) of \(file): found \(found), expected \(expected)"
    case .countMismatch(let file, let found, let other, let expected):
      "cannot pair \(file) with \(other): \(found) against \(expected) examples; "
        + "do they belong to the same set?"
    case .empty(let path, let hint):
      "cannot open \(path): it holds no examples; \(hint)"
    case .mixedFolder(let folder, let file, let subfolder):
      "cannot tell the classes in \(folder): images lie in it (\(file)) and in folders below it "
        + "(\(subfolder)); keep either one folder for each class or all images in one folder"
    case .otherPictures(let folder, let file, let kind, let count, let total, let command):
      "cannot read the pictures in \(folder): \(file) is \(kind), and only PNG is read; \(count) of "
        + "\(total) pictures are of other formats; convert them there, for example by '\(command)'"
    case .tooManyEntries(let path, let limit):
      "cannot list the pictures in \(path): more than \(limit) files and folders lie below it; name a "
        + "folder nearer to the pictures"
    case .nameIsNotText(let folder, let name):
      "cannot list \(folder): the name of '\(name)' is no text in UTF-8; rename it"
    case .imageSizeDiffers(let file, let found, let first, let expected):
      "cannot put \(file) into a batch: its size is \(found), that of \(first) is \(expected); "
        + "give a size to resize all images to"
    case .nonFinite(let dataset, let example, let element, let found):
      "cannot use example \(example) of \(dataset): element \(element) of its inputs is \(found), "
        + "expected a finite number of float32; leave the example out, replace the number, or mark it "
        + "as not observed by a field \"\(Field.mask)\""
    case .cannotSplit(let name, let count, let share):
      "cannot split a share of \(share) from the \(count) examples of \(name): the share must be "
        + "in 0..<1 and leave at least one example on each side"
    case .changedData(let name, let was, let found):
      "the data \(name) have changed since the run was saved: found \(found), was \(was)"
    case .badSource(let text, let reason):
      "cannot understand the data source \"\(text)\": \(reason); the forms are "
        + DataSource.forms.joined(separator: ", ")
    case .badTransform(let text):
      "cannot understand the transform \"\(text)\"; the forms are "
        + BatchTransforms.forms.joined(separator: ", ")
    }
  }

  /// Whether the words of a command line are at fault rather than files.
  public var isUsage: Bool {
    switch self {
    case .badSource, .badTransform, .cannotSplit: true
    default: false
    }
  }

  private func listed(_ names: [String]) -> String {
    names.prefix(4).joined(separator: ", ")
      + (names.count > 4 ? " and \(names.count - 4) more" : "")
  }
}
