// What a prior asks of data and objective, before anything is written.

import Latent
import LatentCommands

extension RunConfiguration {
  /// Refuses data without the fields that the prior needs, and free bits of a prior that is no product.
  /// - Throws: `CommandError`, and what the data set throws.
  func checkPrior(with training: some Dataset) throws {
    let (name, description) = (model.prior.name, model.prior.description)
    let first = try training.batch(at: [0])
    for field in description.fields where first.fields[field] == nil {
      throw CommandError("data \(data): no \(field), which the prior '\(name)' needs", .dataError)
    }
    if let elbo = objective.innermost.description as? ELBODescription,
      elbo.freeBits > 0 && !description.factorizes
    {
      throw CommandError(
        "objective.freeBits is \(elbo.freeBits): the prior '\(name)' has no divergence of each latent alone, "
          + "expected 0", .configuration)
    }
  }
}
