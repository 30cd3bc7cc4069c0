// How the tools take paths from the command line.

import ArgumentParser
import Foundation
import Latent

/// A path, with the home folder for a leading tilde, which shells leave alone after an equals sign.
/// - Throws: `ValidationError` for an empty one.
public func pathName(_ text: String) throws -> String {
  if text.isEmpty { throw ValidationError("expected a path, found none") }
  guard text == "~" || text.utf8.starts(with: "~/".utf8) else { return text }
  let home = ProcessInfo.processInfo.environment["HOME"] ?? ""
  return (home.isEmpty ? FileManager.default.homeDirectoryForCurrentUser.path : home)
    + text.dropFirst()
}

/// The path without slashes at its end, which would double where a file's name is put behind it.
public func folderName(_ text: String) throws -> String {
  var name = Substring(try pathName(text))
  while name.utf8.count > 1 && name.utf8.last == UInt8(ascii: "/") {
    name = name[..<name.utf8.index(before: name.utf8.endIndex)]
  }
  return String(name)
}

/// Folder and name of a path.
func parts(ofPath path: String) -> (folder: String, name: String) {
  guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
  let name = String(path[path.utf8.index(after: slash)...])
  return (slash == path.startIndex ? "/" : String(path[..<slash]), name)
}

/// The arguments with a negative number behind an option joined to it: `--beta -1` would be read as
/// two options, and its range never be told.
func joiningNegativeNumbers(_ arguments: [String]) -> [String] {
  var joined: [String] = []
  for argument in arguments {
    let isNumber = argument.prefixMatch(of: /-(\.?[0-9]|inf|nan)/) != nil
    if isNumber, let option = joined.last, option.hasPrefix("--"), option.utf8.count > 2,
      !option.contains("=")
    {
      joined[joined.count - 1] = "\(option)=\(argument)"
    } else {
      joined.append(argument)
    }
  }
  return joined
}
