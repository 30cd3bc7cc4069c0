// The prior whose density comes from a velocity: a standard normal at first, a density that adds up to 1, derivatives,
// and that it trains.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import LatentOptimizers
import Testing

@testable import LatentModels

@Suite struct FlowMatchingPriorTests {
  private func moved(
    _ latents: Int, steps: Int, by amount: Double = 0.3
  ) -> (velocity: VelocityNetwork, normal: CarriedNormal) {
    var random = RandomStream(seed: 1)
    let start = VelocityNetwork(latents: latents, hidden: [8], classes: 0, using: &random)
    let velocity = start.converted(to: .float64).mapParameters {
      $0 + random.normalTensor($0.shape, .float64) * amount
    }
    return (
      velocity, CarriedNormal(velocity, eventShape: [latents], steps: steps, dtype: .float64)
    )
  }

  @Test func startsAsTheStandardNormal() throws {
    var description = FlowMatchingPriorDescription()
    description.hidden = [7, 6]
    let model = ModelDescription(
      MLPNetwork(hidden: [6], latentSize: 3), inputShape: [4], prior: description)
    try model.validate()
    var random = RandomStream(seed: 1)
    func check(_ made: some LatentVariableModel) {
      #expect(Double(made.parameterCount) == model.parameterCount)
      #expect(made.unvisitedTensors == [])
      var context = LayerContext.inference
      let p = made.converted(to: .float64).prior(.float64, &context)
      let z = scattered([6, 3]) * 2
      let normal = StandardNormal(eventShape: [3], dtype: .float64)
      #expect(distance(p.evaluable.logProbability(of: z), normal.logProbability(of: z)) < 1e-12)
    }
    check(try model.makeModel(using: &random))
  }

  /// The integral over a line, as the steps grow finer.
  @Test func addsUpToOne() {
    let grid = (0..<2000).map { (place: Int) -> Double in -9.995 + 0.01 * Double(place) }
    let places = Tensor(grid, shape: [2000, 1])
    func error(_ steps: Int) -> Double {
      let density = exp(moved(1, steps: steps).normal.logProbability(of: places))
      return Swift.abs(density.sum().item * 0.01 - 1)
    }
    #expect(error(64) < 2e-3 && error(64) < error(8))
  }

  /// Draws and the way back; probes whose mean is the trace.
  @Test func drawsAndProbes() {
    let (velocity, p) = moved(3, steps: 40)
    var random = RandomStream(seed: 2)
    let (z, density) = p.sampleAndLogProbability([2, 5], using: &random)
    #expect(z.shape == [2, 5, 3] && density.shape == [2, 5])
    #expect(distance(p.latents(at: p.base(of: z)), z) < 1e-3)
    let repeated = z.reshaped([10, 3]).sliced(0, 0..<1).broadcast(to: [3000, 3])
    let estimated = CarriedNormal(
      velocity, eventShape: [3], steps: 40, dtype: .float64, probes: RandomStream(seed: 3))
    let found = estimated.logProbability(of: repeated)
    let spread = found.variance(axes: [0]).item.squareRoot() / 3000.0.squareRoot()
    #expect(Swift.abs(found.mean().item - density.doubles[0]) < 4 * spread + 1e-9)
  }

  /// With respect to values and to parameters, exact traces and probes.
  @Test(arguments: [false, true]) func derivatives(isEstimated: Bool) {
    let (velocity, _) = moved(2, steps: 2)
    func density(_ velocity: VelocityNetwork, _ z: Tensor) -> Tensor {
      CarriedNormal(
        velocity, eventShape: [2], steps: 2, dtype: .float64,
        probes: isEstimated ? RandomStream(seed: 4) : nil
      ).logProbability(of: z)
    }
    let z = scattered([3, 2])
    #expect(gradientError(at: [z]) { density(velocity, $0[0]) } < 1e-6)
    let parameters = velocity.namedParameters.map(\.tensor)
    let error = gradientError(at: parameters) { inputs in
      var index = 0
      let changed = velocity.mapParameters { _ in
        defer { index += 1 }
        return inputs[index]
      }
      return density(changed, z)
    }
    #expect(error < 1e-6)
  }

  /// Latents of a posterior that is nowhere near a normal around 0.
  @Test func trains() {
    var random = RandomStream(seed: 1)
    var prior = FlowMatchingPrior([2], hidden: [16], steps: 4, using: &random)
    var optimizer = Adam(learningRate: 1e-2)
    let encoder = MLPPointEncoder(inputShape: [1], hidden: [], latentSize: 1, using: &random)
    let signs = Tensor((0..<64).map { Float($0 % 2 * 2 - 1) }, shape: [64, 1])
    let z = random.normalTensor([64, 2]) * 0.2 + signs
    var losses: [Double] = []
    for step in 0..<80 {
      let (value, gradients) = valueAndGradient(at: prior) { prior in
        var context = LayerContext(
          isTraining: true, random: RandomStream(seed: 3).split(UInt64(step)), step: step)
        let p = prior(encoder: encoder, dtype: .float32, &context)
        return -p.evaluable.logProbability(of: z).mean()
      }
      losses.append(value.item)
      optimizer.update(&prior, along: gradients)
    }
    let (first, last) = (losses.prefix(5).reduce(0, +), losses.suffix(5).reduce(0, +))
    #expect(last < first - 2, "\(losses)")
  }

  @Test func refusals() {
    var description = FlowMatchingPriorDescription()
    description.solverSteps = 0
    let error = #expect(throws: SettingError.self) { try description.validate() }
    #expect(error?.key == "model.prior.solverSteps")
  }
}
