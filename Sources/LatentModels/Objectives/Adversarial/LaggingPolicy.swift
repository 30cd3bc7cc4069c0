// When an encoder that goes ahead has caught up: the policy of turns of lagging inference networks (He et al.
// 2019, algorithm 1).

/// When the decoder of `LaggingInference` moves.
struct LaggingPolicy {
  /// Steps of the encoder whose mean loss is compared with that of as many before.
  let window: Int
  /// The most steps that the decoder waits for.
  let limit: Int
  /// Moves of the decoder over which the information is averaged.
  let period: Int

  /// What has been seen so far.
  struct State: Equatable {
    var isAggressive = true
    /// Whether the decoder moves at the next step.
    var isDue = false
    /// Steps of the encoder since the decoder moved.
    var steps = 0
    /// The sum of the losses of the window in progress, and the mean of the one before.
    var sum = 0.0, previous = 0.0
    /// Moves of the decoder in the period in progress, and the sum of the information at them.
    var moves = 0
    var information = 0.0
    /// The largest average of a period.
    var best = 0.0

    var decoderMoves: Bool { !isAggressive || isDue }

    init() {}

    /// What `numbers` was.
    init(_ numbers: [Double]) {
      (isAggressive, isDue, steps) = (numbers[0] != 0, numbers[1] != 0, Int(numbers[2]))
      (sum, previous) = (numbers[3], numbers[4])
      (moves, information, best) = (Int(numbers[5]), numbers[6], numbers[7])
    }

    /// As a buffer holds it.
    var numbers: [Double] {
      [
        isAggressive ? 1 : 0, isDue ? 1 : 0, Double(steps), sum, previous, Double(moves),
        information, best,
      ]
    }
  }

  /// After a step of the encoder with this loss; `information` where the decoder moved too.
  func advance(_ state: inout State, loss: Double, information: Double?) {
    if let information {
      (state.isDue, state.steps, state.sum) = (false, 0, 0)
      state.moves += 1
      state.information += information
      guard state.moves == period else { return }
      let average = state.information / Double(period)
      state.isAggressive = average >= state.best
      state.best = max(state.best, average)
      (state.moves, state.information) = (0, 0)
      return
    }
    state.steps += 1
    state.sum += loss
    if state.steps % window == 0 {
      let mean = state.sum / Double(window)
      state.isDue = state.steps > window && mean >= state.previous
      (state.previous, state.sum) = (mean, 0)
    }
    if state.steps >= limit { state.isDue = true }
  }
}
