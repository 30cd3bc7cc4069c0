// A saved state: named arrays and texts in one file. The file is HDF5, so that other tools read
// it, behind a header with a digest, so that damage is found before HDF5 parses anything; it is
// built in memory and written by `AtomicFile`. See docs/checkpoint-format.md.

import LatentNumerics

/// Named arrays and texts, as they are saved together.
///
/// Names are paths such as `model/encoder.hidden.weight` or `optimizer/moment1`; arrays and texts
/// share one set of names.
public struct Checkpoint: Sendable, Equatable {
  /// Arrays of any shape, empty ones and scalars included.
  public var arrays: [String: NDArray]
  /// Texts such as the model's description; no zero characters.
  public var texts: [String: String]

  /// A checkpoint of these contents.
  public init(arrays: [String: NDArray] = [:], texts: [String: String] = [:]) {
    self.arrays = arrays
    self.texts = texts
  }

  /// The format version up to which files are read; they are written in the oldest that holds the
  /// contents.
  public static var formatVersion: Int { CheckpointHeader.formatVersion }

  /// The bytes of the file: the same for the same contents, always.
  ///
  /// - Throws: `StorageError.notStorable` for a name, text or array that cannot be stored.
  public func encoded() throws -> [UInt8] {
    var file = try HDF5Image.make(
      arrays: try storedArrays(), texts: texts, userBlock: CheckpointHeader.size,
      name: "a checkpoint")
    let version =
      arrays.values.contains(where: \.dtype.isLowPrecision)
      ? CheckpointHeader.formatVersion : CheckpointHeader.firstVersion
    file.withUnsafeMutableBytes {
      CheckpointHeader.seal($0, formatVersion: version, minimumReader: version)
    }
    return file
  }

  /// Reads the bytes of a checkpoint file.
  ///
  /// - Parameter source: What messages call the bytes.
  /// - Throws: `StorageError.damaged`, `.unsupported` or `.tooNew`.
  public init(decoding bytes: [UInt8], source: String = "checkpoint in memory") throws {
    self = try bytes.withUnsafeBytes { bytes in
      try CheckpointHeader.check(file: bytes, name: source)
      return try HDF5Library.withImage(bytes, name: source) { root, session in
        try Checkpoint(
          root: root, payload: bytes.count - CheckpointHeader.size, session: session)
      }
    }
  }

  /// Writes the checkpoint atomically; see ``AtomicFile``.
  ///
  /// - Throws: `StorageError.cannotWrite` or `.notStorable`; the file that was there is intact.
  public func write(to path: String) throws {
    let bytes: [UInt8]
    do {
      bytes = try encoded()
    } catch StorageError.cannotWrite(_, let action, let reason) {
      throw StorageError.cannotWrite(file: path, action: action, reason: reason)
    }
    try AtomicFile.write(bytes, to: path)
  }

  /// Reads a checkpoint file.
  ///
  /// - Throws: `StorageError.missing` or `.unreadable` for the file, `.damaged`, `.unsupported` or
  ///   `.tooNew` for its contents.
  public init(contentsOf path: String) throws {
    var stream = try FileStream(path: path)
    guard stream.size <= StorageLimits.checkpointBytes else {
      throw StorageError.damaged(
        file: path, place: "the whole", found: "\(stream.size) bytes",
        expected: "at most \(StorageLimits.checkpointBytes)")
    }
    // The header is judged before the rest is read, so that a wrong file costs nothing.
    let header = try stream.bytes(min(CheckpointHeader.size, stream.size), place: "the header")
    try header.withUnsafeBytes {
      try CheckpointHeader.check($0, fileSize: stream.size, file: path)
    }
    try stream.rewind()
    let bytes = try stream.bytes(stream.size, place: "the contents")
    try self.init(decoding: bytes, source: path)
  }
}

extension Checkpoint {
  /// Reads all objects below `root`. The structure is judged as a whole before anything is read.
  fileprivate init(root: borrowing HDF5Handle, payload: Int, session: HDF5Session) throws {
    self.init()
    var budget = payload
    var members: [(path: String, member: HDF5Member)] = []
    for object in try HDF5Tree.datasets(below: root, .checkpoint, session) {
      let path = String(decoding: object.bytes, as: UTF8.self)
      let member = try HDF5Member(path: path, in: root, payload: payload, session: session)
      // The sum counts: many names for one dataset would multiply what is allocated.
      budget -= member.byteCount
      guard budget >= 0 else {
        throw session.damaged(path, "more bytes declared than stored", "at most \(payload)")
      }
      members.append((path, member))
    }
    for (path, member) in members {
      // Swift compares names by characters, HDF5 by bytes.
      guard arrays[path] == nil, texts[path] == nil else {
        throw session.damaged(path, "two objects of this name", "one")
      }
      switch member.content {
      case .array: arrays[path] = try member.readArray(in: root, session: session)
      case .text: texts[path] = try member.readText(in: root, session: session)
      }
    }
    try joinScales(session)
  }
}
