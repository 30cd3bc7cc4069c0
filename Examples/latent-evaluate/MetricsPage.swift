// docs/evaluation.md: every number, out of the definitions themselves.

import Latent

enum MetricsPage {
  static func markdown() -> String {
    """
    # What is measured

    `latent-evaluate` measures trained models. Every number has a name, a version that changes whenever the same model
    and data would give another value, a standard error where one is known, the level of chance and the ceiling. This
    page is written by `latent-evaluate --print-metrics > docs/evaluation.md`; a test compares the two, and another
    keeps definitions from changing without their versions. `evaluation.json` is described by
    [a schema](evaluation.schema.json).

    \(Metric.families.map { section($0.title, $0.metrics) }.joined(separator: "\n\n"))

    """
  }

  private static func section(_ title: String, _ metrics: [Metric]) -> String {
    ["## \(title)"].joined()
      + metrics.map { metric in
        """


        ### \(metric.title)

        `\(metric.name)`, version \(metric.version). \(sentence(metric.formula))

        | unit | better | chance | ceiling | cost | paper | test |
        |---|---|---|---|---|---|---|
        | \([
          metric.unit.rawValue, metric.direction.rawValue, metric.chance, metric.ceiling, metric.cost,
          metric.paper, "`\(metric.test)`",
        ].map(cell).joined(separator: " | ")) |
        """
      }.joined()
  }

  private static func sentence(_ text: String) -> String {
    let first = text.prefix(1).uppercased() + text.dropFirst()
    return first.hasSuffix(".") ? first : first + "."
  }

  private static func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }
}
