// Annealing between a prior and a posterior of which every density in between is known. With exact moves the expectation
// of log w is a Riemann sum of E_beta log p(x | z): the left one for chains from the prior, the right one for chains from
// the posterior. Two chains at mean and deviation on either side have exactly that expectation of a quadratic.

import Foundation
import Latent
import Testing

/// Puts the two chains of each example on either side of the mean, whatever they were.
struct TwoPoints: AnnealingKernel {
  let x: [Double]

  func points(_ temperature: Double) -> Tensor {
    let values = [-1.0, 1].flatMap { side in
      x.map { x in
        let (mean, variance) = LinearGaussian.annealed(temperature, x)
        return mean + side * variance.squareRoot()
      }
    }
    return Tensor(values, shape: [2, x.count, 1])
  }

  func callAsFunction<Model>(
    _ place: AnnealedPlace, _ density: AnnealedDensity<Model>, temperature: Double, step: Int,
    using random: inout RandomStream
  ) -> AnnealedPlace { density.place(points(temperature)) }
}

/// Several moves at each temperature, after which nothing is left of where they began.
struct Repeated: AnnealingKernel {
  let base: HamiltonianKernel
  func callAsFunction<Model>(
    _ place: AnnealedPlace, _ density: AnnealedDensity<Model>, temperature: Double, step: Int,
    using random: inout RandomStream
  ) -> AnnealedPlace {
    (0..<6).reduce(place) { place, _ in
      base(place, density, temperature: temperature, step: step, using: &random)
    }
  }
}

@Suite struct AnnealingTests {
  static let model = LinearGaussian.model()

  static func density(_ x: [Double]) throws -> AnnealedDensity<LinearGaussian.Model> {
    try AnnealedDensity(model, of: LinearGaussian.data(x))
  }

  @Test(
    "Exact moves have the expectations of Riemann sums",
    arguments: [
      (1, -1.9189385332, -1.2939385332), (10, -1.5478017985, -1.4853017985),
      (100, -1.5186475400, -1.5123975400), (1000, -1.5158247277, -1.5151997277),
    ])
  func riemann(steps: Int, lower: Double, upper: Double) throws {
    let kernel = TwoPoints(x: [1, -0.4])
    let density = try Self.density(kernel.x)
    let temperatures = AnnealingSchedule.linear(steps).temperatures
    var random = RandomStream(seed: 1)
    let forward = density.annealed(
      from: kernel.points(0), temperatures, kernel, using: &random
    ).mean(axes: [0]).doubles
    let backward = density.annealedBack(
      from: kernel.points(1), temperatures, kernel, using: &random
    ).mean(axes: [0]).doubles
    #expect(abs(forward[0] - lower) < 1e-10 && abs(backward[0] - upper) < 1e-10)
    #expect(abs(backward[0] - forward[0] - 0.625 / Double(steps)) < 1e-12)
    for (index, x) in kernel.x.enumerated() {
      let sums = (0..<steps).map { LinearGaussian.fit(Double($0) / Double(steps), x) }
      let left = sums.reduce(0, +) / Double(steps)
      #expect(abs(forward[index] - left) < 1e-12)
    }
  }

  @Test func schedules() {
    for steps in [1, 2, 9, 500] {
      for schedule in [AnnealingSchedule.linear(steps), .sigmoid(steps)] {
        let temperatures = schedule.temperatures
        #expect(temperatures.count == steps + 1)
        #expect(temperatures.first == 0 && temperatures.last == 1)
        #expect(zip(temperatures, temperatures.dropFirst()).allSatisfy { $0 < $1 })
        for (low, high) in zip(temperatures, temperatures.reversed()) {
          #expect(abs(low + high - 1) < 1e-12, "both ends alike")
        }
      }
    }
    let steps = AnnealingSchedule.sigmoid(100).temperatures
    #expect(steps[1] - steps[0] < 0.1 * (steps[51] - steps[50]), "small steps at the ends")
  }

  @Test("One temperature is importance sampling from the prior")
  func oneStep() throws {
    let density = try Self.density([1])
    var random = RandomStream(seed: 2)
    let z = density.samplePrior(7, using: &random)
    let found = density.annealed(from: z, [0, 1], TwoPoints(x: [1]), using: &random)
    #expect(found.doubles == density.place(z).logLikelihood.doubles)
  }

  /// Moves leave the density as it is: means and variances are right, and so are the Riemann sums where chains forget
  /// where they were, within four standard errors.
  @Test func hamiltonianMoves() throws {
    let chains = 2000
    let density = try Self.density([1])
    let temperatures = AnnealingSchedule.linear(10).temperatures
    var random = RandomStream(seed: 3)
    let kernel = Repeated(
      base: HamiltonianKernel(
        pilotOf: density, temperatures: temperatures, HamiltonianMoves(), using: &random))
    let start = density.samplePrior(chains, using: &random)
    let forward = density.annealed(from: start, temperatures, kernel, using: &random)
    let left = meanAndItsError(forward.doubles)
    #expect(abs(left.mean - -1.5478017985) < 4 * left.error, "\(left)")
    let z = (random.normalTensor([chains, 1, 1], .float64) * 0.5.squareRoot()) + 0.5
    let back = density.annealedBack(from: z, temperatures, kernel, using: &random)
    let right = meanAndItsError(back.doubles)
    #expect(abs(right.mean - -1.4853017985) < 4 * right.error, "\(right)")

    // Draws of a density stay draws of it.
    var place = density.place(z)
    place = kernel(place, density, temperature: 1, step: 10, using: &random)
    let (mean, error) = meanAndItsError(place.z.doubles)
    #expect(abs(mean - 0.5) < 4 * error)
    let squares = meanAndItsError(place.z.doubles.map { ($0 - 0.5) * ($0 - 0.5) })
    #expect(abs(squares.mean - 0.5) < 4 * squares.error)
    #expect(place.z.doubles != z.doubles, "they move")
  }

