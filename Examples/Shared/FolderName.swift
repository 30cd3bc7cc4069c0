// How the tools take the name of a folder from the command line.

/// The name without slashes at its end, which would double where a file's name is put behind it.
public func folderName(_ text: String) -> String {
  var name = text[...]
  while name.count > 1 && name.last == "/" { name.removeLast() }
  return String(name)
}
