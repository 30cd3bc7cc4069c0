// Options of several commands.

import ArgumentParser
import Latent
import LatentCommands

struct ThreadOptions: ParsableArguments {
  @Option(name: .customLong("threads"), help: "Threads that share the work.") var count = 2

  func validate() throws { try checkRange("threads", count, 1...1024) }

  func apply() { Threads.count = count }
}

/// A comma list of sizes.
enum BatchSizes {
  static func parse(_ list: String) throws -> [Int] {
    try list.split(separator: ",").map { item in
      guard let size = Int(item), size > 0 else {
        throw ValidationError("batch '\(item)': expected a positive number")
      }
      return size
    }
  }
}
