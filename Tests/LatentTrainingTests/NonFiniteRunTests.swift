// A run that meets NaN or infinities, in its data, its validation or its weights, ends with what was wrong
// and where; nothing of it is saved, and nothing takes it for a loss.

import Foundation
import Latent
import LatentAutodiff
import LatentLayers
import LatentNumerics
import LatentOptimizers
import Testing

@testable import LatentTraining

@Suite struct NonFiniteRunTests {
  static func names(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }

  /// 40 examples of which number 10 has a value that is no number, split into parts.
  static func parts(_ value: Float, seed: UInt64) throws -> (training: Subset, validation: Subset) {
    try NonFiniteTests.spoiled(value, example: 10).split(validation: 0.75, seed: seed)
  }

  /// Wherever the example falls, it is named as the set knows it.
  @Test(arguments: 0..<6, [Float.nan, .infinity])
  func dataOfEitherPart(seed: Int, value: Float) throws {
    try withTemporaryFolder { folder in
      let (training, validation) = try NonFiniteRunTests.parts(value, seed: UInt64(seed))
      var trainer = tinyTrainer()
      let error = #expect(throws: DatasetError.self) {
        try trainer.fit(
          training, epochs: 2, batchSize: 2, validation: validation,
          events: [.saveEvery(to: folder)], handlesSignals: false)
      }
      guard case .nonFinite("spoiled", 10, [3], _) = error else {
        Issue.record("seed \(seed): \(String(describing: error))")
        return
      }
      let left = try NonFiniteRunTests.names(folder)
      #expect(left == [])
    }
  }

  /// A transform that compares would make a number of NaN.
  @Test func beforeTheTransform() throws {
    var trainer = tinyTrainer()
    #expect(throws: DatasetError.self) {
      try trainer.fit(
        NonFiniteTests.spoiled(.nan), epochs: 1, batchSize: 4, transform: DynamicBinarization(),
        handlesSignals: false)
    }
    #expect(throws: DatasetError.self) {
      try trainer.evaluate(NonFiniteTests.spoiled(.nan), transform: DynamicBinarization())
    }
  }

  @Test func skippedDataCount() throws {
    var trainer = tinyTrainer()
    trainer.nonFinitePolicy = .skip(atMost: 1)
    #expect(throws: DatasetError.self) {
      try trainer.fit(
        NonFiniteTests.spoiled(.nan), epochs: 2, batchSize: 4, transform: DynamicBinarization(),
        handlesSignals: false)
    }
    #expect(trainer.skippedSteps == 1 && trainer.epoch == 1)
  }

  /// An epoch without a single step has no loss that could be the best.
  @Test func nothingButSkippedSteps() throws {
    try withTemporaryFolder { folder in
      var trainer = tinyTrainer()
      trainer.nonFinitePolicy = .skip(atMost: 100)
      let data = ArrayDataset(
        inputs: NDArray(repeating: .nan, shape: [8, 6]), name: "nothing")
      let error = #expect(throws: TrainingError.self) {
        try trainer.fit(
          data, epochs: 2, batchSize: 4, events: [.saveEvery(to: folder)], handlesSignals: false)
      }
      #expect(error?.description.contains("the loss of every step of epoch 1") == true)
      let left = try NonFiniteRunTests.names(folder)
      #expect(left == [])
    }
  }

  /// A step of 1e39 makes weights infinite whose loss nobody has computed yet.
  @Test(
    arguments: [
      Adam(learningRate: 1e39), SGD(learningRate: 1e300, momentum: 0.9),
      RMSprop(learningRate: 1e39),
      Adamax(learningRate: 1e39), Silent(rule: Adam(learningRate: 1e39)),
    ] as [any Optimizer]) func weightsAfterTheUpdate(optimizer: any Optimizer) throws
  {
    try withTemporaryFolder { folder in
      var trainer = tinyTrainer(optimizer: optimizer, average: 0.9)
      let error = #expect(throws: TrainingError.self) {
        try trainer.fit(
          tinyData(), epochs: 1, batchSize: 44, events: [.saveEvery(steps: 1, to: folder)],
          handlesSignals: false)
      }
      guard case .nonFiniteUpdate(0, let parameter?) = error else {
        Issue.record("\(optimizer.summary): \(String(describing: error))")
        return
      }
      #expect(trainer.model.namedParameters.contains { $0.path == parameter })
      #expect(error?.description.contains("the update made parameter \(parameter)") == true)
      #expect(trainer.average?.model.parameters.allSatisfy { $0.array.nonFiniteCount == 0 } == true)
      let left = try NonFiniteRunTests.names(folder)
      #expect(left == [])
    }
  }

  /// The policy cannot take an update back.
  @Test func updatesAreNotSkipped() throws {
    var trainer = tinyTrainer(optimizer: Adam(learningRate: 1e39))
    trainer.nonFinitePolicy = .skip(atMost: 5)
    #expect(throws: TrainingError.self) { try trainer.step(NonFiniteTests.x()) }
    #expect(trainer.skippedSteps == 0)
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity]) func validationLoss(value: Double) throws {
    try withTemporaryFolder { folder in
      var trainer = Trainer(
        Point(), objective: OnlyInTraining(value: value), optimizer: SGD(learningRate: 0.1), seed: 0
      )
      let events: [any TrainingEvent] = [.saveEvery(to: folder), .stopEarly(patience: 1)]
      let error = #expect(throws: TrainingError.self) {
        try trainer.fit(
          tinyData(), epochs: 3, batchSize: 11, validation: tinyData(), events: events,
          handlesSignals: false)
      }
      #expect(error == .nonFiniteValidation(epoch: 1, term: "strange"))
      #expect(error?.description.hasPrefix("validation after epoch 1: strange is not") == true)
      let left = try NonFiniteRunTests.names(folder)
      #expect(left == [])
    }
  }

  // MARK: Events on their own

  static func metrics(_ epoch: Int, _ loss: Double) -> EpochMetrics {
    EpochMetrics(
      epoch: epoch, step: epoch, training: TermAverage(), trainingLossAfterWarmup: loss,
      validation: nil, learningRate: 1, seconds: 0)
  }

  static func state(_ epoch: Int) -> TrainingState {
    TrainingState(
      epoch: epoch, batch: 0, batchesPerEpoch: 1, epochs: 100, step: epoch, stopReason: nil,
      makeCheckpoint: { Checkpoint() })
  }

  @Test func bestIsNeverNaN() throws {
    for losses in [[Double.nan, 2, 3], [.infinity, 2, .nan], [2, .nan, 3], [-.infinity, 2, 3]] {
      try withTemporaryFolder { folder in
        var event = SaveCheckpoints(everyEpochs: 100, to: folder)
        for (index, loss) in losses.enumerated() {
          let (state, metrics) = (
            NonFiniteRunTests.state(index + 1), NonFiniteRunTests.metrics(index + 1, loss)
          )
          _ = try event.epochEnded(state, metrics)
          try event.epochSettled(state, metrics)
        }
        #expect(event.saved == ["best": 2], "\(losses)")
        #expect(try NonFiniteRunTests.names(folder) == ["best.h5"])
        event.restore(["best": .nan])
        #expect(event.saved == ["best": 2], "a NaN that an older version saved")
      }
    }
  }

  /// Losses that are no numbers are no epochs without progress either.
  @Test func patienceDoesNotHearThem() throws {
    var event = EarlyStopping(patience: 2)
    var plateau = ReduceOnPlateau(patience: 1)
    for (index, loss) in [5, Double.nan, .infinity, .nan, 4, .nan, 6].enumerated() {
      let verdict = try event.epochEnded(
        NonFiniteRunTests.state(index + 1), NonFiniteRunTests.metrics(index + 1, loss))
      plateau.observe(validationLoss: loss)
      #expect(verdict == .goOn && plateau.current == 1, "epoch \(index + 1)")
    }
    #expect(event.saved == ["best": 4, "epochsWithout": 1])
    #expect(plateau.best == 4 && plateau.badEpochs == 1)
    plateau.observe(validationLoss: 7)
    #expect(plateau.current == 0.1)
  }
}

/// Another rule, which does not look at what it writes.
struct Silent: Optimizer {
  var rule: Adam
  var learningRate: Double {
    get { rule.learningRate }
    set { rule.learningRate = newValue }
  }
  var step: Int { rule.step }
  var summary: String { "Silent \(rule.summary)" }
  var state: [String: NDArray] { rule.state }

  mutating func update(_ model: inout some Module, along gradients: Gradients, scale: Double) {
    rule.update(&model, along: gradients, scale: scale)
  }

  mutating func restore(
    _ state: [String: NDArray], step: Int, for model: some Module
  ) throws {
    try rule.restore(state, step: step, for: model)
  }
}

/// A loss that is a number in training and none in a validation.
struct OnlyInTraining: Objective {
  let value: Double
  var summary: String { "OnlyInTraining" }

  func callAsFunction(_ model: Point, _ x: Tensor, _ context: inout LayerContext) -> LossTerms {
    let loss = model.x.sum() * (context.isTraining ? 1 : 0) + (context.isTraining ? 0 : value)
    return LossTerms(total: loss, terms: [("fine", .scalar(1)), ("strange", loss)])
  }
}
