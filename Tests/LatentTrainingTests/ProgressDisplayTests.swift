// What people see of a run: a line that rewrites itself on a terminal, plain lines elsewhere.

import Latent
import Testing

@Suite struct ProgressDisplayTests {
  private func shown(
    isTerminal: Bool, epochs: Int = 2, validation: (any Dataset)? = nil
  ) throws -> [String] {
    let keep = Kept()
    var trainer = tinyTrainer()
    try trainer.fit(
      tinyData(), epochs: epochs, batchSize: 8, validation: validation,
      events: [ProgressDisplay(isTerminal: isTerminal) { keep.texts.append($0) }],
      handlesSignals: false)
    return keep.texts
  }

  @Test func plainLines() throws {
    let texts = try shown(isTerminal: false, validation: tinyData(10, seed: 2))
    #expect(texts.count == 2)
    for (index, text) in texts.enumerated() {
      let pattern = /epoch (\d)\/2  train (.*)  validation (.*)  (\d+) items\/s  ETA (\d+:\d\d)\n/
      let match = try #require(text.wholeMatch(of: pattern), "\(text)")
      #expect(match.1 == "\(index + 1)")
      let terms = /loss \d+\.\d\d reconstruction \d+\.\d\d kl \d+\.\d\d/
      #expect(try terms.wholeMatch(in: match.2) != nil && terms.wholeMatch(in: match.3) != nil)
      #expect(Int(match.4) ?? 0 > 0)
      if index == 1 { #expect(match.5 == "0:00" || match.5 == "00:00") }
    }
  }

  /// The reason stands below the lines of the epochs, also where there was nothing left to do.
  @Test func stoppedEarly() throws {
    let keep = Kept()
    var trainer = tinyTrainer()
    for expected in [3, 4] {
      try trainer.fit(
        tinyData(), epochs: 9, batchSize: 8, validation: tinyData(10, seed: 2),
        events: [
          .stopEarly(patience: 1, threshold: 1000),
          ProgressDisplay(isTerminal: false) { keep.texts.append($0) },
        ], handlesSignals: false)
      #expect(keep.texts.count == expected)
      let pattern = /stopped after epoch 2 of 9: no progress for 1 epoch; best loss [\d.]+\n/
      #expect(try #require(keep.texts.last).wholeMatch(of: pattern) != nil, "\(keep.texts)")
    }
  }

  /// The width is asked for each time: terminals are resized.
  @Test(arguments: [1, 2, 20, 40, 200]) func narrowTerminals(columns: Int) throws {
    let keep = Kept()
    var trainer = tinyTrainer()
    try trainer.fit(
      tinyData(), epochs: 1, batchSize: 8,
      events: [
        ProgressDisplay(
          isTerminal: true, write: { keep.texts.append($0) },
          columns: {
            keep.batches.append([])
            return columns
          })
      ], handlesSignals: false)
    let lines = keep.texts.filter { !$0.hasSuffix("\n") }
    #expect(!lines.isEmpty && keep.batches.count == lines.count)
    for line in lines { #expect(line.dropFirst(4).count <= columns - 1, "\(line)") }
  }

  @Test func terminal() throws {
    let texts = try shown(isTerminal: true)
    #expect(texts.allSatisfy { $0.hasPrefix("\r\u{1B}[K") })
    let first = try #require(texts.first)
    let pattern = /\r\x{1B}\[Kepoch 1\/2  batch 1\/6  loss .*  \d+ items\/s  ETA \d+:\d\d/
    #expect(first.wholeMatch(of: pattern) != nil, "\(first.debugDescription)")
    // Only the lines of whole epochs stay.
    #expect(texts.filter { $0.hasSuffix("\n") }.count == 2)
    #expect(texts.filter { $0.contains("batch ") }.allSatisfy { !$0.contains("\n") })
  }

  /// Every step, without waiting for the clock.
  @Test func positions() throws {
    struct Watch: TrainingEvent {
      let keep: Kept
      mutating func stepEnded(_ state: TrainingState, _ report: StepReport) throws {
        var display = ProgressDisplay(isTerminal: true) { [keep] in keep.texts.append($0) }
        try display.runBegan(state)
        try display.stepEnded(state, report)
      }
    }
    let keep = Kept()
    var trainer = tinyTrainer()
    try trainer.fit(
      tinyData(), epochs: 2, batchSize: 8, events: [Watch(keep: keep)], handlesSignals: false)
    let expected = (1...2).flatMap { epoch in (1...6).map { "epoch \(epoch)/2  batch \($0)/6" } }
    #expect(keep.texts.count == 12)
    for (text, place) in zip(keep.texts, expected) { #expect(text.contains(place), "\(text)") }
  }

  @Test func hugeNumbersOfEpochs() throws {
    let keep = Kept()
    var trainer = tinyTrainer()
    #expect(throws: Enough.self) {
      try trainer.fit(
        tinyData(), epochs: .max, batchSize: 8,
        events: [
          ProgressDisplay(isTerminal: true) { keep.texts.append($0) },
          StopAfter(step: 9, keep: keep),
        ], handlesSignals: false)
    }
    let text = try #require(keep.texts.first)
    #expect(text.contains("epoch 1/9223372036854775807"))
    #expect(text.contains(/ETA \d+:\d\d:\d\d/))
  }
}
