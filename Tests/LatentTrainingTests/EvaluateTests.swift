// Evaluation: means over examples, not over batches; the same numbers every time.

import Foundation
import Latent
import Testing

@Suite struct EvaluateTests {
  @Test(arguments: [1, 2, 3, 5, 7, 10, 512]) func weightsByExamples(batchSize: Int) throws {
    let data = ArrayDataset(inputs: NDArray((0..<10).map { Float($0 * $0) }, shape: [10, 1]))
    let trainer = Trainer(
      Point(), objective: MeanInput(), optimizer: SGD(learningRate: 1), seed: 0)
    let result = try trainer.evaluate(data, batchSize: batchSize)
    #expect(result.examples == 10 && result.names == ["loss", "mean"])
    #expect(abs((result["mean"] ?? 0) - 28.5) < 1e-5)
    #expect(abs(result.loss - 28.5) < 1e-5)
    #expect(result["none"] == nil)
  }

  /// An objective that compares examples never sees fewer than it can compare, whatever is left over; a set
  /// that is too small is refused.
  @Test(arguments: [1, 2, 3, 4, 9, 10, 11, 512]) func batchesThatAreLargeEnough(size: Int) throws {
    let rule = MatchedPairs()
    let trainer = Trainer(Point(), objective: rule, optimizer: SGD(learningRate: 1), seed: 0)
    for count in 3..<25 {
      let inputs = NDArray((0..<count).map { Float($0) }, shape: [count, 1])
      let result = try trainer.evaluate(ArrayDataset(inputs: inputs), batchSize: size)
      #expect(result.examples == count)
      #expect(abs(result.loss - Double(count - 1) / 2) < 1e-5)
    }
    let few = ArrayDataset(inputs: NDArray([1, 2] as [Float], shape: [2, 1]), name: "few")
    #expect(throws: TrainingError.smallBatch(dataset: "few", count: 2, smallest: 3)) {
      try trainer.evaluate(few, batchSize: size)
    }
  }

  /// The mean of the inputs of three examples and more.
  struct MatchedPairs: Objective {
    var summary: String { "MatchedPairs" }
    var smallestBatch: Int { 3 }
    func callAsFunction(_ model: Point, _ x: Tensor, _ context: inout LayerContext) -> LossTerms {
      #expect(x.shape[0] >= 3)
      return MeanInput()(model, x, &context)
    }
  }

  @Test func trainingAveragesAreWeightedToo() throws {
    let data = ArrayDataset(inputs: NDArray((0..<10).map { Float($0 * $0) }, shape: [10, 1]))
    var trainer = Trainer(
      Point(), objective: MeanInput(), optimizer: SGD(learningRate: 1), seed: 0)
    let history = try trainer.fit(data, epochs: 1, batchSize: 4, handlesSignals: false)
    #expect(history[0].training.examples == 10)
    #expect(abs(history[0].training.loss - 28.5) < 1e-4)
    #expect(history[0].selectionLoss == history[0].training.loss)
  }

  @Test func deterministic() throws {
    var trainer = tinyTrainer()
    let data = tinyData(50, seed: 6)
    let first = try trainer.evaluate(data, batchSize: 16, transform: DynamicBinarization())
    #expect(try trainer.evaluate(data, batchSize: 16, transform: DynamicBinarization()) == first)
    let before = try trainer.bytes
    _ = try trainer.evaluate(data)
    #expect(try trainer.bytes == before, "an evaluation changes nothing")
    // The noise is another one after each epoch.
    let other = try trainer.evaluate(data, batchSize: 16)
    try trainer.fit(
      tinyData(), epochs: 1, batchSize: 44, transform: nil, handlesSignals: false)
    var same = tinyTrainer()
    try same.resume(from: trainer.checkpoint())
    #expect(try same.evaluate(data, batchSize: 16) == trainer.evaluate(data, batchSize: 16))
    #expect(try same.evaluate(data, batchSize: 16) != other)
  }

  /// Outside training the warm-up is over, whatever the step.
  @Test func warmupDoesNotCount() throws {
    let result = try tinyTrainer().evaluate(tinyData())
    let sum = try #require(result["reconstruction"]) + (try #require(result["kl"]))
    #expect(abs(result.loss - sum) < 1e-5)
  }

  @Test func averagedWeightsAreEvaluated() throws {
    var trainer = tinyTrainer(average: 0.9)
    for _ in 0..<5 { try trainer.step(try NonFiniteTests.x()) }
    var smooth = tinyTrainer()
    smooth.model = try #require(trainer.average).model
    #expect(try trainer.evaluate(tinyData()) == smooth.evaluate(tinyData()))
    smooth.model = trainer.model
    #expect(try trainer.evaluate(tinyData()) != smooth.evaluate(tinyData()))
  }

  @Test func emptyData() throws {
    let empty = ArrayDataset(inputs: NDArray(repeating: 0, shape: [0, 6]), name: "nothing")
    #expect(try tinyTrainer().evaluate(empty).loss.isNaN)
    var trainer = tinyTrainer()
    let error = TrainingError.noBatches(dataset: "nothing", count: 0, batchSize: 8)
    #expect(throws: error) {
      try trainer.fit(empty, epochs: 1, batchSize: 8, handlesSignals: false)
    }
    #expect(error.description == "training on nothing: 0 examples make no batch of 8")
  }
}
