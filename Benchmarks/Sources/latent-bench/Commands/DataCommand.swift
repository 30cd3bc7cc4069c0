// How fast a data set gives batches: whether training waits for its data.

import ArgumentParser
import Latent
import LatentCommands

struct DataCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "data",
    abstract: "Times reading shuffled batches of a data set.",
    discussion: """
      Prints one JSON line as 'workloads' does. Files that were read or written lately are in the \
      system's cache: what is timed then is the library, not the disk.

      DATA
        \(DataSource.forms.joined(separator: ", "))
      """)

  @Option(help: "The data set.") var data: String
  @Option(help: "Examples of a batch.") var batch = 128
  @Option(help: "Measured seconds.") var seconds = 2.0
  @OptionGroup var threads: ThreadOptions

  func validate() throws {
    try checkRange("batch", batch, 1...(.max))
  }

  func run() throws {
    threads.apply()
    let source = try DataSource(parsing: data)
    let dataset = try source.open().training
    guard dataset.count >= batch else {
      throw ValidationError("--batch \(batch): the data set has \(dataset.count) examples")
    }
    let order = BatchOrder(count: dataset.count, batchSize: batch, seed: 1)
    var epoch = order.batches(epoch: 0)
    var next = 0
    let call = {
      if next == epoch.count {
        epoch = order.batches(epoch: epoch.epoch + 1)
        next = 0
      }
      _ = try dataset.batch(at: epoch[next])
      next += 1
    }
    let perBlock = try warmUp(0.2, call)
    let timing = try measureBlocks(seconds, perBlock: perBlock, call)
    let line = ResultLine(
      workload: source.description, op: "read", batch: batch, timing,
      memory: Machine.peakResidentMiB)
    printLine(try JSON.line(line))
  }
}
