// This program again, in a fresh process: for startup times, and wherever peak memory shall be that
// of one measurement alone.

import Foundation
import LatentCommands

enum ChildProcess {
  /// Runs this program with `arguments` to its end; what it printed. Standard error is shared.
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
    var exit: Int32 = 0
    waitpid(child, &exit, 0)
    guard exit == 0 else { throw failure(arguments, "ended with status \(exit)") }
    return String(decoding: text, as: UTF8.self)
  }

  static func failure(_ arguments: [String], _ reason: String) -> CommandError {
    CommandError("latent-bench \(arguments.joined(separator: " ")): \(reason)", .software)
  }
}
