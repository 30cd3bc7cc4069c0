// The likelihood of a data set, which takes minutes or hours: a value that holds what is done, and goes on.

import Foundation
import LatentAutodiff
import LatentDatasets
import LatentModels
import LatentNumerics
import LatentStorage

/// The importance-weighted likelihood of a data set under a model, as far as it has been estimated.
///
/// ```swift
/// var run = LikelihoodRun(ImportanceSampling(samples: 5000), of: model.fingerprint, on: test)
/// try run.advance(model, on: test) { done, count in
///   print("\(done) of \(count)")
///   return true
/// }
/// print(run.measurements)
/// ```
public struct LikelihoodRun: Sendable, Equatable {
  /// What a file holds beside the numbers.
  private struct Record: Codable {
    let sampling: ImportanceSampling
    let model: String
    let data: String
    let count: Int
  }

  /// How each example is estimated.
  public let sampling: ImportanceSampling
  /// Which model: its fingerprint, or another name that no other model has.
  public let model: String
  /// Which data.
  public let data: String
  /// The number of examples altogether.
  public let count: Int
  /// Of the first examples, in their order; those that are missing are to come.
  public private(set) var estimates: [ImportanceEstimate] = []

  /// Examples that are estimated before `progress` is asked again.
  private static let block = 32

  /// A run that has not begun, of the first `count` examples, all unless said otherwise.
  ///
  /// - Parameter model: Whose numbers these are, for whoever goes on with a file of them.
  public init(
    _ sampling: ImportanceSampling, of model: String, on dataset: some Dataset, count: Int? = nil
  ) {
    self.sampling = sampling
    self.model = model
    data = dataset.name
    self.count = min(count ?? dataset.count, dataset.count)
  }

  /// Whether every example is estimated.
  public var isComplete: Bool { estimates.count == count }

  /// Estimates the examples that are missing. `progress` hears after every few of them how many are done, of how many;
  /// what it returns says whether to go on.
  ///
  /// - Throws: `Unmeasurable` where draws of the model have no importance weights, `LikelihoodRunError.otherData` where
  ///   the data are not those of the run, and what the data set throws;
  ///   what is done by then is kept.
  public mutating func advance(
    _ model: some LatentVariableModel, on dataset: some Dataset,
    progress: (_ done: Int, _ count: Int) -> Bool = { _, _ in true }
  ) throws {
    guard dataset.name == data, dataset.count >= count else {
      throw LikelihoodRunError.otherData(
        found: "\(dataset.name) of \(dataset.count) examples",
        expected: "\(data) of \(count) or more")
    }
    while !isComplete {
      let start = estimates.count
      let batch = try dataset.batch(start..<min(start + LikelihoodRun.block, count))
      try batch.requireFinite(in: dataset)
      if start == 0 {
        try model.checkImportanceWeights(of: Tensor(batch.inputs), fields: batch.tensors)
      }
      estimates += model.importanceEstimates(
        of: Tensor(batch.inputs), sampling, firstExample: start, fields: batch.tensors)
      guard progress(estimates.count, count) else { return }
    }
  }
}

// MARK: - In a file

extension LikelihoodRun {
  private static let textName = "likelihood"
  private static let arrayName = "estimates"

  /// Writes what is done, atomically.
  /// - Throws: `StorageError`.
  public func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let record = Record(sampling: sampling, model: model, data: data, count: count)
    let numbers = estimates.flatMap {
      [$0.logLikelihood, $0.standardError, $0.effectiveSamples, $0.tailShape]
    }
    let checkpoint = Checkpoint(
      arrays: [LikelihoodRun.arrayName: NDArray(numbers, shape: [estimates.count, 4])],
      texts: [
        LikelihoodRun.textName: String(decoding: try encoder.encode(record), as: UTF8.self)
      ])
    try checkpoint.write(to: path)
  }

  /// Reads what was done of the run of a model.
  /// - Throws: `StorageError`, `LikelihoodRunError.noRun` where the file holds none, and `.otherModel`.
  public init(contentsOf path: String, of model: String) throws {
    let checkpoint = try Checkpoint(contentsOf: path)
    guard let text = checkpoint.texts[LikelihoodRun.textName],
      let record = try? JSONDecoder().decode(Record.self, from: Data(text.utf8)),
      let numbers = checkpoint.arrays[LikelihoodRun.arrayName], numbers.shape.rank == 2,
      numbers.shape[1] == 4, numbers.shape[0] <= record.count
    else { throw LikelihoodRunError.noRun(file: path) }
    guard record.model == model else {
      throw LikelihoodRunError.otherModel(file: path, found: record.model, expected: model)
    }
    sampling = record.sampling
    self.model = record.model
    data = record.data
    count = record.count
    let values = numbers.doubles
    estimates = (0..<numbers.shape[0]).map { row in
      ImportanceEstimate(
        logLikelihood: values[4 * row], standardError: values[4 * row + 1],
        effectiveSamples: values[4 * row + 2], tailShape: values[4 * row + 3])
    }
  }
}

