// Training: loss, gradients, check, update. The trainer is a plain value that its caller owns; a
// step is a pure function of (seed, step, batch, parameters), so that resuming needs no replay.

import Foundation
import LatentAutodiff
import LatentDatasets
import LatentEvaluation
import LatentLayers
import LatentModels
import LatentNumerics
import LatentOptimizers

/// What to do when a loss or gradient is not finite.
public enum NonFinitePolicy: Sendable, Hashable {
  /// Throw `TrainingError.nonFinite`.
  case stop
  /// Leave the parameters alone and go on, at most so many times in a run.
  case skip(atMost: Int)
}

/// A model in training, with everything a resumed run needs.
public struct Trainer<Model: Module, Rule: TrainingObjective>: Sendable where Rule.Model == Model {
  /// What is minimised.
  public let objective: Rule
  /// Who moves what: one player for each turn of the objective.
  public private(set) var players: [Player]
  /// Parameters and buffers that stay as they are, by their paths, such as `encoder.**`. No gradient is
  /// computed for them. Layers that go by the statistics of a batch still do.
  ///
  /// Traps where a pattern stands for nothing or a player has nothing left to move; `freeze` throws.
  public var frozen: [PathPattern] {
    get { frozenPaths }
    set {
      do { try freeze(newValue) } catch { fatalError("\(error)") }
    }
  }
  private var frozenPaths: [PathPattern] = []
  /// Averaged weights, where wanted: `evaluate` looks at them, and so does the validation.
  public var average: ExponentialMovingAverage<Model>?
  /// What to do when a loss or a gradient is not finite.
  public var nonFinitePolicy = NonFinitePolicy.stop
  /// Whether `fit` compares the range of the data with the support of the model's likelihood. No for
  /// an objective that looks at other fields than the inputs under it.
  public var checksData = true
  /// Texts for checkpoints, such as the model's description in JSON.
  public var descriptions: [String: String] = [:]

  /// What all randomness of the run is a function of, beside counters.
  public let seed: UInt64
  /// Steps done.
  public internal(set) var step = 0
  /// Epochs completed.
  public internal(set) var epoch = 0
  /// The next batch of the epoch in progress: where a resumed run goes on.
  public internal(set) var batch = 0
  /// Steps that a non-finite number spoiled.
  public internal(set) var skippedSteps = 0
  /// Why the last call of `fit` ended before its epochs were complete, where an event asked for it.
  public internal(set) var stopReason: String?
  /// Averages of the epoch in progress.
  var running = TermAverage()
  /// The sum over the same examples of the loss with the warm-up over.
  var runningAfterWarmup = 0.0
  /// Saved numbers of events, in their order, until `fit` hands them out.
  var eventStates: [[String: Double]] = []

  private var ensemble: Ensemble<Model, Rule.Parts>
  private let noise: RandomStream

  /// What is trained.
  public var model: Model {
    get { ensemble.model }
    _modify { yield &ensemble.model }
  }
  /// What the objective brings along.
  public var parts: Rule.Parts {
    get { ensemble.parts }
    _modify { yield &ensemble.parts }
  }

  /// The first player's way from gradients to steps, with its moments.
  public var optimizer: any Optimizer { players[0].optimizer }
  /// The factor on the first player's learning rate.
  public var schedule: any LearningRateSchedule {
    get { players[0].schedule }
    set { players[0].schedule = newValue }
  }
  /// A bound on the first player's gradients, where wanted.
  public var clipping: GradientClipping? {
    get { players[0].clipping }
    set { players[0].clipping = newValue }
  }
  /// The player of this name. Traps where there is none.
  public subscript(player name: String) -> Player {
    get { players[number(of: name)] }
    _modify { yield &players[number(of: name)] }
  }

  private func number(of name: String) -> Int {
    guard let index = players.firstIndex(where: { $0.name == name }) else {
      fatalError("no player \(name), only \(players.map(\.name).joined(separator: ", "))")
    }
    return index
  }

