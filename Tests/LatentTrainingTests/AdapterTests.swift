// Adapters in training: the base stays to the bit, a resumed run is the whole one, every objective takes
// them, and files put them on the model that they belong to and on no other.

import Foundation
import Latent
import Testing

@Suite(.serialized) struct AdapterTests {
  typealias AdaptedTrainer = Trainer<Adapted<TinyModel>, AdaptedObjective<ELBO<TinyModel>>>

  static func adapted(
    weights: [PathPattern] = ["**"], scale: Double = 2, seed: UInt64 = 1
  ) throws -> Adapted<TinyModel> {
    var random = RandomStream(seed: 40)
    return try Adapted(
      tinyModel(seed: seed), weights: weights, rank: 2, scale: scale, using: &random)
  }

  static func trainer(
    _ model: Adapted<TinyModel>? = nil, average: Double? = nil
  ) throws -> AdaptedTrainer {
    let model = try model ?? adapted()
    var trainer = Trainer(
      model, objective: try AdaptedObjective(ELBO(), of: model),
      optimizer: Adam(learningRate: 0.01), seed: 3)
    trainer.average = average.map { ExponentialMovingAverage(model, decay: $0) }
    return trainer
  }

  static func fit(_ trainer: inout AdaptedTrainer, epochs: Int) throws {
    try trainer.fit(tinyData(), epochs: epochs, batchSize: 11, handlesSignals: false)
  }

  @Test(arguments: [nil, 0.9]) func baseStaysAndRunsResume(average: Double?) throws {
    let base = tinyModel().namedArrays
    var whole = try Self.trainer(average: average)
    #expect(whole.model.merged.namedArrays == base)
    try Self.fit(&whole, epochs: 2)
    let middle = try whole.checkpoint()
    try Self.fit(&whole, epochs: 5)
    #expect(whole.model.base.namedArrays == base)
    #expect(whole.average.map { $0.model.base.namedArrays == base } ?? true)
    for path in whole.model.adapters.map(\.path) {
      #expect(whole.model.merged.namedArrays[path] != base[path], "\(path)")
    }
    // Moments of the factors alone.
    #expect(whole.optimizer.state.values.allSatisfy { $0.count < tinyModel().parameterCount * 2 })
    var resumed = try Self.trainer(average: average)
    try resumed.resume(from: middle)
    try Self.fit(&resumed, epochs: 5)
    #expect(try resumed.bytes == whole.bytes)
    // Another scale is another run.
    var other = try Self.trainer(Self.adapted(scale: 1))
    #expect(throws: TrainingError.self) { try other.resume(from: middle) }
  }

  /// Of the benchmarked network, with rank 4 everywhere.
  @Test func fewParameters() throws {
    var random = RandomStream(seed: 1)
    let model = VAE(
      encoder: MLPEncoder(inputShape: [784], hidden: [400], latentSize: 20, using: &random),
      decoder: MLPDecoder(
        latentSize: 20, hidden: [400], outputShape: [784], head: BernoulliHead(), using: &random),
      prior: .standardNormal(20))
    let adapted = try Adapted(model, weights: ["**"], rank: 4, using: &random)
    #expect(adapted.parameterCount == 4 * (784 + 400 + 400 + 40 + 20 + 400 + 400 + 784))
    #expect(Double(adapted.parameterCount) <= 0.05 * Double(model.parameterCount))
    try withTemporaryFolder { folder in
      try SavedAdapters(of: adapted).write(to: "\(folder)/a.h5")
      let size = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/a.h5")).count
      #expect(size < 100_000)
    }
  }

  /// Everything of two and more axes but the tables that vectors are looked up in, and dictionaries.
  @Test(arguments: ModelDescription.presets.map(\.name))
  func everyNetworkTakesThem(name: String) throws {
    let preset = try #require(ModelDescription.presets.first { $0.name == name })
    let shape = preset.likelihood == .categorical ? [16] : [32, 32, 1]
    var random = RandomStream(seed: 42)
    func check(_ model: some LatentVariableModel) throws {
      let adapted = try Adapted(model, weights: ["**"], rank: 1, using: &random)
      let matrices = model.namedParameters.filter { $0.isTrained && $0.tensor.rank >= 2 }
        .map(\.path).filter {
          !$0.contains(".tokens.") && !$0.contains(".positions.") && $0 != "decoder.weight"
        }
      #expect(adapted.adapters.map(\.path) == matrices && !matrices.isEmpty)
      #expect(adapted.merged.namedArrays == model.namedArrays)
    }
    try check(ModelDescription(named: name, inputShape: shape).makeModel(using: &random))
  }

