// Moves that leave an annealed density as it is. Weights of annealing are unbiased for any such move; how well chains
// mix decides how much they vary.
//
// Hamiltonian moves (Neal 2011, "MCMC using Hamiltonian dynamics") depend on the size of their steps. A chain that
// adapts it to its own past no longer leaves the density as it is, and weights are then biased: sizes are found in a
// pilot run, frozen for each temperature and each example, and only then are weights measured.

import Foundation
import LatentAutodiff
import LatentModels
import LatentNumerics

/// A random move of latents that leaves every annealed density as it is, and does so in both directions of time: chains
/// that are run backwards use it too.
public protocol AnnealingKernel: Sendable {
  /// Latents after a move at the temperature with number `step`, from 1.
  func callAsFunction<Model>(
    _ place: AnnealedPlace, _ density: AnnealedDensity<Model>, temperature: Double, step: Int,
    using random: inout RandomStream
  ) -> AnnealedPlace
}

/// How Hamiltonian moves are made, and how their steps are found.
public struct HamiltonianMoves: Sendable, Hashable, Codable {
  /// Leapfrog steps of a move.
  public var leapfrogSteps = 10
  /// The share of moves that is to be accepted.
  public var acceptance = 0.65
  /// Moves of the pilot run at each temperature.
  public var pilotMoves = 2
  /// Chains of the pilot run for each example.
  public var pilotChains = 6
  /// The step that the pilot run begins with.
  public var firstStep = 0.1
  /// No step is smaller.
  public var smallestStep = 1e-4
  /// No step is larger.
  public var largestStep = 0.5

  /// The usual settings: 10 leapfrog steps, of which 65 % are accepted (Wu et al. 2017).
  public init() {}
}

/// Hamiltonian moves with a size of steps for each temperature and each example.
public struct HamiltonianKernel: AnnealingKernel {
  /// The sizes of steps, `[batch]` for each temperature from the second on: element t - 1 is that of beta_t.
  public let stepSizes: [Tensor]
  /// Leapfrog steps of a move.
  public let leapfrogSteps: Int

  /// Sizes vary from move to move by this share, so that no path comes back to where it began for ever.
  private static let jitter = 0.2

  /// Moves with sizes of steps that are known.
  public init(stepSizes: [Tensor], leapfrogSteps: Int) {
    self.stepSizes = stepSizes
    self.leapfrogSteps = leapfrogSteps
  }

  /// Finds the steps in a pilot run from the prior through all `temperatures`: log e rises by the share of accepted
  /// moves less the wanted one (Robbins and Monro 1951), which is the mean over the chains of an example.
  public init<Model>(
    pilotOf density: AnnealedDensity<Model>, temperatures: [Double], _ moves: HamiltonianMoves,
    using random: inout RandomStream
  ) {
    var place = density.place(density.samplePrior(moves.pilotChains, using: &random))
    let examples = density.x.shape[0]
    var logs = Array(repeating: log(moves.firstStep), count: examples)
    let range = log(moves.smallestStep)...log(moves.largestStep)
    var found: [Tensor] = []
    for temperature in temperatures.dropFirst() {
      for _ in 0..<moves.pilotMoves {
        let sizes = Tensor(logs.map { exp($0) }).converted(to: place.z.dtype)
        let move = HamiltonianKernel.move(
          place, density, temperature, sizes, moves.leapfrogSteps, using: &random)
        place = move.place
        let accepted = move.acceptance.converted(to: .float64).mean(axes: [0]).doubles
        logs = zip(logs, accepted).map {
          min(max($0 + $1 - moves.acceptance, range.lowerBound), range.upperBound)
        }
      }
      found.append(Tensor(logs.map { exp($0) }).converted(to: place.z.dtype))
    }
    self.init(stepSizes: found, leapfrogSteps: moves.leapfrogSteps)
  }

  public func callAsFunction<Model>(
    _ place: AnnealedPlace, _ density: AnnealedDensity<Model>, temperature: Double, step: Int,
    using random: inout RandomStream
  ) -> AnnealedPlace {
    HamiltonianKernel.move(
      place, density, temperature, stepSizes[step - 1], leapfrogSteps, using: &random
    ).place
  }

  /// A move with step sizes `[batch]`, and the probability that it was accepted with, `[chains, batch]`.
  private static func move<Model>(
    _ place: AnnealedPlace, _ density: AnnealedDensity<Model>, _ temperature: Double,
    _ sizes: Tensor, _ leapfrogSteps: Int, using random: inout RandomStream
  ) -> (place: AnnealedPlace, acceptance: Tensor) {
    let z = place.z
    let leading = place.logPrior.shape
    let axes = z.rank - leading.rank
    func kinetic(_ momentum: Tensor) -> Tensor {
      square(momentum).sum(axes: Array(leading.rank..<z.rank)) * 0.5
    }
    let momentum = random.normalTensor(z.shape, z.dtype)
    // Chosen before the path and whatever its start is, so that the move can be undone.
    let noise = random.uniformTensor(leading, z.dtype) * (2 * jitter) + (1 - jitter)
    let steps = (sizes * noise).reshaped(leading + Shape(Array(repeating: 1, count: axes)))
    var proposed = place
    let end = leapfrog(z, momentum, stepSizes: steps, steps: leapfrogSteps) { z in
      let (place, slope) = density.placeAndSlope(z, temperature)
      proposed = place
      return slope
    }
    let change =
      (proposed.logDensity(temperature) - kinetic(end.momentum))
      - (place.logDensity(temperature) - kinetic(momentum))
    // A path that left the numbers is refused: NaN is in no comparison.
    let isNumber = change .== change
    let ratio = Tensor.where(isNumber, change, change.zerosLike - .infinity)
    let acceptance = exp(minimum(ratio, ratio.zerosLike))
    let accepted = random.uniformTensor(leading, z.dtype) .< acceptance
    return (place.replaced(where: accepted, by: proposed), acceptance)
  }
}
