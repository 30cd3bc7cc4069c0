// The run itself: trainer, events, then pictures or texts, summary and report.

import Foundation
import Latent
import LatentCommands

/// What a run is given, split once.
struct RunData {
  /// As it came.
  let source: any Dataset
  let training, validation: Subset
  let test: (any Dataset)?

  init(
    _ data: (training: any Dataset, test: (any Dataset)?), _ configuration: RunConfiguration
  ) throws {
    (source, test) = data
    (training, validation) = try data.training.split(
      validation: configuration.validation, seed: configuration.seed)
  }
}

struct TrainingRun {
  let configuration: RunConfiguration
  /// Of the folder that everything goes to.
  let lock: RunLock
  let quiet: Bool
  /// Whether event files for TensorBoard are written, and the report after every epoch.
  let tensorboard, reports: Bool
  /// What the run's checkpoints say of its data.
  let dataTexts: [String: String]
  /// What a new run starts with of another one.
  let start: StartingParts?
  /// Other runs that the objective looks through.
  let features: FeatureRuns
  let saving: SaveCheckpoints

  private var out: String { lock.folder }

  func train(
    _ model: some LatentVariableModel, _ data: RunData,
    from saved: (path: String, checkpoint: Checkpoint)?
  ) throws {
    let rule = try TrainingRun.objective(configuration, for: model, data, features)
    let look = try TrainingRun.look(model, data.training, configuration)
    var model = model
    // What a checkpoint holds is kept.
    if saved == nil {
      model.initialize(from: look)
      if let start { say(try start.load(into: &model)) }
    }
    if configuration.adapters.isEmpty {
      return try train(model, by: rule, data, from: saved, dataTexts)
    }
    if let saved { try model.load(saved.checkpoint.arrays(under: "model/"), partial: true) }
    try trainAdapters(of: model, by: rule, data, from: saved)
  }

  private func trainAdapters<Model: LatentVariableModel>(
    of model: Model, by rule: some TrainingObjective<Model>, _ data: RunData,
    from saved: (path: String, checkpoint: Checkpoint)?
  ) throws {
    let adapted = try TrainingRun.adapted(model, configuration)
    var texts = dataTexts
    texts[SavedAdapters.textName] = try SavedAdapters(of: adapted).record.encoded()
    try train(adapted, by: AdaptedObjective(rule, of: adapted), data, from: saved, texts)
  }

  /// The model as one whose adapters are trained.
  private static func adapted<Model: LatentVariableModel>(
    _ model: Model, _ configuration: RunConfiguration
  ) throws -> Adapted<Model> {
    let settings = configuration.adapters
    var random = RandomStream(seed: configuration.seed).split("adapters")
    return try Adapted(
      model, weights: settings.weights, rank: settings.rank, scale: settings.scale, using: &random)
  }

  /// What is minimised.
  /// - Throws: `ModelRequirementError` where the model lacks what it needs.
  static func objective<Model: LatentVariableModel>(
    _ configuration: RunConfiguration, for model: Model, _ data: RunData, _ features: FeatureRuns
  ) throws -> any TrainingObjective<Model> {
    try configuration.objective.description.make(
      for: model,
      TrainingFacts(
        examples: data.training.count, inputShape: Shape(configuration.model.inputShape),
        openFeatures: features.open))
  }

  private static func trainer<Model, Rule: TrainingObjective<Model>>(
    _ configuration: RunConfiguration, _ model: Model, _ objective: Rule, stepsPerEpoch: Int
  ) throws -> Trainer<Model, Rule> {
    var trainer = Trainer(
      model, objective: objective, optimizer: try configuration.makeOptimizer(),
      schedule: try configuration.makeSchedule(stepsPerEpoch: stepsPerEpoch),
      clipping: configuration.optimizer.clip.map { .norm($0) }, seed: configuration.seed)
    do {
      try trainer.freeze(configuration.frozen)
    } catch {
      throw CommandError("frozen: \(error)", .configuration)
    }
    return trainer
  }

  /// Refuses what cannot be trained, before anything is written.
  static func check(
    _ configuration: RunConfiguration, _ model: some LatentVariableModel, _ data: RunData,
    _ features: FeatureRuns
  ) throws {
    try configuration.checkPrior(with: data.training)
    func open<Model: LatentVariableModel>(
      _ model: Model, _ rule: some TrainingObjective<Model>
    ) throws {
      if !configuration.adapters.isEmpty {
        let adapted = try adapted(model, configuration)
        return try check(adapted, AdaptedObjective(rule, of: adapted))
      }
      try check(model, rule)
    }
    func check<Model>(_ model: Model, _ rule: some TrainingObjective<Model>) throws {
      let trainer = try trainer(configuration, model, rule, stepsPerEpoch: 1)
      try trainer.requireBatch(of: configuration.batchSize, data.training.name)
      try trainer.requireBatch(of: data.validation.count, data.validation.name)
    }
    try open(model, objective(configuration, for: model, data, features))
  }

