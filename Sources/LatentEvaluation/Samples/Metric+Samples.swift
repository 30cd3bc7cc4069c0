extension Metric {
  /// Of samples: generated data beside real ones.
  static var samples: [Metric] {
    []
  }
}
