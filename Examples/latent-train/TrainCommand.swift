// latent-train: from data to a run folder with checkpoints, pictures and a report.

import ArgumentParser
import Foundation
import Latent
import LatentCommands

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latent-train",
    abstract: "Trains a variational autoencoder and leaves a run folder.",
    discussion: """
      DATA
        sprites[:SIDE]      shapes drawn by the program; nothing to download
        mnist:DIR           a folder of IDX files, plain or .gz (also Fashion-MNIST)
        hdf5:FILE:DATASET   a data set of an HDF5 file, read by slabs
        npy:FILE            a NumPy array
        images:DIR[:SIDE]   a folder of PNG pictures

      THE RUN FOLDER
        checkpoint-STEP.h5, best.h5   everything a resumed run or another tool needs
        metrics.csv, metrics.jsonl    one line per epoch, nats per example
        summary.json                  settings and final figures
        report.html, pictures/*.png   what came out

      SIGNALS AND EXIT CODES
        SIGINT and SIGTERM finish the step, save and exit with 130 or 143;
        continue with --resume.
        64 wrong arguments, 65 bad data, 66 missing input, 70 training failed
        (not a finite number), 73 cannot write, 78 impossible model.

      EXAMPLE
        latent-train --data sprites:28 --out run/
        latent-train --data mnist:mnist/ --epochs 10 --validation 0 --out run/
      """)

  @Option(help: "What to train on; see DATA.") var data = "sprites:28"
  @Option(help: "The folder to leave everything in.") var out: String
  @Flag(
    help:
      "Continue the run in --out with its own settings; --epochs and --patience may be given anew.")
  var resume = false

  @Option(help: "The network: mlp or mlp-autoencoder.") var model = "mlp"
  @Option(help: "Number of latent dimensions.") var latent = 20
  @Option(help: "Widths of the encoder's hidden layers, such as 400 or 512,256.")
  var hidden = "400"
  @Option(help: "bernoulli, continuous-bernoulli, normal or unit-normal.")
  var likelihood = "bernoulli"

  @Option(help: "Weight of the divergence from the prior.") var beta = 1.0
  @Option(help: "Nats that each latent dimension may use for free.") var freeBits = 0.0
  @Option(help: "Steps over which the divergence's weight rises from 0.") var warmupSteps = 0
  @Option(help: "Latent samples for each example.") var samples = 1

  @Option(help: "Passes over the data. (default: 10)") var epochs: Int?
  @Option(help: "Examples in a step.") var batch = 128
  @Option(help: "adam, adamw, adamax, sgd or rmsprop.") var optimizer = "adam"
  @Option(help: "The step size.") var learningRate = 1e-3
  @Option(help: "constant, cosine, step or plateau.") var schedule = "constant"
  @Option(help: "Bound on the norm of the gradient.") var clip: Double?
  @Option(help: "Decay of the averaged weights, such as 0.999, to evaluate and save besides.")
  var average: Double?
  @Option(help: "none, binarize (drawn anew each time) or threshold[:VALUE].")
  var transform = "none"
  @Option(help: "Share of the training data kept aside to choose the best checkpoint.")
  var validation = 0.1
  @Option(help: "Stop after so many epochs without progress.") var patience: Int?
  @Option(help: "Checkpoint every so many epochs.") var saveEvery = 1
  @Option(help: "Checkpoint besides every so many steps.") var saveSteps: Int?
  @Option(help: "How many of the newest checkpoints to keep.") var keep = 3
  @Option(help: "What all randomness follows from.") var seed: UInt64 = 0
  @Option(help: "Threads; 0 takes every CPU. Results are the same for any number.")
  var threads = 0
  @Flag(help: "No progress on standard error.") var quiet = false

  func validate() throws {
    func positive(_ name: String, _ value: Int) throws {
      try checkRange(name, value, 1...1_000_000_000)
    }
    try positive("latent", latent)
    try positive("epochs", epochs ?? 10)
    try positive("batch", batch)
    try positive("samples", samples)
    try positive("save-every", saveEvery)
    try positive("keep", keep)
    if let saveSteps { try positive("save-steps", saveSteps) }
    if let patience { try positive("patience", patience) }
    func check(_ holds: Bool, _ name: String, _ value: Any, _ expected: String) throws {
      if !holds { throw ValidationError("--\(name) \(value): expected \(expected)") }
    }
    try checkRange("threads", threads, 0...1024)
    try checkRange("warmup-steps", warmupSteps, 0...1_000_000_000)
    try check(
      learningRate > 0 && learningRate.isFinite, "learning-rate", learningRate, "more than 0")
    try check(beta >= 0 && beta.isFinite, "beta", beta, "0 or more")
    try check(freeBits >= 0 && freeBits.isFinite, "free-bits", freeBits, "0 or more")
    try check(validation >= 0 && validation < 1, "validation", validation, "0 ..< 1")
    try check(clip.map { $0 > 0 } ?? true, "clip", clip ?? 0, "more than 0")
    try check(average.map { $0 > 0 && $0 < 1 } ?? true, "average", average ?? 0, "between 0 and 1")
    _ = try architecture()
    _ = try widths()
    _ = try family()
  }

  private func architecture() throws -> ModelDescription.Architecture {
    try choice("model", model)
  }

  private func family() throws -> ModelDescription.Likelihood {
    try choice("likelihood", likelihood)
  }

  private func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, _ text: String
  ) throws -> Choice where Choice.RawValue == String {
    guard let value = Choice(rawValue: text) else {
      let list = Choice.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--\(name) '\(text)': expected \(list)")
    }
    return value
  }

  private func widths() throws -> [Int] {
    try hidden.split(separator: ",", omittingEmptySubsequences: false).map { item in
      guard let width = Int(item), width > 0 else {
        throw ValidationError("--hidden '\(hidden)': expected widths such as 400 or 512,256")
      }
      return width
    }
  }

  func run() throws {
    Threads.count = threads
    // A folder to continue in must be there; making it would hide a mistyped name.
    if resume { _ = try Folder.names(in: out) } else { try Folder.create(out) }
    let lock = try RunLock(folder: out)
    defer { withExtendedLifetime(lock) {} }
    var configuration: RunConfiguration
    var saved: (path: String, checkpoint: Checkpoint)?
    if resume {
      let newest = try RunFolder.newest(in: out)
      saved = newest
      configuration = try RunConfiguration(from: newest.checkpoint, path: newest.path)
      configuration.epochs = max(configuration.epochs, epochs ?? 0)
      configuration.patience = patience ?? configuration.patience
    } else {
      if try !RunFolder.checkpoints(in: out).isEmpty {
        throw CommandError(
          "\(out) already holds a run: continue it with --resume, or choose another folder", .usage)
      }
      configuration = RunConfiguration(
        data: data, transform: transform,
        model: ModelDescription(
          architecture: try architecture(), inputShape: [], latentSize: latent,
          hidden: try widths(), likelihood: try family()),
        beta: beta, freeBits: freeBits, warmupSteps: warmupSteps, samples: samples,
        optimizer: optimizer, learningRate: learningRate, schedule: schedule, clip: clip,
        average: average, batchSize: batch, epochs: epochs ?? 10, validation: validation,
        patience: patience, seed: seed)
    }
    let source = try DataSource(parsing: configuration.data).open()
    let shape = source.training.inputShape.dimensions
    if !resume { configuration.model.inputShape = shape }
    guard configuration.model.inputShape == shape else {
      throw CommandError(
        "data \(configuration.data): examples of shape \(shape), "
          + "but the run was trained on \(configuration.model.inputShape)", .dataError)
    }
    var random = RandomStream(seed: configuration.seed).split("initialization")
    let model = try configuration.model.makeModel(using: &random)
    try TrainingRun(
      configuration: configuration, out: out, quiet: quiet,
      saving: SaveCheckpoints(
        everyEpochs: saveEvery, everySteps: saveSteps, to: out, keeping: keep)
    ).train(model, source.training, test: source.test, from: saved)
  }
}
