// Leapfrog steps with tempering: the map of a Hamiltonian posterior (Caterini, Doucet and Sejdinovic 2018).
//
//   r <- r - e/2 dU(z),   z <- z + e r,   r <- r - e/2 dU(z),   r <- sqrt(T_k / T_(k-1)) r
//
// The three of a step are shears, so that a step keeps volumes; tempering shrinks them by
// (T_k / T_(k-1))^(d/2), K steps by T_0^(-d/2) altogether, which is what the density of the first momentum,
// N(0, T_0), had more than that of the last, N(0, 1).

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Leapfrog steps through a potential, with momenta that are cooled down to temperature 1.
public struct HamiltonianFlow: Module {
  /// What sizes of steps stay below.
  public static let largestStep = 0.5

  /// The sizes of steps as shares of `largestStep`, in log-odds, `[latents]`: one for each number of the last
  /// axis of a latent.
  public var step: Tensor
  /// The number K of leapfrog steps.
  public let steps: Int
  /// The temperature T_0 of momenta before the first step.
  public let temperature: Double

  /// With steps of `stepSize` at first. Traps unless it is above 0 and below `largestStep`, `steps` is not
  /// negative and `temperature` is positive.
  public init(
    latents: Int, steps: Int = 4, stepSize: Double = 0.2, temperature: Double = 1.5,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      steps >= 0 && stepSize > 0 && stepSize < HamiltonianFlow.largestStep && temperature > 0,
      "\(steps) leapfrog steps of \(stepSize) from temperature \(temperature)", file: file,
      line: line)
    let share = stepSize / HamiltonianFlow.largestStep
    step = Tensor(repeating: Foundation.log(share / (1 - share)), shape: [latents])
    self.steps = steps
    self.temperature = temperature
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&step, "step")
  }

  /// e, `[latents]`.
  public var stepSizes: Tensor { sigmoid(step) * HamiltonianFlow.largestStep }

  /// T_k = T_0 + (1 - T_0) (k / K)^2, which is 1 at the end; 1 where there are no steps.
  public func temperature(after step: Int) -> Double {
    guard steps > 0 else { return 1 }
    let progress = Double(step) / Double(steps)
    return temperature + (1 - temperature) * progress * progress
  }

  /// A place and a momentum after all steps, each of the shape of the first ones, `[..., latents]`. `gradient` is
  /// that of the potential U by the place; it is asked at K + 1 places, none where K = 0.
  public func callAsFunction(
    _ place: Tensor, _ momentum: Tensor, gradient: (Tensor) -> Tensor
  ) -> (place: Tensor, momentum: Tensor) {
    leapfrog(place, momentum, stepSizes: stepSizes, steps: steps, gradient: gradient) { k in
      (temperature(after: k) / temperature(after: k - 1)).squareRoot()
    }
  }
}

/// A place and a momentum after leapfrog steps through a potential U, each of the shape of the first ones,
/// `[..., latents]`. `gradient` is that of U by the place; it is asked at `steps` + 1 places, none where there are no
/// steps. `stepSizes` broadcast against places; after step k momenta are multiplied by `factor(k)`, k from 1.
public func leapfrog(
  _ place: Tensor, _ momentum: Tensor, stepSizes: Tensor, steps: Int, gradient: (Tensor) -> Tensor,
  factor: ((Int) -> Double)? = nil
) -> (place: Tensor, momentum: Tensor) {
  var (z, momentum) = (place, momentum)
  guard steps > 0 else { return (z, momentum) }
  let halves = stepSizes * 0.5
  var slope = gradient(z)
  for k in 1...steps {
    momentum -= halves * slope
    z += stepSizes * momentum
    // The second half of this step and the first of the next one are at the same place.
    slope = gradient(z)
    momentum -= halves * slope
    if let factor { momentum *= factor(k) }
  }
  return (z, momentum)
}
