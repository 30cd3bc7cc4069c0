// Data of other units than those a run was trained on have latents that mean nothing.

import Latent

extension OpenRun {
  /// Refuses data whose numbers the run's likelihood cannot have.
  /// - Throws: `DataMisfit`.
  public func checkRange(of dataset: any Dataset) throws {
    func look(_ model: some LatentVariableModel) throws { _ = try model.look(at: dataset) }
    try look(model)
  }
}
