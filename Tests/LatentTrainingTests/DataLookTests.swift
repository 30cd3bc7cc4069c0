// Data are compared with the likelihood's support once: what cannot be is refused with the row, what is
// seldom meant is said, and nothing else is.

import Foundation
import Latent
import Testing

@Suite struct DataLookTests {
  /// A model of examples of 6 numbers with the likelihood of a name.
  static func model(_ likelihood: ModelDescription.Likelihood) throws -> any LatentVariableModel {
    var random = RandomStream(seed: 2)
    let text = likelihood == .categorical
    return try ModelDescription(
      text
        ? GRUTextNetwork(width: 4, hidden: 4, latentSize: 2) as any NetworkDescription
        : MLPNetwork(hidden: [5], latentSize: 2),
      inputShape: [6], likelihood: likelihood
    ).makeModel(using: &random)
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    /// Repeated until 8 examples are full.
    let values: [Float]
    var likelihoods: [ModelDescription.Likelihood]
    var transform = "none"
    /// What the refusal says, or the kinds of the notes.
    var refused: [String] = []
    var notes: [DataNote.Kind] = []
    var testDescription: String { "\(name), \(likelihoods.map(\.rawValue))" }
  }

  /// 0 to 1 in steps of 1/48.
  static let gray = (0..<48).map { Float($0) / 48 }
  static let unit: [ModelDescription.Likelihood] = [.bernoulli, .continuousBernoulli]
  static let real: [ModelDescription.Likelihood] = [.normal, .unitNormal]

  static let cases = [
    Case(name: "gray values", values: gray, likelihoods: unit + real),
    Case(name: "0 and 1", values: [0, 1, 1], likelihoods: [.bernoulli] + real),
    Case(
      name: "0 and 1 under a density", values: [0, 1, 1], likelihoods: [.continuousBernoulli],
      notes: [.binary]),
    Case(
      name: "floats 0 to 255", values: gray.map { $0 * 255 }, likelihoods: unit,
      refused: ["from 0 to 249.6875, but", "example 0, the first outside", "Divide them by 255"]),
    Case(
      name: "floats 0 to 255", values: gray.map { $0 * 255 }, likelihoods: real, notes: [.scale]),
    Case(
      name: "floats 0 to 255 through a threshold", values: gray.map { $0 * 255 },
      likelihoods: [.bernoulli], transform: "threshold"),
    Case(
      name: "floats 0 to 255 as probabilities", values: gray.map { $0 * 255 },
      likelihoods: [.bernoulli], transform: "binarize",
      refused: ["the transform binarize takes numbers from 0 to 1"]),
    Case(
      name: "16 bits", values: gray.map { ($0 * 65_535).rounded() }, likelihoods: unit,
      refused: ["Divide them by 65535"]),
    Case(
      name: "16 bits", values: gray.map { ($0 * 65_535).rounded() }, likelihoods: real,
      notes: [.scale]),
    Case(
      name: "-1 to 1", values: gray.map { $0 * 2 - 1 }, likelihoods: unit,
      refused: ["from -1 to 0.958", "Add 1 and halve them", "such as normal"]),
    Case(name: "-1 to 1", values: gray.map { $0 * 2 - 1 }, likelihoods: real),
    Case(
      name: "standardised", values: gray.map { ($0 - 0.5) * 5 }, likelihoods: unit,
      refused: ["Scale them"]),
    Case(name: "standardised", values: gray.map { ($0 - 0.5) * 5 }, likelihoods: real),
    Case(
      name: "classes", values: (0..<48).map { Float($0 % 10) }, likelihoods: unit,
      refused: ["from 0 to 9, but"]),
    Case(
      name: "classes", values: (0..<48).map { Float($0 % 10) }, likelihoods: real, notes: [.whole]),
    Case(
      name: "bytes of 0 and 1", values: [0, 1 / 255, 0], likelihoods: unit, notes: [.smallPart]),
    Case(
      name: "counts in bytes", values: (0..<48).map { Float($0 % 11) / 255 }, likelihoods: unit,
      notes: [.smallPart]),
    Case(name: "constant", values: [0.25], likelihoods: unit + real, notes: [.constant]),
    Case(
      name: "tiny", values: gray.map { $0 * 1e-4 }, likelihoods: real, notes: [.scale]),
    Case(
      name: "faint", values: gray.map { 0.5 + $0 / 4 }, likelihoods: real, notes: [.scale]),
    Case(
      name: "huge", values: gray.map { ($0 - 0.5) * 1e7 }, likelihoods: real, notes: [.scale]),
    Case(
      name: "a rounding beyond 1", values: [1.000_000_1] + gray, likelihoods: [.bernoulli] + real),
    Case(
      name: "a rounding beyond a density", values: [1.000_000_1] + gray,
      likelihoods: [.continuousBernoulli], refused: ["has 1.0000001"]),
    Case(name: "a NaN, which others refuse", values: [.nan] + gray, likelihoods: unit + real),
  ]

