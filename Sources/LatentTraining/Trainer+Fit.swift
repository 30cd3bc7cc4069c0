// The loop over epochs and batches, its events, and signals.

import CLatentSignals
import Foundation
import LatentAutodiff
import LatentDatasets
import LatentLayers
import LatentModels
import LatentNumerics
import LatentStorage

extension Trainer {
  /// Trains until `epochs` epochs are complete, counted from the beginning of the run: a resumed
  /// trainer does what is left. An event may stop it before; `stopReason` says why, and a run that was
  /// stopped has nothing left to do.
  ///
  /// - Parameters:
  ///   - validation: evaluated after each epoch; selects the best checkpoint and stops early. Where
  ///     there is none, the training loss does, as it would be with the warm-up over.
  ///   - transform: applied to each batch with noise that is a function of (seed, step).
  ///   - handlesSignals: SIGINT, SIGTERM, SIGHUP and SIGXCPU finish the step, let the events save and
  ///     throw; another SIGINT or SIGTERM ends the process at once.
  ///
  /// A sample of the data is compared with the support of the model's likelihood before the first step
  /// (`LatentVariableModel.look`), and a batch where its loss cannot be; `checksData` says whether.
  ///
  /// - Returns: the metrics of the epochs done by this call.
  /// - Throws: `TrainingError`, `DataMisfit`, and what data sets and events throw.
  @discardableResult
  public mutating func fit(
    _ dataset: some Dataset, epochs: Int, batchSize: Int, validation: (any Dataset)? = nil,
    transform: (any BatchTransform)? = nil, events: [any TrainingEvent] = [],
    handlesSignals: Bool = true
  ) throws -> [EpochMetrics] {
    let order = BatchOrder(count: dataset.count, batchSize: batchSize, seed: seed)
    guard order.batchesPerEpoch > 0 else {
      throw TrainingError.noBatches(
        dataset: dataset.name, count: dataset.count, batchSize: batchSize)
    }
    try requireBatch(of: batchSize, dataset.name)
    if let validation { try requireBatch(of: validation.count, validation.name) }
    guard batch <= order.batchesPerEpoch else {
      throw TrainingError.wrongPosition(batch: batch, batchesPerEpoch: order.batchesPerEpoch)
    }
    var loop = Loop(
      order: order, epochs: epochs, transform: transform, validation: validation,
      holdsSignals: handlesSignals, events: events)
    loop.restore(eventStates)
    let look = try look(at: dataset, transform)
    loop.likelihood = look?.likelihood
    if handlesSignals { latent_signals_watch() }
    defer { if handlesSignals { latent_signals_unwatch() } }
    // Also when a signal or an error ends the run: the trainer may go on, or be saved, from there.
    defer { eventStates = loop.events.map(\.saved) }
    stopReason = nil
    try loop.each(self) { try $0.runBegan($1) }
    // A resumed run was told.
    for note in step == 0 ? look?.notes ?? [] : [] {
      try loop.each(self) { try $0.noted($1, note) }
    }
    // In the middle of an epoch the events were asked after the one before.
    if batch == 0 { note(loop.events.map(\.verdict), epochs) }
    var history: [EpochMetrics] = []
    while epoch < epochs && stopReason == nil {
      let start = Date()
      for indices in order.batches(epoch: epoch).dropFirst(batch) {
        try train(on: dataset, indices, &loop)
        if handlesSignals { try stopIfSignalled(&loop) }
      }
      history.append(try finishEpoch(&loop, dataset, since: start))
      if handlesSignals { try stopIfSignalled(&loop) }
    }
    try loop.each(self) { try $0.runEnded($1) }
    return history
  }

  private mutating func note(_ verdicts: [TrainingVerdict], _ epochs: Int) {
    // A complete run was not stopped, whatever the events think of it.
    guard epoch < epochs else { return }
    for case .stop(let reason) in verdicts { stopReason = reason }
  }

  /// Nil where the model has no likelihood, or nobody asks.
  private func look(
    at dataset: some Dataset, _ transform: (any BatchTransform)?
  ) throws -> DataLook? {
    guard checksData, let model = model as? any LatentVariableModel else { return nil }
    return try model.look(at: dataset, through: transform, seed: seed)
  }

  private func stopIfSignalled(_ loop: inout Loop) throws {
    let signal = latent_signals_pending()
    guard signal != 0 else { return }
    try loop.each(self) { try $0.interrupted($1) }
    throw TrainingError.interrupted(signal: signal, step: step)
  }

