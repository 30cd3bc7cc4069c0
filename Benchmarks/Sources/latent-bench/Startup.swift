// The time to the first result: a fresh process loads a saved model, encodes one example, ends.

import Foundation
import Latent

/// A saved model and the command that opens it in a new process.
struct Startup {
  private let folder: String
  private let threads: Int

  init(threads: Int) throws {
    self.threads = threads
    folder = FileManager.default.temporaryDirectory.path + "/latent-startup-\(getpid())"
    try Folder.create(folder)
    var checkpoint = Checkpoint()
    for (path, array) in MLPWorkload.model().namedArrays {
      checkpoint.arrays["model/\(path)"] = array
    }
    try checkpoint.write(to: "\(folder)/model.h5")
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }

  /// Runs one process; gives its peak resident memory in MiB.
  func once() throws -> Double {
    // posix_spawn and a blocking wait: Foundation's Process polls, which would be measured too.
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw CocoaError(.executableLoad) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO)
    posix_spawn_file_actions_addclose(&actions, ends[0])
    let words = ["latent-bench", "--threads", "\(threads)", "--startup-child", folder]
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for word in arguments { free(word) } }
    var child: pid_t = 0
    let status = posix_spawn(&child, "/proc/self/exe", &actions, nil, &arguments, environ)
    close(ends[1])
    defer { close(ends[0]) }
    guard status == 0 else { throw CocoaError(.executableLoad) }
    var text = [UInt8](repeating: 0, count: 64)
    let length = read(ends[0], &text, text.count)
    var exit: Int32 = 0
    waitpid(child, &exit, 0)
    let line = String(decoding: text.prefix(max(0, length)), as: UTF8.self)
    guard exit == 0, let memory = Double(line.trimmingCharacters(in: .whitespacesAndNewlines))
    else {
      throw CocoaError(.executableLoad)
    }
    return memory
  }

  /// What the new process does.
  static func child(_ folder: String) throws {
    var model = MLPWorkload.emptyModel()
    try model.load(Checkpoint(contentsOf: "\(folder)/model.h5").arrays(under: "model/"))
    let mean = model.encode(MLPWorkload.inputs(1)).mean.floats
    precondition(mean[0].isFinite)
    printLine("\(peakResidentMiB())")
  }
}
