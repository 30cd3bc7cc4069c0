extension Metric {
  /// Of disentanglement: which latent belongs to which known factor.
  static var disentanglement: [Metric] {
    []
  }
}
