// Each bijection against numbers and identities of its own.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

private func row(_ values: [Double]) -> Tensor { Tensor(values, shape: [1, values.count]) }
private func scalars(_ values: [Double]) -> Tensor { Tensor(values) }

@Suite struct PlanarBijectionTests {
  /// u = 0 is not the identity; w u = log(e - 1) is.
  @Test func exactNumbers() {
    let still = PlanarBijection(
      displacement: row([0, 0]), direction: row([0.6, 0.8]), offset: scalars([0]))
    #expect(abs(still.forward(row([0.8, -0.6])).logDeterminant.item - -0.366513) < 1e-6)
    let identity = PlanarBijection(
      displacement: row([0.541_324_854_612_918 * 0.6, 0.541_324_854_612_918 * 0.8]),
      direction: row([0.6, 0.8]), offset: scalars([0.3]))
    let z = row([1.5, -2])
    #expect(distance(identity.forward(z).value, z) < 1e-15)
    #expect(abs(identity.forward(z).logDeterminant.item) < 1e-15)
    #expect(abs(log1p(exp(PlanarBijection.identityProduct)) - 1) < 1e-15)
  }

  /// The argument of the logarithm is positive whatever the parameters, also where w uhat rounds to -1.
  @Test func isInvertibleForAllParameters() {
    let scale = Tensor(
      (0..<10_000).map { index -> Double in pow(10.0, Double(index % 7 - 3)) }, shape: [10_000, 1])
    let map = PlanarBijection(
      displacement: scattered([10_000, 3], 1) * scale,
      direction: scattered([10_000, 3], 2) * scale,
      offset: scattered([10_000], 3))
    let (value, logs) = map.forward(scattered([10_000, 3], 4) * 3)
    #expect(logs.array.nonFiniteCount == 0 && value.array.nonFiniteCount == 0)
    let steep = PlanarBijection(
      displacement: row([-60, 0]), direction: row([1, 0]), offset: scalars([0]))
    #expect(abs(steep.forward(row([0, 2])).logDeterminant.item - -60) < 1e-12)
    let gradients = valueAndGradient(at: [row([-60, 0]), row([0, 2])]) {
      PlanarBijection(displacement: $0[0], direction: row([1, 0]), offset: scalars([0]))
        .forward($0[1]).logDeterminant.sum()
    }.gradients
    #expect(distance(gradients[0], row([1, 0])) < 1e-12)
    #expect(gradients[1].array.nonFiniteCount == 0)
  }

  @Test func withoutDirection() {
    let map = PlanarBijection(
      displacement: row([1, 2]), direction: row([0, 0]), offset: scalars([0.5]))
    let (value, log) = map.forward(row([3, 4]))
    let bend = 0.462_117_157_260_009_76  // tanh 0.5
    #expect(distance(value, row([3 + bend, 4 + 2 * bend])) < 1e-15 && log.item == 0)
  }
}

@Suite struct RadialBijectionTests {
  private func map(_ strength: Double, _ center: [Double] = [0.5, -1]) -> RadialBijection {
    RadialBijection(center: row(center), logWidth: scalars([0]), strength: scalars([strength]))
  }

  @Test func limits() {
    let z = row([2, 1])
    let identity = map(RadialBijection.identityStrength)
    #expect(distance(identity.forward(z).value, z) < 1e-15)
    #expect(abs(identity.forward(z).logDeterminant.item) < 1e-15)
    // beta = -alpha: all but the distance's r / (1 + r) is left, invertible still.
    let (contracted, log) = map(-800).forward(z)
    let r = 2.5
    #expect(distance(contracted, row([0.5 + 1.5 * r / (1 + r), -1 + 2 * r / (1 + r)])) < 1e-14)
    let expected: Double =
      Foundation.log(r / (1 + r)) + Foundation.log((2 * r + r * r) / (1 + r) / (1 + r))
    #expect(abs(log.item - expected) < 1e-13)
    // softplus of a large number is that number.
    #expect(map(1e4).forward(z).logDeterminant.array.nonFiniteCount == 0)
  }

  /// At the centre the value has the derivative 1 + beta / alpha, and nothing is NaN.
  @Test func center() {
    let map = map(1)
    let beta = Foundation.log(1 + M_E) - 1
    let jacobian = jacobians(row([0.5, -1])) { map.forward($0).value }[0]
    #expect(distance(jacobian.flatMap { $0 }, [1 + beta, 0, 0, 1 + beta]) < 1e-14)
    #expect(
      abs(map.forward(row([0.5, -1])).logDeterminant.item - 2 * Foundation.log(1 + beta)) < 1e-14)
    let slope = gradient(at: row([0.5, -1])) { map.forward($0).logDeterminant.sum() }
    #expect(slope.doubles == [0, 0])
  }
}

