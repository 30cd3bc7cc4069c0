// How strange each example is to a run: for the comparison with other data, and as a file.

import Foundation
import Latent
import LatentCommands

/// The scores that a run can give.
struct OutlierScores {
  /// Examples of each set: a search for better posteriors takes hundreds of passes.
  static let limit = 1000
  /// Draws for each likelihood.
  private static let samples = 64

  /// What cannot be scored and why.
  let notes: [String]
  private let score: (Batch, inout RandomStream) throws -> [OutlierScore: Tensor]
  private let options: EvaluationOptions
  private let say: (String) -> Void

  init<Model: LatentVariableModel>(
    _ model: Model, _ opened: OpenRun, training: any Dataset, _ options: EvaluationOptions,
    say: @escaping (String) -> Void
  ) throws {
    self.options = options
    self.say = say
    // What is typical is what training data have.
    var random = RandomStream(seed: options.seed).split("typical")
    let seen = try training.batch(0..<min(OutlierScores.limit, training.count))
    try model.checkImportanceWeights(
      of: Tensor(seen.inputs).sliced(0, 0..<1),
      fields: seen.tensors.mapValues { $0.sliced(0, 0..<1) })
    say("outliers: the likelihood of training data")
    let entropy = -model.logLikelihood(
      of: Tensor(seen.inputs), importanceSamples: OutlierScores.samples, fields: seen.tensors,
      using: &random
    ).converted(to: .float64).mean().item
    var regret: LikelihoodRegret? = LikelihoodRegret()
    var notes: [String] = []
    do {
      _ = try model.diagonalNormal(for: "likelihood regret")
    } catch let error as ModelRequirementError {
      regret = nil
      notes.append("\(error)")
    }
    self.notes = notes
    score = { [regret] batch, random in
      try model.outlierScores(
        of: Tensor(batch.inputs), samples: OutlierScores.samples, entropy: entropy, regret: regret,
        fields: batch.tensors, using: &random)
    }
  }

  /// Of the first examples of a set, `[examples]` each.
  func callAsFunction(_ data: any Dataset, _ title: String) throws -> [OutlierScore: Tensor] {
    let count = min(data.count, OutlierScores.limit)
    var parts: [OutlierScore: [Tensor]] = [:]
    let root = RandomStream(seed: options.seed).split("outliers")
    for start in stride(from: 0, to: count, by: 100) {
      var random = root.split(UInt64(start))
      let batch = try data.batch(start..<min(start + 100, count))
      for (name, values) in try score(batch, &random) { parts[name, default: []].append(values) }
      say("\(title): \(min(start + 100, count)) of \(count)")
    }
    return parts.mapValues { Tensor.concatenate($0, axis: 0) }
  }
}

extension EvaluationSubject {
  /// Writes the scores of each example and how sure its reconstruction is: data sets of an HDF5 file, a row for each.
  func writeScores(to path: String) throws {
    func open<Model: LatentVariableModel>(_ model: Model) throws {
      let scores = try OutlierScores(model, opened, training: training, options, say: say)
      var arrays = Dictionary(
        uniqueKeysWithValues: try scores(data, "scores").map { ($0.key.rawValue, $0.value.array) })
      let count = min(data.count, OutlierScores.limit)
      var random = RandomStream(seed: options.seed).split("uncertainty")
      if !opened.configuration.isText {
        var parts: [(Tensor, Tensor)] = []
        for start in stride(from: 0, to: count, by: 100) {
          let batch = try data.batch(start..<min(start + 100, count))
          let (mean, deviation) = try model.reconstructionUncertainty(
            of: Tensor(batch.inputs), fields: batch.tensors, using: &random)
          parts.append((mean.converted(to: .float32), deviation.converted(to: .float32)))
        }
        arrays["reconstructionMean"] = Tensor.concatenate(parts.map(\.0), axis: 0).array
        arrays["reconstructionDeviation"] = Tensor.concatenate(parts.map(\.1), axis: 0).array
      }
      try HDF5File.write(arrays: arrays, to: path)
      FileMark.set(on: path)
      for note in scores.notes { printNote("scores: \(note)") }
    }
    do {
      try open(opened.model)
    } catch let error as Unmeasurable {
      throw CommandError("--scores: \(error)", .configuration)
    }
  }
}
