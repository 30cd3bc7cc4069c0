extension Metric {
  /// Of structure: what latents carry, and whether they carry it.
  static var structure: [Metric] {
    [
      activeUnits, unitVariance, indexInformation, totalCorrelation, marginalDivergence,
      aggregateDivergence, collapse,
    ]
  }
}