  private mutating func train(
    on dataset: some Dataset, _ indices: [Int], _ loop: inout Loop
  ) throws {
    let examples = try dataset.batch(at: indices)
    let report: StepReport
    do {
      if loop.holdsSignals { latent_signals_hold() }
      defer { if loop.holdsSignals { latent_signals_release() } }
      report = try step(on: examples, of: dataset, transform: loop.transform)
    } catch let error as TrainingError {
      // Numbers outside a support have the log-probability -infinity.
      try loop.likelihood?.check(
        transformed(examples, by: loop.transform, step: step), of: dataset)
      throw error
    }
    if let likelihood = loop.likelihood, likelihood.support.isDiscrete, report.hasNegativeLoss {
      try likelihood.check(
        transformed(examples, by: loop.transform, step: report.step), of: dataset)
    }
    if !report.wasSkipped {
      running.add(report.ownLoss, report.terms, examples: report.examples)
      if report.ownLoss != nil {
        runningAfterWarmup += report.lossAfterWarmup * Double(report.examples)
      }
    }
    batch += 1
    try loop.each(self) { try $0.stepEnded($1, report) }
  }

  private mutating func finishEpoch(
    _ loop: inout Loop, _ dataset: some Dataset, since start: Date
  ) throws -> EpochMetrics {
    guard running.examples > 0 else {
      throw TrainingError.nonFinite(
        step: max(0, step - 1), term: "the loss of every step of epoch \(epoch + 1)",
        parameter: nil)
    }
    epoch += 1
    batch = 0
    let validation = try loop.validation.map { try evaluate($0, transform: loop.transform) }
    if let term = validation?.nonFiniteTerm {
      throw TrainingError.nonFiniteValidation(epoch: epoch, term: term)
    }
    // An epoch in which the first player never moved has measured no loss to compare epochs by.
    let counted = running.examples(of: "loss")
    let isMeasured = counted > 0 || validation != nil
    let afterWarmup =
      isMeasured
      ? runningAfterWarmup / Double(counted)
      : try evaluate(dataset, batchSize: loop.order.batchSize, transform: loop.transform).loss
    let metrics = EpochMetrics(
      epoch: epoch, step: step, training: running,
      trainingLossAfterWarmup: afterWarmup,
      validation: validation,
      learningRate: players[0].learningRate(step: max(0, step - 1)),
      seconds: Date().timeIntervalSince(start))
    running = TermAverage()
    runningAfterWarmup = 0
    observe(validationLoss: metrics.selectionLoss)
    var verdicts: [TrainingVerdict] = []
    try loop.each(self) { verdicts.append(try $0.epochEnded($1, metrics)) }
    note(verdicts, loop.epochs)
    try loop.each(self) { try $0.epochSettled($1, metrics) }
    return metrics
  }
}

/// What a call of `fit` keeps beside the trainer.
private struct Loop {
  let order: BatchOrder
  let epochs: Int
  let transform: (any BatchTransform)?
  let validation: (any Dataset)?
  /// Whether steps are computed with signals held back.
  let holdsSignals: Bool
  var events: [any TrainingEvent]
  var likelihood: LikelihoodSupport?

  /// Hands saved numbers to the events, by position; where the event there saves numbers of other
  /// names, because the list has changed since, to the first one that saves these.
  mutating func restore(_ states: [[String: Double]]) {
    let names = events.map { Set($0.saved.keys) }
    for (index, state) in states.enumerated() where !state.isEmpty {
      let wanted = Set(state.keys)
      let fits = index < names.count && names[index] == wanted
      let place = fits ? index : names.firstIndex(of: wanted) ?? index
      if place < events.count { events[place].restore(state) }
    }
  }

  mutating func each<Model, Rule>(
    _ trainer: Trainer<Model, Rule>, _ body: (inout any TrainingEvent, TrainingState) throws -> Void
  ) rethrows {
    for index in events.indices {
      let events = events
      let state = TrainingState(
        epoch: trainer.epoch, batch: trainer.batch, batchesPerEpoch: order.batchesPerEpoch,
        epochs: epochs,
        step: trainer.step, stopReason: trainer.stopReason,
        model: { trainer.average?.model ?? trainer.model },
        makeCheckpoint: { try trainer.checkpoint(eventStates: events.map(\.saved)) })
      try body(&self.events[index], state)
    }
  }
}
