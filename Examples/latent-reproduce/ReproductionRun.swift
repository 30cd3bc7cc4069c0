// Training the arms of a finding and taking their figures. Everything happens in memory.

import Foundation
import Latent
import LatentCommands

struct ReproductionRun {
  let finding: Reproduction
  /// As of `latent-train --data`.
  let data: String
  /// Settings of all arms, over their own.
  let changes: [String]
  let seeds: [UInt64]
  let quiet: Bool

  func outcome() throws -> Outcome {
    // What cannot be run is refused before anything is trained.
    let source = try DataSource(parsing: data).open()
    source.training.printNotes()
    let configurations = try finding.arms.map { arm in
      try seeds.map { try configuration(of: arm, seed: $0, source.training) }
    }
    let test = try (source.test ?? source.training).only(finding.digits)
    let needsClassifier = finding.arms.contains { $0.figures.contains(.classes) }
    let classifier = needsClassifier ? try DigitClassifier(on: source.training) : nil
    let start = Date()
    var results = zip(finding.arms, configurations).map { arm, all in
      ArmOutcome(
        arm: arm.name, settings: all.first?.objective.name ?? "", figures: [:], seconds: [])
    }
    // Seeds outside: a run that is stopped early has every arm of the first ones.
    for (index, seed) in seeds.enumerated() {
      var trained: [String: any LatentVariableModel] = [:]
      for (number, arm) in finding.arms.enumerated() {
        let begun = Date()
        let configuration = configurations[number][index]
        let (model, share) = try train(
          configuration, source.training.only(arm.digits), from: arm.start.flatMap { trained[$0] })
        trained[arm.name] = model
        let measurement = Measurement(
          training: source.training, test: test,
          transform: try BatchTransforms.parse(configuration.transform),
          classifier: classifier, trainedShare: share, seed: seed)
        func measure(_ model: some LatentVariableModel) throws -> [(Figure, Double)] {
          try arm.figures.map { ($0, try measurement($0, of: model)) }
        }
        let figures = try measure(model)
        for (figure, value) in figures {
          results[number].figures[figure.rawValue, default: []].append(value)
        }
        results[number].seconds.append(Date().timeIntervalSince(begun))
        say(
          "seed \(seed), \(arm.name): "
            + figures.map { "\($0.0) \(rounded($0.1))" }.joined(separator: ", ")
            + " (\(Int(Date().timeIntervalSince(begun))) s)")
      }
    }
    let found = results
    return Outcome(
      version: LibraryVersion.current, finding: finding.name, paper: finding.paper, data: data,
      changes: changes, seeds: seeds, arms: found,
      verdicts: finding.claims.map { claim in
        claim.verdict { arm, figure in
          found.first { $0.arm == arm }?.figures[figure.rawValue] ?? [.nan]
        }
      }, seconds: Date().timeIntervalSince(start))
  }

  /// What `latent-train` makes of the same settings.
  private func configuration(
    of arm: Arm, seed: UInt64, _ data: any Dataset
  ) throws -> RunConfiguration {
    for change in changes where ["adapters.weights", "frozen"].contains(where: change.hasPrefix) {
      throw CommandError("--set \(change): which parts are trained is the arm's own affair", .usage)
    }
    let all = ["data=\(self.data)"] + finding.settings + arm.settings + changes + ["seed=\(seed)"]
    let configuration = try ConfigurationSources(
      file: nil, flags: all.map { try FlagSetting(assignment: $0) }
    ).configuration(inputShape: data.inputShape.dimensions)
    return configuration
  }

  /// The trained model, and the share of its numbers that were trained.
  private func train(
    _ configuration: RunConfiguration, _ data: any Dataset, from start: (any LatentVariableModel)?
  ) throws -> (any LatentVariableModel, share: Double) {
    var weights = RandomStream(seed: configuration.seed).split("initialization")
    func open<Model: LatentVariableModel>(
      _ model: Model
    ) throws -> (any LatentVariableModel, share: Double) {
      var model = model
      let transform = try BatchTransforms.parse(configuration.transform)
      model.initialize(
        from: try model.look(at: data, through: transform, seed: configuration.seed))
      if let start { _ = try model.load(start.namedArrays) }
      let facts = TrainingFacts(
        examples: data.count, inputShape: Shape(configuration.model.inputShape))
      return try train(
        model, configuration.objective.description.make(for: model, facts), configuration, data)
    }
    return try open(try configuration.model.makeModel(using: &weights))
  }

