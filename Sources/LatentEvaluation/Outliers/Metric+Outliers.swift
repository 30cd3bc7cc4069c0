extension Metric {
  /// Of outliers: whether strange data are told from those of training.
  static var outliers: [Metric] {
    [.auroc, .falseAcceptance]
  }
}