@Suite struct OrthogonalBijectionTests {
  @Test func reflections() {
    let z = scattered([3, 4], 1)
    let map = HouseholderBijection(normal: scattered([3, 4], 2))
    let once = map.forward(z).value
    #expect(distance(square(once).sum(axes: [-1]), square(z).sum(axes: [-1])) < 1e-14)
    #expect(distance(map.forward(once).value, z) < 1e-14)
    // The direction itself turns round, what is perpendicular to it stays.
    let axis = HouseholderBijection(normal: row([1, 0, 0]))
    #expect(axis.forward(row([2, 3, 4])).value.doubles == [-2, 3, 4])
    let nothing = HouseholderBijection(normal: row([0, 0, 0]))
    #expect(nothing.forward(row([2, 3, 4])).value.doubles == [2, 3, 4])
  }

  /// Q^T Q = I, and Q is the nearest such matrix: Q^T A is symmetric and positive.
  @Test(arguments: [(5, 3), (4, 4), (3, 1), (1, 1)]) func orthonormal(size: Int, columns: Int) {
    let a = scattered([6, size, columns], 3)
    for dtype in [DType.float64, .float32] {
      let q = SylvesterBijection.orthonormalized(a.converted(to: dtype)).converted(to: .float64)
      let gram = matmul(q, q, transpose: .left)
      let identity = Tensor.identity(columns, .float64).broadcast(to: gram.shape)
      #expect(distance(gram, identity) < (dtype == .float64 ? 1e-12 : 1e-5))
      let polar = matmul(q, a, transpose: .left)
      #expect(distance(polar, polar.transposed) < (dtype == .float64 ? 1e-11 : 1e-4))
      #expect(polar.diagonal.doubles.allSatisfy { $0 > 0 })
    }
    let product = SylvesterBijection.reflections(scattered([6, size, size], 4))
    let gram = matmul(product, product, transpose: .left)
    #expect(distance(gram, Tensor.identity(size, .float64).broadcast(to: gram.shape)) < 1e-12)
  }

  /// Columns that depend on each other have no such neighbour; other matrices of the batch keep theirs.
  @Test func dependentColumns() {
    let a = Tensor([1, 2, 2, 4, 3, 6, 1, 0, 0, 1, 0, 0] as [Double], shape: [2, 3, 2])
    let q = SylvesterBijection.orthonormalized(a)
    #expect(q.selecting(0).array.nonFiniteCount == 6)
    #expect(distance(q.selecting(1), a.selecting(1)) < 1e-12)
  }

  /// With one column it is a planar map of w = R~ Q and uhat = R Q.
  @Test func oneColumnIsPlanar() {
    let q = row([0.6, 0, 0.8])
    let (outer, inner, offset) = (0.7, -0.9, 0.3)
    let map = SylvesterBijection(
      basis: q.reshaped([1, 3, 1]), outer: Tensor([outer], shape: [1, 1, 1]),
      inner: Tensor([inner], shape: [1, 1, 1]), offset: Tensor([offset], shape: [1, 1]))
    // The u whose admissible one is R Q: along w, with m(w u) = w uhat.
    let product = outer * inner
    let free = log(exp(1 + product) - 1)
    let planar = PlanarBijection(
      displacement: q * (free / inner), direction: q * inner, offset: scalars([offset]))
    let z = scattered([5, 1, 3], 2)
    let (found, expected) = (map.forward(z), planar.forward(z))
    #expect(distance(found.value, expected.value) < 1e-13)
    #expect(distance(found.logDeterminant, expected.logDeterminant) < 1e-13)
  }

  /// Raw outputs of 0 are the identity in every form.
  @Test(arguments: SylvesterFlow.Variant.allCases) func zeros(_ variant: SylvesterFlow.Variant) {
    let flow = SylvesterFlow(size: 4, depth: 3, variant: variant, columns: 2)
    let z = scattered([2, 4], 5)
    let (value, log) = flow(Tensor.zeros([2, flow.conditionCount], .float64)).forward(z)
    #expect(value.doubles == z.doubles && log.doubles == [0, 0])
  }
}

@Suite struct AutoregressiveTests {
  private func network(_ size: Int, _ hidden: [Int], context: Int = 0) -> ConditionalNetwork {
    var random = RandomStream(seed: 4)
    return ConditionalNetwork(
      autoregressive: size, numbers: 2, hidden: hidden, context: context, output: .pyTorch,
      using: &random
    ).converted(to: .float64)
  }

