// What the tests of training share: a tiny model, synthetic data, folders that vanish, and whatever
// else makes a run of a few dozen steps one line long.

import Foundation
import Latent

typealias TinyModel = VAE<MLPEncoder, MLPDecoder<BernoulliHead>, StandardNormalPrior>
typealias TinyTrainer = Trainer<TinyModel, ELBO<TinyModel>>

/// 6 inputs, 5 hidden units, 2 latents.
func tinyModel(seed: UInt64 = 1, hidden: Int = 5) -> TinyModel {
  var random = RandomStream(seed: seed)
  return VAE(
    encoder: MLPEncoder(inputShape: [6], hidden: [hidden], latentSize: 2, using: &random),
    decoder: MLPDecoder(
      latentSize: 2, hidden: [hidden], outputShape: [6], head: BernoulliHead(), using: &random),
    prior: .standardNormal(2))
}

/// `count` examples of 6 numbers in [0, 1).
func tinyData(_ count: Int = 44, seed: UInt64 = 9) -> ArrayDataset {
  var random = RandomStream(seed: seed)
  return ArrayDataset(inputs: random.uniform([count, 6]), name: "tiny")
}

func tinyTrainer(
  seed: UInt64 = 3, optimizer: any Optimizer = Adam(learningRate: 1e-2),
  schedule: any LearningRateSchedule = ConstantSchedule(), clipping: GradientClipping? = nil,
  average: Double? = nil, beta: Double = 1
) -> TinyTrainer {
  var trainer = Trainer(
    tinyModel(), objective: ELBO(beta: .constant(beta), warmup: .linear(steps: 20)),
    optimizer: optimizer,
    schedule: schedule, clipping: clipping, seed: seed)
  trainer.average = average.map { ExponentialMovingAverage(trainer.model, decay: $0) }
  return trainer
}

extension Trainer {
  /// Everything that a run is, as bytes.
  var bytes: [UInt8] { get throws { try checkpoint().encoded() } }
}

/// Runs `body` with the path of an empty folder and removes it afterwards.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent(
    "latent-training-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: url) }
  return try body(url.path)
}

/// Thrown by tests to end a run from outside.
struct Enough: Error {}

/// Ends a run after given steps, as a crash would, and keeps the checkpoint of that moment.
struct StopAfter: TrainingEvent {
  let step: Int
  /// Whether to wait for the end of the epoch that the step completes.
  var atEpochEnd = false
  let keep: Kept

  mutating func stepEnded(_ state: TrainingState, _ report: StepReport) throws {
    if state.step == step && !(atEpochEnd && state.batch == state.batchesPerEpoch) {
      try stop(state)
    }
  }

  mutating func epochSettled(_ state: TrainingState, _ metrics: EpochMetrics) throws {
    if state.step == step && atEpochEnd { try stop(state) }
  }

  private func stop(_ state: TrainingState) throws {
    keep.bytes = try state.makeCheckpoint().encoded()
    throw Enough()
  }
}

/// Something that a test's event leaves behind. Tests use it from one thread.
final class Kept: @unchecked Sendable {
  var bytes: [UInt8] = []
  var texts: [String] = []
  var epochs: [EpochMetrics] = []
  var batches: [[Float]] = []
}

/// Notes the metrics of every epoch.
struct Recorder: TrainingEvent {
  let keep: Kept

  mutating func epochSettled(_ state: TrainingState, _ metrics: EpochMetrics) throws {
    keep.epochs.append(metrics)
  }
}

extension EpochMetrics {
  /// Everything but the time.
  var figures: [Double] {
    [Double(epoch), Double(step), learningRate] + training.values.map(\.value)
      + (validation?.values.map(\.value) ?? [])
  }
}

/// One number.
struct Point: Module {
  var x = Tensor.zeros([1])
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) { visitor.visit(&x, "x") }
}

/// The mean of the inputs: what a loss should be is known exactly.
struct MeanInput: Objective {
  var summary: String { "MeanInput" }
  func callAsFunction(_ model: Point, _ x: Tensor, _ context: inout LayerContext) -> LossTerms {
    let mean = x.mean() + model.x.sum() * 0
    return LossTerms(total: mean, terms: [("mean", mean)])
  }
}
