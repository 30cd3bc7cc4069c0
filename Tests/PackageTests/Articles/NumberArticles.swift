// The code of the articles about numbers, derivatives, layers, distributions, data and files.

import Foundation
import Latent
import Testing

/// x tanh(softplus(x)) (Misra 2020), elementwise.
func mish(_ x: Tensor) -> Tensor { x * tanh(softplus(x)) }

/// log x where x is positive, else 0.
func logOfPositive(_ x: Tensor) -> Tensor {
  let isPositive = x.detached .> 0
  let safe = Tensor.where(isPositive, x, x.onesLike)
  return log(safe)
}

/// Multiplies each feature by a learned number with multiplicative noise (Srivastava et al. 2014,
/// section 10): `[..., size] -> [..., size]`.
struct NoisyScale: Layer {
  var scale: Tensor  // [size]
  let deviation: Double

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&scale, "scale")
  }

  func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    guard context.isTraining else { return x * scale }
    let noise = context.random.normalTensor(x.shape, x.dtype) * deviation + 1
    return x * scale * noise
  }
}

/// Subtracts the running mean: `[batch, size] -> [batch, size]`.
struct Centering: Layer {
  var mean: Tensor  // [size]

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visitBuffer(&mean, "mean")
  }

  func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    if context.isTraining { context.update(mean, toward: x.mean(axes: [0]), by: 0.1) }
    return x - mean
  }
}

/// Independent exponential variables with density e^(logRate - x e^logRate) for x >= 0, in nats.
struct Exponential: ReparameterizedDistribution, FactorizedDistribution, DistributionWithMean {
  let logRate: Tensor  // [batch, event]
  let batchShape: Shape
  let eventShape: Shape

  init(logRate: Tensor, eventRank: Int = 1) {
    self.logRate = logRate
    batchShape = logRate.shape.prefix(logRate.rank - eventRank)
    eventShape = logRate.shape.suffix(eventRank)
  }

  var dtype: DType { logRate.dtype }
  var support: Support { .nonNegative }
  var mean: Tensor { exp(-logRate) }
  var mode: Tensor { logRate.zerosLike.detached }

  func elementLogProbabilities(of value: Tensor) -> Tensor {
    let inside = logRate - value * exp(logRate)
    return Tensor.where(value.detached .>= 0, inside, inside.zerosLike - .infinity)
  }

  func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    let uniform = random.uniformTensor(sampleShape + logRate.shape, dtype)
    return -log(uniform) * exp(-logRate)
  }

  func closedFormKL(to other: any Distribution) -> Tensor? {
    guard let q = other as? Exponential else { return nil }
    let difference = logRate - q.logRate
    return (difference + expMinusOne(-difference)).sum(
      axes: Array(batchShape.rank..<logRate.rank))
  }
}

/// Mirrors every second picture of a batch, or the others.
struct Mirror: BatchTransform {
  var description: String { "mirror" }
  func callAsFunction(_ batch: Batch, using random: inout RandomStream) -> Batch {
    var batch = batch
    let x = Tensor(batch.inputs)  // [batch, height, width, channels]
    let coin = (random.uniformTensor([x.shape[0], 1, 1, 1]) .< 0.5)
    batch.inputs = Tensor.where(coin, x.reversed(axis: 2), x).array
    return batch
  }
}

/// Points on a circle with a little noise, `[2]`, drawn when asked for.
struct Circle: Dataset {
  let count = 1_000
  let name = "circle"
  var fieldShapes: [String: Shape] { [Field.inputs: [2]] }
  func batch(at indices: [Int]) throws -> Batch {
    let points = indices.flatMap { index -> [Float] in
      var random = RandomStream(seed: 1).split(UInt64(index))
      let (angle, noise) = (random.uniform([1]).item * 2 * .pi, random.normal([1]).item * 0.01)
      return [Float(cos(angle) + noise), Float(sin(angle) + noise)]
    }
    let inputs = NDArray(points, shape: [indices.count, 2])
    return Batch(fields: [Field.inputs: inputs], indices: indices)
  }
}

@Suite struct NumberArticles {
  @Test func randomness() {
    let root = RandomStream(seed: 7)
    var weights = root.split("weights")
    var noise = root.split("noise").split(1_000)  // that of step 1,000, without the steps before
    let values = noise.normal([2, 3])

    #expect(values.shape == [2, 3] && values != weights.normal([2, 3]))
    var same = RandomStream(seed: 7).split("noise").split(1_000)
    #expect(same.normal([2, 3]) == values)
  }

  @Test func precision() {
    let labels = Tensor([0, 2, 1] as [Int32])
    let weights = labels.converted(to: .float32) * 0.5
    let isLarge = weights .> 0.4  // 0, 1, 1 in float32

    #expect(isLarge.floats == [0, 1, 1])
  }

