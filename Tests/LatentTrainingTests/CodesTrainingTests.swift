// Discrete latents in training: every quantiser and every objective that takes them, code books among what is resumed to
// the bit.

import Foundation
import Latent
import Testing

@Suite(.serialized) struct CodesTrainingTests {
  /// All quantisers, and code books that are moved in every way.
  static let codes: [any CodesDescription] = {
    var list: [any CodesDescription] = CodesSettings.all.map { small($0.init()) }
    list.append(book { $0.learning = .loss })
    list.append(book { ($0.learning, $0.restart) = (.loss, 0.5) })
    list.append(book { $0.restart = 0.5 })
    list.append(book { ($0.gradient, $0.kmeans) = (.rotation, 0) })
    list.append(book { ($0.gradient, $0.restart) = (.diveq, 0.5) })
    let levels = CodesSettings(small(FiniteScalarCodes()))
    list.append(residual { ($0.inside, $0.dropout) = (levels, 0.5) })
    return list
  }()

  static func book(_ change: (inout VectorCodes) -> Void) -> VectorCodes {
    var codes = VectorCodes()
    (codes.codes, codes.dimension) = (12, 2)
    change(&codes)
    return codes
  }

  static func residual(_ change: (inout ResidualCodes) -> Void) -> ResidualCodes {
    var codes = ResidualCodes()
    (codes.stages, codes.inside) = (2, CodesSettings(book { _ in }))
    change(&codes)
    return codes
  }

  static func small(_ codes: any CodesDescription) -> any CodesDescription {
    switch codes {
    case is VectorCodes: return book { _ in }
    case is ResidualCodes: return residual { _ in }
    case var codes as LinearCodes:
      codes.codes = 12
      return codes
    case var codes as GroupedCodes:
      codes.inside = CodesSettings(book { _ in })
      return codes
    default: return codes
    }
  }

  static func model(_ codes: any CodesDescription) throws -> any LatentVariableModel {
    var random = RandomStream(seed: 1)
    return try ModelDescription(
      ConvMapNetwork(channels: [4, 6], latentChannels: 4), inputShape: ObjectiveLawTests.shape,
      posterior: CodesPosterior(codes), likelihood: .normal
    ).makeModel(using: &random)
  }

  static let facts = TrainingFacts(
    examples: ObjectiveLawTests.count, inputShape: Shape(ObjectiveLawTests.shape))

  @Test(arguments: codes.indices) func trainsAndResumes(index: Int) throws {
    try check(Self.model(Self.codes[index]), "\(Self.codes[index])")
  }

  private func check<Model: LatentVariableModel>(_ model: Model, _ name: String) throws {
    try check(
      model, rule: VectorQuantizationDescription().make(for: model, Self.facts), name)
  }

  private func check<Model: LatentVariableModel, Rule: TrainingObjective<Model>>(
    _ model: Model, rule: Rule, _ name: String
  ) throws {
    let before = Threads.count
    defer { Threads.count = before }
    let data = ObjectiveLawTests.data
    func trainer() -> Trainer<Model, Rule> {
      Trainer(model, objective: rule, optimizer: Adam(learningRate: 3e-3), seed: 3)
    }
    func run(_ trainer: inout Trainer<Model, Rule>, _ steps: Range<Int>) throws -> [StepReport] {
      try steps.map { step in
        let start = step % 4 * 16
        let x = try data.batch(at: Array(start..<start + 16)).inputs
        return try trainer.step(Tensor(x))
      }
    }
    Threads.count = 1
    var whole = trainer()
    var reports = try run(&whole, 0..<9)
    let middle = try whole.checkpoint()
    reports += try run(&whole, 9..<16)
    let bytes = try whole.bytes
    _ = try whole.evaluate(data, batchSize: 16)
    #expect(try whole.bytes == bytes, "\(name): an evaluation changes nothing")
    let reconstructions = reports.map { report in
      report.terms.first { $0.name == "reconstruction" }?.value ?? .nan
    }
    let (first, last) = (
      reconstructions.prefix(4).reduce(0, +), reconstructions.suffix(4).reduce(0, +)
    )
    #expect(last < first, "\(name): \(reconstructions)")
    #expect(reports.allSatisfy { $0.terms.contains { $0.name == "perplexity" && $0.value >= 1 } })
    Threads.count = 2
    var resumed = trainer()
    #expect(try resumed.resume(from: middle).isEmpty)
    _ = try run(&resumed, 9..<16)
    #expect(try resumed.bytes == bytes, "\(name): resumed, with another number of threads")
  }

  /// Every objective either trains codes or says in one sentence what it lacks.
  @Test(arguments: ObjectiveSettings.all.map { $0.name } + ["nested-dropout:vq", "augmented:vq"])
  func objectives(name: String) throws {
    let settings = try ObjectiveLawTests.withSmallCritics(
      ObjectiveSettings(chain: name.split(separator: ":").map(String.init)))
    func open<Model: LatentVariableModel>(_ model: Model) throws {
      do {
        try train(model, settings.description.make(for: model, Self.facts), name)
      } catch let error as ModelRequirementError {
        #expect(error.description.hasPrefix("objective '"), "\(error)")
      }
    }
    try open(Self.model(Self.book { $0.restart = 0.5 }))
  }

  private func train<Model: LatentVariableModel, Rule: TrainingObjective<Model>>(
    _ model: Model, _ rule: Rule, _ name: String
  ) throws {
    var trainer = Trainer(model, objective: rule, optimizer: Adam(learningRate: 1e-3), seed: 3)
    let x = Tensor(try ObjectiveLawTests.data.batch(at: Array(0..<16)).inputs)
    // These never encode.
    if ["gan", "wgan-gp"].contains(name) { return }
    for _ in 0..<3 {
      let report = try trainer.step(x)
      #expect(report.terms.contains { $0.name == "commitment" }, "\(name): \(report.terms)")
    }
    let paths = ["book", "counts", "sums"].map { "encoder.posterior.quantizer.\($0)" }
    let (before, after) = (model.namedParameters, trainer.model.namedParameters)
    for (old, new) in zip(before, after) where paths.contains(old.path) {
      #expect(old.tensor.array != new.tensor.array, "\(name) leaves \(old.path)")
    }
  }

  /// The divergence of codes from a uniform prior is the same for all: nothing of it is free.
  @Test func freeBits() throws {
    func open<Model: LatentVariableModel>(_ model: Model) throws {
      var elbo = ELBODescription()
      elbo.freeBits = 0.1
      let error = #expect(throws: ModelRequirementError.self) {
        try elbo.make(for: model, Self.facts)
      }
      #expect(
        error?.description
          == "objective 'elbo' needs no free bits, of which codes have no use: found CodePoint")
    }
    try open(Self.model(VectorCodes()))
  }
}
