// Where a new run goes: a folder of its own, which nobody else writes to meanwhile.

import Latent

extension RunFolder {
  /// The name of a file that makes the folder one of a run: its best checkpoint, else its newest; nil
  /// where there is neither.
  /// - Throws: `StorageError` where the folder cannot be listed.
  public static func sign(in folder: String) throws -> String? {
    if try Folder.names(in: folder).contains(best) { return best }
    return try checkpoints(in: folder).first.map { String($0.dropFirst(folder.count + 1)) }
  }
}

/// A folder that holds no run yet, locked until this is released.
public struct NewRunFolder: Sendable {
  public let path: String
  public let lock: RunLock

  /// Makes the folder where it is not there.
  ///
  /// - Throws: `StorageError.busy` where another process works on it, `.cannotWrite`; `CommandError`
  ///   where it holds a run, and nothing is touched where it holds files that a run would replace; the
  ///   text names one of them and, where `resumes` and a run can be resumed, how.
  public init(_ path: String, resumes: Bool = false) throws {
    self.path = path
    if FileIdentity(path) == nil || RunLock.exists(in: path) {
      try Folder.create(path)
      lock = try RunLock(folder: path)
      try NewRunFolder.check(path, resumes)
    } else {
      // No lock of ours before it is known that the folder is free.
      if FileIdentity("\(path)/.") != nil { try NewRunFolder.check(path, resumes) }
      try Folder.create(path)
      lock = try RunLock(folder: path)
    }
  }

  private static func check(_ path: String, _ resumes: Bool) throws {
    if let sign = try RunFolder.sign(in: path) {
      let isWhole = try !RunFolder.checkpoints(in: path).isEmpty
      let advice = resumes && isWhole ? "continue it with --resume, or " : ""
      throw CommandError(
        "\(path) already holds a run (\(sign)): \(advice)choose another folder", .usage)
    }
    if let name = try RunFolder.occupant(of: path) {
      throw CommandError(
        "\(path) holds \(name), which a run would replace: choose another folder", .usage)
    }
  }
}