/// A likelihood run that cannot go on.
public enum LikelihoodRunError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A file holds no run.
  case noRun(file: String)
  /// The numbers are those of another model.
  case otherModel(file: String, found: String, expected: String)
  /// The numbers are those of other data.
  case otherData(found: String, expected: String)

  public var description: String {
    switch self {
    case .noRun(let file):
      "cannot go on with '\(file)': it holds no likelihood run; write one with LikelihoodRun.write"
    case .otherModel(let file, let found, let expected):
      "cannot go on with '\(file)': it was begun for the model \(found), not \(expected); begin anew"
    case .otherData(let found, let expected):
      "cannot go on with a likelihood run on \(found): it was begun on \(expected); begin anew"
    }
  }
}

// MARK: - As measurements

extension LikelihoodRun {
  /// The mean of -log p(x), the share of examples whose estimate is not to be relied on, and the median of their
  /// effective draws; of the examples that are done, none where there are none.
  public var measurements: [MetricValue] {
    guard !estimates.isEmpty else { return [] }
    var settings = sampling.words
    settings["data"] = data
    let nll = MeanWithError(estimates.map { -$0.logLikelihood })
    let unreliable = MeanWithError(estimates.map { $0.isReliable ? 0 : 1 })
    let effective = estimates.map(\.effectiveSamples).sorted()
    let middle = effective.count / 2
    let median =
      effective.count.isMultiple(of: 2)
      ? (effective[middle - 1] + effective[middle]) / 2 : effective[middle]
    return [
      MetricValue(
        .importanceNLL, nll.mean, standardError: nll.error, count: estimates.count,
        settings: settings),
      MetricValue(
        .unreliableTails, unreliable.mean, standardError: unreliable.error, ceiling: 0,
        count: estimates.count, settings: settings),
      MetricValue(
        .effectiveDraws, median, ceiling: Double(sampling.samples), count: estimates.count,
        settings: settings),
    ]
  }
}

extension Metric {
  /// -log p(x) by importance sampling.
  public static let importanceNLL = Metric(
    "nll", title: "Negative log-likelihood by importance sampling",
    formula:
      "mean over examples of -log (1/K) sum_k p(x, z_k) / q(z_k | x), z_k from q, K = 5,000 unless said; an upper "
      + "bound of the mean of -log p(x) in expectation; standard error: sd over examples / sqrt n",
    paper: "Burda, Grosse and Salakhutdinov 2016, equation 8", unit: .nats, better: .lower,
    chance: "of a model that knows the data's marginals: the sum of their entropies",
    ceiling: "the entropy of the data, not known", cost: "K decodings of each example",
    test: "LatentEvaluationTests/Likelihood/ImportanceTests.swift")

  /// How often the estimate of an example is not to be relied on.
  public static let unreliableTails = Metric(
    "nll-unreliable", title: "Examples with unreliable importance weights",
    formula:
      "share of examples whose largest min(K / 5, 3 sqrt K) weights have a fitted generalised Pareto shape above "
      + "0.7 (Zhang and Stephens 2009); standard error: sd over examples / sqrt n",
    paper: "Vehtari et al. 2024, section 3", unit: .share, better: .lower, chance: "none",
    ceiling: "0", cost: "nothing beside nll",
    test: "LatentEvaluationTests/Likelihood/ParetoTailTests.swift")

  /// How many draws count.
  public static let effectiveDraws = Metric(
    "nll-ess", title: "Effective draws of importance sampling",
    formula: "median over examples of (sum w)^2 / sum w^2", paper: "Kong 1992", unit: .count,
    better: .higher, chance: "1", ceiling: "K", cost: "nothing beside nll",
    test: "LatentEvaluationTests/Likelihood/ImportanceTests.swift")
}
