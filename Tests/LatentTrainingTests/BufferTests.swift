// Buffers that a forward pass changes, through the trainer: after the optimiser, not when a step is
// skipped or fails, taken over by the averaged weights, and part of a run that is resumed.

import Foundation
import Latent
import Testing

/// Two copies of one layer, and a loss that looks at the activations' square.
struct Watching: Module {
  struct Mean: Module {
    var scale: Tensor = .ones([6])
    var mean: Tensor = .zeros([6])
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      visitor.visit(&scale, "scale")
      visitor.visitBuffer(&mean, "mean")
    }
    func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
      if context.isTraining { context.update(mean, toward: x.mean(axes: [0]), by: 0.25) }
      return (x - mean) * scale
    }
  }
  var first: Mean
  var second: Mean

  init() {
    let mean = Mean()
    (first, second) = (mean, mean)
  }

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&first, "first")
    visitor.visit(&second, "second")
  }
}

struct Energy: Objective {
  var summary: String { "Energy" }
  func callAsFunction(_ model: Watching, _ x: Tensor, _ context: inout LayerContext) -> LossTerms {
    let y = model.second(model.first(x, &context), &context)
    let energy = square(y - 1).sum(axes: [1]).mean()
    return LossTerms(total: energy, terms: [("energy", energy)])
  }
}

/// A finite loss beside a buffer that becomes infinite.
struct Overflow: Objective {
  var summary: String { "Overflow" }
  func callAsFunction(_ model: Watching, _ x: Tensor, _ context: inout LayerContext) -> LossTerms {
    let loss = Energy()(model, x, &context)
    context.update(model.second.mean) { $0 + .infinity }
    return loss
  }
}

/// A network that is no part of the model, evaluated as if it were trained.
struct Foreign: Objective {
  let critic = Watching.Mean()
  var summary: String { "Foreign" }
  func callAsFunction(_ model: Watching, _ x: Tensor, _ context: inout LayerContext) -> LossTerms {
    Energy()(model, critic(x, &context), &context)
  }
}

/// A network with two copies of one batch normalisation.
struct Regression: Module {
  var layers: [Linear]
  var norms: [BatchNorm]

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&layers, "layers")
    visitor.visit(&norms, "norms")
  }

  static func trainer() -> Trainer<Regression, Reconstruction> {
    var random = RandomStream(seed: 6)
    let norm = BatchNorm(5, activation: .silu)
    let model = Regression(
      layers: [(6, 5), (5, 5), (5, 6)].map { Linear($0, $1, using: &random) }, norms: [norm, norm])
    return Trainer(
      model, objective: Reconstruction(), optimizer: Adam(learningRate: 0.02), seed: 5)
  }
}

struct Reconstruction: Objective {
  var summary: String { "Reconstruction" }
  func callAsFunction(
    _ model: Regression, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    var y = x
    for (layer, norm) in zip(model.layers, model.norms) { y = norm(layer(y), &context) }
    let error = square(model.layers[2](y) - x).sum(axes: [1]).mean()
    return LossTerms(total: error, terms: [("error", error)])
  }
}

@Suite struct BufferTests {
  static func trainer() -> Trainer<Watching, Energy> {
    var trainer = Trainer(
      Watching(), objective: Energy(), optimizer: Adam(learningRate: 0.05), seed: 7)
    trainer.average = ExponentialMovingAverage(trainer.model, decay: 0.5)
    return trainer
  }

  static func x(_ seed: UInt64 = 3) -> Tensor {
    var random = RandomStream(seed: seed)
    return random.uniformTensor([8, 6]) + 2
  }

  @Test func stepAppliesThem() throws {
    var trainer = BufferTests.trainer()
    let x = BufferTests.x()
    try trainer.step(x)
    let mean = (x.mean(axes: [0]) * 0.25).doubles
    let model = trainer.model
    #expect(zip(model.first.mean.doubles, mean).allSatisfy { abs($0 - $1) < 1e-6 })
    // The second layer saw x itself: the first one's buffer was zero.
    #expect(zip(model.second.mean.doubles, mean).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(model.first.scale.floats != Watching().first.scale.floats)
    // Weights are averaged, buffers are taken over.
    let average = try #require(trainer.average).model
    #expect(average.first.mean.array == model.first.mean.array)
    #expect(average.first.scale.array != model.first.scale.array)
    let report = try trainer.step(x)
    #expect(report.loss.isFinite && trainer.model.first.mean.array != model.first.mean.array)
    #expect(trainer.model.first.mean.array != trainer.model.second.mean.array)
  }

