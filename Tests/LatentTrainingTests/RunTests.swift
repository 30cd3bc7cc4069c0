// Opening a run from code: its model with the averaged weights, its settings, the names of its labels.

import Foundation
import Latent
import Testing

@Suite struct RunTests {
  static let configuration = {
    var configuration = RunConfiguration(
      data: "npy:x.npy",
      model: ModelDescription(MLPNetwork(hidden: [5], latentSize: 2), inputShape: [6]))
    configuration.transform = "threshold:0.5"
    return configuration
  }()

  /// A trainer of the described model.
  static func trainer(
    average: Double? = nil, labels: String? = nil
  ) throws -> Trainer<TinyModel, ELBO<TinyModel>> {
    var trainer = tinyTrainer(average: average)
    trainer.descriptions[RunConfiguration.textName] = try configuration.encoded()
    trainer.descriptions[Run.labelsName] = labels
    return trainer
  }

  static func codes(_ run: Run, _ x: Tensor) -> NDArray {
    func codes(_ model: some LatentVariableModel) -> NDArray { model.codes(of: x).array }
    return codes(run.model)
  }

  @Test func opensFolderFileBestAndLatest() throws {
    try withTemporaryFolder { folder in
      var trainer = try Self.trainer(average: 0.9, labels: #"["cat", "dog"]"#)
      let x = Tensor(try tinyData().batch(0..<4).inputs)
      #expect(throws: RunError.noBest(folder: folder)) { try Run(path: folder) }
      try trainer.fit(
        tinyData(), epochs: 2, batchSize: 11, events: [.saveEvery(to: folder)],
        handlesSignals: false)
      let averaged = try #require(trainer.average).model
      for run in [
        try Run(path: folder, checkpoint: .latest), try Run(path: "\(folder)/"),
        try Run(path: try RunFolder.newest(in: folder).path),
        try Run(path: "elsewhere", checkpoint: .file("\(folder)/best.h5")),
      ] {
        #expect(run.configuration == Self.configuration)
        #expect(run.classNames == ["cat", "dog"])
        #expect(try run.transform?.description == "threshold:0.5")
        #expect(run.input == InputForm(shape: [6], dtype: .float32, latentShape: [2]))
      }
      // The averaged weights are those that were evaluated.
      let latest = try Run(path: folder, checkpoint: .latest)
      #expect(Self.codes(latest, x) == averaged.codes(of: x).array)
      #expect(Self.codes(latest, x) != trainer.model.codes(of: x).array)
      #expect(throws: InputError.self) { try latest.input.checked(.zeros([7])) }
    }
  }

  @Test func whatIsNoDescribedRunIsRefused() throws {
    try withTemporaryFolder { folder in
      #expect(throws: StorageError.missing(file: "\(folder)/none")) {
        try Run(path: "\(folder)/none")
      }
      let path = "\(folder)/best.h5"
      try tinyTrainer().checkpoint().write(to: path)
      let error = #expect(throws: RunError.self) { try Run(path: folder) }
      #expect(
        error?.description
          == "checkpoint \(path) does not say how its run was made: it was not written by latent-train"
      )
      try Self.trainer(labels: "cat").checkpoint().write(to: path)
      #expect(
        throws: RunError.wrongSettings(path: path, reason: ": the names of its labels are no list")
      ) { try Run(path: folder) }
    }
  }

  /// Many threads may ask one model at once.
  @Test func servesSeveralThreads() async throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).h5")
      .path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Self.trainer().checkpoint().write(to: path)
    let run = try Run(path: path)
    let x = Tensor(try tinyData().batch(0..<44).inputs)
    let whole = Self.codes(run, x)
    let answers = try await withThrowingTaskGroup(of: (Int, NDArray).self) { group in
      for request in 0..<44 {
        group.addTask {
          let row = try run.input.checked(x.selecting(request))
          return (request, Self.codes(run, row))
        }
      }
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    for (request, answer) in answers {
      let expected = whole.taking(NDArray([Int32(request)]), axis: 0)
      let distance = zip(answer.doubles, expected.doubles).map { abs($0 - $1) }.max() ?? 1
      #expect(distance < 1e-5, "alone or in a batch, request \(request)")
    }
  }
}
