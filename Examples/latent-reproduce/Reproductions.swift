// The findings: settings and expected figures are data, a list for each part of the field.

extension Reproduction {
  /// Every finding that can be run by name.
  static let all = objectives + latents + evaluation
}