  static func dataset(_ values: [Float], mask: [Float]? = nil) -> ArrayDataset {
    let numbers = NDArray((0..<48).map { values[$0 % values.count] }, shape: [8, 6])
    var arrays = [Field.inputs: numbers]
    arrays[Field.mask] = mask.map { mask in
      NDArray((0..<48).map { mask[$0 % mask.count] }, shape: [8, 6])
    }
    return ArrayDataset(arrays, name: "eight")
  }

  private func look(
    _ model: some LatentVariableModel, _ data: some Dataset, _ transform: String = "none"
  ) throws -> [DataNote] {
    try model.look(at: data, through: BatchTransforms.parse(transform)).notes
  }

  @Test(arguments: cases) func table(row: Case) throws {
    for likelihood in row.likelihoods {
      let model = try DataLookTests.model(likelihood)
      let data = DataLookTests.dataset(row.values)
      if row.refused.isEmpty {
        let notes = try look(model, data, row.transform)
        #expect(notes.map(\.kind) == row.notes, "\(likelihood): \(notes)")
      } else {
        let error = #expect(throws: DataMisfit.self) { try look(model, data, row.transform) }
        let text = error.map { "\($0)" } ?? ""
        for part in ["data eight: numbers from "] + row.refused {
          #expect(text.contains(part), "\(text)")
        }
      }
    }
  }

