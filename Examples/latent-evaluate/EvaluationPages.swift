// Evaluations as pages: of one run with what it makes, of several side by side.

import Foundation
import Latent
import LatentCommands

extension EvaluationSubject {
  /// The page in the run's folder.
  private static let pageName = "evaluation.html"

  /// Writes the numbers of a record, training curves and what the model makes.
  func writePage(of record: EvaluationRecord) throws {
    func open(_ model: some LatentVariableModel) throws -> [Page.Section] {
      let use = try model.latentUse(on: data, seed: options.seed)
      return try Gallery(model, opened.configuration, on: data, use: use).sections(writingTo: nil)
    }
    let report = EvaluationReport(
      title: "Evaluation of \(opened.folder)",
      facts: [
        ("data", "\(record.data), \(record.examples) examples"),
        ("model", "\(opened.configuration.model)"),
        ("objective", opened.configuration.objective.name), ("checkpoint", opened.path),
        ("parameters, SHA-256", record.model), ("library", record.version),
      ],
      entries: [
        EvaluationReport.Entry(
          opened.folder, record, histories: [MetricsLog.epochs(in: opened.folder)])
      ], sections: try open(opened.model))
    let path = "\(opened.folder)/\(EvaluationSubject.pageName)"
    try report.page.write(to: path)
    say("page: \(path)")
  }
}

/// Several runs on one page.
struct ComparisonPage {
  private let entries: [(name: String, record: EvaluationRecord)]

  init(_ entries: [(name: String, record: EvaluationRecord)]) { self.entries = entries }

  func write(to path: String) throws {
    let records = entries.map(\.record)
    let data = Set(records.map { "\($0.data), \($0.examples) examples" }).sorted()
    let report = EvaluationReport(
      title: "Evaluation of \(entries.count) runs",
      facts: [("data", data.joined(separator: "; "))],
      entries: entries.map {
        EvaluationReport.Entry($0.name, $0.record, histories: [MetricsLog.epochs(in: $0.name)])
      })
    try report.page.write(to: path)
    FileMark.set(on: path)
  }
}
