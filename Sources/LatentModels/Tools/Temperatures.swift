// Draws of a prior whose deviations are multiplied: low temperatures give more typical data (Vahdat and Kautz 2020,
// section 4.1, level by level as in Child 2021).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

extension LatentVariableModel {
  /// The prior with the standard deviations of each level multiplied by its temperature, from the data up; the standard
  /// normal has one level.
  /// - Throws: `ModelRequirementError` for another prior, and unless each level has a positive temperature.
  public func prior(
    temperatures: [Double], fields: [String: Tensor] = [:]
  ) throws -> any Distribution {
    var context = LayerContext.inference
    context.fields = fields
    let prior = prior(numberType, &context)
    let levels = (prior as? TopDownNormal)?.temperatures.count ?? 1
    if !(prior is TopDownNormal || prior is StandardNormal) {
      throw ModelRequirementError(
        purpose: "a temperature", found: "\(type(of: prior))",
        expected: "the prior of a hierarchy or the standard normal")
    }
    if temperatures.count != levels || !temperatures.allSatisfy({ $0 > 0 && $0.isFinite }) {
      throw ModelRequirementError(
        purpose: "a prior of \(levels == 1 ? "1 level" : "\(levels) levels")",
        found: "temperatures \(temperatures)", expected: "a positive temperature for each")
    }
    if let prior = prior as? TopDownNormal {
      return TopDownNormal(prior.topDown, temperatures: temperatures, dtype: prior.dtype)
    }
    let zeros = Tensor.zeros(prior.eventShape, prior.dtype)
    return DiagonalNormal(
      mean: zeros, standardDeviation: zeros + temperatures[0], eventRank: zeros.rank)
  }

  /// Latents from the prior at temperatures, `[count, latent]`.
  /// - Throws: as `prior(temperatures:fields:)`.
  public func samplePrior(
    _ count: Int, temperatures: [Double], using random: inout RandomStream
  ) throws -> Tensor { try prior(temperatures: temperatures).sample([count], using: &random) }

  /// What the likelihood expects at such latents, `[count, ...]`.
  /// - Throws: as `prior(temperatures:fields:)`, and where the likelihood has neither a mean nor a mode.
  public func generate(
    _ count: Int, temperatures: [Double], using random: inout RandomStream
  ) throws -> Tensor {
    try decode(samplePrior(count, temperatures: temperatures, using: &random))
      .point(for: "generating")
  }
}
