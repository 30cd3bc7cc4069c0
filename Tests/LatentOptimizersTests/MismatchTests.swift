// A saved state of another rule, another model or another precision is refused with both sides
// named; mistakes of the programmer trap.

import LatentAutodiff
import LatentLayers
import LatentNumerics
import LatentOptimizers
import TestSupport
import Testing

@Suite struct MismatchTests {
  /// Runs a rule for one step and hands out its state.
  func state(_ rule: some Optimizer, _ model: Pair = Pair()) -> [String: NDArray] {
    var (rule, model) = (rule, model)
    rule.run(&model, 0..<1)
    return rule.state
  }

  /// The state is refused and the optimiser goes on as before.
  func refuses(
    _ optimizer: some Optimizer, _ wrong: [String: NDArray], step: Int = 1, _ name: String
  ) -> OptimizerStateMismatch? {
    var (model, reference) = (Pair(), Pair())
    var (tried, untried) = (optimizer, optimizer)
    tried.run(&model, 0..<1)
    untried.run(&reference, 0..<1)
    let error = #expect(throws: OptimizerStateMismatch.self, "\(name)") {
      try tried.restore(wrong, step: step, for: model)
    }
    tried.run(&model, 1..<3)
    untried.run(&reference, 1..<3)
    #expect(model.namedArrays == reference.namedArrays, "\(name)")
    #expect(tried.step == 3, "\(name)")
    return error
  }

  @Test func anotherRulesState() {
    let error = refuses(Adam(), state(Adamax()), "Adamax for Adam")
    #expect(error?.expected == ["moment1 [32] float64", "moment2 [32] float64"])
    #expect(error?.found == ["moment [32] float64", "norm [32] float64"])
    #expect(
      error?.description == """
        optimizer state: found ["moment [32] float64", "norm [32] float64"], expected \
        ["moment1 [32] float64", "moment2 [32] float64"]: the run was saved with another \
        optimizer or another model
        """)
    _ = refuses(SGD(learningRate: 1, momentum: 0.5), state(Adam()), "Adam for SGD")
    _ = refuses(RMSprop(), state(RMSprop(isCentered: true)), "centered for plain RMSprop")
    _ = refuses(RMSprop(momentum: 0.5), state(RMSprop()), "plain for RMSprop with momentum")
  }

  @Test func anotherModelsState() {
    let wide = state(Adam(), Pair(sizes: ([20, 3], [4])))
    let error = refuses(Adam(), wide, "a wider model")
    #expect(error?.found == ["moment1 [80] float64", "moment2 [80] float64"])
  }

  @Test func missingAndAdditionalMoments() {
    var one = state(Adam())
    one["moment2"] = nil
    #expect(refuses(Adam(), one, "a moment is missing")?.found == ["moment1 [32] float64"])
    var three = state(Adam())
    three["moment3"] = three["moment1"]
    #expect(refuses(Adam(), three, "one too many")?.found.count == 3)
  }

  /// Counts of updates that no run of so many steps has.
  @Test func impossibleCounts() {
    let wrong: [NDArray] = [
      NDArray([1, 2] as [Int32]), NDArray([-1, 1] as [Int32]), NDArray([1] as [Int32]),
      NDArray([1, 1] as [Float]),
    ]
    for counts in wrong {
      var saved = state(Adam())
      saved["steps"] = counts
      let error = refuses(Adam(), saved, "counts \(counts)")
      #expect(error?.expected.contains { $0.hasPrefix("steps [2] int32") } == true)
    }
  }

  /// Zeros instead of moments would go on quietly with wrong steps.
  @Test func nothingAfterSomeSteps() {
    #expect(refuses(Adam(), [:], step: 7, "no moments at step 7")?.found == [])
  }

  /// Moments are never rounded on the way in: the run could not go on with the same bits.
  @Test func anotherPrecision() {
    let narrow = state(Adam(), Pair(.float32))
    let error = refuses(Adam(), narrow, "float32 moments for float64 parameters")
    #expect(error?.description.contains("float32") == true, "\(error?.description ?? "")")
    #expect(error?.description.contains("float64") == true, "\(error?.description ?? "")")
  }
}

@Suite struct TrapTests {
  static let mistakes = [
    Mistake(name: "Nesterov", words: ["Nesterov momentum needs momentum > 0 and no dampening"]),
    Mistake(name: "dampened Nesterov", words: ["found 0.9, 0.1"]),
    Mistake(name: "gradients", words: ["1 gradients for 2 parameters"]),
    Mistake(name: "shape", words: ["a gradient of [2] float64 for 6 parameters of float64"]),
    Mistake(name: "type", words: ["a gradient of [6] float32 for 6 parameters of float64"]),
    Mistake(name: "mixed", words: ["parameters of one type: found float64 and float32"]),
    Mistake(name: "other model", words: ["make a new optimizer for a new model"]),
    Mistake(name: "every", words: ["a step schedule changes every 0 updates: expected at least 1"]),
    Mistake(name: "average", words: ["average of [2, 3] float64 with [3, 3] float64"]),
  ]

  static func make(_ name: String) {
    var model = Pair()
    var optimizer = SGD(learningRate: 0.1)
    switch name {
    case "Nesterov": _ = SGD(learningRate: 0.1, nesterov: true)
    case "dampened Nesterov":
      _ = SGD(learningRate: 0.1, momentum: 0.9, dampening: 0.1, nesterov: true)
    case "gradients": optimizer.update(&model, along: Gradients([nil]))
    case "shape": optimizer.update(&model, along: Gradients([.zeros([2], .float64), nil]))
    case "type": optimizer.update(&model, along: Gradients([.zeros([6]), nil]))
    case "mixed":
      model.b = model.b.converted(to: .float32)
      optimizer.update(&model, along: Gradients([nil, nil]))
    case "other model":
      optimizer.run(&model, 0..<1)
      var wide = Pair(sizes: ([20, 3], [4]))
      optimizer.run(&wide, 0..<1)
    case "every": _ = StepSchedule(every: 0)
    case "average":
      var average = ExponentialMovingAverage(model)
      average.update(Pair(sizes: ([3, 3], [4])))
    default: break
    }
  }

  @Test(arguments: mistakes) func traps(mistake: Mistake) async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [mistake] in
      TrapTests.make(mistake.name)
    }
    #expect(mistake.missing(in: result?.standardErrorContent) == nil)
  }
}
