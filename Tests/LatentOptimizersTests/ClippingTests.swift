// Bounds on gradients and averages of weights.

import Foundation
import LatentAutodiff
import LatentLayers
import LatentNumerics
import LatentOptimizers
import Testing

@Suite(.serialized) struct ClippingTests {
  /// `torch.nn.utils.clip_grad_norm_(parameters, 0.5)` on the gradients of step 0, float64.
  @Test func normIsPyTorchs() {
    let expected = [
      -0.24168393534567262, 0.09667357413826905, -0.09667357413826905, 0.24168393534567262,
      0.048336787069134524, -0.14501036120740357, -0.09667357413826905, 0.24168393534567262,
      0.048336787069134524, -0.14501036120740357,
    ]
    var gradients = Pair().gradients(step: 0)
    let (norm, scale) = gradients.clip(.norm(0.5))
    #expect(abs(norm - 1.2930100540985752) < 1e-15)
    let clipped = gradients.tensors.flatMap { $0?.doubles ?? [] }.map { $0 * scale }
    #expect(distance(clipped, expected) < 1e-12)
  }

  @Test func smallNormsStay() {
    var gradients = Pair().gradients(step: 0)
    let before = gradients.tensors.map { $0?.doubles }
    let (norm, scale) = gradients.clip(.norm(1.3))
    #expect(scale == 1 && abs(norm - 1.29301) < 1e-5)
    #expect(gradients.tensors.map { $0?.doubles } == before)
    var zero = Gradients([nil, .zeros([3])])
    #expect(zero.clip(.norm(1)) == (0, 1))
  }

  /// The factor is applied by the update: clipping then stepping equals a scaled step.
  @Test func theUpdateAppliesTheFactor() {
    var (clipped, plain) = (Pair(), Pair())
    var (first, second) = (SGD(learningRate: 1), SGD(learningRate: 1))
    var gradients = plain.gradients(step: 0)
    let (_, scale) = gradients.clip(.norm(0.25))
    first.update(&clipped, along: gradients, scale: scale)
    let small = plain.gradients(step: 0).tensors.map { $0.map { $0 * scale } }
    second.update(&plain, along: Gradients(small))
    #expect(distance(clipped.numbers, plain.numbers) < 1e-14)
    let moved = zip(clipped.numbers, Pair().numbers).reduce(0) { $0 + pow($1.0 - $1.1, 2) }
    #expect(abs(moved.squareRoot() - 0.25) < 1e-6)
  }

  @Test func values() {
    var gradients = Gradients([
      Tensor([-3, -0.5, 0, 0.5, 3] as [Double]), nil, Tensor([1, -1] as [Float]),
    ])
    let (norm, scale) = gradients.clip(.value(0.75))
    #expect(scale == 1 && abs(norm - 20.5.squareRoot()) < 1e-12, "the norm before")
    #expect(gradients.tensors[0]?.doubles == [-0.75, -0.5, 0, 0.5, 0.75])
    #expect(gradients.tensors[1] == nil && gradients.tensors[2]?.floats == [0.75, -0.75])
  }

  /// A NaN must reach whoever looks for it.
  @Test func nonFiniteGradientsStayVisible() {
    for rule in [GradientClipping.norm(1), .value(1)] {
      var gradients = Gradients([Tensor([1, Double.nan])])
      let (norm, _) = gradients.clip(rule)
      #expect(norm.isNaN, "\(rule)")
      #expect(gradients.firstNonFinite == 0, "\(rule)")
    }
    var infinite = Gradients([Tensor([1, Double.infinity])])
    #expect(infinite.clip(.value(1)).norm == .infinity)
  }

  @Test func rulesRoundTripAsJSON() throws {
    for rule in [GradientClipping.norm(0.5), .value(2)] {
      let data = try JSONEncoder().encode(rule)
      #expect(try JSONDecoder().decode(GradientClipping.self, from: data) == rule)
    }
  }

  @Test func sameBitsForAnyThreads() {
    let before = Threads.count
    defer { Threads.count = before }
    let model = Pair(.float32, sizes: ([700, 301], [100_003]))
    func run(_ threads: Int) -> (Double, [NDArray?], [NDArray]) {
      Threads.count = threads
      var gradients = model.gradients(step: 1)
      let norm = gradients.clip(.norm(1)).norm
      _ = gradients.clip(.value(0.3))
      var average = ExponentialMovingAverage(model, decay: 0.9)
      average.update(model.mapParameters { $0 * 0.5 })
      return (norm, gradients.tensors.map { $0?.array }, average.model.parameters.map(\.array))
    }
    let alone = run(1)
    for threads in [2, 3] { #expect(run(threads) == alone, "\(threads) threads") }
  }
}

@Suite struct AverageTests {
  /// After n updates towards one value v: v + decay^n (start - v).
  @Test(arguments: [0.5, 0.9, 0.999], [DType.float32, .float64])
  func closedForm(decay: Double, dtype: DType) {
    let start = Pair(dtype)
    let target = start.mapParameters { $0 * 0 + 2 }
    var average = ExponentialMovingAverage(start, decay: decay)
    for _ in 0..<20 { average.update(target) }
    let expected = start.numbers.map { 2 + pow(decay, 20) * ($0 - 2) }
    let error = distance(average.model.numbers, expected)
    #expect(error < (dtype == .float32 ? 1e-5 : 1e-13), "\(decay) \(dtype): \(error)")
  }

  @Test func buffersAreTakenOver() {
    var average = ExponentialMovingAverage(Pair(), decay: 0.9)
    var current = Pair()
    current.count = Tensor([17.0] as [Double])
    average.update(current)
    #expect(average.model.count.doubles == [17])
  }

  /// The average follows an optimiser that updates in place, and neither disturbs the other.
  @Test func followsAnOptimizer() {
    var model = Pair()
    var reference = Pair()
    var (optimizer, alone) = (Adam(learningRate: 0.1), Adam(learningRate: 0.1))
    var average = ExponentialMovingAverage(model, decay: 0.5)
    var expected = model.numbers
    for step in 0..<4 {
      optimizer.run(&model, step..<(step + 1))
      alone.run(&reference, step..<(step + 1))
      average.update(model)
      expected = zip(expected, model.numbers).map { $0 + 0.5 * ($1 - $0) }
      #expect(distance(average.model.numbers, expected) < 1e-14, "step \(step)")
    }
    #expect(model.numbers == reference.numbers)
  }

  /// After the first update, which leaves the shared start alone.
  @Test func updatesHappenInPlace() {
    func address(_ tensor: Tensor) -> UInt {
      tensor.array.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    }
    let start = Pair()
    let target = start.mapParameters { $0 + 1 }
    var average = ExponentialMovingAverage(start, decay: 0.5)
    average.update(target)
    #expect(start.numbers == Pair().numbers)
    let place = address(average.model.a)
    average.update(target)
    #expect(address(average.model.a) == place)
    let snapshot = average.model
    let numbers = snapshot.numbers
    average.update(target)
    #expect(snapshot.numbers == numbers, "a copy of the average stays")
  }

  @Test func restores() {
    var average = ExponentialMovingAverage(Pair(), decay: 0.5)
    let other = Pair().mapParameters { $0 + 1 }
    average.restore(other)
    #expect(average.model.numbers == other.numbers)
  }
}
