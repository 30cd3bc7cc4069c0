// latent-merge: a run with adapters to one of an ordinary model, whose weights have taken them in.

import ArgumentParser
import Foundation
import Latent
import LatentCommands

struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latent-merge",
    abstract: "Adds low-rank adapters to the weights that they correct.",
    usage: "latent-merge <run> --out <out> [<options>]",
    discussion: """
      The run is one of latent-train --adapt, or the one that adapters were trained
      from, with them in a file (--adapters). The new run has a model without
      adapters that computes the same. It can be quantised, adapted anew, or
      trained further with --from; the other tools need no merging, they open a run
      with adapters as any other.

      EXAMPLE
        latent-merge tuned/ --out merged/
        latent-merge run/ --adapters tuned/adapters.h5 --out merged/
      """)

  @OptionGroup var folder: RunArguments
  @Option(help: "The folder to write; it must not hold a run yet.", transform: folderName)
  var out: String

  func run() throws {
    let opened = try folder.open()
    guard let adapters = opened.run.adapters else {
      throw CommandError(
        "\(opened.path) has no adapters: give those that were trained from it with --adapters FILE",
        .dataError)
    }
    let new = try NewRunFolder(out)
    defer { withExtendedLifetime(new) {} }
    let target = "\(out)/\(RunFolder.best)"
    let checkpoint = try opened.checkpoint(of: opened.model)
    try new.lock.verify()
    try checkpoint.write(to: target)
    try printResult(
      "{\"weights\": \(adapters.weights.count), \"rank\": \(adapters.rank), "
        + "\"scale\": \(adapters.scale), \"out\": \(quoted(target))}\n")
  }
}
