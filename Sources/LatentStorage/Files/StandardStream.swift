// Standard output and standard error, which may be full, closed, a pipe that nobody reads, or set not
// to wait. Foundation's handles trap there and `print` loses what it was given without a word.

import Glibc

/// One of the two streams that a process writes to.
package enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  /// Pieces that a pipe takes whole, once it has room.
  private static let piece = 4096

  /// Writes all of `text`. Where a stream that does not wait is full, for `patience` seconds at most.
  ///
  /// - Throws: `StorageError.cannotWrite`.
  package func write(_ text: String, patience: Double = 5) throws {
    var rest = Array(text.utf8)[...]
    try withoutWriteSignals {
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.write(rawValue, $0.baseAddress, $0.count) }
        if count > 0 {
          rest = rest.dropFirst(count)
        } else if count < 0 && errno == EINTR {
          continue
        } else if count == 0 || errno != EAGAIN || !hasRoom(within: patience) {
          throw StorageError.cannotWrite(
            file: name, action: "writing", reason: systemMessage(count == 0 ? ENOSPC : errno))
        }
      }
    }
  }

  /// Writes as much of `text` as the stream takes within `patience` seconds, and drops the rest: for
  /// what is only to be seen while it happens. Never waits longer, also where nobody reads a pipe.
  package func show(_ text: String, patience: Double = 0) {
    var rest = Array(text.utf8)[...]
    withoutWriteSignals {
      while !rest.isEmpty && hasRoom(within: patience) {
        let count = rest.prefix(StandardStream.piece).withUnsafeBytes {
          Glibc.write(rawValue, $0.baseAddress, $0.count)
        }
        if count <= 0 && !(count < 0 && errno == EINTR) { return }
        rest = rest.dropFirst(max(0, count))
      }
    }
  }

  /// Whether the stream takes something at once or soon; sets `errno` to `EAGAIN` where it does not.
  private func hasRoom(within seconds: Double) -> Bool {
    var stream = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
    let answer = retry { poll(&stream, 1, Int32(seconds * 1000)) }
    if answer == 0 { errno = EAGAIN }
    return answer > 0 && stream.revents & Int16(POLLOUT) != 0
  }

  private var name: String { self == .output ? "standard output" : "standard error" }

  /// Gives the three standard descriptors that are closed to something that cannot be used, so that no
  /// file gets their numbers: the first thing that a program does.
  package static func occupyClosed() {
    for descriptor in Int32(0)...2 where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
      // The lowest free number is the one that was asked about.
      _ = open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY)
    }
  }

  /// The columns of the terminal that the stream is, at this moment; nil where it is none or does not
  /// say.
  package var columns: Int? {
    var size = winsize()
    guard ioctl(rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  /// Whether the stream is a terminal that can rewrite a line.
  package var isScreen: Bool {
    let kind = getenv("TERM").map { String(cString: $0) } ?? ""
    return isatty(rawValue) == 1 && !["", "dumb", "unknown"].contains(kind)
  }
}
