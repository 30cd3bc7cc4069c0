// The list of objectives. A new one is a file with its description, a line here, and a line in the
// table of tests.

extension ObjectiveSettings {
  /// Every objective that can be asked for by name.
  public static let all: [any ObjectiveDescription.Type] = [
    ELBODescription.self, IWAEDescription.self, MIWAEDescription.self, PIWAEDescription.self,
    CIWAEDescription.self, RenyiDescription.self, VIMCODescription.self,
    ReweightedWakeSleepDescription.self,
  ]
}