  /// Reports parameters that `visitParameters` forgets, or names as it names others, by trapping: they
  /// would stay as they are for ever, or be saved as one.
  /// Buffers that copies of a layer share are separated.
  ///
  /// `optimizer`, `schedule` and `clipping` are those of every player, but where a turn has a rule of its
  /// own; `self[player:]` changes those of one.
  public init(
    _ model: Model, objective: Rule, optimizer: any Optimizer,
    schedule: any LearningRateSchedule = ConstantSchedule(), clipping: GradientClipping? = nil,
    seed: UInt64, file: StaticString = #fileID, line: UInt = #line
  ) {
    var random = RandomStream(seed: seed).split("objective")
    let dtype = model.namedParameters.first?.tensor.dtype ?? .float32
    let parts = objective.makeParts(for: model, using: &random)
    ensemble = Ensemble(
      model: model, parts: dtype == .float64 ? parts.converted(to: dtype) : parts)
    let forgotten =
      model.unvisitedTensors + ensemble.parts.unvisitedTensors.map { "\(Turn.partsName).\($0)" }
    require(
      forgotten.isEmpty,
      "visitParameters of \(Model.self) does not visit \(forgotten.joined(separator: ", "))",
      file: file, line: line)
    let repeated = ensemble.repeatedPaths
    require(
      repeated.isEmpty,
      "visitParameters of \(Model.self) gives the name \(repeated.joined(separator: ", ")) more than once",
      file: file, line: line)
    ensemble.separateBuffers()
    self.objective = objective
    players = objective.turns.map {
      Player($0, optimizer: optimizer, schedule: schedule, clipping: clipping)
    }
    self.seed = seed
    noise = RandomStream(seed: seed).split("noise")
    let idle = choose()
    require(
      idle == nil,
      "the player \(idle?.name ?? "") moves \(idle?.turn.parameters ?? []), but the parameters are only "
        + ensemble.namedParameters.map(\.path).joined(separator: ", "), file: file, line: line)
  }

  /// Lets parameters and buffers stay as they are from now on, by their paths.
  /// - Throws: `FrozenPartsError`, with everything as before.
  public mutating func freeze(_ patterns: [PathPattern]) throws {
    let all = ensemble.namedParameters.map(\.path)
    if let idle = patterns.first(where: { !all.contains(where: $0.matches) }) {
      throw FrozenPartsError.noParameter(pattern: idle, paths: all)
    }
    let before = frozenPaths
    frozenPaths = patterns
    if let idle = choose() {
      frozenPaths = before
      _ = choose()
      throw FrozenPartsError.nothingToMove(player: idle.name, frozen: patterns)
    }
  }

  /// Which parameters each player moves. Returns a player that has none.
  private mutating func choose() -> Player? {
    let paths = ensemble.namedParameters.filter(\.isTrained).map(\.path)
    for index in players.indices {
      let chosen = paths.map { players[index].turn.moves($0) && !frozenPaths.match($0) }
      players[index].chosen = chosen.allSatisfy { $0 } ? nil : chosen
    }
    return paths.isEmpty ? nil : players.first { $0.chosen.map { !$0.contains(true) } ?? false }
  }

  /// One step on x `[batch, ...]`: each player whose turn it is moves once. `fields` are the batch's
  /// other arrays.
  /// - Throws: `TrainingError.nonFinite`, with parameters, buffers, moments and counters as before, but
  ///   for players that moved earlier in a step of `TurnOrder.successive`, and
  ///   `TrainingError.nonFiniteUpdate`, where nothing but an older checkpoint helps.
  @discardableResult
  public mutating func step(_ x: Tensor, fields: [String: Tensor] = [:]) throws -> StepReport {
    let noise = noise.split(UInt64(step))
    var context = LayerContext(isTraining: true, random: noise, step: step, fields: fields)
    var moves: [Move] = []
    for turn in players.indices where objective.isDue(turn, step: step, ensemble.parts) {
      if turn > 0 { context.random = noise.split(players[turn].name) }
      let move = compute(turn, x, &context)
      if let error = diagnose(move, context.bufferUpdates) {
        try skip(because: error)
        return report(moves + [move], x, wasSkipped: true)
      }
      if objective.order == .successive { try make(move) }
      moves.append(move)
    }
    if objective.order == .simultaneous { for move in moves { try make(move) } }
    let foreign = ensemble.apply(context.bufferUpdates, except: frozen)
    require(
      foreign.isEmpty,
      "\(foreign.count) buffers were updated that \(Model.self) does not visit: a frozen network "
        + "beside the model is evaluated with LayerContext.inference")
    objective.settle(&ensemble.model, ensemble.parts, except: frozen)
    average?.update(ensemble.model)
    step += 1
    return report(moves, x, wasSkipped: false)
  }