  /// Both numbers of element i have derivatives by elements before i, by all of them and by no other.
  @Test(arguments: [[4], [9, 6], []]) func seesWhatIsBefore(hidden: [Int]) {
    let network = network(5, hidden).mapParameters { abs($0) + 0.1 }.bound(to: nil)
    let z = abs(scattered([1, 5], 1)) + 0.1
    for part in 0..<2 {
      let jacobian = jacobians(z) { network($0).sliced(-1, part * 5..<part * 5 + 5) }[0]
      for i in 0..<5 {
        for j in 0..<5 { #expect((jacobian[i][j] > 0) == (j < i), "\(i) \(j) \(jacobian)") }
      }
    }
  }

  /// The map's Jacobian is triangular, the reversed step's in the other order.
  @Test func triangular() {
    let map = AutoregressiveBijection(network(4, [6]).bound(to: nil), .gated(bias: 1))
    let jacobian = jacobians(scattered([1, 4], 1)) { map.forward($0).value }[0]
    for i in 0..<4 {
      #expect(jacobian[i][i] != 0)
      for j in i + 1..<4 { #expect(jacobian[i][j] == 0) }
    }
  }

  /// Of one element there is nothing before: constants, or what the context says.
  @Test func oneElement() {
    let constant = network(1, [3]).bound(to: nil)
    let values = constant(scattered([4, 1], 1) * 100)
    #expect((1..<4).allSatisfy { values.selecting($0).doubles == values.selecting(0).doubles })
    let told = network(1, [3], context: 2).bound(to: scattered([4, 2], 2))
    let different = told(scattered([4, 1], 1))
    #expect(different.selecting(0).doubles != different.selecting(1).doubles)
    #expect(told(scattered([4, 1], 5)).doubles == different.doubles)
  }

  /// Zero weights forget a little: -d log(1 + e^-b) a step.
  @Test(arguments: [(1.0, -0.313262), (1.5, -0.201413), (2.0, -0.126928)])
  func gatedZeros(bias: Double, perElement: Double) {
    var random = RandomStream(seed: 1)
    let flow = AutoregressiveFlow(
      size: 5, depth: 3, hidden: [4], scaling: .gated(bias: bias), using: &random
    ).converted(to: .float64)
    let (value, log) = flow(nil).forward(scattered([1, 5], 1))
    #expect(abs(log.item - 15 * perElement) < 15 * 5e-7)
    // Three steps, two reversals: the order is the first one again.
    let gate = 1 / (1 + exp(-bias))
    #expect(distance(value, scattered([1, 5], 1) * pow(gate, 3)) < 1e-14)
  }

  /// Kingma's gated form and Papamakarios' equations 3 and 4, in loops.
  @Test func formulas() {
    let network = network(3, [5], context: 2).bound(to: scattered([2, 2], 3))
    let z = scattered([2, 3], 1)
    let halves = network(z).split(into: 2, axis: -1)
    let (m, s, x) = (halves[0].doubles, halves[1].doubles, z.doubles)
    let gated = x.indices.map { index -> Double in
      let g = 1 / (1 + exp(-(s[index] + 1.5)))
      return g * x[index] + (1 - g) * m[index]
    }
    let standard = x.indices.map { (x[$0] - m[$0]) * exp(-s[$0]) }
    let plain = x.indices.map { x[$0] * exp(s[$0]) + m[$0] }
    for (scaling, expected) in [
      (AutoregressiveScaling.gated(bias: 1.5), gated),
      (AutoregressiveScaling.standardizing, standard),
      (AutoregressiveScaling.exponential, plain),
    ] {
      let value = AutoregressiveBijection(network, scaling).forward(z).value
      #expect(distance(value.doubles, expected) < 1e-14)
    }
  }

  /// The masked flow's way back is the inverse flow with the same networks; numbers that are not known yet
  /// count nowhere, however large.
  @Test func oneAfterTheOther() {
    let huge = network(4, [6]).mapParameters { $0 * 40 }.bound(to: nil)
    let map = AutoregressiveBijection(huge, .standardizing)
    let (x, log) = map.inverse(row([0.01, 0.02, -0.01, 0.03]))
    let first = x.doubles[0]
    #expect(first.isFinite && log.shape == [1])
    let z = scattered([3, 4], 1)
    let other = AutoregressiveBijection(network(4, [6]).bound(to: nil), .standardizing)
    #expect(distance(other.inverted.forward(other.forward(z).value).value, z) < 1e-10)
  }

  @Test func couplingChangesHalves() {
    var random = RandomStream(seed: 1)
    let flow = CouplingFlow(
      size: 5, depth: 2, hidden: [4], elements: AffineElements(), output: .pyTorch, using: &random
    ).converted(to: .float64)
    let z = scattered([1, 5], 1)
    let steps = flow(nil).steps
    let first = steps[0].forward(z).value.doubles
    let both = steps[1].forward(Tensor(first, shape: [1, 5])).value.doubles
    #expect(first[0..<2] == z.doubles[0..<2] && both[2..<5] == first[2..<5])
    #expect(zip(both, z.doubles).allSatisfy { $0 != $1 })
    let far = AffineElements()(Tensor([0, 1000], shape: [1, 2]))
    #expect(abs(far.logScale.item - AffineElements.largestLogScale) < 1e-12)
  }
}
