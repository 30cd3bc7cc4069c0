// The little this module asks of the file system. Names are bytes: they are compared, cut and sorted
// as bytes, because to Swift's strings "/" with a combining mark is no slash, and two spellings of
// an accent are one name.

import Foundation
import LatentStorage

/// A file or folder whatever its name: links lead to the same.
struct FileIdentity: Hashable {
  let device: UInt
  let inode: UInt

  init(_ status: stat) {
    device = UInt(status.st_dev)
    inode = UInt(status.st_ino)
  }
}

/// Folders and paths.
enum Folder {
  /// The names in a folder, sorted by their bytes (the same order on every machine), without
  /// hidden ones.
  ///
  /// Throws `DatasetError.notAFolder` and `.nameIsNotText`, and `StorageError.unreadable` for a folder
  /// that must not be read.
  static func list(_ path: String) throws -> [String] {
    guard let folder = opendir(path) else {
      if errno == ENOENT || errno == ENOTDIR { throw DatasetError.notAFolder(path: path) }
      throw StorageError.unreadable(
        file: path, reason: "\(String(cString: strerror(errno))) (error \(errno))")
    }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if bytes.first == UInt8(ascii: ".") { continue }
      guard let name = String(validating: bytes, as: UTF8.self) else {
        throw DatasetError.nameIsNotText(folder: path, name: String(decoding: bytes, as: UTF8.self))
      }
      names.append(name)
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// What is there, through links; nil where there is nothing.
  static func status(_ path: String) -> stat? {
    var status = stat()
    return stat(path, &status) == 0 ? status : nil
  }

  static func isFolder(_ path: String) -> Bool { status(path)?.isFolder ?? false }
  static func isFile(_ path: String) -> Bool { status(path)?.isFile ?? false }

  /// Whether a folder or file shows the state of the kernel, as those below `/proc` do.
  static func isKernelView(_ status: stat) -> Bool {
    kernelViews.contains(FileIdentity(status).device)
  }

  /// The devices of such file systems, from the list of what is mounted (proc_pid_mountinfo(5)).
  private static let kernelViews: Set<UInt> = {
    let kinds: Set<String> = [
      "proc", "sysfs", "cgroup", "cgroup2", "devpts", "debugfs", "tracefs", "securityfs",
      "configfs",
      "bpf", "selinuxfs", "pstore", "efivarfs", "mqueue", "fusectl", "binfmt_misc",
    ]
    guard let table = try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8) else {
      return []
    }
    var devices: Set<UInt> = []
    for line in table.utf8.split(separator: UInt8(ascii: "\n")) {
      let words = line.split(separator: UInt8(ascii: " ")).map {
        String(decoding: $0, as: UTF8.self)
      }
      // After optional words and a dash stands the kind; the third word is major:minor.
      guard let dash = words.firstIndex(of: "-"), dash + 1 < words.count, dash > 2,
        kinds.contains(words[dash + 1])
      else { continue }
      let numbers = words[2].utf8.split(separator: UInt8(ascii: ":"))
        .compactMap { UInt(String(decoding: $0, as: UTF8.self)) }
      guard numbers.count == 2 else { continue }
      let (major, minor) = (numbers[0], numbers[1])
      devices.insert(
        (major & ~0xfff) << 32 | (major & 0xfff) << 8 | (minor & ~0xff) << 12 | minor & 0xff)
    }
    return devices
  }()
}

extension stat {
  var isFolder: Bool { st_mode & S_IFMT == S_IFDIR }
  var isFile: Bool { st_mode & S_IFMT == S_IFREG }
}

extension String {
  private static let slash = UInt8(ascii: "/")

  /// What stands after the last slash, but for slashes at the end; the whole text where there is none.
  var lastPathComponent: String {
    utf8.split(separator: String.slash).last.map { String(decoding: $0, as: UTF8.self) } ?? self
  }

  /// The folder before the last slash, with it; empty where there is none.
  var folderPrefix: String {
    utf8.lastIndex(of: String.slash).map { String(decoding: utf8[...$0], as: UTF8.self) } ?? ""
  }

  /// The home folder for a leading tilde, which shells leave alone after a colon.
  var withHomeFolder: String {
    guard elementsEqualBytes("~") || utf8.starts(with: "~/".utf8) else { return self }
    let home = ProcessInfo.processInfo.environment["HOME"] ?? ""
    return (home.isEmpty ? FileManager.default.homeDirectoryForCurrentUser.path : home)
      + String(decoding: utf8.dropFirst(), as: UTF8.self)
  }

  /// Whether both are the same bytes.
  func elementsEqualBytes(_ other: String) -> Bool { utf8.elementsEqual(other.utf8) }

  /// The letters after the last dot of a name, in small ASCII letters; nil without a dot.
  var nameEnding: String? {
    let name = lastPathComponent.utf8
    guard let dot = name.lastIndex(of: UInt8(ascii: ".")), dot != name.startIndex else {
      return nil
    }
    let small = name[dot...].dropFirst().map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
    return String(decoding: small, as: UTF8.self)
  }
}