  /// What a player is about to do.
  private struct Move {
    let turn: Int
    let loss: Double
    let afterWarmup: Double
    let terms: [(name: String, value: Double)]
    /// Before clipping: clipping by value would hide an infinity.
    let unclipped: Gradients
    let gradients: Gradients
    let norm: Double
    let scale: Double
    let rate: Double
  }

  private mutating func compute(_ turn: Int, _ x: Tensor, _ context: inout LayerContext) -> Move {
    let player = players[turn]
    ensemble.chosen = player.chosen
    defer { ensemble.chosen = nil }
    var seen = context
    let (loss, gradients, terms) = Evaluation.of(ensemble.model, #fileID, #line) {
      valueAndGradient(
        at: ensemble,
        withAuxiliary: { ensemble in
          let terms = objective.wholeLoss(of: turn, ensemble.model, ensemble.parts, x, &seen)
          return (terms.total, terms)
        })
    }
    context = seen
    context.fields.merge(terms.handover.mapValues(\.detached)) { _, new in new }
    let value = loss.item
    var clipped = gradients
    let (norm, scale) = player.clipping.map { clipped.clip($0) } ?? (gradients.norm, 1)
    return Move(
      turn: turn, loss: value, afterWarmup: terms.afterWarmup?.item ?? value, terms: terms.numbers,
      unclipped: gradients, gradients: clipped, norm: norm, scale: scale,
      rate: player.learningRate(step: step))
  }

  private mutating func make(_ move: Move) throws {
    ensemble.chosen = players[move.turn].chosen
    defer { ensemble.chosen = nil }
    players[move.turn].optimizer.learningRate = move.rate
    players[move.turn].optimizer.update(&ensemble, along: move.gradients, scale: move.scale)
    try checkUpdate(by: players[move.turn].optimizer)
  }

  private func report(_ moves: [Move], _ x: Tensor, wasSkipped: Bool) -> StepReport {
    let first = moves.first { $0.turn == 0 }
    let others = moves.filter { $0.turn > 0 }.flatMap { move in
      [(name: players[move.turn].name, value: move.loss)] + move.terms
    }
    return StepReport(
      step: step - 1, examples: x.rank > 0 ? x.shape[0] : 1,
      loss: first?.loss ?? .nan, lossAfterWarmup: first?.afterWarmup ?? .nan,
      terms: (first?.terms ?? []) + others, gradientNorm: moves.first?.norm ?? .nan,
      learningRate: players[0].learningRate(step: step - 1),
      players: moves.map {
        PlayerReport(
          name: players[$0.turn].name, loss: $0.loss, gradientNorm: $0.norm, learningRate: $0.rate)
      }, wasSkipped: wasSkipped)
  }

  /// One update on examples of a data set, which are looked at before `transform` changes them.
  /// - Throws: `DatasetError.nonFinite`, and what the other `step` throws.
  mutating func step(
    on examples: Batch, of dataset: some Dataset, transform: (any BatchTransform)?
  ) throws -> StepReport {
    do {
      try examples.requireFinite(in: dataset)
    } catch {
      let number = step
      try skip(because: error)
      return StepReport(
        step: number, examples: examples.count, loss: .nan, lossAfterWarmup: .nan, terms: [],
        gradientNorm: .nan, learningRate: players[0].learningRate(step: number),
        wasSkipped: true)
    }
    let seen = transformed(examples, by: transform, step: step)
    return try step(Tensor(seen.inputs), fields: seen.tensors)
  }

  /// What the model sees of examples at a step: a function of (seed, step).
  func transformed(_ examples: Batch, by transform: (any BatchTransform)?, step: Int) -> Batch {
    guard let transform else { return examples }
    var random = RandomStream(seed: seed).split("transform").split(UInt64(step))
    return transform(examples, using: &random)
  }

  /// Counts a step that is passed over, where the policy allows another one.
  private mutating func skip(because error: any Error) throws {
    guard case .skip(let limit) = nonFinitePolicy, skippedSteps < limit else { throw error }
    skippedSteps += 1
    step += 1
  }

