// What all rules share: parameters in one buffer, state beside it, and how often each parameter has
// been updated. A parameter without a gradient has no part in an update: it is not decayed, its moments
// do not fade, and the count that Adam's bias correction and the first velocity of SGD go by does not
// rise. PyTorch counts for each parameter as well (decision 0024).

import LatentLayers
import LatentNumerics

/// The memory of a rule.
struct FlatRule: Sendable {
  /// Names of the state's arrays.
  let names: [String]
  /// Arrays that a rule does not need with its settings stay empty.
  private let used: [Bool]
  /// Calls of `update`.
  private(set) var step = 0
  /// Updates of each parameter; empty where every one was updated in every step.
  private var counts: [Int] = []
  private var state: [NDArray] = []
  private var parameters = FlatParameters()
  private(set) var lastUpdateWasFinite: Bool?

  /// The name under which counts are saved, where they differ.
  private static let countsName = "steps"

  init(_ names: [String], used: [Bool]? = nil) {
    self.names = names
    self.used = used ?? names.map { _ in true }
  }

  /// One update. The number of the step is that of each parameter.
  mutating func update(
    _ model: inout some Module, along gradients: Gradients, by update: UpdateStep
  ) {
    var update = update
    var buffer = parameters.begin(&model)
    let segments = parameters.segments(gradients)
    prepare(like: buffer)
    let before = counts.isEmpty ? segments.map { _ in step } : counts
    step += 1
    // Parameters that were updated as often are updated together: all of them, as a rule.
    var isFinite = true
    var waiting = segments.indices.filter { segments[$0] != nil }
    while let first = waiting.first {
      let isAlike = { before[$0] == before[first] }
      let together = waiting.filter(isAlike).compactMap { segments[$0] }
      update.number = before[first] + 1
      let areFinite = buffer.update(
        together, state: &state, by: update, isWhole: together.count == segments.count)
      isFinite = isFinite && areFinite
      waiting.removeAll(where: isAlike)
    }
    let after = segments.indices.map { before[$0] + (segments[$0] == nil ? 0 : 1) }
    counts = after.allSatisfy { $0 == step } ? [] : after
    lastUpdateWasFinite = isFinite
    parameters.end(buffer, &model)
  }

  /// Zeros of the parameters' size at first.
  private mutating func prepare(like parameters: NDArray) {
    if state.isEmpty {
      state = sizes(parameters.count).map { NDArray(repeating: 0, shape: [$0], parameters.dtype) }
    }
    require(
      state.map(\.count) == sizes(parameters.count)
        && state.allSatisfy { $0.dtype == parameters.dtype },
      "an optimizer's state of \(state.map(\.count)) numbers cannot follow a model of "
        + "\(parameters.count) (padded) of \(parameters.dtype): make a new optimizer for a new model"
    )
  }

  private func sizes(_ count: Int) -> [Int] { used.map { $0 ? count : 0 } }

  /// The state by name; the counts are among it where they differ.
  var named: [String: NDArray] {
    if state.isEmpty { return [:] }
    var result = Dictionary(uniqueKeysWithValues: zip(names, state))
    if !counts.isEmpty { result[FlatRule.countsName] = NDArray(counts.map { Int32(clamping: $0) }) }
    return result
  }

  /// Takes over a saved state. None at all is right before the first update only.
  mutating func restore(_ saved: [String: NDArray], step: Int, for model: some Module) throws {
    var arrays = saved
    let savedCounts = arrays.removeValue(forKey: FlatRule.countsName)
    if arrays.isEmpty && savedCounts == nil && step == 0 {
      (state, counts, self.step, lastUpdateWasFinite) = ([], [], 0, nil)
      return
    }
    let parameters = model.parameters
    let dtype = parameters.first?.dtype ?? .float32
    let sizes = sizes(FlatParameters.paddedCount(parameters))
    var expected = zip(names, sizes).map { "\($0) [\($1)] \(dtype)" }
    if let savedCounts {
      let isPossible =
        savedCounts.dtype == .int32 && savedCounts.shape == [parameters.count]
        && savedCounts.int32s.allSatisfy { (0...step).contains(Int($0)) }
      expected.append(
        "\(FlatRule.countsName) [\(parameters.count)] int32"
          + (isPossible ? "" : " in 0...\(step)"))
    }
    let found = saved.map { "\($0.key) [\($0.value.count)] \($0.value.dtype)" }.sorted()
    if found != expected.sorted() {
      throw OptimizerStateMismatch(expected: expected.sorted(), found: found)
    }
    state = names.compactMap { saved[$0] }
    counts = savedCounts.map { $0.int32s.map(Int.init) } ?? []
    self.step = step
    lastUpdateWasFinite = nil
  }
}

/// An optimiser that is a rule over flat buffers: its own are its numbers, the rest is here.
protocol FlatOptimizer: Optimizer {
  var weightDecay: Double { get }
  /// The rule with its numbers as they are now.
  var rule: UpdateRule { get }
  var memory: FlatRule { get set }
}

extension FlatOptimizer {
  public var step: Int { memory.step }
  public var lastUpdateWasFinite: Bool? { memory.lastUpdateWasFinite }
  public var state: [String: NDArray] { memory.named }

  public mutating func update(
    _ model: inout some Module, along gradients: Gradients, scale: Double
  ) {
    memory.update(
      &model, along: gradients,
      by: UpdateStep(
        rule, learningRate: learningRate, weightDecay: weightDecay, gradientScale: scale))
  }

  public mutating func restore(
    _ state: [String: NDArray], step: Int, for model: some Module
  ) throws {
    try memory.restore(state, step: step, for: model)
  }
}