  private func train<Model: LatentVariableModel, Rule: TrainingObjective<Model>>(
    _ model: Model, by objective: Rule, _ data: RunData,
    from saved: (path: String, checkpoint: Checkpoint)?, _ texts: [String: String]
  ) throws {
    let transform = try BatchTransforms.parse(configuration.transform)
    let order = BatchOrder(
      count: data.training.count, batchSize: configuration.batchSize, seed: configuration.seed)
    var trainer = try TrainingRun.trainer(
      configuration, model, objective, stepsPerEpoch: order.batchesPerEpoch)
    trainer.average = configuration.optimizer.average.map {
      ExponentialMovingAverage(model, decay: $0)
    }
    trainer.descriptions[RunConfiguration.textName] = try configuration.encoded()
    trainer.descriptions.merge(texts) { _, new in new }
    trainer.descriptions[FeatureRuns.textName] = try features.encoded()
    if let saved {
      for difference in try trainer.resume(from: saved.checkpoint, path: saved.path) {
        say("resuming: \(difference): the last bits may differ from an uninterrupted run")
      }
      try checkLength(epochsBegun: trainer.epoch + (trainer.batch > 0 ? 1 : 0))
      say("resuming \(saved.path) after step \(trainer.step)")
    } else {
      say("\(data.source)\n\(trainer.model.parameterCount) parameters, \(objective.summary)")
    }
    // Of the model as it starts.
    var notes =
      try data.source.notes
      + TrainingRun.look(trainer.model, data.training, configuration).notes.map(\.description)
    let left = TrainingRun.leftOut(configuration, data, by: trainer)
    for note in left.notes { say("note: \(note)") }
    notes += left.notes
    let validation: (any Dataset)? = data.validation.count > 0 ? data.validation : left.test
    try AtomicFile.write(Array(try configuration.yaml().utf8), to: "\(out)/config.yaml")
    var events: [any TrainingEvent] = [MetricsLog(to: out), saving]
    if let patience = configuration.patience { events.append(EarlyStopping(patience: patience)) }
    if !quiet { events += [ProgressDisplay(), TrainingAlarms()] }
    let views = LiveViews(
      configuration: configuration, folder: out,
      shown: (validation ?? data.training).seen(through: transform), objective: objective.summary)
    if tensorboard {
      events.append(
        TensorBoardLog(
          to: "\(out)/tensorboard", settings: views.settings(),
          drawing: { model, _ in try views.drawings(of: model) }))
    }
    if reports { events.append(LiveReport(views: views)) }
    try trainer.fit(
      data.training, epochs: configuration.epochs, batchSize: configuration.batchSize,
      validation: validation, transform: transform, events: events)
    try writeAdapters()
    // Not what this call of `fit` did: a resumed run is shown whole.
    try finish(
      trainer, MetricsLog.epochs(in: out), validation ?? data.training, test: left.test, transform,
      notes)
  }

  /// The test set where the objective can take it, and what of data and settings has no effect.
  private static func leftOut<Model, Rule>(
    _ configuration: RunConfiguration, _ data: RunData, by trainer: Trainer<Model, Rule>
  ) -> (test: (any Dataset)?, notes: [String]) {
    var (test, notes) = (data.test, [String]())
    do {
      if let test { try trainer.requireBatch(of: test.count, test.name) }
    } catch {
      test = nil
      notes.append("the test set is left out: \(error)")
    }
    let standard = RunConfiguration(data: configuration.data, model: configuration.model).optimizer
    let asked = configuration.optimizer
    if trainer.objective.turns.allSatisfy({ $0.optimizer != nil }),
      (asked.name, asked.learningRate) != (standard.name, standard.learningRate)
    {
      notes.append(
        "optimizer and learning rate move nobody: all players of '\(configuration.objective.name)' have "
          + "rules of their own")
    }
    return (test, notes)
  }

  /// The adapters of the best checkpoint alone, beside it.
  private func writeAdapters() throws {
    if configuration.adapters.isEmpty { return }
    try lock.verify()
    try SavedAdapters(contentsOf: "\(out)/\(RunFolder.best)").write(
      to: "\(out)/\(RunFolder.adapters)")
  }

  /// Compares the data with the likelihood before anything is written.
  static func look(
    _ model: some LatentVariableModel, _ data: some Dataset, _ configuration: RunConfiguration
  ) throws -> DataLook {
    let transform = try BatchTransforms.parse(configuration.transform)
    do {
      return try model.look(at: data, through: transform, seed: configuration.seed)
    } catch let misfit as DataMisfit where misfit.support.takesFractions {
      guard case .likelihood = misfit.taker else { throw misfit }
      // The same way out in words of the command line.
      let threshold = transform == nil ? "; or --transform threshold, which makes them 0 and 1" : ""
      throw CommandError("\(misfit) (--likelihood normal)\(threshold)", .dataError)
    }
  }

