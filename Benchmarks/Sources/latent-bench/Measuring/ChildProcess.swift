// This program again, in a fresh process: for startup times, and wherever peak memory shall be that
// of one measurement alone.

import Foundation
import LatentCommands

enum ChildProcess {
  /// How a process ended, from the status that `waitpid` gives.
  enum Ending: Equatable {
    case exited(code: Int32)
    case killed(signal: Int32)

    init(waitStatus: Int32) {
      // The low seven bits are the signal, the eighth tells of a core file, the next eight are the code.
      let signal = waitStatus & 0x7f
      self = signal == 0 ? .exited(code: waitStatus >> 8 & 0xff) : .killed(signal: signal)
    }

    /// What a shell calls it: the code, or 128 and the signal.
    var code: Int32 {
      switch self {
      case .exited(let code): code
      case .killed(let signal): 128 + signal
      }
    }

    var sentence: String {
      switch self {
      case .exited(let code): "ended with exit code \(code)"
      case .killed(let signal):
        "was ended by signal \(signal) (\(strsignal(signal).map { String(cString: $0) } ?? "unknown"))"
      }
    }
  }

  /// Runs this program with `arguments` to its end; what it printed. Standard error is shared.
  /// - Throws: `CommandError` with the exit code of the process where that is not 0.
  static func output(of arguments: [String]) throws -> String {
    // posix_spawn and a blocking wait: Foundation's Process polls, which would be measured too.
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw failure(arguments, "no pipe") }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
    posix_spawn_file_actions_addclose(&actions, ends[0])
    var words: [UnsafeMutablePointer<CChar>?] =
      (["latent-bench"] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var child: pid_t = 0
    let status = posix_spawn(&child, "/proc/self/exe", &actions, nil, &words, environ)
    close(ends[1])
    defer { close(ends[0]) }
    guard status == 0 else { throw failure(arguments, String(cString: strerror(status))) }
    var text: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 4096)
    var length = read(ends[0], &part, part.count)
    while length > 0 {
      text += part.prefix(length)
      length = read(ends[0], &part, part.count)
    }
    var waitStatus: Int32 = 0
    while waitpid(child, &waitStatus, 0) < 0 {
      guard errno == EINTR else { throw failure(arguments, String(cString: strerror(errno))) }
    }
    let ending = Ending(waitStatus: waitStatus)
    guard ending == .exited(code: 0) else {
      throw CommandError(sentence(arguments, ending.sentence), code: ending.code)
    }
    return String(decoding: text, as: UTF8.self)
  }

  static func failure(_ arguments: [String], _ reason: String) -> CommandError {
    CommandError(sentence(arguments, reason), .software)
  }

  private static func sentence(_ arguments: [String], _ reason: String) -> String {
    "latent-bench \(arguments.joined(separator: " ")): \(reason)"
  }
}
