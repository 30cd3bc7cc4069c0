// Flow matching where velocities, losses and densities are known, and on points that no normal is like.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite(.serialized) struct FlowMatchingTests {
  private func data(_ codes: Tensor, labels: Tensor? = nil) -> EncodedData {
    EncodedData([Delta(codes, eventRank: 1)], labels: labels)
  }

  private func network(_ latents: Int, _ hidden: [Int] = [8]) -> VelocityNetwork {
    var random = RandomStream(seed: 1)
    return VelocityNetwork(latents: latents, hidden: hidden, classes: 0, using: &random)
  }

  private func trained(
    _ codes: Tensor, scale: CodeScale, hidden: [Int], steps: Int, rate: Double = 3e-3
  ) -> FlowMatching {
    var random = RandomStream(seed: 2)
    var flow = FlowMatching(latents: codes.shape[1], hidden: hidden, using: &random)
    flow.scale = scale
    let training = CodeTraining(steps: steps, batchSize: 256, learningRate: rate)
    flow.velocity = training.train(
      flow.velocity, on: data(codes), scale: scale, using: &random, progress: { _ in }
    ) { velocity, codes, _, context in
      FlowMatching.loss(velocity, codes, labels: nil, using: &context.random)
    }
    return flow
  }

  /// Codes that are N(0, I): the least loss there is, pi/2 for each number, before training and after it.
  @Test func lossOfNormalCodes() {
    var random = RandomStream(seed: 3)
    let codes = random.normalTensor([200_000, 3])
    let least = 3 * Double.pi / 2
    let first = FlowMatching.loss(network(3), codes, labels: nil, using: &random).item
    #expect(Swift.abs(first / least - 1) < 0.01)
    let flow = trained(codes, scale: CodeScale(3), hidden: [32], steps: 400)
    let last = FlowMatching.loss(flow.velocity, codes, labels: nil, using: &random).item
    #expect(Swift.abs(last / least - 1) < 0.01)
  }

  /// v(x, t) = m + (t s² - (1 - t)) / ((1 - t)² + t² s²) (x - t m) of codes that are N(m, s²): learned where they are not
  /// standardised, with the density.
  @Test func normalCodesElsewhere() {
    let (m, s) = (1.5, 0.5)
    var random = RandomStream(seed: 4)
    let codes = random.normalTensor([20_000, 1]) * s + m
    let flow = trained(codes, scale: CodeScale(1), hidden: [64, 64], steps: 2500)
    var squares = 0.0
    let times = stride(from: 0.05, through: 0.95, by: 0.1)
    for time in times {
      let x = random.normalTensor([500, 1]) * (1 - time) + codes.sliced(0, 0..<500) * time
      let slope = (time * s * s - (1 - time)) / ((1 - time) * (1 - time) + time * time * s * s)
      let exact = (x - time * m) * slope + m
      let found = flow.velocity(
        x, at: Tensor(repeating: time, shape: [500, 1]),
        of: Tensor([Int32](repeating: 0, count: 500)))
      squares += square(found - exact).mean().item / 10
    }
    #expect(squares.squareRoot() < 0.05)
    let found = flow.logProbability(of: codes.sliced(0, 0..<400), using: &random)
    let exact = DiagonalNormal(
      mean: .scalar(m, .float32), standardDeviation: Tensor.scalar(s, .float32), eventRank: 0
    ).logProbability(of: codes.sliced(0, 0..<400).squeezed(1))
    #expect(Swift.abs((found - exact).mean().item) < 0.02)
    #expect(abs(found - exact).mean().item < 0.05)
  }

  /// Correlated codes, standardised number by number: the density is within 0.02 nat of the normal's.
  @Test func densityOfCorrelatedCodes() {
    let normal = FullCovarianceNormal(
      mean: Tensor([1, -2] as [Float]),
      scaleTriangle: Tensor([0.5, 0, 1.2, 0.9] as [Float], shape: [2, 2]))
    var random = RandomStream(seed: 5)
    let codes = normal.sample([20_000], using: &random)
    let flow = trained(codes, scale: CodeScale(of: codes), hidden: [64, 64], steps: 3000)
    let some = codes.sliced(0, 0..<1000)
    let found = flow.logProbability(of: some, using: &random)
    let errors = found - normal.logProbability(of: some)
    #expect(Swift.abs(errors.mean().item) < 0.02)
    #expect(abs(errors).mean().item < 0.05)
  }

  /// Before training the flow is that of a normal of the codes' means and deviations, in any number of dimensions: above
  /// 32 the trace is estimated, here without error.
  @Test(arguments: [1, 5, 32, 40]) func densityBeforeTraining(size: Int) {
    var random = RandomStream(seed: 6)
    var flow = FlowMatching(latents: size, hidden: [4], using: &random)
    flow.scale.mean = numbers([size], 1).converted(to: .float32)
    flow.scale.deviation = exp(numbers([size], 2)).converted(to: .float32)
    let normal = DiagonalNormal(
      mean: flow.scale.mean, standardDeviation: flow.scale.deviation)
    let z = normal.sample([20], using: &random)
    let found = flow.logProbability(of: z, steps: 200, using: &random)
    #expect(distance(found, normal.logProbability(of: z)) < 2e-3)
  }

  /// The density of a flow whose network is no line in x adds up to 1 on a grid.
  @Test func densityAddsUpToOne() {
    var random = RandomStream(seed: 7)
    var flow = FlowMatching(latents: 2, hidden: [16], using: &random)
    flow.velocity.output.weight = random.normalTensor(flow.velocity.output.weight.shape) * 0.3
    flow = flow.converted(to: .float64)
    let (count, side) = (90, 12.0)
    let line = (0..<count).map { (Double($0) + 0.5) / Double(count) * side - side / 2 }
    let points = Tensor(line.flatMap { a in line.flatMap { [a, $0] } }, shape: [count * count, 2])
    let area = (side / Double(count)) * (side / Double(count))
    let densities = exp(flow.logProbability(of: points, steps: 60, using: &random))
    #expect(Swift.abs(densities.sum().item * area - 1) < 0.01)
  }

  /// Eight places on a circle, each as often as the others.
  private func eight(_ count: Int, _ random: inout RandomStream) -> (codes: Tensor, labels: Tensor)
  {
    let labels = (0..<count).map { Int32($0 % 8) }
    let centers = labels.flatMap { label -> [Float] in
      let angle = Double(label) * Double.pi / 4
      return [Float(2 * cos(angle)), Float(2 * sin(angle))]
    }
    return (
      Tensor(centers, shape: [count, 2]) + random.normalTensor([count, 2]) * 0.2, Tensor(labels)
    )
  }

  private func place(_ x: Double, _ y: Double) -> Int {
    (Int((atan2(y, x) / (Double.pi / 4)).rounded()) + 8) % 8
  }

  /// The root of the mean over directions of the squared distance between sorted projections.
  private func slicedDistance(_ x: Tensor, _ y: Tensor) -> Double {
    let (x, y) = (x.doubles, y.doubles)
    let directions = 32
    let total = (0..<directions).reduce(0.0) { total, index in
      let angle = Double(index) * Double.pi / Double(directions)
      func projected(_ points: [Double]) -> [Double] {
        (0..<points.count / 2)
          .map { points[2 * $0] * cos(angle) + points[2 * $0 + 1] * sin(angle) }.sorted()
      }
      let pairs = zip(projected(x), projected(y)).map { ($0 - $1) * ($0 - $1) }
      return total + pairs.reduce(0, +) / Double(pairs.count)
    }
    return (total / Double(directions)).squareRoot()
  }

  /// Every place gets its share, in 50 steps of Euler's rule.
  @Test func eightPlaces() {
    var random = RandomStream(seed: 8)
    let codes = eight(40_000, &random).codes
    var description = FlowMatchingDescription()
    (description.hidden, description.steps, description.learningRate) = ([128, 128], 8000, 3e-3)
    (description.batchSize, description.solver, description.solverSteps) = (512, .euler, 50)
    let sampler = description.fit(data(codes), using: &random, progress: { _ in })
    let count = 40_000
    let z = sampler.latents(count, of: SamplerTests.model, fields: [:], using: &random)
    let values = z.doubles
    var counts = [Int](repeating: 0, count: 8)
    for row in 0..<count { counts[place(values[2 * row], values[2 * row + 1])] += 1 }
    for found in counts { #expect(Swift.abs(Double(found) / Double(count) - 0.125) < 0.02) }
    // Two sets of so many points from the true places are 0.02 apart.
    let others = eight(count, &random).codes
    #expect(slicedDistance(z, others) < 0.05)
  }

  /// Labels name the place; without them places are as frequent as in training. Guidance moves codes away from the others.
  @Test func placesByLabel() {
    var random = RandomStream(seed: 11)
    let (all, places) = eight(8000, &random)
    // Of every other place only.
    let rows = Tensor((0..<8000).filter { $0 % 2 == 0 }.map { Int32($0) })
    let (codes, labels) = (all.gathering(rows, axis: 0), places.gathering(rows, axis: 0))
    var description = FlowMatchingDescription()
    (description.hidden, description.steps, description.solverSteps) = ([64, 64], 2000, 20)
    description.guidance = 0.5
    let sampler = description.fit(
      data(codes, labels: labels), using: &random, progress: { _ in })
    #expect(sampler.classCount == 7)
    func seen(_ fields: [String: Tensor]) -> [Int] {
      let z = sampler.latents(800, of: SamplerTests.model, fields: fields, using: &random).doubles
      return (0..<800).map { place(z[2 * $0], z[2 * $0 + 1]) }
    }
    let wanted = (0..<800).map { $0 % 4 * 2 }
    let found = seen(["labels": Tensor(wanted.map { Int32($0) })])
    #expect(zip(found, wanted).count { $0 == $1 } > 790)
    let free = seen([:])
    for place in [0, 2, 4, 6] { #expect((140...260).contains(free.count { $0 == place })) }
    #expect(free.allSatisfy { $0 % 2 == 0 })
  }

  /// Of two steps of one rule, halves: Heun's error falls four times, Euler's twice.
  @Test func orderOfTheRules() {
    var random = RandomStream(seed: 9)
    var flow = FlowMatching(latents: 2, hidden: [16], using: &random)
    flow.velocity.output.weight = random.normalTensor(flow.velocity.output.weight.shape) * 0.5
    flow = flow.converted(to: .float64)
    func codes(_ steps: Int, _ solver: FlowSolver) -> Tensor {
      var random = RandomStream(seed: 10)
      return flow.codes(50, steps: steps, solver: solver, using: &random)
    }
    let exact = codes(4000, .heun)
    func error(_ steps: Int, _ solver: FlowSolver) -> Double {
      square(codes(steps, solver) - exact).mean().item.squareRoot()
    }
    #expect((3.4...4.8).contains(error(100, .heun) / error(200, .heun)))
    #expect((1.8...2.2).contains(error(100, .euler) / error(200, .euler)))
  }

  /// Drawing settings are no part of what was learned.
  @Test func whatIsFitted() throws {
    var description = FlowMatchingDescription()
    (description.guidance, description.solver, description.solverSteps) = (2, .euler, 7)
    #expect(description.ofFit == FlowMatchingDescription().ofFit)
    description.steps += 1
    #expect(description.ofFit != FlowMatchingDescription().ofFit)
    description.steps = 0
    #expect(throws: SettingError.self) { try description.validate() }
  }
}
