// The list of everything that can be measured, family by family.

extension Metric {
  /// Every definition. A new one is a file, and a line in the list of its family.
  public static var all: [Metric] { likelihood + structure + disentanglement + samples + outliers }
}