  private func train<Model: LatentVariableModel>(
    _ model: Model, _ rule: some TrainingObjective<Model>, _ configuration: RunConfiguration,
    _ data: any Dataset
  ) throws -> (any LatentVariableModel, share: Double) {
    let adapters = configuration.adapters
    if adapters.isEmpty { return (try train(model, by: rule, configuration, data), 1) }
    var random = RandomStream(seed: configuration.seed).split("adapters")
    let adapted = try Adapted(
      model, weights: adapters.weights, rank: adapters.rank, scale: adapters.scale, using: &random)
    let trained = try train(
      adapted, by: AdaptedObjective(rule, of: adapted), configuration, data)
    return (trained.merged, Double(adapted.parameterCount) / Double(model.parameterCount))
  }

  private func train<Model: Module>(
    _ model: Model, by rule: some TrainingObjective<Model>, _ configuration: RunConfiguration,
    _ data: any Dataset
  ) throws -> Model {
    let transform = try BatchTransforms.parse(configuration.transform)
    let order = BatchOrder(
      count: data.count, batchSize: configuration.batchSize, seed: configuration.seed)
    var trainer = Trainer(
      model, objective: rule, optimizer: try configuration.makeOptimizer(),
      schedule: try configuration.makeSchedule(stepsPerEpoch: order.batchesPerEpoch),
      clipping: configuration.optimizer.clip.map { .norm($0) }, seed: configuration.seed)
    try trainer.fit(
      data, epochs: configuration.epochs, batchSize: configuration.batchSize, transform: transform,
      events: quiet ? [] : [ProgressDisplay()])
    return trainer.model
  }

  private func say(_ text: String) {
    if !quiet { StandardStream.error.show(text + "\n") }
  }
}

/// What one arm gave, a number for each seed.
struct ArmOutcome: Encodable, Sendable {
  let arm, settings: String
  var figures: [String: [Double]]
  var seconds: [Double]
}

/// Everything that was found, as of `--out`.
struct Outcome: Encodable, Sendable {
  let version, finding, paper, data: String
  /// Where settings were changed, figures are not those that claims are about.
  let changes: [String]
  let seeds: [UInt64]
  let arms: [ArmOutcome]
  let verdicts: [Verdict]
  let seconds: Double

  /// For people.
  var table: String {
    let figures = arms.flatMap { arm in
      arm.figures.sorted { $0.key < $1.key }.map { name, values in
        let mean = values.count > 1 ? "\(rounded(mean(values))) +- \(rounded(spread(values)))" : ""
        return [arm.arm, name, mean, values.map(rounded).joined(separator: ", ")]
      }
    }
    let claims = verdicts.map { [$0.claim, $0.found, $0.holds ? "yes" : "no"] }
    let note = changes.isEmpty ? "" : ", changed: \(changes.joined(separator: " "))"
    return """
      \(finding) (\(paper)) on \(data), \(seeds.count == 1 ? "seed" : "seeds") \
      \(seeds.map(String.init).joined(separator: ", "))\(note); \(Int(seconds)) s

      \(Outcome.table(["arm", "figure", "mean", "each seed"], figures))

      \(Outcome.table(["expected", "found", "holds"], claims))

      """
  }

  private static func table(_ head: [String], _ rows: [[String]]) -> String {
    let all = [head] + rows
    let widths = head.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { cells in
      zip(cells, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
        .joined(separator: "  ").trimmingTrailingSpaces
    }.joined(separator: "\n")
  }
}

extension String {
  fileprivate var trimmingTrailingSpaces: String {
    String(self[..<(lastIndex { $0 != " " }.map { index(after: $0) } ?? startIndex)])
  }
}

extension Dataset {
  /// The examples of some digits, in their order; all where nothing is said.
  fileprivate func only(_ digits: ClosedRange<Int>?) throws -> any Dataset {
    guard let digits else { return self }
    var indices: [Int] = []
    for start in stride(from: 0, to: count, by: 1000) {
      let labels = try batch(start..<min(start + 1000, count)).labels?.int32s ?? []
      indices += labels.indices.filter { digits.contains(Int(labels[$0])) }.map { start + $0 }
    }
    if indices.isEmpty {
      throw CommandError(
        "\(name) has no examples with labels from \(digits.lowerBound) to \(digits.upperBound)",
        .dataError)
    }
    return Subset(self, indices: indices)
  }
}