  @Test(arguments: ObjectiveSettings.all.map { $0.name })
  func everyObjectiveTakesThem(name: String) throws {
    let data = Tensor(try ObjectiveLawTests.data.batch(0..<16).inputs)
    let description = try ObjectiveSettings(named: name).description
    let facts = TrainingFacts(examples: 64, inputShape: Shape(ObjectiveLawTests.shape))
    func check<Model: LatentVariableModel, Rule: TrainingObjective<Model>>(
      _ model: Model, _ rule: Rule
    ) throws {
      var random = RandomStream(seed: 41)
      let isDense = model is VAE<MLPEncoder, MLPDecoder<BernoulliHead>, StandardNormalPrior>
      let adapted = try Adapted(
        model, weights: isDense ? ["encoder.**", "decoder.hidden.**"] : ["**"],
        rank: isDense ? 2 : 1,
        using: &random)
      if rule.settlesParameters {
        let error = #expect(throws: ModelRequirementError.self) {
          try AdaptedObjective(rule, of: adapted)
        }
        #expect(error?.description.contains("needs weights that it can change") == true)
        return
      }
      var trainer = Trainer(
        adapted, objective: try AdaptedObjective(rule, of: adapted),
        optimizer: Adam(learningRate: 3e-3), seed: 3)
      let before = model.namedArrays
      for _ in 0..<3 { #expect(try !trainer.step(data).wasSkipped) }
      #expect(trainer.model.base.namedArrays == before)
      let merged = trainer.model.merged.namedArrays
      #expect(trainer.model.adapters.contains { merged[$0.path] != before[$0.path] })
    }
    func open(_ model: some LatentVariableModel) throws {
      try check(model, description.make(for: model, facts))
    }
    let isSparse = ObjectiveLawTests.sparse.contains(name)
    let network = isSparse ? "sparse" : name == EquivarianceDescription.name ? "resnet" : "mlp"
    try open(
      ObjectiveLawTests.model(
        .init(
          objective: name, network: network, likelihood: isSparse ? .unitNormal : .bernoulli)))
  }

