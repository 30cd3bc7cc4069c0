// Laws of all optimisers, over one table.

import LatentAutodiff
import LatentLayers
import LatentNumerics
import LatentOptimizers
import Testing

@Suite(.serialized) struct OptimizerTests {
  @Test(arguments: optimizerRows) func isPyTorchs(row: Row) {
    for (dtype, tolerance) in [(DType.float64, 1e-12), (.float32, 1e-5)] {
      var model = Pair(dtype)
      var optimizer = row.make()
      optimizer.run(&model, 0..<5)
      let error = distance(model.numbers, row.expected)
      #expect(error < tolerance, "\(row.name) \(dtype): \(error)")
      #expect(optimizer.step == 5)
      #expect(model.a.shape == [2, 3] && model.b.shape == [4] && model.a.dtype == dtype)
    }
  }

  /// A parameter without a gradient stays, with weight decay and moments, and its state stays too: it goes
  /// on later as if the steps in between had not been.
  @Test(arguments: optimizerRows, [false, true])
  func missingGradientsAreNoUpdates(row: Row, isShared: Bool) {
    var (model, other) = (Pair(), Pair())
    var (optimizer, reference) = (row.make(), row.make())
    for step in 0..<6 {
      var gradients = model.gradients(step: step)
      if step == 1 || step == 4 { gradients.tensors[0] = nil }
      let before = model
      // A snapshot makes the update write to new memory, which must bring the parameter along.
      let snapshot = isShared ? model : nil
      optimizer.update(&model, along: gradients)
      for (index, gradient) in gradients.tensors.enumerated() {
        let stays = model.parameters[index].array == before.parameters[index].array
        #expect(stays == (gradient == nil), "\(row.name), step \(step), parameter \(index)")
      }
      #expect(snapshot.map { $0.namedArrays == before.namedArrays } ?? true)
      #expect(optimizer.lastUpdateWasFinite == true)
    }
    // The first parameter alone, at the steps that had its gradient.
    for step in [0, 2, 3, 5] {
      reference.update(&other, along: Gradients([other.gradients(step: step).tensors[0], nil]))
    }
    #expect(model.a.array == other.a.array, "\(row.name)")
    #expect(optimizer.step == 6 && reference.step == 4)
  }

  /// Counts that differ are part of the state; without them the run would go on with other steps.
  @Test(arguments: optimizerRows) func countsOfUpdatesAreSaved(row: Row) throws {
    var (straight, stopped) = (Pair(), Pair())
    var (whole, first) = (row.make(), row.make())
    whole.run(&straight, 0..<5)
    first.run(&stopped, 0..<2)
    #expect(first.state["steps"] == nil, "every parameter was updated twice")
    first.run(&stopped, 2..<3)
    #expect(first.state["steps"]?.int32s == [3, 2])
    var second = row.make()
    try second.restore(first.state.mapValues { $0.copy() }, step: 3, for: stopped)
    second.run(&stopped, 3..<5)
    #expect(stopped.namedArrays == straight.namedArrays && second.state == whole.state)
  }

  /// Without any gradient nothing happens but the count of steps.
  @Test(arguments: optimizerRows) func noGradientsAtAll(row: Row) {
    var model = Pair()
    var optimizer = row.make()
    optimizer.update(&model, along: Gradients([nil, nil]))
    #expect(model.namedArrays == Pair().namedArrays && optimizer.step == 1, "\(row.name)")
    optimizer.run(&model, 0..<2)
    var other = Pair()
    var reference = row.make()
    reference.run(&other, 0..<2)
    #expect(model.namedArrays == other.namedArrays, "\(row.name)")
  }

  /// Rules look at what they write: an infinite step, and a gradient whose square is infinite, which
  /// would stop its parameter for ever.
  @Test(arguments: optimizerRows, [DType.float32, .float64])
  func updatesThatAreNotFiniteAreNoticed(row: Row, dtype: DType) {
    let huge = dtype == .float32 ? 1e30 : 1e200
    for place in [0, 5] {
      var model = Pair(dtype)
      var optimizer = row.make()
      #expect(optimizer.lastUpdateWasFinite == nil)
      optimizer.run(&model, 0..<1)
      #expect(optimizer.lastUpdateWasFinite == true, "\(row.name)")
      optimizer.learningRate = 1e300 * 1e300
      optimizer.run(&model, 1..<2)
      #expect(optimizer.lastUpdateWasFinite == false, "\(row.name), an infinite rate")
      guard row.name.hasPrefix("Adam") && !row.name.hasPrefix("Adamax") || row.name.hasPrefix("RMS")
      else { continue }
      var other = Pair(dtype)
      var second = row.make()
      var values = [Double](repeating: 1, count: 6)
      values[place] = huge
      let gradient = Tensor(values, shape: [2, 3]).converted(to: dtype)
      second.update(&other, along: Gradients([gradient, nil]))
      #expect(second.lastUpdateWasFinite == false, "\(row.name), an infinite square")
    }
  }

