extension Metric {
  /// Of disentanglement: which latent belongs to which known factor, and whether two models agree.
  static var disentanglement: [Metric] {
    // A comparison that is also taken with factors is in the list of these.
    let comparisons = Disentanglement.comparisons.filter { !($0 is any DisentanglementMetric) }
    return Disentanglement.metrics.flatMap { type(of: $0).metrics }
      + comparisons.flatMap { type(of: $0).metrics }
  }
}