  /// Both players of a game need something to move.
  @Test func aPlayerWithoutAdapters() throws {
    let facts = TrainingFacts(examples: 64, inputShape: [6])
    let adapted = try Self.adapted(weights: ["decoder.**"])
    func wrap<Rule: TrainingObjective<TinyModel>>(_ rule: Rule) throws {
      _ = try AdaptedObjective(rule, of: adapted)
    }
    let lagging = try ObjectiveSettings(named: "lagging").description
    let error = #expect(throws: ModelRequirementError.self) {
      try wrap(lagging.make(for: tinyModel(), facts))
    }
    #expect(
      error?.description.hasSuffix(
        "needs an adapter of encoder.** or prior.**: found adapters of decoder.hidden.0.weight, "
          + "decoder.output.weight") ?? false, "\(error?.description ?? "")")
  }

  @Test func aModelLikeAnyOther() throws {
    var trainer = try Self.trainer()
    try Self.fit(&trainer, epochs: 2)
    let model = trainer.model
    let x = Tensor(try tinyData().batch(0..<4).inputs)
    #expect(model.codes(of: x).array == model.merged.codes(of: x).array)
    #expect(model.latentShape == [2] && InputForm(of: model).shape == [6])
    #expect(throws: Never.self) { try model.reparameterized(for: "a test") }
    #expect(throws: Never.self) { try model.diagonalNormal(for: "a test") }
    // An objective of the adapted model itself takes the same step.
    var plain = Trainer(
      try Self.adapted(), objective: ELBO(), optimizer: Adam(learningRate: 0.01), seed: 3)
    var wrapped = try Self.trainer()
    try plain.step(x)
    try wrapped.step(x)
    #expect(plain.model.namedArrays == wrapped.model.namedArrays)
  }

  // MARK: Files

  @Test func savedAlone() throws {
    try withTemporaryFolder { folder in
      var trainer = try Self.trainer()
      try Self.fit(&trainer, epochs: 2)
      let path = "\(folder)/adapters.h5"
      let saved = SavedAdapters(of: trainer.model)
      try saved.write(to: path)
      let read = try SavedAdapters(contentsOf: path)
      #expect(read == saved)
      let again = try read.adapting(tinyModel())
      #expect(again.namedArrays == trainer.model.namedArrays && again.scale == 2)
      #expect(again.merged.namedArrays == trainer.model.merged.namedArrays)
      let other = tinyModel(seed: 2)
      let error = #expect(throws: RunError.self) {
        try read.adapting(other, path: path, owner: "run/")
      }
      #expect(
        error?.description
          == "adapters \(path): they belong to parameters of fingerprint "
          + "\(tinyModel().fingerprint.prefix(8)), but run/ has \(other.fingerprint.prefix(8)); open "
          + "them beside the run that they were trained from")
      try trainer.checkpoint().write(to: "\(folder)/none.h5")
      #expect(
        throws: RunError.wrongAdapters(
          path: "\(folder)/none.h5", reason: ": there are none in this file")
      ) { try SavedAdapters(contentsOf: "\(folder)/none.h5") }
      var damaged = try Checkpoint(contentsOf: path)
      damaged.texts[SavedAdapters.textName] = "{}"
      #expect(throws: RunError.self) { try SavedAdapters(in: damaged, path: path) }
      damaged = try Checkpoint(contentsOf: path)
      damaged.arrays["factors/decoder.output.weight.up"] = nil
      let partial = try #require(try SavedAdapters(in: damaged, path: path))
      #expect(throws: ParameterMismatch.self) { try partial.adapting(tinyModel()) }
    }
  }

  @Test func fingerprints() {
    let model = tinyModel()
    #expect(model.fingerprint == tinyModel().fingerprint && model.fingerprint.count == 64)
    #expect(model.fingerprint != tinyModel(seed: 2).fingerprint)
    #expect(model.fingerprint != model.converted(to: .float64).fingerprint)
    #expect(model.encoder.fingerprint != model.decoder.fingerprint)
  }

  /// A run with adapters opens as any other, and its adapters beside the run that they were trained from.
  @Test(arguments: [nil, 0.5]) func runs(average: Double?) throws {
    try withTemporaryFolder { folder in
      let (first, second) = ("\(folder)/base", "\(folder)/tuned")
      try RunTests.trainer().checkpoint().write(to: "\(first).h5")
      var configuration = RunTests.configuration
      configuration.adapters.weights = ["**"]
      configuration.adapters.rank = 2
      var trainer = try Self.trainer(average: average)
      trainer.descriptions[RunConfiguration.textName] = try configuration.encoded()
      trainer.descriptions[SavedAdapters.textName] =
        try SavedAdapters(of: trainer.model).record.encoded()
      try Self.fit(&trainer, epochs: 3)
      try trainer.checkpoint().write(to: "\(second).h5")
      let x = Tensor(try tinyData().batch(0..<4).inputs)
      let expected = (trainer.average?.model ?? trainer.model).merged.codes(of: x).array
      let run = try Run(path: "\(second).h5")
      #expect(run.configuration == configuration && run.adapters?.rank == 2)
      #expect(RunTests.codes(run, x) == expected)
      #expect(run.model is TinyModel, "an ordinary model")
      try SavedAdapters(contentsOf: "\(second).h5").write(to: "\(folder)/adapters.h5")
      let both = try Run(path: "\(first).h5", adapters: "\(folder)/adapters.h5")
      #expect(RunTests.codes(both, x) == expected)
      #expect(try Run(path: "\(first).h5").adapters == nil)
      #expect(throws: RunError.self) {
        try Run(path: "\(second).h5", adapters: "\(folder)/adapters.h5")
      }
    }
  }
}
