// Codes on a sphere: lengths and angles that are known, draws that stay there, and the loss in loops.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite struct SphericalAutoencoderTests {
  typealias Model = VAE<DenseEncoder<MLP, SpherePointHead>, MLPDecoder<NormalHead>, SpherePrior>

  /// Three numbers, four latents on the sphere of radius 2.
  static let model: Model = {
    var random = RandomStream(seed: 1)
    var model = VAE(
      encoder: DenseEncoder<MLP, SpherePointHead>(
        inputShape: [3], hidden: [], latentSize: 4, using: &random),
      decoder: MLPDecoder(
        latentSize: 4, hidden: [], outputShape: [3], head: NormalHead(.fixed(0.7)), using: &random),
      prior: SpherePrior([4])
    ).converted(to: .float64)
    model.setParameters(model.parameters.enumerated().map { numbers($1.shape, $0 + 1) })
    return model
  }()

  @Test(arguments: [1, 2, 7, 64, 1000], [1, 3]) func lengths(size: Int, rank: Int) {
    var random = RandomStream(seed: 3)
    let event = rank == 1 ? Shape([size]) : Shape([size, 2, 3])
    for dtype in [DType.float32, .float64] {
      for scale in [1e-3, 1, 1e3] {
        let z = random.normalTensor([20] + event, dtype) * scale
        let norms = square(z.onSphere(eventRank: rank)).flattened(from: 1).sum(axes: [1]).doubles
        #expect(norms.allSatisfy { abs($0 / Double(event.count) - 1) < 1e-5 })
      }
    }
    #expect(Tensor.zeros([2, 3]).onSphere().floats == [0, 0, 0, 0, 0, 0])
  }

  /// cos of the angle between v and f(v + sigma e) is 1 / sqrt(1 + sigma²): 0.0872 at 85 degrees.
  @Test(arguments: [85.0, 80, 45, 10]) func angles(angle: Double) {
    let size = 10_000
    var random = RandomStream(seed: 4)
    let v = random.normalTensor([8, size], .float64).onSphere()
    let e = random.normalTensor([8, size], .float64)
    let sigma = tan(angle * .pi / 180)
    let cosines = (v * (v + e * sigma).onSphere()).mean(axes: [1]).doubles
    let expected = cos(angle * .pi / 180)
    #expect(cosines.allSatisfy { abs($0 - expected) < 3 / Double(size).squareRoot() })
    if angle == 85 { #expect(abs(expected - 0.0872) < 5e-5) }
    // What the objective draws is no farther, and the nearer one lies between.
    var description = SphericalDescription()
    description.angle = angle
    let (far, near) = description.noisy(v, eventRank: 1, using: &random)
    let (first, second) = ((v * far).mean(axes: [1]).doubles, (v * near).mean(axes: [1]).doubles)
    for (far, near) in zip(first, second) {
      #expect(far >= expected - 0.03 && near >= far - 1e-12 && near <= 1 + 1e-12)
    }
  }

  /// The uniform distribution: on the sphere, centred, with the sphere's area as density.
  @Test func uniform() {
    var random = RandomStream(seed: 6)
    let p = UniformSphere(eventShape: [3], radius: 3.0.squareRoot(), dtype: .float64)
    let (z, density) = p.sampleAndLogProbability([20_000], using: &random)
    #expect(square(z).sum(axes: [1]).doubles.allSatisfy { abs($0 - 3) < 1e-9 })
    // A sphere of radius sqrt(3): 4 pi 3. The height of a point is uniform there.
    #expect(density.doubles.allSatisfy { abs($0 + log(12 * Double.pi)) < 1e-12 })
    let heights = z.selecting(2, axis: 1).doubles.sorted()
    let largest = heights.enumerated().map { index, height in
      abs(Double(index) / 20_000 - (height / 3.0.squareRoot() + 1) / 2)
    }.max()
    #expect(largest ?? 1 < 1.63 / 20_000.0.squareRoot(), "Kolmogorov and Smirnov at 1 %")
  }

  @Test func generation() throws {
    var random = RandomStream(seed: 2)
    for network in ["mlp", "gated-mlp", "conv", "resnet"] {
      var description = try ModelDescription(named: network, inputShape: [16, 16, 1])
      description.posterior = PosteriorSettings(SpherePointPosterior())
      func check(_ model: some LatentVariableModel) {
        let z = model.samplePrior(5, using: &random)
        let codes = model.codes(of: Tensor.ones([2, 16, 16, 1]) * 0.5)
        for points in [z, codes] {
          let squares = square(points).flattened(from: 1).mean(axes: [1]).doubles
          #expect(squares.allSatisfy { abs($0 - 1) < 1e-5 }, "\(network)")
        }
        #expect(model.generate(3, using: &random).shape == [3, 16, 16, 1])
      }
      check(try description.makeModel(using: &random))
    }
  }

  /// In loops, at the objective's draws.
  @Test(arguments: [ReconstructionCost.squared, .likelihood]) func loss(cost: ReconstructionCost) {
    let model = SphericalAutoencoderTests.model
    let rule = SphericalAutoencoder<Model> {
      ($0.angle, $0.consistency, $0.latent, $0.cost) = (60, 0.3, 0.2, cost)
    }
    var context = Tiny.training()
    let found = rule(model, Tiny.x, &context)
    var random = RandomStream(seed: 3)
    let noise = random.normalTensor([4, 4], .float64).doubles
    let radius = random.uniformTensor([4, 1], .float64).doubles
    let part = random.uniformTensor([4, 1], .float64).doubles
    let (w, b) = (model.encoder.head.weight.doubles, model.encoder.head.bias?.doubles ?? [])
    let (v, c) = (model.decoder.output.weight.doubles, model.decoder.output.bias?.doubles ?? [])
    func sphere(_ z: [Double]) -> [Double] {
      let length = z.map { $0 * $0 }.reduce(0, +).squareRoot()
      return z.map { 2 * $0 / length }
    }
    func encode(_ x: [Double]) -> [Double] {
      sphere((0..<4).map { row in (0..<3).reduce(b[row]) { $0 + w[row * 3 + $1] * x[$1] } })
    }
    func decode(_ z: [Double]) -> [Double] {
      (0..<3).map { row in (0..<4).reduce(c[row]) { $0 + v[row * 4 + $1] * z[$1] } }
    }
    func price(_ mean: [Double], _ x: [Double]) -> Double {
      zip(mean, x).map { mean, x in
        cost == .squared ? (x - mean) * (x - mean) : -Tiny.normal(0.7)(mean, x)
      }.reduce(0, +)
    }
    var (reconstruction, consistency, latent) = (0.0, 0.0, 0.0)
    for example in 0..<4 {
      let x = Array(Tiny.x.doubles[example * 3..<example * 3 + 3])
      let code = encode(x)
      func noisy(_ scale: Double) -> [Double] {
        let size = scale * 3.0.squareRoot()
        return sphere((0..<4).map { code[$0] + size * noise[example * 4 + $0] })
      }
      let far = decode(noisy(radius[example]))
      let near = decode(noisy(radius[example] * part[example] / 2))
      reconstruction += price(near, x) / 4
      consistency += price(far, near) / 4
      latent += (1 - zip(encode(far), code).map { $0 * $1 }.reduce(0, +) / 4) / 4
    }
    #expect(abs((found["reconstruction"]?.item ?? 0) - reconstruction) < 1e-9)
    #expect(abs((found["consistency"]?.item ?? 0) - consistency) < 1e-9)
    #expect(abs((found["latent"]?.item ?? 0) - latent) < 1e-9)
    let total = reconstruction + 0.3 * consistency + 0.2 * 3 * latent
    #expect(abs(found.total.item - total) < 1e-9)
  }

  /// Derivatives of the reconstruction, through the noise and the sphere, and of everything together.
  @Test func derivative() {
    let model = SphericalAutoencoderTests.model
    let plain = SphericalAutoencoder<Model> {
      ($0.angle, $0.consistency, $0.latent) = (60, 0, 0)
    }
    let error = gradientError(at: model.parameters) { parameters in
      var moved = model
      moved.setParameters(parameters)
      var context = Tiny.training()
      return plain(moved, Tiny.x, &context).total
    }
    #expect(error < 1e-7)
    let rule = SphericalAutoencoder<Model> { ($0.consistency, $0.latent) = (1, 1) }
    let result = valueAndGradient(at: model) { model in
      var context = Tiny.training()
      return rule(model, Tiny.x, &context).total
    }
    #expect(result.gradients.firstNonFinite == nil && result.gradients.norm > 0)
  }
}
