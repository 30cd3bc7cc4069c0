extension Metric {
  /// Of samples: generated data beside real ones.
  static var samples: [Metric] {
    [
      .frechetDistance, .frechetDistanceAtInfinity, .kernelDistance, .precision, .recall, .density,
      .coverage, .vendi, .slicedWasserstein, .mind, .pathLength, .authenticity, .dataCopying,
    ]
  }
}
