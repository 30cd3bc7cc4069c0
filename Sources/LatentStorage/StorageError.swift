// Everything that can go wrong with files, in one enum. Each text says what was being done, to
// which file and which part of it, what was found, what was expected, and what to try.

/// An error of `LatentStorage`.
public enum StorageError: Error, Sendable, Equatable {
  /// There is no such file or folder.
  case missing(file: String)
  /// The file is there but the system does not let us read it.
  case unreadable(file: String, reason: String)
  /// The contents contradict the format: truncated, overwritten, oversized or hostile.
  case damaged(file: String, place: String, found: String, expected: String)
  /// Another process has the file open for writing. Where it is marked as such in itself, that may
  /// be left from a process that ended without closing it.
  case inUse(file: String, isMarked: Bool)
  /// The contents are well-formed but of a kind that Latent does not read.
  case unsupported(file: String, place: String, found: String, expected: String)
  /// The file is whole, but of another format than was asked for.
  case otherFormat(file: String, found: String, expected: String, advice: String)
  /// A checkpoint of a newer format than this version of Latent understands.
  case tooNew(file: String, formatVersion: Int, minimumReader: Int, supported: Int)
  /// A file has no dataset or array of this name, but these, of which there may be more.
  case noSuchDataset(file: String, name: String, available: [String])
  /// Rows were asked for that the dataset does not have.
  case rowsOutOfRange(file: String, dataset: String, rows: Range<Int>, count: Int)
  /// Reading needs a library that this build was made without.
  case needsTrait(file: String, trait: String, package: String)
  /// The system refused one step of writing; whatever was at `file` before is unchanged, unless
  /// `action` is the last one, making the new name durable.
  case cannotWrite(file: String, action: String, reason: String)
  /// A value cannot be stored in the format asked for.
  case notStorable(name: String, found: String, expected: String)
  /// The folder is not the one that was there when the work on it began.
  case replaced(folder: String)
  /// Another process is working on the run folder.
  case busy(folder: String, holder: Int32?)

  /// What kind of trouble it is, for exit codes and retry decisions.
  public enum Kind: Sendable, Equatable {
    /// The file is missing or in use, or the system or this build cannot read it.
    case unreadable
    /// The file was read, but its contents are not what was asked for.
    case badData
    /// Something could not be written or locked.
    case cannotWrite
  }

  /// Which of the three kinds this error is.
  public var kind: Kind {
    switch self {
    case .missing, .unreadable, .inUse, .needsTrait: .unreadable
    case .damaged, .unsupported, .otherFormat, .tooNew, .noSuchDataset, .rowsOutOfRange: .badData
    case .cannotWrite, .notStorable, .replaced, .busy: .cannotWrite
    }
  }
}

extension StorageError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .missing(let file):
      "cannot read '\(file)': it does not exist; check the path"
    case .unreadable(let file, let reason):
      "cannot read '\(file)': \(reason)"
    case .inUse(let file, isMarked: false):
      "cannot read '\(file)': it is in use by another process for writing; wait for it to end"
    case .inUse(let file, isMarked: true):
      "cannot read '\(file)': it is marked as in use by another process for writing; wait for it to "
        + "end, or, where none has it open, remove the mark: h5clear -s FILE"
    case .damaged(let file, let place, let found, let expected):
      "'\(file)' is damaged at \(place): found \(found), expected \(expected); "
        + "copy or make the file again"
    case .unsupported(let file, let place, let found, let expected):
      "cannot read \(place) of '\(file)': found \(found), expected \(expected); "
        + "convert it and try again"
    case .otherFormat(let file, let found, let expected, let advice):
      "cannot read '\(file)': it is \(found), not \(expected); \(advice)"
    case .tooNew(let file, let version, let minimum, let supported):
      "cannot read '\(file)': its format version \(version) needs a reader of version \(minimum) "
        + "or later, this one reads up to version \(supported); install a newer Latent"
    case .noSuchDataset(let file, let name, let available):
      "cannot read '\(name)' of '\(file)': there is no dataset of this name; "
        + StorageError.list(available)
    case .rowsOutOfRange(let file, let dataset, let rows, let count):
      "cannot read rows \(rows.lowerBound)..<\(rows.upperBound) of '\(dataset)' in '\(file)': "
        + "it has \(count) rows"
    case .needsTrait(let file, let trait, let package):
      "cannot read '\(file)': this build has no support for it; install \(package) and build "
        + "with the package trait \(trait) (swift build --traits default,\(trait))"
    case .cannotWrite(let file, let action, let reason):
      "cannot write '\(file)': \(action): \(reason)"
    case .notStorable(let name, let found, let expected):
      "cannot store '\(name)': found \(found), expected \(expected)"
    case .replaced(let folder):
      "cannot write to '\(folder)': the folder was removed or made anew by somebody else since "
        + "this run began; nothing in it was touched"
    case .busy(let folder, let holder):
      "cannot use '\(folder)': \(holder.map { "process \($0)" } ?? "another process") is working "
        + "on it; wait for it to end or choose another folder"
    }
  }

  private static func list(_ names: [String]) -> String {
    if names.isEmpty { return "there are none that Latent reads" }
    let shown = names.prefix(10).map { "'\($0)'" }.joined(separator: ", ")
    return "there are: \(shown)\(names.count > 10 ? " and more" : "")"
  }
}
