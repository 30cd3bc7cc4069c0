// Which files a program has made itself, so that it may replace them: a note beside the contents, which
// editors that save anew and programs that copy leave out. The size and the time of the last change
// stand in it, so that it does not hold for a file that was changed in place.

import CLatentFiles
import Glibc

/// Notes on files that say that a Latent tool has made them.
package enum FileMark {
  /// Notes that the file was made as it is now. Where the file system keeps no notes nothing happens,
  /// and the file counts as somebody else's.
  package static func set(on path: String) {
    if let text = text(for: path) { _ = latent_file_note(path, text) }
  }

  /// Whether the file was made by a tool and has not been changed since.
  package static func holds(for path: String) -> Bool {
    var found = [CChar](repeating: 0, count: 128)
    guard let text = text(for: path), latent_file_find_note(path, &found, found.count) else {
      return false
    }
    return text.utf8CString.elementsEqual(found.prefix(text.utf8CString.count))
  }

  private static func text(for path: String) -> String? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return "\(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)"
  }
}