  /// Tokens beyond the vocabulary, and before it.
  @Test(arguments: [Int32(256), -1]) func tokens(token: Int32) throws {
    let model = try DataLookTests.model(.categorical)
    var values = (0..<48).map { Int32($0 * 5) }
    #expect(try look(model, ArrayDataset(inputs: NDArray(values, shape: [8, 6]))).isEmpty)
    values[30] = token
    let error = #expect(throws: DataMisfit.self) {
      try look(model, ArrayDataset(inputs: NDArray(values, shape: [8, 6])))
    }
    #expect(error?.example == 5 && error?.value == Double(token))
    #expect(
      error?.support == .classes(256) && error?.taker == .likelihood("AutoregressiveCategorical"))
  }

  /// What the mask hides may be anything.
  @Test func underAMask() throws {
    let model = try DataLookTests.model(.bernoulli)
    let values: [Float] = [0.5, 300, 0.25]
    #expect(try look(model, DataLookTests.dataset(values, mask: [1, 0, 1])).isEmpty)
    #expect(throws: DataMisfit.self) {
      try look(model, DataLookTests.dataset(values, mask: [1, 1, 0]))
    }
  }

  /// The example is counted in the data themselves, not in the part that is trained on.
  @Test func namesTheRowOfTheFile() throws {
    var numbers = tinyData(44).arrays[Field.inputs]!.floats
    numbers[17 * 6 + 2] = 1.5
    let whole = ArrayDataset(inputs: NDArray(numbers, shape: [44, 6]), name: "whole")
    let part = Subset(whole, indices: [3, 40, 17, 5])
    var trainer = tinyTrainer()
    let error = #expect(throws: DataMisfit.self) {
      try trainer.fit(part, epochs: 1, batchSize: 2, handlesSignals: false)
    }
    #expect(error?.example == 17 && error?.dataset == "whole" && error?.value == 1.5)
    #expect(trainer.step == 0)
    trainer.checksData = false
    try trainer.fit(part, epochs: 1, batchSize: 2, handlesSignals: false)
    #expect(trainer.step == 2)
  }

  /// Rows that the sample passes over are found when they make the loss negative, or no number.
  @Test(arguments: [Float(3), 1e30]) func rowsThatWereNotLookedAt(value: Float) throws {
    let count = 400_000
    var random = RandomStream(seed: 1)
    var numbers = random.uniform([count, 6]).floats
    for (row, wasSeen) in try sampledPart(of: count) where !wasSeen && row % 2 == 0 {
      numbers[row * 6] = value
    }
    let data = ArrayDataset(inputs: NDArray(numbers, shape: [count, 6]), name: "many")
    var trainer = tinyTrainer()
    let error = #expect(throws: DataMisfit.self) {
      try trainer.fit(data, epochs: 2, batchSize: 500, handlesSignals: false)
    }
    #expect(error?.value == Double(value) && error.map { $0.example % 2 } == 0)
    #expect(value > 3 || trainer.step > 0)
  }

  /// Each example, and whether the look saw it.
  private func sampledPart(of count: Int) throws -> [(Int, Bool)] {
    let data = ArrayDataset(inputs: NDArray(repeating: 0.5, shape: [count, 6]))
    let seen = Set(try data.statistics().examples.map(\.index))
    #expect(seen.count < count / 2 && seen.contains(0) && seen.contains(count - 1))
    return (0..<count).map { ($0, seen.contains($0)) }
  }

  /// Notes reach the events of a new run, once, and not those of a resumed one.
  @Test func notesAreSaidOnce() throws {
    let kept = Kept()
    let data = DataLookTests.dataset([0, 1 / 255, 0])
    var trainer = tinyTrainer()
    let display = ProgressDisplay(isTerminal: false) { kept.texts.append($0) }
    try trainer.fit(data, epochs: 1, batchSize: 4, events: [display], handlesSignals: false)
    try trainer.fit(data, epochs: 2, batchSize: 4, events: [display], handlesSignals: false)
    let notes = kept.texts.filter { $0.hasPrefix("note: ") }
    #expect(notes.count == 1 && notes[0].contains("0 and 1/255 only"))
  }

  /// A model that starts at the data has their scale, and nothing is said of it.
  @Test func startingAtTheDataIsTheRemedy() throws {
    let data = DataLookTests.dataset(DataLookTests.gray.map { 0.5 + $0 / 4 })
    func notes(_ model: some LatentVariableModel) throws -> [DataNote] {
      var model = model
      let before = try look(model, data)
      #expect(before.count == 1 && before[0].description.contains("likelihood by 1"))
      let takesPart = try model.initialize(on: data)
      #expect(takesPart)
      return try look(model, data)
    }
    #expect(try notes(DataLookTests.model(.normal)).isEmpty)
    #expect(try notes(DataLookTests.model(.unitNormal)).map(\.kind) == [.scale])
  }

  /// The look draws nothing that the run draws: the same bits with and without.
  @Test func changesNoBits() throws {
    func bytes(_ checks: Bool) throws -> [UInt8] {
      var trainer = tinyTrainer()
      trainer.checksData = checks
      try trainer.fit(
        tinyData(), epochs: 2, batchSize: 8, transform: DynamicBinarization(),
        handlesSignals: false)
      return try trainer.bytes
    }
    #expect(try bytes(true) == bytes(false))
  }
}
