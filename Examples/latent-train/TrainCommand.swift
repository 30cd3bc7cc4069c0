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
        sprites[:SIDE][:rgb]
                            shapes drawn by the program; nothing to download; a SIDE
                            of 64 unless given, in colour where asked
        mnist:DIR           a folder of IDX files, plain or .gz (also Fashion-MNIST)
        hdf5:FILE:DATASET[:LABELS]
                            a data set of an HDF5 file, read by slabs
        npy:FILE[:LABELS]   a NumPy array, LABELS another file; of either kind, bytes
                            are divided by 255 unless they are 0 and 1 only (see
                            --bytes), other numbers stay, booleans are 0 and 1
        images:DIR[:SIDE]   a folder of PNG pictures, folders in it are classes
        text:FILE[:LENGTH]  a file in pieces of LENGTH bytes (\(DataSource.textLength))

      MODELS
      \(modelList)

      POSTERIORS
      \(posteriorList)

      CODES
      \(codesList)
        --codes NAME is --posterior codes with these; residual:fsq and the like name
        what others are made of. --set model.posterior.codes.KEY=VALUE sets the rest.

      PRIORS
      \(priorList)

      OBJECTIVES
      \(objectiveList)
        Their settings: latent-train --objective NAME --print-config, to be set by
        --set objective.KEY=VALUE. Weights may move: linear(0, 1, 2000), and
        cosine, exponential, cyclic(0, 1, 2000, 0.5), steps(0: 1, 500: 4).
        A wrapper takes any other inside: --objective augmented:nested-dropout:elbo,
        from outside to inside, is the same as objective.name=augmented with
        objective.inside.name=nested-dropout and so on; alone it takes elbo.
        --beta, --free-bits, --warmup-steps and --samples reach the innermost.

      CONFIGURATION FILES
        --config FILE takes settings from a YAML or JSON file; flags overrule it.
        --print-config shows every setting there is, in that form.
        --set model.channels=[16,32] sets one that has no flag.

      THE RUN FOLDER
        checkpoint-STEP.h5, best.h5   everything a resumed run or another tool needs
        config.yaml                   all settings, for --config
        metrics.csv, metrics.jsonl    one line per epoch, nats per example
        summary.json                  settings and final figures
        report.html, pictures/*.png   what came out; texts/*.txt for text
        tensorboard/                  with --tensorboard: losses, parameters, pictures
        adapters.h5                   with --adapt: those of best.h5 alone

      SIGNALS AND EXIT CODES
        SIGINT, SIGTERM, SIGHUP and SIGXCPU finish the step, save and exit with
        130, 143, 129 or 152; continue with --resume. Another SIGINT or SIGTERM
        ends at once, as of the last save.
        64 wrong arguments, 65 bad data, 66 missing input, 70 training failed
        (not a finite number), 71 out of memory, 73 cannot write a file, 74 cannot
        write to standard output, 78 wrong configuration or impossible model.
        A folder that holds another run, or files of these names, is refused.

      EXAMPLE
        latent-train --data sprites:28 --out run/
        latent-train --data mnist:mnist/ --model conv28 --epochs 10 --out run/
        latent-train --config conv28.yaml --seed 3 --out run/
        latent-train --data npy:new.npy --from run/ --adapt '**' --out tuned/
        latent-train --data text:book.txt --model seq --warmup-steps 2000 --out run/
      """)

  private static var modelList: String {
    list(ModelDescription.presets.map { ($0.name, $0.summary) })
  }

  private static var posteriorList: String {
    list(PosteriorSettings.all.map { ($0.name, $0.origin.summary) })
  }

  private static var codesList: String {
    list(CodesSettings.all.map { ($0.name, $0.origin.summary) })
  }

  private static var priorList: String {
    list(PriorSettings.all.map { ($0.name, $0.origin.summary) })
  }

  private static var objectiveList: String {
    list(ObjectiveSettings.all.map { ($0.name, $0.origin.summary) })
  }

  private static func list(_ items: [(name: String, summary: String)]) -> String {
    // Lines of a terminal of 80 columns.
    items.flatMap { item in
      let width = max(19, item.name.count)
      var lines = ["  " + item.name.padding(toLength: width, withPad: " ", startingAt: 0)]
      for word in item.summary.split(separator: " ") {
        if lines[lines.count - 1].count + 1 + word.count > 80 {
          lines.append(String(repeating: " ", count: 21))
        }
        lines[lines.count - 1] += " \(word)"
      }
      return lines
    }.joined(separator: "\n")
  }

  @Option(help: "A YAML or JSON file of settings; see CONFIGURATION FILES.", transform: pathName)
  var config: String?
  @Option(help: "What to train on; see DATA. (default: sprites:28)") var data: String?
  @Option(
    help:
      "What bytes of the data are: pictures (divided by 255) or numbers. (default: numbers if 0 and 1 only)"
  )
  var bytes: String?
  @Option(help: "The folder to leave everything in.", transform: folderName) var out: String?
  @Flag(
    help:
      "Continue the run in --out with its own settings; --epochs and --patience may be given anew.")
  var resume = false
  @Flag(help: "Continue also where the data are not those that the run began with.")
  var acceptChangedData = false
  @Flag(help: "Show all settings as a configuration file and end.") var printConfig = false

  @Flag(help: "Show every network, posterior, prior, likelihood and objective as a page and end.")
  var printModels = false

  @Option(help: "The network; see MODELS. (default: mlp)") var model: String?
  @Option(help: "Number of latent dimensions.") var latent: Int?
  @Option(help: "Widths of the encoder's hidden layers, such as 400 or 512,256.")
  var hidden: String?
  @Option(help: "What the encoder ends in; see POSTERIORS. (default: diagonal)")
  var posterior: String?
  @Option(help: "Discrete latents: what finds their codes; see CODES.") var codes: String?
  @Option(help: "Where latents are before any data; see PRIORS. (default: the posterior's)")
  var prior: String?
  @Option(help: "bernoulli, continuous-bernoulli, normal or unit-normal.") var likelihood: String?
  @Option(name: .customLong("set"), help: "KEY=VALUE: any setting of --print-config, repeatable.")
  var settings: [String] = []

  @Option(
    name: .customLong("from"),
    help: "Start with parameters of another run: all, or those of --load.", transform: folderName)
  var origin: String?
  @Option(
    name: .customLong("load"),
    help: "Parameters to take of --from, such as 'decoder.**'; repeatable.")
  var loaded: [String] = []
  @Option(help: "Parameters that stay as they are, such as 'encoder.**'; repeatable.")
  var freeze: [String] = []

  @Option(
    help:
      "Train low-rank adapters of weights of --from, such as 'decoder.**', and keep all else; repeatable."
  )
  var adapt: [String] = []
  @Option(help: "The rank of each adapter. (default: 4)") var rank: Int?

  @Option(help: "What is minimised, or WRAPPER:NAME; see OBJECTIVES. (default: elbo)")
  var objective: String?
  @Option(
    help: "Weight of the divergence from the prior: a number or a schedule. (default: 1)")
  var beta: String?
  @Option(help: "Nats that each latent dimension may use for free. (default: 0; of text 0.25)")
  var freeBits: Double?
  @Option(
    help:
      "Steps over which the divergence's weight rises from 0. (default: 500; 0 of text, or if --beta moves)"
  )
  var warmupSteps: Int?
  @Option(help: "Latent samples for each example. (default: 1)") var samples: Int?

  @Option(help: "Passes over the data. (default: 10)") var epochs: Int?
  @Option(help: "Examples in a step. (default: 128)") var batch: Int?
  @Option(help: "adam, adamw, adamax, sgd or rmsprop. (default: adam)") var optimizer: String?
  @Option(help: "The step size. (default: 0.001)") var learningRate: Double?
  @Option(help: "constant, cosine, step or plateau. (default: constant)") var schedule: String?
  @Option(help: "Bound on the norm of the gradient.") var clip: Double?
  @Option(help: "Decay of the averaged weights, such as 0.999, to evaluate and save besides.")
  var average: Double?
  @Option(help: "none, binarize (drawn anew each time) or threshold[:VALUE]. (default: none)")
  var transform: String?
  @Option(
    help: "Share of the training data kept aside to choose the best checkpoint. (default: 0.1)")
  var validation: Double?
  @Option(help: "Stop after so many epochs in succession without progress.") var patience: Int?
  @Option(help: "What all randomness follows from. (default: 0)") var seed: UInt64?

  @Option(help: "Checkpoint every so many epochs.") var saveEvery = 1
  @Option(help: "Checkpoint besides every so many steps.") var saveSteps: Int?
  @Option(help: "How many of the newest checkpoints to keep.") var keep = 3
  @Option(help: "Threads; 0 takes every CPU. Results are the same for any number.")
  var threads = 0
  @Flag(help: "Event files for TensorBoard in tensorboard/ of the run folder.")
  var tensorboard = false
  @Flag(help: "Write report.html anew after every epoch, to be watched in a browser.")
  var report = false
  @Flag(help: "No progress on standard error.") var quiet = false

  func validate() throws {
    // Printing the settings of a new run is all that needs no folder.
    if printModels { return }
    if out == nil && (resume || !printConfig) {
      throw ValidationError("Missing expected argument '--out <out>'")
    }
    if resume && origin != nil {
      throw ValidationError("--from begins a run and --resume continues one: give one of them")
    }
    if origin == nil && !loaded.isEmpty {
      throw ValidationError("--load says what to take of another run: give --from RUN")
    }
    if let posterior, codes != nil && posterior != CodesPosterior.name {
      throw ValidationError(
        "--codes asks for the posterior '\(CodesPosterior.name)': found --posterior '\(posterior)'")
    }
    if rank != nil && adapt.isEmpty {
      throw ValidationError("--rank is that of adapters: say with --adapt what is adapted")
    }
    let counts = 1...1_000_000_000
    try checkRange("save-every", saveEvery, counts)
    try checkRange("keep", keep, counts)
    if let saveSteps { try checkRange("save-steps", saveSteps, counts) }
    try checkRange("threads", threads, 0...256)
    _ = try widths()
  }

  private func widths() throws -> [Int]? {
    try hidden.map { hidden in
      try hidden.split(separator: ",", omittingEmptySubsequences: false).map { item in
        guard let width = Int(item), width > 0 else {
          throw ValidationError("--hidden '\(hidden)': expected widths such as 400 or 512,256")
        }
        return width
      }
    }
  }

  /// The flags that were given, and the settings they are about.
  private func flags() throws -> [FlagSetting] {
    let given: [FlagSetting?] = [
      FlagSetting("--data", "data", data), FlagSetting("--bytes", "bytes", bytes),
      FlagSetting("--transform", "transform", transform),
      FlagSetting("--validation", "validation", validation),
      FlagSetting("--model", "model.architecture", model),
      FlagSetting("--latent", "model.latentSize", latent),
      FlagSetting("--hidden", "model.hidden", try widths()),
      FlagSetting("--posterior", "model.posterior.name", posterior),
      codes.flatMap { _ in
        FlagSetting("--codes", "model.posterior.name", CodesPosterior.name)
      },
      FlagSetting("--codes", "model.posterior.codes.name", codes),
      FlagSetting("--prior", "model.prior.name", prior),
      FlagSetting("--likelihood", "model.likelihood", likelihood),
      FlagSetting("--objective", "objective.name", objective),
      try beta.flatMap { try FlagSetting(assignment: "objective.beta=\($0)", flag: "--beta") },
      FlagSetting("--free-bits", "objective.freeBits", freeBits),
      FlagSetting("--warmup-steps", "objective.warmupSteps", warmupSteps),
      FlagSetting("--samples", "objective.samples", samples),
      freeze.isEmpty
        ? nil : FlagSetting("--freeze", "frozen", .list(freeze.map { .text($0) })),
      adapt.isEmpty
        ? nil : FlagSetting("--adapt", "adapters.weights", .list(adapt.map { .text($0) })),
      FlagSetting("--rank", "adapters.rank", rank),
      FlagSetting("--optimizer", "optimizer.name", optimizer),
      FlagSetting("--learning-rate", "optimizer.learningRate", learningRate),
      FlagSetting("--clip", "optimizer.clip", clip),
      FlagSetting("--average", "optimizer.average", average),
      FlagSetting("--schedule", "schedule", schedule), FlagSetting("--batch", "batchSize", batch),
      FlagSetting("--epochs", "epochs", epochs), FlagSetting("--patience", "patience", patience),
      FlagSetting("--seed", "seed", seed),
    ]
    return try given.compactMap { $0 } + settings.map { try FlagSetting(assignment: $0) }
  }

  func run() throws {
    if printModels { return try printResult(ModelsPage.markdown()) }
    Threads.count = threads
    let sources = ConfigurationSources(
      file: try config.map { try ConfigurationFile(contentsOf: $0) }, flags: try flags())
    if resume {
      try continueRun(sources, in: out ?? "")
    } else {
      try beginRun(sources)
    }
  }

  private func beginRun(_ sources: ConfigurationSources) throws {
    // Adapters are those of a model that there is.
    let base = sources.adapts ? try origin.map { try Run(path: $0).configuration.model } : nil
    let asked = try sources.configuration(inputShape: nil, model: base)
    let place = try DataSource(parsing: asked.data)
    if let out, !printConfig { try place.checkOutside(out) }
    let source = try place.open(bytes: asked.bytes)
    var configuration = try sources.configuration(
      inputShape: source.training.inputShape.dimensions, model: base)
    // What was found is kept: other data are to meet the model by the same rule.
    configuration.bytes = source.training.byteScale ?? configuration.bytes
    guard let out, !printConfig else { return try printResult(configuration.yaml()) }
    // Data that cannot be read leave no folder.
    let texts = try describe(source.training, configuration.data, since: nil)
    let model = try makeModel(configuration)
    let isBase = !configuration.adapters.isEmpty
    if isBase && origin == nil {
      throw CommandError(
        "adapters are trained beside the weights of another run: give --from RUN", .usage)
    }
    let start = try origin.map {
      try StartingParts(from: $0, matching: loaded, for: model, isBase: isBase)
    }
    _ = try TrainingRun.look(model, source.training, configuration)
    let (data, features) = (try RunData(source, configuration), FeatureRuns())
    try TrainingRun.check(configuration, model, data, features)
    let folder = try NewRunFolder(out, resumes: true)
    defer { withExtendedLifetime(folder) {} }
    try train(configuration, data, texts, folder.lock, features, from: nil, start)
  }

  private func continueRun(_ sources: ConfigurationSources, in out: String) throws {
    // A folder to continue in must be there; making it would hide a mistyped name.
    _ = try Folder.names(in: out)
    let lock = printConfig ? nil : try RunLock(folder: out)
    let newest = try RunFolder.newest(in: out)
    let configuration = try sources.configuration(
      resuming: RunConfiguration(from: newest.checkpoint, path: newest.path))
    guard let lock else { return try printResult(configuration.yaml()) }
    let source = try DataSource(parsing: configuration.data).open(bytes: configuration.bytes)
    let shape = source.training.inputShape.dimensions
    guard configuration.model.inputShape == shape else {
      throw CommandError(
        "data \(configuration.data): examples of shape \(shape), "
          + "but the run was trained on \(configuration.model.inputShape)", .dataError)
    }
    let texts = try describe(source.training, configuration.data, since: newest.checkpoint)
    let features = try FeatureRuns(resuming: newest.checkpoint, path: newest.path)
    try train(
      configuration, RunData(source, configuration), texts, lock, features, from: newest)
  }

  /// By what the data of a run are recognised, and how their classes are called. Says what is to be known
  /// of them, and refuses others than those of the checkpoint.
  private func describe(
    _ data: any Dataset, _ name: String, since saved: Checkpoint?
  ) throws -> [String: String] {
    data.printNotes()
    let fingerprint = try DatasetFingerprint(of: data)
    do {
      try fingerprint.check(against: saved?.texts[DatasetFingerprint.textName], of: name)
    } catch let error as DatasetError {
      guard acceptChangedData else {
        throw CommandError(
          "\(error); bring the old data back, or continue with --accept-changed-data", .dataError)
      }
      StandardStream.error.show("note: \(error)\n", patience: 1)
    }
    var texts = [DatasetFingerprint.textName: fingerprint.encoded]
    if !data.classNames.isEmpty {
      texts["labels"] = String(decoding: try JSONEncoder().encode(data.classNames), as: UTF8.self)
    }
    return texts
  }

  private func train(
    _ configuration: RunConfiguration, _ data: RunData, _ texts: [String: String], _ lock: RunLock,
    _ features: FeatureRuns, from saved: (path: String, checkpoint: Checkpoint)?,
    _ start: StartingParts? = nil
  ) throws {
    try TrainingRun(
      configuration: configuration, lock: lock, quiet: quiet, tensorboard: tensorboard,
      reports: report, dataTexts: texts, start: start,
      features: features,
      saving: SaveCheckpoints(
        everyEpochs: saveEvery, everySteps: saveSteps, to: lock.folder, keeping: keep)
    ).train(makeModel(configuration), data, from: saved)
  }

  private func makeModel(_ configuration: RunConfiguration) throws -> any LatentVariableModel {
    var random = RandomStream(seed: configuration.seed).split("initialization")
    return try configuration.model.makeModel(using: &random)
  }
}