  /// The parameters that an update has made are looked at before anything is done with them; the rules
  /// do so while they write them.
  private func checkUpdate(by optimizer: any Optimizer) throws {
    if optimizer.lastUpdateWasFinite == true { return }
    let parameter = ensemble.namedParameters.first {
      $0.isTrained && $0.tensor.array.nonFiniteCount > 0
    }
    if optimizer.lastUpdateWasFinite == nil && parameter == nil { return }
    throw TrainingError.nonFiniteUpdate(step: step, parameter: parameter?.path)
  }

  /// What is not finite about a move; the name of the player where there are several.
  private func diagnose(_ move: Move, _ updates: BufferUpdates) -> TrainingError? {
    if move.loss.isFinite && move.afterWarmup.isFinite && move.norm.isFinite
      && !updates.hasNonFinite
    {
      return nil
    }
    let player = players.count > 1 ? "\(players[move.turn].name): " : ""
    func error(_ term: String, _ parameter: String?) -> TrainingError {
      .nonFinite(step: step, term: player + term, parameter: parameter)
    }
    let parameter = move.unclipped.firstNonFinite.map { index in
      var part = ensemble
      part.chosen = players[move.turn].chosen
      return part.namedParameters.filter(\.isTrained)[index].path
    }
    if move.loss.isFinite && parameter == nil {
      if !move.afterWarmup.isFinite { return error("the loss after the warm-up", nil) }
      guard updates.hasNonFinite else { return nil }
      return error("the update of a buffer", updates.firstNonFinite(in: ensemble))
    }
    return error(
      move.loss.isFinite
        ? "the gradient" : move.terms.first { !$0.value.isFinite }?.name ?? "the loss", parameter)
  }

  /// Mean loss terms over a data set, as after training (no dropout, no warm-up). Batches are of `batchSize`
  /// examples, of a few more where the last one would be too small for the objective.
  ///
  /// The averaged weights count where there are some. The noise of the latent samples is a function
  /// of (seed, `epoch`).
  /// - Throws: `DatasetError.nonFinite`, `TrainingError.smallBatch`, and what the data set throws.
  public func evaluate(
    _ dataset: some Dataset, batchSize: Int = 512, transform: (any BatchTransform)? = nil
  ) throws -> TermAverage {
    try requireBatch(of: dataset.count, dataset.name)
    // The first size, from the one asked for on, at which the objective can take the last batch too.
    let smallest = objective.smallestBatch
    var batchSize = max(batchSize, smallest)
    while (1..<smallest).contains(dataset.count % batchSize) { batchSize += 1 }
    let model = average?.model ?? model
    let root = RandomStream(seed: seed).split("evaluation").split(UInt64(epoch))
    let order = BatchOrder(count: dataset.count, batchSize: batchSize, seed: 0, shuffles: false)
    var result = TermAverage()
    for (index, indices) in order.batches(epoch: 0).enumerated() {
      var random = root.split(UInt64(index))
      var batch = try dataset.batch(at: indices)
      try batch.requireFinite(in: dataset)
      if let transform { batch = transform(batch, using: &random) }
      var context = LayerContext(
        isTraining: false, random: random.split("latents"), step: step, fields: batch.tensors)
      let terms = objective.wholeLoss(of: 0, model, parts, Tensor(batch.inputs), &context)
      result.add(terms.total.item, terms.numbers, examples: indices.count)
    }
    return result
  }

  /// Checks that the objective can take batches of so many examples of a data set.
  /// - Throws: `TrainingError.smallBatch`.
  public func requireBatch(of count: Int, _ dataset: String) throws {
    if count > 0 && count < objective.smallestBatch {
      throw TrainingError.smallBatch(
        dataset: dataset, count: count, smallest: objective.smallestBatch)
    }
  }

  mutating func restorePlayer(
    _ index: Int, _ state: [String: NDArray], step: Int, _ schedule: any LearningRateSchedule
  ) throws {
    ensemble.chosen = players[index].chosen
    defer { ensemble.chosen = nil }
    try players[index].restoreOptimizer(state, step: step, for: ensemble)
    players[index].schedule = schedule
  }

  mutating func observe(validationLoss: Double) {
    for index in players.indices {
      players[index].schedule.observe(validationLoss: validationLoss)
    }
  }
}
