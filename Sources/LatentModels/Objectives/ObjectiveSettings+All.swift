// The list of objectives. A new one is a file with its description, a line here, and a line in the
// table of tests.

extension ObjectiveSettings {
  /// Every objective that can be asked for by name.
  public static let all: [any ObjectiveDescription.Type] = [
    ELBODescription.self,
    FactorVAEDescription.self, WAEGANDescription.self, AdversarialAutoencoderDescription.self,
    GANDescription.self, WassersteinGANDescription.self, VAEGANDescription.self,
    LaggingInferenceDescription.self,
  ]
}