  @Test(arguments: optimizerRows) func scaleMultipliesGradients(row: Row) {
    var (scaled, halved) = (Pair(), Pair())
    var (first, second) = (row.make(), row.make())
    for step in 0..<4 {
      let gradients = scaled.gradients(step: step)
      first.update(&scaled, along: gradients, scale: 0.5)
      second.update(
        &halved, along: Gradients(gradients.tensors.map { $0.map { $0 * 0.5 } }))
    }
    #expect(scaled.namedArrays == halved.namedArrays, "\(row.name)")
  }

  /// A copy of the model keeps its values, and so does a snapshot of model and optimiser.
  @Test(arguments: optimizerRows) func copiesAreSnapshots(row: Row) {
    var model = Pair()
    var optimizer = row.make()
    optimizer.run(&model, 0..<2)
    let (savedModel, savedOptimizer) = (model, optimizer)
    let (numbers, state) = (savedModel.numbers, savedOptimizer.state)
    let copies = state.mapValues { $0.copy() }
    optimizer.run(&model, 2..<5)
    #expect(savedModel.numbers == numbers, "\(row.name): the model's copy")
    #expect(savedOptimizer.state == copies, "\(row.name): the optimizer's copy")
    #expect(savedOptimizer.step == 2)
    #expect(model.numbers != numbers)
    // The snapshot continues to the same place, in either order of use.
    var (again, other) = (savedModel, savedOptimizer)
    other.run(&again, 2..<5)
    #expect(again.numbers == model.numbers, "\(row.name): continued snapshot")
    #expect(other.state == optimizer.state, "\(row.name): moments of the continued snapshot")
  }

  @Test(arguments: optimizerRows, [DType.float32, .float64])
  func restoredStateContinuesInBits(row: Row, dtype: DType) throws {
    var (straight, stopped) = (Pair(dtype), Pair(dtype))
    var whole = row.make()
    whole.run(&straight, 0..<5)
    for stop in 0..<5 {
      stopped = Pair(dtype)
      var first = row.make()
      first.run(&stopped, 0..<stop)
      var loaded = Pair(dtype)
      try loaded.load(stopped.namedArrays.mapValues { $0.copy() })
      var second = row.make()
      try second.restore(
        first.state.mapValues { $0.copy() }, step: first.step, for: loaded)
      second.run(&loaded, stop..<5)
      #expect(loaded.namedArrays == straight.namedArrays, "\(row.name) \(dtype) at \(stop)")
      #expect(second.state == whole.state, "\(row.name) \(dtype) at \(stop): moments")
      #expect(second.step == 5)
    }
  }

  /// Restoring over an optimiser in use leaves nothing of what it was doing.
  @Test(arguments: optimizerRows) func restoringReplacesEverything(row: Row) throws {
    var (model, other) = (Pair(), Pair())
    var (optimizer, busy) = (row.make(), row.make())
    optimizer.run(&model, 0..<2)
    busy.run(&other, 0..<4)
    try busy.restore(optimizer.state, step: optimizer.step, for: model)
    var copy = model
    busy.run(&copy, 2..<5)
    #expect(distance(copy.numbers, row.expected) < 1e-12, "\(row.name)")
    try busy.restore([:], step: 0, for: Pair())
    var fresh = Pair()
    busy.run(&fresh, 0..<5)
    #expect(distance(fresh.numbers, row.expected) < 1e-12, "\(row.name) from the start")
  }

  @Test(arguments: optimizerRows) func sameBitsForAnyThreads(row: Row) {
    let before = Threads.count
    defer { Threads.count = before }
    for dtype in [DType.float32, .float64] {
      var random = RandomStream(seed: 61)
      // More than two of the kernels' chunks of 8192, with a seam inside a chunk.
      var start = Pair(dtype)
      start.a = random.normalTensor([101, 203], dtype)
      start.b = random.normalTensor([20_021], dtype)
      let steps = (0..<4).map { _ in
        Gradients([random.normalTensor([101, 203], dtype), random.normalTensor([20_021], dtype)])
      }
      func run(_ threads: Int) -> [String: NDArray] {
        Threads.count = threads
        var (model, optimizer) = (start, row.make())
        for gradients in steps { optimizer.update(&model, along: gradients) }
        return model.namedArrays.merging(optimizer.state) { first, _ in first }
      }
      let alone = run(1)
      for threads in [2, 3] {
        let same = run(threads) == alone
        #expect(same, "\(row.name) \(dtype) with \(threads) threads")
      }
    }
  }

  @Test(arguments: optimizerRows) func summaryNamesRuleAndNumbers(row: Row) {
    let optimizer = row.make()
    let text = optimizer.summary
    #expect(text.hasPrefix(row.name == "AdamW" ? "AdamW(" : row.name.prefix { $0 != " " } + "("))
    #expect(text.contains("learningRate: \(optimizer.learningRate)"), "\(text)")
    #expect(text.contains("weightDecay"), "\(text)")
  }
}
