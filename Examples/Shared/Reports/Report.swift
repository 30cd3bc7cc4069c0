// The report of a run: what it was, how training went, what latents carry and what the model makes, on one page.

import Foundation
import Latent

/// What is said of a run that has ended.
public struct Report {
  public var title: String
  /// What the run was: data, model, objective ...
  public var facts: [(name: String, value: String)]
  /// What is odd about it.
  public var notes: [String]
  /// What the objective minimised, in words.
  public var objective: String
  public var epochs: [EpochMetrics]
  /// Over the test set, where there is one.
  public var test: TermAverage?
  public var use: LatentUse?
  /// Pictures, texts and maps.
  public var sections: [Page.Section]

  /// A report of these parts.
  public init(
    title: String, facts: [(name: String, value: String)], notes: [String] = [], objective: String,
    epochs: [EpochMetrics], test: TermAverage? = nil, use: LatentUse? = nil,
    sections: [Page.Section] = []
  ) {
    self.title = title
    self.facts = facts
    self.notes = notes
    self.objective = objective
    self.epochs = epochs
    self.test = test
    self.use = use
    self.sections = sections
  }

  /// Writes the page atomically.
  /// - Throws: `StorageError.cannotWrite`.
  public func write(to path: String) throws { try page.write(to: path) }

  /// The page.
  public var page: Page {
    let summary: [Page.Block] =
      [.highlights(highlights)] + notes.map(Page.Block.note) + [.facts(facts)]
    return Page(
      title: title, subtitle: subtitle,
      sections: [Page.Section("Summary", summary)] + training + sections,
      definitions: definitions)
  }

  private var subtitle: String {
    guard let last = epochs.last else { return "" }
    return last.epoch == 1 ? "1 epoch" : "\(last.epoch) epochs"
  }

  private var highlights: [Page.Highlight] {
    let scores: [(String, TermAverage?)] = [
      ("test", test), ("validation", epochs.last?.validation), ("training", epochs.last?.training),
    ]
    var result: [Page.Highlight] = []
    // What says most of the model: loss on data that it was not trained on, where there are any.
    if let (what, score) = scores.compactMap({ what, score in score.map { (what, $0) } }).first {
      result.append(
        Page.Highlight(
          Numeral.text(score.loss, digits: 4), "\(what) loss, nats per example"))
      for name in ["reconstruction", "kl"] {
        guard let value = score[name] else { continue }
        result.append(
          Page.Highlight(
            Numeral.text(value, digits: 4), "\(what) \(name == "kl" ? "KL" : name), nats"))
      }
    }
    if let use {
      let what = use.names.isEmpty ? "latents are used" : "levels are used"
      result.append(Page.Highlight("\(use.active) of \(use.count)", what))
    }
    return result
  }

  // MARK: Training

  private var training: [Page.Section] {
    if epochs.isEmpty { return [] }
    var blocks: [Page.Block] = [.table(scores)]
    if epochs.count > 1 { blocks.insert(.figures(curves), at: 0) }
    return [Page.Section("Training", blocks)]
  }

  /// The loss, then its parts, each against the epoch.
  private var curves: [Page.Figure] {
    terms.map { name in
      Page.Figure(
        .chart(
          Report.curve(
            name,
            [("training", epochs.map { ($0.epoch, $0.training[name]) })]
              + (epochs.contains { $0.validation?[name] != nil }
                ? [("validation", epochs.map { ($0.epoch, $0.validation?[name]) })] : []))),
        caption: name == "loss" ? "What is minimised, the mean over the examples of an epoch." : "")
    }
  }

  /// A term against the epoch, a line for each set of data.
  static func curve(
    _ name: String, _ lines: [(name: String, points: [(epoch: Int, value: Double?)])]
  ) -> Chart {
    Chart(
      name, x: Chart.Axis("epoch", isWhole: true), y: Chart.Axis("", unit: "nats per example"),
      marks: lines.map { line in
        Chart.Line(line.name, line.points.map { (Double($0.epoch), $0.value ?? .nan) })
      }, height: 250)
  }

  /// Names of the loss and its parts, in their order.
  private var terms: [String] {
    var names = ["loss"]
    for average in epochs.flatMap({ [$0.training, $0.validation] }) + [test] {
      for (name, _) in average?.values ?? [] where !names.contains(name) { names.append(name) }
    }
    return names
  }

  private var scores: Page.Table {
    let sets: [(String, TermAverage?)] = [
      ("training", epochs.last?.training), ("validation", epochs.last?.validation), ("test", test),
    ]
    let known = sets.compactMap { name, average in average.map { (name, $0) } }
    return Page.Table(
      caption: "At the end of training, in nats per example.",
      note: "Training is the mean over the last epoch, while parameters moved.",
      columns: [Page.Table.Column("")] + known.map { Page.Table.Column($0.0) },
      rows: terms.map { name in
        [.defined(name, by: name)]
          + known.map { _, average in
            average[name].map { .number($0, decimals: Numeral.decimals(of: $0)) } ?? .none
          }
      })
  }

  private var definitions: [Page.Definition] {
    let known = [
      "loss":
        "What training minimises: \(objective). The mean over examples, in nats for an example.",
      "reconstruction":
        "The cross-entropy −E log p(x | z), with z drawn from the posterior of x: what it takes to tell the "
        + "example once its latents are known.",
      "kl":
        "The divergence KL(q(z | x) ‖ p(z)) of the posterior from the prior: what the latents tell of the example.",
    ]
    return terms.map { name in
      Page.Definition(
        name, title: name,
        text: known[name]
          ?? "A part of the loss, or a number beside it, as the objective reports it (docs/models.md).",
        facts: [("unit", "nats per example, where it is a part of the loss")])
    }
  }
}
