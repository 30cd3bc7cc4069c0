extension Metric {
  /// Of likelihood: how probable data are, and how sure that number is.
  static var likelihood: [Metric] {
    [
      importanceNLL, unreliableTails, effectiveDraws, elbo, reconstruction, divergence,
      dimensionDivergence, bitsPerDimension, annealedNLL, annealingGap, rankCalibration,
    ]
  }
}
