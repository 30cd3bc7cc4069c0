// The time to the first result: a fresh process loads a saved model, encodes one example, ends.

import Foundation
import Latent

/// A saved model and the command that opens it in a new process.
struct Startup {
  private let folder: String
  private let command: [String]

  init(_ workload: some Workload, threads: Int) throws {
    folder = FileManager.default.temporaryDirectory.path + "/latent-startup-\(getpid())"
    command = [
      "--workload", workload.name, "--width", "\(workload.width)", "--threads", "\(threads)",
      "--startup-child", folder,
    ]
    try Folder.create(folder)
    var checkpoint = Checkpoint()
    for (path, array) in workload.model().namedArrays {
      checkpoint.arrays["model/\(path)"] = array
    }
    try checkpoint.write(to: "\(folder)/model.h5")
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }

  /// Runs one process; gives its peak resident memory in MiB.
  func once() throws -> Double {
    let text = try ChildProcess.output(of: command)
    guard let memory = Double(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
      throw ChildProcess.failure(command, "printed '\(text)', expected a number")
    }
    return memory
  }

  /// Processes until `seconds` have passed.
  func measure(_ seconds: Double) throws -> (timing: Timing, memory: Double) {
    let load = ForeignLoad()
    var times: [Double] = []
    var memory = 0.0
    let end = now() + seconds
    while times.count < 3 || now() < end {
      let begin = now()
      memory = max(memory, try once())
      times.append(now() - begin)
    }
    return (Timing(times, foreign: load.cores), memory)
  }

  /// What the new process does.
  static func child(_ workload: some Workload, _ folder: String) throws {
    var model = workload.model()
    try model.load(Checkpoint(contentsOf: "\(folder)/model.h5").arrays(under: "model/"))
    let mean = model.encode(workload.inputs(1)).mean.floats
    require(mean[0].isFinite, "the encoded example is \(mean[0])")
    printLine("\(Machine.peakResidentMiB)")
  }
}
