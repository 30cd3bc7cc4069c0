// The Hamiltonian posterior in words.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A normal whose draws leapfrog steps through the model's own density have moved.
public struct HamiltonianPosteriorDescription: PosteriorDescription {
  public static let name = "hamiltonian"
  public static let origin = Origin(
    "a normal, moved by leapfrog steps through the density of the model itself",
    paper: "Caterini, Doucet and Sejdinovic 2018", equation: "algorithm 1",
    test: "LatentModelsTests/HamiltonianTests.swift")

  /// Leapfrog steps, each of which takes a gradient of the decoder.
  public var steps = 4
  /// The size of steps at first, below 0.5; it is learned for each latent.
  public var stepSize = 0.2
  /// The temperature of momenta at first; it falls to 1.
  public var temperature = 1.5

  public init() {}

  public func validate() throws {
    try check((0...1000).contains(steps), "steps", steps, "0 to 1000")
    let limit = HamiltonianFlow.largestStep
    try check(
      stepSize > 0 && stepSize < limit, "stepSize", stepSize, "above 0 and below \(limit)")
    try check(
      temperature > 0 && temperature.isFinite, "temperature", temperature, "a positive number")
  }

  public func outputCount(latents: Int) -> Double { 2 * Double(latents) }
  public func parameterCount(latents: Int) -> Double { Double(latents) }

  public func makeHead(
    latentShape: Shape, using random: inout RandomStream
  ) -> any PosteriorHead { DiagonalHead() }

  public func completed(
    _ model: some LatentVariableModel, latentShape: Shape
  ) throws -> any LatentVariableModel {
    let flow = HamiltonianFlow(
      latents: latentShape[-1], steps: steps, stepSize: stepSize, temperature: temperature)
    func wrap(_ base: some ReparameterizedModel) -> any LatentVariableModel {
      HamiltonianModel(base, flow: flow)
    }
    return wrap(try model.reparameterized(for: "posterior '\(Self.name)'"))
  }
}
