// The list of everything that can be measured, family by family.

extension Metric {
  /// Families in the order in which they are shown, with their definitions.
  public static var families: [(title: String, metrics: [Metric])] {
    [
      ("Likelihood", likelihood), ("Structure", structure), ("Disentanglement", disentanglement),
      ("Samples", samples), ("Outliers", outliers),
    ]
  }

  /// Every definition. A new one is a file, and a line in the list of its family.
  public static var all: [Metric] { families.flatMap(\.metrics) }
}
