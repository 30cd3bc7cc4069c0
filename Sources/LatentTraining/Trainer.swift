// Training: loss, gradients, check, update. The trainer is a plain value that its caller owns; a
// step is a pure function of (seed, step, batch, parameters), so that resuming needs no replay.

import Foundation
import LatentAutodiff
import LatentDatasets
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
public struct Trainer<Model: Module, Rule: Objective>: Sendable where Rule.Model == Model {
  /// What is trained.
  public var model: Model
  /// What is minimised.
  public let objective: Rule
  /// How gradients become steps, with its moments.
  public private(set) var optimizer: any Optimizer
  /// The factor on the learning rate.
  public var schedule: any LearningRateSchedule
  /// A bound on gradients, where wanted.
  public var clipping: GradientClipping?
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

  let baseLearningRate: Double
  private let noise: RandomStream

  /// Reports parameters that `visitParameters` forgets, or names as it names others, by trapping: they
  /// would stay as they are for ever, or be saved as one.
  /// Buffers that copies of a layer share are separated.
  public init(
    _ model: Model, objective: Rule, optimizer: any Optimizer,
    schedule: any LearningRateSchedule = ConstantSchedule(), clipping: GradientClipping? = nil,
    seed: UInt64, file: StaticString = #fileID, line: UInt = #line
  ) {
    let forgotten = model.unvisitedTensors
    require(
      forgotten.isEmpty,
      "visitParameters of \(Model.self) does not visit \(forgotten.joined(separator: ", "))",
      file: file, line: line)
    let repeated = model.repeatedPaths
    require(
      repeated.isEmpty,
      "visitParameters of \(Model.self) gives the name \(repeated.joined(separator: ", ")) more than once",
      file: file, line: line)
    self.model = model
    self.model.separateBuffers()
    self.objective = objective
    self.optimizer = optimizer
    self.schedule = schedule
    self.clipping = clipping
    self.seed = seed
    baseLearningRate = optimizer.learningRate
    noise = RandomStream(seed: seed).split("noise")
  }

  /// One update on x `[batch, ...]`; `fields` are the batch's other arrays.
  /// - Throws: `TrainingError.nonFinite`, with parameters, buffers, moments and counters as before, and
  ///   `TrainingError.nonFiniteUpdate`, where nothing but an older checkpoint helps.
  @discardableResult
  public mutating func step(_ x: Tensor, fields: [String: Tensor] = [:]) throws -> StepReport {
    var context = LayerContext(
      isTraining: true, random: noise.split(UInt64(step)), step: step, fields: fields)
    var (loss, gradients, terms) = valueAndGradient(
      at: model,
      withAuxiliary: { model in
        let terms = objective(model, x, &context)
        return (terms.total, terms)
      })
    let rate = baseLearningRate * schedule.factor(step: step)
    let value = loss.item
    let afterWarmup = terms.afterWarmup?.item ?? value
    let numbers = terms.numbers
    // Clipping by value would hide an infinity.
    let unclipped = gradients
    let (norm, scale) = clipping.map { gradients.clip($0) } ?? (gradients.norm, 1)
    var report = StepReport(
      step: step, examples: x.rank > 0 ? x.shape[0] : 1, loss: value,
      lossAfterWarmup: afterWarmup, terms: numbers, gradientNorm: norm, learningRate: rate,
      wasSkipped: false)
    let updates = context.bufferUpdates
    if !value.isFinite || !afterWarmup.isFinite || !norm.isFinite || updates.hasNonFinite,
      let error = diagnose(value, afterWarmup, numbers, unclipped, updates)
    {
      try skip(because: error)
      report.wasSkipped = true
      return report
    }
    optimizer.learningRate = rate
    optimizer.update(&model, along: gradients, scale: scale)
    try checkUpdate()
    let foreign = model.apply(updates)
    require(
      foreign.isEmpty,
      "\(foreign.count) buffers were updated that \(Model.self) does not visit: a frozen network "
        + "beside the model is evaluated with LayerContext.inference")
    average?.update(model)
    step += 1
    return report
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
        gradientNorm: .nan, learningRate: baseLearningRate * schedule.factor(step: number),
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
  private func checkUpdate() throws {
    if optimizer.lastUpdateWasFinite == true { return }
    let parameter = model.namedParameters.first {
      $0.isTrained && $0.tensor.array.nonFiniteCount > 0
    }
    if optimizer.lastUpdateWasFinite == nil && parameter == nil { return }
    throw TrainingError.nonFiniteUpdate(step: step, parameter: parameter?.path)
  }

  private func diagnose(
    _ loss: Double, _ afterWarmup: Double, _ terms: [(name: String, value: Double)],
    _ gradients: Gradients, _ updates: BufferUpdates
  ) -> TrainingError? {
    let parameter = gradients.firstNonFinite.map { index in
      model.namedParameters.filter(\.isTrained)[index].path
    }
    if loss.isFinite && parameter == nil {
      if !afterWarmup.isFinite {
        return .nonFinite(step: step, term: "the loss after the warm-up", parameter: nil)
      }
      guard updates.hasNonFinite else { return nil }
      return .nonFinite(
        step: step, term: "the update of a buffer",
        parameter: updates.firstNonFinite(in: model))
    }
    let term =
      loss.isFinite
      ? "the gradient" : terms.first { !$0.value.isFinite }?.name ?? "the loss"
    return .nonFinite(step: step, term: term, parameter: parameter)
  }

  /// Mean loss terms over a data set, as after training (no dropout, no warm-up).
  ///
  /// The averaged weights count where there are some. The noise of the latent samples is a function
  /// of (seed, `epoch`).
  /// - Throws: `DatasetError.nonFinite`, and what the data set throws.
  public func evaluate(
    _ dataset: some Dataset, batchSize: Int = 512, transform: (any BatchTransform)? = nil
  ) throws -> TermAverage {
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
      let terms = objective(model, Tensor(batch.inputs), &context)
      result.add(terms.total.item, terms.numbers, examples: indices.count)
    }
    return result
  }

  mutating func restoreOptimizer(_ state: [String: NDArray], step: Int) throws {
    try optimizer.restore(state, step: step, for: model)
  }
}

extension Batch {
  /// All fields but the inputs, as tensors.
  public var tensors: [String: Tensor] {
    fields.filter { $0.key != Field.inputs }.mapValues { Tensor($0) }
  }
}
