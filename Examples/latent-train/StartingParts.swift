// Parameters of another run to begin with: fine-tuning, or parts that are kept.

import Foundation
import Latent
import LatentCommands

struct StartingParts {
  private let run: String
  private let arrays: [String: NDArray]

  /// Reads what the patterns stand for, everything where there are none, and checks that the model has it;
  /// where the model `isBase` of adapters, also that it needs nothing else.
  init(
    from run: String, matching patterns: [String], for model: some LatentVariableModel,
    isBase: Bool
  ) throws {
    self.run = run
    let all = try Run(path: run).model.namedArrays
    let patterns = patterns.map { PathPattern($0) }
    for pattern in patterns where !all.keys.contains(where: pattern.matches) {
      throw CommandError(
        "--load '\(pattern)': the run \(run) has only \(all.keys.sorted().joined(separator: ", "))",
        .usage)
    }
    arrays = patterns.isEmpty ? all : all.filter { patterns.match($0.key) }
    var trial = model
    let report = try parameters(into: &trial)
    if isBase, let weight = trial.lowPrecisionPaths.first {
      throw AdapterError.lowPrecision(path: weight)
    }
    if isBase, let missing = report.kept.first {
      throw CommandError(
        "--adapt: the model has \(missing), which is not loaded from \(run); adapters are trained beside "
          + "a whole model", .dataError)
    }
  }

  /// - Returns: what was loaded, for people.
  func load(into model: inout some LatentVariableModel) throws -> String {
    let report = try parameters(into: &model)
    return
      "\(report.loaded.count) of \(report.loaded.count + report.kept.count) parameters from \(run)"
  }

  private func parameters(
    into model: inout some LatentVariableModel
  ) throws -> LoadedParameters {
    do {
      let report = try model.load(arrays, partial: true)
      guard report.unused.isEmpty else {
        throw CommandError(
          "--from \(run): the model has no \(report.unused.joined(separator: ", ")); say with --load what "
            + "to take", .dataError)
      }
      return report
    } catch let mismatch as ParameterMismatch {
      throw CommandError(
        "--from \(run): \(mismatch.description.replacingOccurrences(of: "\n", with: ";"))",
        .dataError)
    }
  }
}
