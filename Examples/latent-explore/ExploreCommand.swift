// latent-explore: a page in the browser to walk through the latents of a run.

import ArgumentParser
import Dispatch
import FlyingSocks
import Foundation
import Latent
import LatentCommands
import Synchronization

struct ExploreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latent-explore",
    abstract: "Serves a page to walk through the latents of a run.",
    usage: "latent-explore <run> [<options>]",
    discussion: """
      Prints the address of a page and serves it until Ctrl-C. The page has a slider
      for each latent, those that carry most first; a map of the encoded data to
      move through; paths between examples; the nearest examples; draws; and takes
      examples of your own (PNG, NPY or text). What is decoded is computed as you
      move.

      Only this machine can open the page unless --host says otherwise. There is
      no password: whoever reaches another address sees the data of the run.

      Data are changed by the run's transform where that is a threshold; what it
      draws at random (binarize) is left out.

      EXAMPLE
        latent-explore run/
        latent-explore run/ --data npy:new.npy --port 8000
        latent-explore run/ --sampler gmm --label 3
      """)

  @OptionGroup var folder: RunArguments
  @Option(help: "Which examples (as latent-train's --data); the run's test data by default.")
  var data: String?
  @Option(help: "Only the first so many examples.") var limit = 2000
  @OptionGroup var sampling: SamplerArguments
  @Option(help: "The address to listen at; 0.0.0.0 and :: are all of this machine.")
  var host = "127.0.0.1"
  @Option(help: "The port to listen at; 0 takes a free one.") var port = 8017
  @Option(help: "What a fitted sampler's randomness follows from.") var seed: UInt64 = 0

  func validate() throws {
    try checkRange("limit", limit, 2...100_000)
    try checkRange("port", port, 0...65_535)
    if Address(host) == nil {
      throw ValidationError("--host '\(host)': expected an address such as 127.0.0.1 or ::")
    }
  }

  func run() throws {
    guard let address = Address(host) else { return }
    let opened = try folder.open()
    let ground = try Ground(
      of: opened.configuration, latents: opened.model.latentShape.count)
    if !address.isLocal {
      printNote("--host \(host): whoever reaches this address sees the data of the run")
    }
    let whole = try opened.data(data)
    let dataset: any Dataset =
      whole.count > limit ? Subset(whole, indices: Array(0..<limit)) : whole
    try opened.checkRange(of: dataset)
    let sampler = try sampling.open(opened, seed: seed)
    let explorer = try Explorer(
      opened, dataset: dataset, ground: ground, sampler: sampler,
      classes: SamplerArguments.classCount(of: sampler, opened), condition: sampling.label,
      seed: seed)
    let server: WebServer
    do {
      server = try WebServer(at: address, port: UInt16(port))
    } catch {
      throw CommandError(
        "cannot listen at \(host), port \(port): \(ExploreCommand.reason(of: error))", .osError)
    }
    let routes = Routes(explorer, gate: Gate(isLocal: address.isLocal))
    let url = "http://\(address.inURL):\(server.port)/"
    try serve(server, routes) {
      try printResult("{\"url\": \(quoted(url)), \"examples\": \(dataset.count)}\n")
    }
  }

  /// Until SIGINT or SIGTERM, which are how a server ends: no failure. `announce` is called once both are heard.
  private func serve(
    _ server: WebServer, _ routes: Routes, _ announce: () throws -> Void
  ) throws {
    let isOver = DispatchSemaphore(value: 0)
    let outcome = Outcome()
    let sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { isOver.signal() }
      source.resume()
      return source
    }
    defer { for source in sources { source.cancel() } }
    try announce()
    let task = Task {
      do {
        try await server.run(routes.answer)
      } catch {
        outcome.failure.withLock { $0 = ExploreCommand.reason(of: error) }
      }
      isOver.signal()
    }
    isOver.wait()
    // What a cancelled task throws is no failure.
    let failure = outcome.failure.withLock { $0 }
    task.cancel()
    if let failure {
      throw CommandError("the server has ended: \(failure)", .osError)
    }
  }

  private final class Outcome: Sendable {
    let failure = Mutex<String?>(nil)
  }

  private static func reason(of error: any Error) -> String {
    if case SocketError.failed(_, _, let message) = error { return message.lowercased() }
    return "\(error)"
  }
}
