// Every bijection in a few sizes: the table that the laws run over. Parameters are float64 tensors from which `make`
// builds the map, so that the same rows serve Jacobians, inverses and gradient checks.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

struct BijectionRow: Sendable, CustomTestStringConvertible {
  let name: String
  let size: Int
  /// For a batch of so many; shared ones are the same for all.
  let parameters: @Sendable (_ batch: Int) -> [Tensor]
  let make: @Sendable ([Tensor]) -> any Bijection

  var testDescription: String { "\(name), \(size)" }

  func map(_ batch: Int) -> any Bijection { make(parameters(batch)) }
  var inverse: (any InvertibleBijection)? { map(1) as? any InvertibleBijection }

  init(
    _ name: String, _ size: Int, _ parameters: @escaping @Sendable (Int) -> [Tensor],
    _ make: @escaping @Sendable ([Tensor]) -> any Bijection
  ) {
    (self.name, self.size, self.parameters, self.make) = (name, size, parameters, make)
  }

  /// A flow, whose parameters are moved off their starting zeros, and its conditions for each example.
  init<F: Flow>(_ name: String, _ size: Int, _ flow: F, conditions scale: Double = 1) {
    var random = RandomStream(seed: 5)
    let flow = flow.converted(to: .float64).mapParameters {
      $0 + random.normalTensor($0.shape, .float64) * 0.2
    }
    let count = flow.parameters.count
    self.init(
      name, size,
      { batch in
        flow.parameters
          + (flow.conditionCount > 0 ? [scattered([batch, flow.conditionCount], 6) * scale] : [])
      },
      { parameters in
        var own = flow
        own.setParameters(Array(parameters.prefix(count)))
        return own(flow.conditionCount > 0 ? parameters[count] : nil)
      })
  }
}

/// Normal numbers; the first rows are the same for every number of rows.
func scattered(_ shape: Shape, _ seed: UInt64 = 1) -> Tensor {
  let rows = (0..<(shape.rank > 0 ? shape[0] : 1)).map { row in
    var random = RandomStream(seed: seed &* 1000 &+ UInt64(row))
    return random.normalTensor(shape.suffix(max(0, shape.rank - 1)), .float64)
  }
  return shape.rank > 0 ? Tensor.stack(rows) : rows[0]
}

let bijectionRows: [BijectionRow] = {
  var random = RandomStream(seed: 2)
  let start = Initializer.normal(deviation: 0.1)
  var rows: [BijectionRow] = []
  for size in [1, 2, 5] {
    rows.append(
      BijectionRow("identity", size, { _ in [] }) { _ in IdentityBijection() })
    rows.append(
      BijectionRow("reversal", size, { _ in [] }) { _ in PermutationBijection.reversal(size) })
    rows.append(
      BijectionRow("affine", size, { [scattered([$0, size]), scattered([$0, size], 2)] }) {
        AffineBijection(shift: $0[0], logScale: $0[1])
      })
    rows.append(
      BijectionRow("shared affine", size, { _ in [scattered([size]), scattered([1], 2)] }) {
        AffineBijection(shift: $0[0], logScale: $0[1])
      })
    rows.append(
      BijectionRow(
        "planar", size,
        { [scattered([$0, size]), scattered([$0, size], 2), scattered([$0], 3)] }
      ) { PlanarBijection(displacement: $0[0], direction: $0[1], offset: $0[2]) })
    rows.append(
      BijectionRow(
        "radial", size, { [scattered([$0, size]), scattered([$0], 2), scattered([$0], 3)] }
      ) { RadialBijection(center: $0[0], logWidth: $0[1], strength: $0[2]) })
    rows.append(
      BijectionRow("householder", size, { [scattered([$0, size])] }) {
        HouseholderBijection(normal: $0[0])
      })
    rows.append(
      BijectionRow("spline", size, { [scattered([$0, size, 11]) * 0.5] }) {
        RationalQuadraticSpline(unconstrained: $0[0], bound: 1.5)
      })
    rows.append(
      BijectionRow("planar flow", size, PlanarFlow(size: size, depth: 3)))
    rows.append(
      BijectionRow("radial flow", size, RadialFlow(size: size, depth: 3)))
    rows.append(
      BijectionRow("householder flow", size, HouseholderFlow(size: size, depth: 3)))
    rows.append(
      BijectionRow(
        "inverse autoregressive flow", size,
        AutoregressiveFlow(
          size: size, depth: 2, hidden: [7], context: 3, scaling: .gated(bias: 2), output: start,
          using: &random)))
    rows.append(
      BijectionRow(
        "autoregressive flow of two layers", size,
        AutoregressiveFlow(
          size: size, depth: 3, hidden: [7, 5], scaling: .exponential, output: start,
          using: &random)))
    rows.append(
      BijectionRow(
        "autoregressive flow without layers", size,
        AutoregressiveFlow(
          size: size, depth: 2, hidden: [], context: 2, scaling: .exponential, output: start,
          using: &random)))
    rows.append(
      BijectionRow(
        "masked autoregressive flow", size,
        InvertedFlow(
          AutoregressiveFlow(
            size: size, depth: 2, hidden: [6], context: 3, scaling: .standardizing, output: start,
            using: &random))))
    rows += SylvesterFlow.Variant.allCases.map {
      BijectionRow(
        "sylvester flow, \($0.rawValue)", size,
        SylvesterFlow(size: size, depth: 2, variant: $0, columns: 3, reflections: 3))
    }
    if size > 1 {
      rows.append(
        BijectionRow(
          "coupling flow", size,
          CouplingFlow(
            size: size, depth: 3, hidden: [6], context: 2, elements: AffineElements(),
            output: start, using: &random)))
      rows.append(
        BijectionRow(
          "spline flow", size,
          CouplingFlow(
            size: size, depth: 2, hidden: [6], elements: SplineElements(bins: 4), output: start,
            using: &random)))
    }
  }
  return rows
}()

/// The Jacobians of a map at z `[batch, size]`, rows of each first.
func jacobians(_ z: Tensor, _ map: (Tensor) -> Tensor) -> [[[Double]]] {
  let (batch, size) = (z.shape[0], z.shape[1])
  let rows = (0..<size).map { row in
    gradient(at: z) { map($0).selecting(row, axis: -1).sum() }.doubles
  }
  return (0..<batch).map { example in
    rows.map { Array($0[example * size..<(example + 1) * size]) }
  }
}

/// log |det| by elimination with the largest pivot.
func logAbsoluteDeterminant(_ matrix: [[Double]]) -> Double {
  var (m, sum) = (matrix, 0.0)
  for column in m.indices {
    let pivot = m.indices.dropFirst(column).max { abs(m[$0][column]) < abs(m[$1][column]) }
    m.swapAt(column, pivot ?? column)
    sum += Foundation.log(abs(m[column][column]))
    for row in m.indices.dropFirst(column + 1) {
      let factor = m[row][column] / m[column][column]
      for index in m.indices { m[row][index] -= factor * m[column][index] }
    }
  }
  return sum
}
