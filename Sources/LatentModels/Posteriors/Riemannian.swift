// The Hamiltonian posterior with a learned metric in words.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A normal whose draws leapfrog steps in a learned metric have moved.
public struct RiemannianPosteriorDescription: PosteriorDescription {
  public static let name = "riemannian-hamiltonian"
  public static let origin = Origin(
    "the same in a metric of latent space that is learned",
    paper: "Chadebec, Mantoux and Allassonniere 2020", equation: "9, algorithm 1",
    test: "LatentModelsTests/RiemannianTests.swift")

  /// Leapfrog steps, each of which takes a gradient of the decoder.
  public var steps = 3
  /// The size of steps at first, below 0.5; it is learned for each latent.
  public var stepSize = 0.01
  /// The temperature of momenta at first; it falls to 1.
  public var temperature = 1.5
  /// How far the influence of a center of the metric reaches.
  public var reach = 1.5
  /// What is left of the inverse of the metric far from all centers.
  public var floor = 0.01
  /// The centers that are kept of those seen in training.
  public var points = 200
  /// How often each implicit equation is substituted into.
  public var rounds = 3

  public init() {}

  public func validate() throws {
    try check((0...1000).contains(steps), "steps", steps, "0 to 1000")
    let limit = HamiltonianFlow.largestStep
    try check(
      stepSize > 0 && stepSize < limit, "stepSize", stepSize, "above 0 and below \(limit)")
    for (key, value) in [("temperature", temperature), ("reach", reach), ("floor", floor)] {
      try check(value > 0 && value.isFinite, key, value, "a positive number")
    }
    try check(size: points, "points")
    try check((1...1000).contains(rounds), "rounds", rounds, "1 to 1000")
  }

  public func validate(latentShape: [Int]) throws {
    try requireVector(latentShape)
    let (size, limit) = (Double(latentShape[0]), Double(ModelDescription.maximumParameters))
    try check(
      Double(points) * size * size <= limit, "points", points,
      "factors of \(latentShape[0]) by \(latentShape[0]) that are at most \(Int(limit)) numbers")
  }

  public func outputCount(latents: Int) -> Double {
    let size = Double(latents)
    return 2 * size + size * (size + 1) / 2
  }
  public func parameterCount(latents: Int) -> Double { Double(latents) }

  public func makeHead(
    latentShape: Shape, using random: inout RandomStream
  ) -> any PosteriorHead { NormalWithFactorHead() }

  public func completed(
    _ model: some LatentVariableModel, latentShape: Shape
  ) throws -> any LatentVariableModel {
    let flow = HamiltonianFlow(
      latents: latentShape[-1], steps: steps, stepSize: stepSize, temperature: temperature)
    func wrap(_ base: some NormalWithFactorModel) -> any LatentVariableModel {
      RiemannianModel(
        base, flow: flow, points: points, reach: reach, floor: floor, rounds: rounds)
    }
    guard let base = model as? any NormalWithFactorModel else {
      throw ModelRequirementError(
        purpose: "posterior '\(Self.name)'", found: "\(type(of: model))",
        expected: "a model that conforms to NormalWithFactorModel")
    }
    return wrap(base)
  }
}
