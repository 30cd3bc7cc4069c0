// Encoding, decoding, walks through the latent space: shapes, exact ends, finite corners.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct LatentToolTests {
  static func model(_ shape: Shape, _ dtype: DType) -> Tiny.Model<BernoulliHead> {
    var random = RandomStream(seed: 1)
    return VAE(
      encoder: MLPEncoder(inputShape: shape, hidden: [5], latentSize: 2, using: &random),
      decoder: MLPDecoder(
        latentSize: 2, hidden: [5], outputShape: shape, head: BernoulliHead(), using: &random),
      prior: .standardNormal(2)
    ).converted(to: dtype)
  }

  @Test(arguments: [[3], [4, 4, 1], [2, 3, 5]] as [Shape], [DType.float32, .float64])
  func shapes(shape: Shape, dtype: DType) {
    let model = LatentToolTests.model(shape, dtype)
    var random = RandomStream(seed: 2)
    for batch in [1, 6] {
      let x = random.uniformTensor([batch] + shape, dtype)
      let posterior = model.encode(x)
      #expect(posterior.batchShape == [batch] && posterior.eventShape == [2])
      let likelihood = model.decode(posterior.mean)
      #expect(likelihood.batchShape == [batch] && likelihood.eventShape == shape)
      #expect(model.reconstruct(x).array == likelihood.mean.array)
    }
    let samples = model.decode(random.normalTensor([7, 6, 2], dtype))
    #expect(samples.batchShape == [7, 6] && samples.eventShape == shape)
    let generated = model.generate(9, using: &random)
    #expect(generated.shape == [9] + shape && generated.dtype == dtype)
    #expect(model.samplePrior(0, using: &random).shape == [0, 2])
    let (start, end) = (random.normalTensor([2], dtype), random.normalTensor([2], dtype))
    #expect(model.interpolate(from: start, to: end, steps: 5).shape == [5] + shape)
    let pairs = model.interpolate(
      from: random.normalTensor([4, 2], dtype), to: random.normalTensor([4, 2], dtype), steps: 3,
      .linear)
    #expect(pairs.shape == [3, 4] + shape)
    let walk = model.traverse(start, dimension: 1, values: [-2, -1, 0, 1])
    #expect(walk.shape == [4] + shape && walk.dtype == dtype)
  }

  /// The angle does not depend on the norms, also where their squares are no number of the type.
  @Test(arguments: [1, 1e10, 1e20, 1e30]) func greatCirclesOfAnyNorm(norm: Double) {
    func vector(_ x: Double, _ y: Double) -> Tensor {
      Tensor([x * norm, y * norm]).converted(to: .float32)
    }
    let same = interpolated(
      from: vector(0.6, 0.8), to: vector(0.6, 0.8), steps: 3, .spherical
    ).doubles
    for (found, expected) in zip(same, [0.6, 0.8, 0.6, 0.8, 0.6, 0.8]) {
      #expect(abs(found / norm - expected) < 1e-6)
    }
    let quarter = interpolated(from: vector(3, 0), to: vector(0, 4), steps: 3, .spherical).doubles
    let half = 0.5.squareRoot()
    for (found, expected) in zip(quarter, [3, 0, 3 * half, 4 * half, 0, 4]) {
      #expect(abs(found / norm - expected) < 1e-5)
    }
  }

  @Test func generatingFollowsTheStream() {
    let model = LatentToolTests.model([3], .float32)
    var (first, again, other) = (
      RandomStream(seed: 1), RandomStream(seed: 1), RandomStream(seed: 2)
    )
    let images = model.generate(4, using: &first).array
    #expect(model.generate(4, using: &again).array == images)
    #expect(model.generate(4, using: &again).array != images)
    #expect(model.generate(4, using: &other).array != images)
  }

  @Test(arguments: Interpolation.allCases, [DType.float32, .float64])
  func endsAreExact(path: Interpolation, dtype: DType) {
    var random = RandomStream(seed: 3)
    for size in [1, 2, 20] {
      for shape in [[size], [6, size]] as [Shape] {
        let (start, end) = (
          random.normalTensor(shape, dtype) * 3, random.normalTensor(shape, dtype)
        )
        let line = interpolated(from: start, to: end, steps: 7, path)
        #expect(line.shape == [7] + shape)
        #expect(line.selecting(0).array == start.array, "\(path) \(shape)")
        #expect(line.selecting(6).array == end.array, "\(path) \(shape)")
        #expect(line.array.nonFiniteCount == 0)
      }
    }
  }

  @Test func linearPointsLieOnTheLine() {
    let (start, end) = (Tensor([1.0, -2] as [Double]), Tensor([3.0, 2] as [Double]))
    let line = interpolated(from: start, to: end, steps: 5, .linear)
    #expect(line.doubles == [1, -2, 1.5, -1, 2, 0, 2.5, 1, 3, 2])
  }

  /// Between vectors of one norm every point has it, at equal angles.
  @Test func sphericalKeepsTheNorm() {
    var random = RandomStream(seed: 4)
    for _ in 0..<20 {
      func unit(_ x: Tensor) -> Tensor { x / sqrt(square(x).sum()) * 5 }
      let (start, end) = (
        unit(random.normalTensor([8], .float64)),
        unit(random.normalTensor([8], .float64))
      )
      let arc = interpolated(from: start, to: end, steps: 9, .spherical)
      let norms = sqrt(square(arc).sum(axes: [1])).doubles
      #expect(distance(norms, Array(repeating: 5, count: 9)) < 1e-13)
      let chords = (0..<8).map { step in
        sqrt(square(arc.selecting(step + 1) - arc.selecting(step)).sum()).item
      }
      #expect(distance(chords, Array(repeating: chords[0], count: 8)) < 1e-12)
    }
    // A quarter of a circle, in each row of a batch its own.
    let (start, end) = (
      Tensor([1.0, 0, 0, 2] as [Double], shape: [2, 2]),
      Tensor([0, 1.0, 2, 0] as [Double], shape: [2, 2])
    )
    let middle = interpolated(from: start, to: end, steps: 3, .spherical).selecting(1)
    let root = 0.5.squareRoot()
    #expect(distance(middle.doubles, [root, root, 2 * root, 2 * root]) < 1e-14)
  }

  @Test(arguments: [DType.float32, .float64]) func cornersAreFinite(dtype: DType) {
    var random = RandomStream(seed: 5)
    let z = random.normalTensor([12], dtype)
    let cases: [(name: String, start: Tensor, end: Tensor)] = [
      ("equal", z, z), ("antipodal", z, -z), ("nearly equal", z, z * 1.000_001),
      ("nearly antipodal", z, -z + random.normalTensor([12], dtype) * 1e-6),
      ("parallel", z, z * 3), ("opposite of another length", z, z * -0.2),
      ("from zero", z.zerosLike, z), ("to zero", z, z.zerosLike),
      ("zeros", z.zerosLike, z.zerosLike),
      ("tiny", z * 1e-18, -z * 1e-18), ("large", z * 1e15, z.reversed(axis: 0) * 1e15),
    ]
    for (name, start, end) in cases {
      let path = interpolated(from: start, to: end, steps: 5, .spherical)
      let scale = max(
        start.doubles.map(Swift.abs).max() ?? 0, end.doubles.map(Swift.abs).max() ?? 0)
      #expect(path.array.nonFiniteCount == 0, "\(name)")
      #expect(path.doubles.allSatisfy { Swift.abs($0) <= 12 * scale + 1e-30 }, "\(name)")
      #expect(path.selecting(0).array == start.array, "\(name)")
      #expect(path.selecting(4).array == end.array, "\(name)")
      if name == "equal" || name == "nearly equal" {
        #expect(distance(path.selecting(2), z) < 1e-5, "\(name)")
      }
    }
  }

  @Test func traversalMovesOneDimension() {
    for dtype in [DType.float32, .float64] {
      let z = Tensor([0.5, -1.5, 2.25]).converted(to: dtype)
      let walk = traversal(of: z, dimension: 1, values: [-3, 0, 3])
      #expect(walk.doubles == [0.5, -3, 2.25, 0.5, 0, 2.25, 0.5, 3, 2.25])
      #expect(walk.dtype == dtype)
    }
  }
}