  @Test func skippedAndFailedStepsLeaveThemAlone() throws {
    var trainer = BufferTests.trainer()
    try trainer.step(BufferTests.x())
    let before = try trainer.bytes
    let spoiled = Tensor.concatenate(
      [BufferTests.x(), Tensor(repeating: .nan, shape: [1, 6])], axis: 0)
    #expect(throws: TrainingError.self) { try trainer.step(spoiled) }
    #expect(try trainer.bytes == before)
    trainer.nonFinitePolicy = .skip(atMost: 1)
    let arrays = trainer.model.namedArrays
    #expect(try trainer.step(spoiled).wasSkipped)
    #expect(trainer.model.namedArrays == arrays)
  }

  @Test func anUpdateThatIsNotFiniteFailsTheStep() {
    var trainer = Trainer(
      Watching(), objective: Overflow(), optimizer: Adam(learningRate: 0.05), seed: 7)
    #expect(
      throws: TrainingError.nonFinite(
        step: 0, term: "the update of a buffer", parameter: "second.mean")
    ) { try trainer.step(BufferTests.x()) }
    #expect(trainer.model.namedArrays == Watching().namedArrays)
  }

  @Test func ownLoopsDoTheSame() throws {
    var trainer = BufferTests.trainer()
    var model = Watching()
    model.separateBuffers()
    var optimizer: any Optimizer = Adam(learningRate: 0.05)
    for step in 0..<4 {
      let x = BufferTests.x(UInt64(step))
      try trainer.step(x)
      var context = LayerContext(isTraining: true, random: RandomStream(seed: 0), step: step)
      let (_, gradients) = valueAndGradient(at: model) { Energy()($0, x, &context).total }
      optimizer.update(&model, along: gradients)
      model.apply(context.bufferUpdates)
    }
    #expect(model.namedArrays == trainer.model.namedArrays)
  }

  @Test func resumedIsUninterrupted() throws {
    var whole = BufferTests.trainer()
    for step in 0..<12 { try whole.step(BufferTests.x(UInt64(step))) }
    var first = BufferTests.trainer()
    for step in 0..<5 { try first.step(BufferTests.x(UInt64(step))) }
    var second = BufferTests.trainer()
    try second.resume(from: Checkpoint(decoding: first.bytes))
    for step in 5..<12 { try second.step(BufferTests.x(UInt64(step))) }
    #expect(try second.bytes == whole.bytes)
  }

  /// Batch normalisation: a run that stopped in the middle of an epoch, whose last batch has one
  /// example, is the run that never stopped.
  @Test func batchNormResumes() throws {
    let data = tinyData(33)
    func fit(_ trainer: inout Trainer<Regression, Reconstruction>, stop: Int?) throws -> [UInt8] {
      let keep = Kept()
      do {
        try trainer.fit(
          data, epochs: 3, batchSize: 8, events: [StopAfter(step: stop ?? -1, keep: keep)],
          handlesSignals: false)
        return try trainer.bytes
      } catch is Enough {
        return keep.bytes
      }
    }
    var whole = Regression.trainer()
    let expected = try fit(&whole, stop: nil)
    let norms = whole.model.norms
    #expect(norms[0].runningMean?.array != norms[1].runningMean?.array)
    for stop in [2, 5, 7] {
      var first = Regression.trainer()
      let bytes = try fit(&first, stop: stop)
      var second = Regression.trainer()
      try second.resume(from: Checkpoint(decoding: bytes))
      #expect(try fit(&second, stop: nil) == expected, "stopped after \(stop)")
    }
  }

  @Test func buffersOfOthersTrap() async throws {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      var trainer = Trainer(Watching(), objective: Foreign(), optimizer: Adam(), seed: 7)
      try trainer.step(BufferTests.x())
    }
    let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(
      text.contains("1 buffers were updated that Watching does not visit"), "\(text.prefix(300))")
  }
}
