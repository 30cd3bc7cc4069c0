// Hamiltonian posteriors in a learned metric: the metric, the steps, the weights.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite struct RiemannianTests {
  static func normal(_ shape: Shape, _ seed: UInt64) -> Tensor {
    var random = RandomStream(seed: seed)
    return random.normalTensor(shape, .float64)
  }

  /// Five centers in three dimensions.
  static let metric: InverseMetric = {
    let factors = (normal([5, 3, 3], 2) * 0.3).lowerTriangle + Tensor.identity(3, .float64) * 0.6
    return InverseMetric(
      centers: normal([5, 3], 1), factors: factors, weights: .ones([5], .float64), reach: 1.2,
      floor: 0.1)
  }()

  /// det G^-1 = (1 + lambda)^d at the only center, whose factor is I; lambda^d far away.
  @Test func oneCenter() {
    let metric = InverseMetric(
      centers: Tensor([1, 2, -1] as [Double], shape: [1, 3]),
      factors: Tensor.identity(3, .float64).reshaped([1, 3, 3]), weights: .ones([1], .float64),
      reach: 1.5, floor: 0.01)
    let places = Tensor([1, 2, -1, 60, 0, 0] as [Double], shape: [2, 3])
    let found = metric.halfLogDeterminant(places) * 2
    #expect(distance(found.doubles, [3 * log(1.01), 3 * log(0.01)]) < 1e-12)
  }

  @Test func symmetricPositiveDefinite() throws {
    let z = Self.normal([4, 6, 3], 3) * 2
    let matrix = Self.metric(z)
    #expect(matrix.shape == [4, 6, 3, 3] && distance(matrix, matrix.transposed) < 1e-14)
    _ = try cholesky(matrix)
    let r = Self.normal([4, 6, 3], 4)
    // Momenta have the covariance G: r^T G^-1 r of a draw is |noise|^2.
    let momentum = Self.metric.momentum(z, noise: r)
    let square = (Self.metric.velocity(z, momentum) * momentum).sum(axes: [-1])
    #expect(distance(square, (r * r).sum(axes: [-1])) < 1e-12)
  }

  /// With the trace of G^-1 dG: against finite differences.
  @Test func gradientOfTheEnergy() {
    let (z, r) = (Self.normal([2, 3], 5), Self.normal([2, 3], 6))
    #expect(gradientError(at: [z, r]) { Self.metric.energy($0[0], $0[1]) } < 1e-7)
    #expect(gradientError(at: [z]) { Self.metric.halfLogDeterminant($0[0]) } < 1e-7)
    // A second derivative, as in training.
    let error = gradientError(at: [z, r]) { inputs in
      gradient(at: inputs[0]) { Self.metric.energy($0, inputs[1]).sum() }
    }
    #expect(error < 1e-6)
  }

  /// In a flat metric the steps are the ordinary ones.
  @Test func flat() {
    let flow = HamiltonianFlowTests.flow(4, steps: 5, temperature: 1.5)
    let flat = InverseMetric(
      centers: .zeros([1, 4], .float64), factors: .zeros([1, 4, 4], .float64),
      weights: .zeros([1], .float64), reach: 1, floor: 1)
    let (z, r) = (Self.normal([3, 4], 7), Self.normal([3, 4], 8))
    let plain = flow(z, r, gradient: HamiltonianFlowTests.slope)
    let found = flow(z, r, metric: flat, rounds: 2, gradient: HamiltonianFlowTests.slope)
    #expect(distance(found.place, plain.place) < 1e-12)
    #expect(distance(found.momentum, plain.momentum) < 1e-12)
  }

  /// With enough substitutions steps can be undone and keep volumes.
  @Test func reversedAndVolume() throws {
    let flow = HamiltonianFlowTests.flow(3, steps: 4, stepSize: 0.1)
    func run(_ z: Tensor, _ r: Tensor) -> (place: Tensor, momentum: Tensor) {
      flow(z, r, metric: Self.metric, rounds: 40, gradient: HamiltonianFlowTests.slope)
    }
    let (z, r) = (Self.normal([1, 3], 9), Self.normal([1, 3], 10))
    let end = run(z, r)
    let back = run(end.place, -end.momentum)
    #expect(distance(end.place, z) > 0.01)
    #expect(distance(back.place, z) < 1e-10 && distance(-back.momentum, r) < 1e-10)
    let start = Tensor.concatenate([z, r], axis: 1)
    let rows = (0..<6).map { row in
      gradient(at: start) { both in
        let end = run(both.sliced(1, 0..<3), both.sliced(1, 3..<6))
        return Tensor.concatenate([end.place, end.momentum], axis: 1).sliced(1, row..<row + 1).sum()
      }.flattened()
    }
    let jacobian = Tensor.stack(rows)
    let logVolume = try logDeterminant(matmul(jacobian, jacobian, transpose: .right)).item / 2
    #expect(abs(logVolume) < 1e-9, "\(logVolume)")
  }

  // MARK: The model

  typealias Base = VAE<DenseEncoder<MLP, NormalWithFactorHead>, Output, StandardNormalPrior>
  typealias Output = MLPDecoder<NormalHead>

  /// Linear, of two latents and three numbers, with noise of variance 1.
  static func model(rounds: Int = 3, stepSize: Double = 0.1) -> RiemannianModel<Base> {
    var random = RandomStream(seed: 1)
    var base = Base(
      encoder: DenseEncoder(
        inputShape: [3], hidden: [], latentSize: 2, posterior: NormalWithFactorHead(),
        using: &random),
      decoder: MLPDecoder(
        latentSize: 2, hidden: [], outputShape: [3], head: NormalHead(.fixed(1)), using: &random),
      prior: .standardNormal(2)
    ).converted(to: .float64)
    // A posterior that is wider than the true one, so that weights are bounded.
    base.encoder.head.weight = numbers([7, 3], 1) * 0.2
    base.encoder.head.bias = .zeros([7], .float64)
    base.decoder.output.weight = numbers([3, 2], 3)
    base.decoder.output.bias = numbers([3], 4)
    return RiemannianModel(
      base, flow: HamiltonianFlow(latents: 2, steps: 3, stepSize: stepSize), points: 6,
      rounds: rounds
    ).converted(to: .float64)
  }

  /// The metric is that of the batch in training, and afterwards that of the last examples.
  @Test func centersAreKept() {
    var model = Self.model()
    for (count, filled) in [(4, 4.0), (3, 6.0)] {
      var context = Tiny.training()
      let q = model.posterior(Tiny.x[0..<count], &context)
      #expect(distance(q.metric.centers, q.start.normal.mean) == 0)
      model.apply(context.bufferUpdates)
      #expect(model.filled.item == filled)
      #expect(distance(model.centers[0..<count], q.start.normal.mean) == 0)
      #expect(distance(model.factors[0..<count], q.start.factor) == 0)
    }
    #expect(model.encode(Tiny.x).metric.weights.doubles == [1, 1, 1, 1, 1, 1])
    #expect(
      model.namedParameters.suffix(4).map(\.path)
        == ["flow.step", "metric.centers", "metric.factors", "metric.filled"])
    #expect(model.unvisitedTensors == [])
  }

  /// Of a linear model with noise of variance 1 the evidence is normal; weights average to it.
  @Test func weightsAverageToTheEvidence() throws {
    let model = Self.model(rounds: 12)
    let x = Tiny.x[0..<1]
    var context = Tiny.training()
    let pass = model.variationalPass(x, samples: 40_000, density: true, &context)
    let w = model.base.decoder.output.weight
    let covariance = matmul(w, w, transpose: .right) + Tensor.identity(3, .float64)
    let evidence = FullCovarianceNormal(
      mean: numbers([3], 4), scaleTriangle: try cholesky(covariance)
    ).logProbability(of: x)
    let (mean, error) = meanAndError(exp(pass.logWeights - evidence).flattened())
    #expect(abs(mean - 1) < 4 * error, "\(mean) +- \(error)")
    #expect(error < 0.05)
  }

  @Test func derivatives() {
    let model = Self.model()
    let error = gradientError(at: model.parameters) { parameters in
      var copy = model
      copy.setParameters(parameters)
      var context = Tiny.training()
      return ELBO(samples: 2)(copy, Tiny.x, &context).total
    }
    #expect(error < 1e-6, "\(error)")
  }
}
