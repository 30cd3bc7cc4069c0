// No output replaces a file that the tools did not make, or that somebody has changed since, unless
// --overwrite says so; what a run or the command itself needs stays in any case (decision 0023).

import ArgumentParser
import Foundation
import Latent

/// The flag of the tools that write one file.
public struct OverwriteArguments: ParsableArguments {
  @Flag(help: "Replace a file --out that no tool has made, or that was changed since.")
  public var overwrite = false

  public init() {}
}

extension RunArguments {
  /// Refuses to write to `out` where that would destroy something, before anything is computed. `data`
  /// is what the command reads besides the run.
  public func checkOutput(
    _ out: String, _ arguments: OverwriteArguments, reading opened: OpenRun, data: String? = nil
  ) throws {
    let data = try data.map { try DataSource(parsing: $0).files } ?? []
    let inputs = [opened.path] + (adapters.map { [$0] } ?? []) + data
    try arguments.check(out, needed: inputs + RunFolder.ownFiles(of: run))
  }
}

extension OverwriteArguments {
  /// Refuses to write to `out` where that would destroy something, before anything is computed. `needed`
  /// are files that the command reads.
  public func check(_ out: String, needed: [String] = []) throws {
    if out == Texts.standardOutput { return }
    func refusal(_ reason: String) -> CommandError {
      CommandError("--out '\(out)': \(reason)", .usage)
    }
    let (folder, name) = parts(ofPath: out)
    if RunFolder.isRun(folder) && RunFolder.isOwn(name) {
      throw refusal("a run keeps files of this name for itself; choose another")
    }
    var status = stat()
    guard lstat(out, &status) == 0 else { return }
    guard let identity = FileIdentity(out) else {
      throw refusal("there is a link of this name that leads nowhere; choose another")
    }
    stat(out, &status)
    guard status.st_mode & S_IFMT == S_IFREG else {
      let kind = status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "no regular file"
      throw refusal("it is \(kind), expected the name of a file")
    }
    if let file = needed.first(where: { FileIdentity($0) == identity }) {
      throw refusal("it is the same file as \(file), which is still needed; choose another name")
    }
    lstat(out, &status)
    if overwrite || (status.st_mode & S_IFMT == S_IFREG && FileMark.holds(for: out)) { return }
    throw refusal(
      "there is a file of this name that was not made by this tool, or was changed since: choose "
        + "another name, or add --overwrite to replace it")
  }
}

extension RunFolder {
  /// Names of what a run writes into its folder besides checkpoints.
  private static let tables = ["metrics.csv", "metrics.jsonl"]
  private static let results = [
    "report.html", "summary.json", "pictures", "texts", "tensorboard", "evaluation.json",
    "evaluation.html", "evaluation-likelihood.h5", adapters,
  ]
  private static let settings = "config.yaml"

  /// Whether a run writes a file of this name.
  static func isOwn(_ name: String) -> Bool {
    name == best || step(of: name) != nil || isSampler(name) || name == settings
      || name == RunLock.fileName
      || tables.contains(name) || results.contains(name)
  }

  /// Whether the folder is one of a run, also of one that has saved nothing yet.
  static func isRun(_ folder: String) -> Bool {
    (try? sign(in: folder)) ?? nil != nil || RunLock.exists(in: folder)
  }

  /// The files of a run that are there.
  public static func ownFiles(of folder: String) -> [String] {
    ((try? Folder.names(in: folder)) ?? []).filter(isOwn).map { "\(folder)/\($0)" }
  }

  /// The name of a file or folder that a new run would write to and that no run has made; nil where
  /// there is none. A run that was cut off before its first checkpoint leaves its lock, and no results.
  static func occupant(of folder: String) throws -> String? {
    let names = try Folder.names(in: folder)
    let left = RunLock.exists(in: folder) ? [settings] + tables : []
    return names.first { $0 != RunLock.fileName && isOwn($0) && !left.contains($0) }
  }
}

extension DataSource {
  /// Every file that is read, as far as is known without reading any.
  public var files: [String] {
    func all(_ folder: String) -> [String] {
      let folder = (try? folderName(folder)) ?? folder
      guard let names = FileManager.default.enumerator(atPath: folder) else { return [] }
      return names.prefix(100_000).compactMap { $0 as? String }.map { "\(folder)/\($0)" }
    }
    switch kind {
    case .sprites: return []
    case .hdf5(let path, _, _), .text(let path, _): return [(try? pathName(path)) ?? path]
    case .npy(let path, let labels):
      return ([path] + (labels.map { [$0] } ?? [])).map { (try? pathName($0)) ?? $0 }
    case .mnist(let folder), .images(let folder, _): return all(folder)
    }
  }

  /// Refuses a new run's folder inside the data, where its pictures would be taken for examples.
  public func checkOutside(_ out: String) throws {
    guard case .images(let folder, _) = kind else { return }
    guard let data = FileIdentity((try? pathName(folder)) ?? folder) else { return }
    // From the part of the path that is there upwards, without links.
    var place = out
    while FileIdentity(place) == nil && ![".", "/"].contains(place) {
      place = parts(ofPath: place).folder
    }
    guard let real = realpath(place, nil) else { return }
    defer { free(real) }
    place = String(cString: real)
    while FileIdentity(place) != data && place != "/" { place = parts(ofPath: place).folder }
    if FileIdentity(place) == data {
      throw CommandError(
        "--out '\(out)': it lies in the folder of the data, which would then hold the run's own "
          + "pictures; choose another folder", .usage)
    }
  }
}
