// A NaN or an infinity anywhere is found in the step that meets it, named, and kept away from the
// parameters.

import Foundation
import Latent
import Testing

@Suite struct NonFiniteTests {
  /// The tiny data set with one number replaced.
  static func spoiled(_ value: Float, example: Int = 20) -> ArrayDataset {
    var numbers = tinyData().arrays[Field.inputs]!.floats
    numbers[example * 6 + 3] = value
    return ArrayDataset(inputs: NDArray(numbers, shape: [44, 6]), name: "spoiled")
  }

  static func x(_ value: Float? = nil) throws -> Tensor {
    let data = value.map { spoiled($0, example: 2) } ?? tinyData()
    return Tensor(try data.batch(0..<8).inputs)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity], [nil, GradientClipping.norm(1), .value(1)])
  func inData(value: Float, clipping: GradientClipping?) throws {
    var trainer = tinyTrainer(clipping: clipping, average: 0.9)
    for _ in 0..<3 { try trainer.step(try NonFiniteTests.x()) }
    let before = try trainer.bytes
    do {
      try trainer.step(try NonFiniteTests.x(value))
      Issue.record("not noticed")
    } catch TrainingError.nonFinite(let step, let term, let parameter) {
      #expect(step == 3)
      #expect(term == "reconstruction" || term == "kl")
      #expect(parameter?.hasPrefix("encoder.") == true)
    }
    #expect(try trainer.bytes == before)
    // The run goes on as if nothing had been tried.
    var other = tinyTrainer(clipping: clipping, average: 0.9)
    for _ in 0..<4 { try other.step(try NonFiniteTests.x()) }
    try trainer.step(try NonFiniteTests.x())
    #expect(try trainer.bytes == other.bytes)
  }

  @Test func fitNamesTheExampleAndKeepsTheLastCheckpoint() throws {
    try withTemporaryFolder { folder in
      var trainer = tinyTrainer()
      let order = BatchOrder(count: 44, batchSize: 4, seed: trainer.seed)
      let batch = try #require(order.batches(epoch: 0).firstIndex { $0.contains(20) })
      let events: [any TrainingEvent] = [.saveEvery(steps: 1, to: folder)]
      let error = #expect(throws: DatasetError.self) {
        try trainer.fit(
          NonFiniteTests.spoiled(.nan), epochs: 2, batchSize: 4, events: events,
          handlesSignals: false)
      }
      #expect(error?.description.hasPrefix("cannot use example 20 of spoiled: element [3]") == true)
      #expect(trainer.step == batch && trainer.batch == batch && trainer.epoch == 0)
      if batch > 0 {
        #expect(try RunFolder.newest(in: folder).checkpoint.texts["trainer"]?.isEmpty == false)
      }
    }
  }

  /// Every parameter in turn.
  @Test(arguments: tinyModel().namedParameters.map(\.path), [Double.nan, .infinity])
  func inAParameter(path: String, value: Double) throws {
    var trainer = tinyTrainer()
    var arrays = trainer.model.namedArrays
    let shape = try #require(arrays[path]).shape
    arrays[path] = NDArray(repeating: value, shape: shape)
    try trainer.model.load(arrays)
    let before = try trainer.bytes
    let error = #expect(throws: TrainingError.self) { try trainer.step(try NonFiniteTests.x()) }
    #expect(error?.description.contains("parameters are as before the step") == true)
    guard case .nonFinite(0, _, _) = error else {
      Issue.record("\(path): \(String(describing: error))")
      return
    }
    #expect(try trainer.bytes == before)
  }

  @Test(arguments: ResumeTests.optimizers.map(\.0)) func hugeLearningRate(name: String) throws {
    var optimizer = try #require(ResumeTests.optimizers.first { $0.0 == name }).1()
    optimizer.learningRate = 1e30
    var trainer = tinyTrainer(optimizer: optimizer)
    var before: [UInt8] = []
    let error = #expect(throws: TrainingError.self) {
      for _ in 0..<50 {
        before = try trainer.bytes
        try trainer.step(try NonFiniteTests.x())
      }
    }
    guard case .nonFinite(let step, _, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(step > 0 && step == trainer.step)
    #expect(try trainer.bytes == before)
  }

  /// The loss is finite, the derivative is not, and clipping by value would hide it.
  @Test(arguments: [nil, GradientClipping.norm(1), .value(1)])
  func inTheGradientAlone(clipping: GradientClipping?) {
    var trainer = Trainer(
      Point(), objective: RootLoss(), optimizer: SGD(learningRate: 0.1), clipping: clipping, seed: 0
    )
    #expect(throws: TrainingError.nonFinite(step: 0, term: "the gradient", parameter: "x")) {
      try trainer.step(.zeros([1]))
    }
    #expect(trainer.model.x.doubles == [0] && trainer.step == 0)
  }

  @Test func skipping() throws {
    var trainer = tinyTrainer()
    trainer.nonFinitePolicy = .skip(atMost: 2)
    try trainer.step(try NonFiniteTests.x())
    let parameters = trainer.model.namedArrays
    for number in 1...2 {
      let report = try trainer.step(try NonFiniteTests.x(.nan))
      #expect(report.wasSkipped && report.step == number)
      #expect(trainer.skippedSteps == number && trainer.step == number + 1)
    }
    #expect(trainer.model.namedArrays == parameters)
    #expect(trainer.optimizer.step == 1)
    let report = try trainer.step(try NonFiniteTests.x())
    #expect(!report.wasSkipped && trainer.optimizer.step == 2)
    let before = try trainer.bytes
    #expect(throws: TrainingError.self) { try trainer.step(try NonFiniteTests.x(.nan)) }
    #expect(trainer.skippedSteps == 2)
    #expect(try trainer.bytes == before)
    // The count is part of the run.
    var resumed = tinyTrainer()
    resumed.nonFinitePolicy = .skip(atMost: 2)
    try resumed.resume(from: Checkpoint(decoding: before))
    #expect(throws: TrainingError.self) { try resumed.step(try NonFiniteTests.x(.nan)) }
  }

  @Test func skippedBatchesDoNotCountInAverages() throws {
    var trainer = tinyTrainer()
    trainer.nonFinitePolicy = .skip(atMost: 3)
    let history = try trainer.fit(
      NonFiniteTests.spoiled(.nan), epochs: 3, batchSize: 4, handlesSignals: false)
    #expect(history.allSatisfy { $0.training.examples == 40 && $0.training.loss.isFinite })
    #expect(trainer.skippedSteps == 3)
  }
}

/// The square root, whose derivative at 0 is infinite.
struct RootLoss: Objective {
  var summary: String { "RootLoss" }
  func callAsFunction(_ model: Point, _ x: Tensor, _ context: inout LayerContext) -> LossTerms {
    let root = sqrt(model.x).sum()
    return LossTerms(total: root, terms: [("root", root)])
  }
}