  /// Refuses fewer epochs than a resumed run has begun, and says where its schedule has another length.
  private func checkLength(epochsBegun: Int) throws {
    guard configuration.epochs >= epochsBegun else {
      throw CommandError(
        "\(out) cannot end after epoch \(configuration.epochs): epoch \(epochsBegun) is begun or done; "
          + "ask for --epochs \(epochsBegun) or more", .usage)
    }
    if configuration.scheduleHasLength, let scheduled = configuration.scheduleEpochs,
      scheduled != configuration.epochs
    {
      say(
        "the \(configuration.schedule) schedule remains that of \(scheduled) epochs, "
          + "not of \(configuration.epochs)")
    }
  }

  private func finish<Model: LatentVariableModel, Rule>(
    _ trainer: Trainer<Model, Rule>, _ history: [EpochMetrics],
    _ shown: any Dataset, test: (any Dataset)?, _ transform: (any BatchTransform)?,
    _ notes: [String]
  ) throws {
    var figures: [(String, Double)] = []
    let scores = try test.map { try trainer.evaluate($0, transform: transform) }
    if let scores {
      figures += scores.values.map { ("test_\($0.name)", $0.value) }
      say("test " + scores.values.map { "\($0.name) \(rounded($0.value))" }.joined(separator: " "))
    }
    if let last = history.last {
      figures += last.training.values.map { ("train_\($0.name)", $0.value) }
      figures += last.validation?.values.map { ("validation_\($0.name)", $0.value) } ?? []
    }
    try lock.verify()
    let model = trainer.average?.model ?? trainer.model
    let known = shown.seen(through: transform)
    let seconds = history.map(\.seconds).filter(\.isFinite).reduce(0, +)
    let use = try model.latentUse(on: known, seed: configuration.seed)
    try summarize(trainer, figures, seconds, use, notes)
    let facts: [(name: String, value: String)] =
      [
        ("data", configuration.data),
        ("model", "\(configuration.model)"),
        ("parameters", Numeral.text(Double(trainer.model.parameterCount), decimals: 0)),
        ("objective", trainer.objective.summary), ("optimizer", trainer.optimizer.summary),
        ("epochs", "\(trainer.epoch) of \(configuration.epochs), \(trainer.step) steps"),
        ("time", "\(rounded(seconds)) s"), ("version", LibraryVersion.current),
      ] + (trainer.stopReason.map { [("stopped", $0)] } ?? [])
    try Report(
      title: "Latent run on \(configuration.data)", facts: facts, notes: notes,
      objective: trainer.objective.summary, epochs: history, test: scores, use: use,
      sections: Gallery(model, configuration, on: known, use: use).sections(writingTo: out)
    ).write(to: "\(out)/report.html")
    // Other objectives than the bound have remedies of their own.
    if let use, use.active * 4 < use.count || !use.unused.isEmpty,
      configuration.objective.name == ELBODescription.name
    {
      say("\(use): \(remedy)")
    }
    say("report: \(out)/report.html")
  }

  /// What makes latents worth using.
  private var remedy: String {
    let scale = configuration.model.likelihood == .unitNormal ? ", --likelihood normal" : ""
    return "try --beta 0.1, --free-bits 0.05, --warmup-steps N\(scale) or more epochs"
  }

  private func summarize<Model, Rule>(
    _ trainer: Trainer<Model, Rule>, _ figures: [(String, Double)], _ seconds: Double,
    _ use: LatentUse?, _ notes: [String]
  ) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let summary = Summary(
      version: LibraryVersion.current, configuration: configuration,
      parameters: trainer.model.parameterCount, epochs: trainer.epoch, steps: trainer.step,
      stopped: trainer.stopReason, seconds: seconds, activeLatents: use?.active,
      latents: use?.count, notes: notes,
      natsPerExample: Dictionary(figures) { first, _ in first })
    try AtomicFile.write(Array(try encoder.encode(summary)), to: "\(out)/summary.json")
  }

  private func say(_ text: String) {
    if !quiet { StandardStream.error.show(text + "\n") }
  }

  private func rounded(_ value: Double) -> String { String(format: "%.2f", value) }
}

/// What `summary.json` holds.
private struct Summary: Encodable {
  let version: String
  let configuration: RunConfiguration
  let parameters, epochs, steps: Int
  /// Why the run ended before its epochs were complete.
  let stopped: String?
  /// Of all epochs together; of one that was interrupted, since it was resumed.
  let seconds: Double
  /// Latent dimensions that carry at least `LatentUse.threshold` nats, and all; absent where the
  /// posterior has no divergence for each dimension.
  let activeLatents, latents: Int?
  /// What is odd about the data.
  let notes: [String]
  let natsPerExample: [String: Double]
}
