// State that a forward pass changes: noted in the context, applied to the model, never a
// derivative's business.

import LatentAutodiff
import LatentLayers
import LatentNumerics
import Testing

/// Counts its calls in training, and follows the mean of what it sees.
struct Tally: Layer {
  var weight: Tensor = .ones([1])
  var calls: Tensor = Tensor([0] as [Int32])
  var mean: Tensor = .zeros([1])

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&weight, "weight")
    visitor.visitBuffer(&calls, "calls")
    visitor.visitBuffer(&mean, "mean")
  }

  func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    let y = x * weight
    if context.isTraining {
      context.update(calls) { Tensor($0.array.int32s.map { $0 + 1 }) }
      context.update(mean, toward: y.mean().reshaped([1]), by: 0.5)
    }
    return y
  }
}

struct Pair: Module {
  var first: Tally
  var second: Tally
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&first, "first")
    visitor.visit(&second, "second")
  }
}

@Suite struct BufferUpdateTests {
  static func training() -> LayerContext {
    LayerContext(isTraining: true, random: RandomStream(seed: 1))
  }
  static let four = Tensor(repeating: 4, shape: [3])

  @Test func appliedAfterThePassAndOnlyThen() {
    var model = Tally()
    let before = model
    var context = BufferUpdateTests.training()
    _ = model(BufferUpdateTests.four, &context)
    #expect(model.calls.array == before.calls.array && model.mean.array == before.mean.array)
    #expect(context.bufferUpdates.count == 2)
    #expect(model.apply(context.bufferUpdates).isEmpty)
    #expect(model.calls.array.int32s == [1] && model.mean.floats == [2])
    #expect(before.calls.array.int32s == [0], "a copy is a snapshot")
  }

  @Test func inferenceNotesNothing() {
    var context = LayerContext.inference
    _ = Tally()(BufferUpdateTests.four, &context)
    #expect(context.bufferUpdates.isEmpty)
  }

  @Test func twoCallsInOnePassAreTwoSteps() {
    var model = Tally()
    var context = BufferUpdateTests.training()
    _ = model(model(BufferUpdateTests.four, &context), &context)
    #expect(context.current(model.calls).array.int32s == [2])
    model.apply(context.bufferUpdates)
    #expect(model.calls.array.int32s == [2] && model.mean.floats == [3])
  }

  /// Through the copy that is differentiated: the values are constants, also where derivatives nest.
  @Test func insideADerivative() {
    var model = Tally().mapParameters { $0.dtype == .int32 ? $0 : $0.converted(to: .float64) }
    var context = BufferUpdateTests.training()
    let x = BufferUpdateTests.four.converted(to: .float64)
    let (_, gradients) = valueAndGradient(at: model) { outer in
      let slope = valueAndGradient(at: outer) { square($0(x, &context)).sum() }
      return square(slope.gradients.tensors[0]!).sum()
    }
    #expect(gradients.tensors.count == 1)
    model.apply(context.bufferUpdates)
    #expect(model.calls.array.int32s == [1])
    #expect(model.mean.doubles == [2] && model.mean.dtype == .float64)
    #expect(!model.mean.isRecorded)
  }

  @Test func copiesOfALayerAreSeparated() {
    let tally = Tally()
    var model = Pair(first: tally, second: tally)
    model.separateBuffers()
    let weights = model.parameters.map(\.array)
    #expect(weights[0].place == weights[1].place, "parameters are left alone")
    var context = BufferUpdateTests.training()
    _ = model.first(BufferUpdateTests.four, &context)
    model.apply(context.bufferUpdates)
    #expect(model.first.calls.array.int32s == [1] && model.second.calls.array.int32s == [0])
    let places = model.namedParameters.map(\.tensor.array.place)
    model.separateBuffers()
    #expect(model.namedParameters.map(\.tensor.array.place) == places, "nothing is left to do")
  }

  @Test func updatesOfOthersComeBack() {
    var (mine, other) = (Tally(), Tally())
    var context = BufferUpdateTests.training()
    _ = other(mine(BufferUpdateTests.four, &context), &context)
    let rest = mine.apply(context.bufferUpdates)
    #expect(rest.count == 2 && mine.calls.array.int32s == [1])
    #expect(other.apply(rest).isEmpty)
    #expect(other.calls.array.int32s == [1])
    #expect(mine.apply(context.bufferUpdates).count == 4, "the memory that was updated is gone")
  }

  @Test func nonFiniteUpdatesAreNamed() {
    let model = Pair(first: Tally(), second: Tally())
    var context = BufferUpdateTests.training()
    _ = model.first(BufferUpdateTests.four, &context)
    #expect(!context.bufferUpdates.hasNonFinite)
    _ = model.second(Tensor([.nan] as [Float]), &context)
    #expect(context.bufferUpdates.hasNonFinite)
    #expect(context.bufferUpdates.firstNonFinite(in: model) == "second.mean")
    #expect(context.bufferUpdates.firstNonFinite(in: model.first) == nil)
  }

  @Test func sharedMemoryTraps() async throws {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      let tally = Tally()
      var model = Pair(first: tally, second: tally)
      var context = BufferUpdateTests.training()
      _ = model.first(BufferUpdateTests.four, &context)
      model.apply(context.bufferUpdates)
    }
    let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(text.contains("the buffers first.calls and second.calls are copies"), "\(text)")
  }

  @Test func anotherShapeTraps() async throws {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      var context = BufferUpdateTests.training()
      context.update(Tally().mean) { _ in .zeros([2], .float64) }
    }
    let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(
      text.contains("a buffer [1] of float32 cannot become [2] of float64"), "\(text.prefix(300))")
  }
}