  @Test func derivatives() {
    let x = Tensor([1, 2, 3] as [Double])
    let slope = gradient(at: x) { ($0 * $0 * $0).sum() }  // 3 x^2
    #expect(slope.doubles == [3, 12, 27])

    let curvature = gradient(at: x) { x in
      gradient(at: x) { ($0 * $0 * $0).sum() }.sum()
    }  // 6 x
    #expect(curvature.doubles == [6, 12, 18])

    let error = gradientError(at: [x]) { log(onePlus: exp($0[0])) }  // below 1e-6
    #expect(error < 1e-6)
    #expect(gradientError(at: [x]) { mish($0[0]) } < 1e-6)
    let mixed = Tensor([-1, 0, 3] as [Double])
    #expect(gradient(at: mixed) { logOfPositive($0).sum() }.doubles == [0, 0, 1 / 3])
  }

  @Test func layers() {
    let layer = NoisyScale(scale: .ones([3]) * 2, deviation: 0.5)
    let x = Tensor([1, 2, 3], shape: [1, 3])
    #expect(layer(x).floats == [2, 4, 6])
    var context = LayerContext(isTraining: true, random: RandomStream(seed: 1))
    #expect(layer(x, &context).floats != [2, 4, 6])

    var centering = Centering(mean: .zeros([3]))
    _ = centering(x, &context)
    #expect(centering.apply(context.bufferUpdates).isEmpty)
    #expect(centering.parameterCount == 0)
    #expect(zip(centering.mean.floats, [0.1, 0.2, 0.3]).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test func distributions() {
    let p = Exponential(logRate: Tensor([0, 0.5] as [Double], shape: [1, 2]))
    let q = Exponential(logRate: Tensor([1, -1] as [Double], shape: [1, 2]))
    var random = RandomStream(seed: 1)
    let (z, logP) = p.sampleAndLogProbability([20_000], using: &random)
    let estimate = (logP - q.logProbability(of: z)).mean().item
    #expect(abs(estimate - (p.closedFormKL(to: q)?.item ?? .nan)) < 0.05)
    #expect(p.logProbability(of: Tensor([-1, 1] as [Double])).item == -.infinity)
  }

  @Test func dataSets() throws {
    let pictures = NDArray(repeating: 255, shape: [10, 4, 4, 1], .uint8)
    let data = ArrayDataset(inputs: pictures, labels: NDArray([Int32](repeating: 0, count: 10)))
    let batch = try data.batch(at: [7, 0, 7])
    // batch.inputs is [3, 4, 4, 1], float32 from 0 to 1
    #expect(batch.inputs == NDArray(repeating: 1, shape: [3, 4, 4, 1], .float32))

    let source = try DataSource(parsing: "sprites:16")
    let (training, test) = try source.open()
    #expect(training.inputShape == [16, 16, 1] && test?.inputShape == [16, 16, 1])

    let order = BatchOrder(count: data.count, batchSize: 4, seed: 1)
    for indices in order.batches(epoch: 0) {
      let x = Tensor(try data.batch(at: indices).inputs)
      print(x.shape)
    }

    var random = RandomStream(seed: 1)
    let mirrored = Mirror()(try training.batch(0..<8), using: &random)
    #expect(mirrored.inputs.shape == [8, 16, 16, 1])
    let points = try Circle().batch(at: [3, 3]).inputs.doubles
    #expect(points[0] == points[2] && abs(hypot(points[0], points[1]) - 1) < 0.2)
  }

  @Test func files() throws {
    try withFolder { folder in
      var checkpoint = Checkpoint(texts: ["note": "after the first day"])
      checkpoint.arrays["means"] = NDArray([1, 2, 3])
      try checkpoint.write(to: "\(folder)/means.h5")
      let again = try Checkpoint(contentsOf: "\(folder)/means.h5")
      #expect(again == checkpoint)

      var random = RandomStream(seed: 2)
      var critic = Linear(8, 1, using: &random)
      var both = Checkpoint()
      both.store(critic, as: "critic")
      try both.write(to: "\(folder)/both.h5")
      try Checkpoint(contentsOf: "\(folder)/both.h5").load(&critic, from: "critic")

      let table = NDArray([0, 1, 2, 3, 4, 5], shape: [3, 2])
      try NPY.write(table, to: "\(folder)/table.npy")
      let read = try NPY.read("\(folder)/table.npy")  // [3, 2]
      try HDF5File.write(
        arrays: ["table": table], attributes: ["table": ["units": "mm"]], to: "\(folder)/table.h5")
      let file = try HDF5File(path: "\(folder)/table.h5")
      let rows = try file.rows(1..<3, of: "table")  // [2, 2]
      let units = try file.attribute("units", of: "table")?.text  // "mm"
      #expect(read == table && rows.floats == [2, 3, 4, 5] && units == "mm")
    }
  }
}