  @Test("Steps of the pilot run are accepted as often as wanted")
  func pilot() throws {
    // A narrow likelihood: the posterior is 100 times narrower than the prior.
    var model = Self.model
    model.decoder.output.weight = Tensor([100] as [Double], shape: [1, 1])
    let density = try AnnealedDensity(model, of: LinearGaussian.data([1]))
    var random = RandomStream(seed: 3)
    var moves = HamiltonianMoves()
    moves.pilotMoves = 20
    let kernel = HamiltonianKernel(
      pilotOf: density, temperatures: [0, 0.5, 1], moves, using: &random)
    let sizes = kernel.stepSizes.map(\.item)
    #expect(sizes[1] < 0.05 && sizes[1] > 0.005, "\(sizes)")
  }

  @Test func estimates() throws {
    let x = [1, -0.5, 0.2, 2.5]
    let sampling = AnnealedImportanceSampling(
      .linear(30), chains: 200, examplesAtOnce: 3, seed: 4)
    var heard: [Int] = []
    let estimates = try Self.model.annealedEstimates(of: LinearGaussian.data(x), sampling) {
      heard.append($0)
      #expect($1 == 4)
    }
    #expect(heard == [3, 4])
    for (estimate, x) in zip(estimates, x) {
      let error = abs(estimate.logLikelihood - LinearGaussian.logEvidence(x))
      #expect(error < 4 * estimate.standardError + 1e-3, "\(error) at \(x)")
      #expect(estimate.standardError < 0.05)
    }
    #expect(abs(estimates[0].logLikelihood - -1.5155121235) < 0.03)
    #expect(annealedMeasurement(estimates, sampling)?.metric == .annealedNLL)
  }

  @Test("The bounds hold the evidence between them")
  func bidirectional() throws {
    let sampling = AnnealedImportanceSampling(
      .linear(40), chains: 60, examplesAtOnce: 40, seed: 5)
    let bounds = try Self.model.bidirectionalBounds(simulations: 60, sampling)
    let gap = meanAndItsError(bounds.gaps)
    #expect(abs(gap.mean) < 0.01, "\(gap)")
    // log p(x) of x from N(0, 2) has the expectation -1/2 log(4 pi e).
    let lower = meanAndItsError(bounds.lower)
    #expect(abs(lower.mean - -0.5 * (log(4 * .pi) + 1)) < 4 * lower.error)
    #expect(bounds.measurement?.ceiling == 0)
    // One chain and one step: far apart, and in the right order.
    let coarse = try Self.model.bidirectionalBounds(
      simulations: 200, AnnealedImportanceSampling(.linear(1), chains: 1, seed: 5))
    let wide = meanAndItsError(coarse.gaps)
    #expect(wide.mean > 4 * wide.error)
  }

  @Test("Rate and distortion of a known decoder")
  func rateDistortion() throws {
    let sampling = AnnealedImportanceSampling(.linear(20), chains: 2000, seed: 6)
    let curve = try Self.model.rateDistortion(of: LinearGaussian.data([1]), sampling)
    #expect(curve.count == 20)
    for point in curve {
      let beta = point.beta ?? 0
      let logZ: Double =
        -beta / 2 * log(2 * .pi) - 0.5 * log(1 + beta) - 0.5 * beta / (1 + beta)
      let distortion = -LinearGaussian.fit(beta, 1)
      #expect(abs(point.distortion - distortion) < 0.06, "\(point) at \(beta)")
      #expect(abs(point.rate - (-beta * distortion - logZ)) < 0.06)
      #expect(point.source == .annealed)
    }
    for (before, after) in zip(curve, curve.dropFirst(5)) {
      #expect(after.rate > before.rate && after.distortion < before.distortion)
    }
    var random = RandomStream(seed: 4)
    let trained = RateDistortionPoint(
      trained: try Self.model.boundParts(
        of: LinearGaussian.data([1]), samples: 20_000, using: &random), divergenceWeight: 1)
    #expect(abs(trained.rate - (curve.last?.rate ?? 0)) < 0.06)
    #expect(trained.beta == 1 && trained.source == .trained && trained.rateError == nil)
  }

  @Test("Latents that are no points of flat space are refused")
  func refused() {
    var random = RandomStream(seed: 1)
    let base = Self.model
    let sphere = VAE(
      encoder: base.encoder,
      decoder: MLPDecoder(
        latentSize: 3, hidden: [], outputShape: [1], head: NormalHead(.fixed(1)), using: &random),
      prior: SpherePrior([3]))
    let error = #expect(throws: ModelRequirementError.self) {
      try AnnealedDensity(sphere, of: LinearGaussian.data([1]))
    }
    #expect(error?.description.contains("UniformSphere") == true)
  }
}
