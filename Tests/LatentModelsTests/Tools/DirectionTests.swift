// Directions of latent space: attributes, principal components, norms along great circles.

import Foundation
import LatentAutodiff
import LatentModels
import LatentNumerics
import Testing

@Suite struct DirectionTests {
  private func root(_ x: Double) -> Double { x.squareRoot() }

  @Test func attribute() {
    let codes = Tensor([0, 0, 2, 0, 5, 1, 7, 3, 6, 2] as [Double], shape: [5, 2])
    let vector = AttributeVector(codes, isWith: [false, false, true, true, true])
    #expect(vector.direction.doubles == [5, 2] && (vector.with, vector.without) == (3, 2))
    #expect(distance([vector.norm], [root(29)]) < 1e-15)
    // Variances 1 + 1 of three, 2 + 0 of two: 2/3 + 1.
    #expect(distance([vector.chance], [root(5.0 / 3)]) < 1e-15)
    #expect(distance([vector.shrinkage], [root(1 - 5.0 / 3 / 29)]) < 1e-15)
    #expect(vector.added(to: codes[0], amount: -0.5).doubles == [-2.5, -1])
    #expect(AttributeVector(codes, isWith: [true, false, false, false, false]).shrinkage.isNaN)
  }

  /// Of two classes that are the same the squared length is what chance says, and nothing is left of most.
  @Test func attributeOfNothing() {
    var random = RandomStream(seed: 5)
    var (squares, chances) = (0.0, 0.0)
    for _ in 0..<400 {
      let vector = AttributeVector(
        random.normalTensor([30, 4], .float64), isWith: (0..<30).map { $0 % 3 == 0 })
      squares += vector.norm * vector.norm
      chances += vector.chance * vector.chance
    }
    // The mean of 400 sums of four squares has a standard error of 1 / sqrt(800) of itself.
    #expect(abs(squares / chances - 1) < 4 / root(800))
    let same = AttributeVector(
      Tensor([1, 3, 1, 3] as [Double], shape: [4, 1]), isWith: [true, true, false, false])
    #expect(same.norm == 0 && same.shrinkage == 0)
  }

  @Test(arguments: [1, 3, 6]) func principalComponents(size: Int) throws {
    var random = RandomStream(seed: 6)
    // Axes of known variances, turned.
    let turn = Tensor(random.normalTensor([size, size], .float64).array.orthonormalColumns())
    let scales = Tensor((0..<size).map { pow(2, -Double($0)) })
    let codes = matmul(random.normalTensor([50, size], .float64) * scales, turn) + 3
    let all = try PrincipalComponents(of: codes, components: size)
    #expect(
      distance(matmul(all.axes, all.axes, transpose: .right), .identity(size, .float64)) < 1e-12)
    #expect(all.variances.doubles == all.variances.doubles.sorted(by: >))
    #expect(abs(all.explained - 1) < 1e-12)
    // Places have no covariance, and the codes come back.
    let places = all(codes)
    let covariance = matmul(places, places, transpose: .left) / 49
    #expect(distance(covariance, all.variances.diagonalMatrix) < 1e-12)
    #expect(distance(all.codes(at: places), codes) < 1e-12)
    let few = try PrincipalComponents(of: codes.converted(to: .float32), components: 1)
    #expect(distance(few.variances, all.variances[..<1]) < 1e-5)
    #expect(few(codes.converted(to: .float32)).dtype == .float32)
    #expect(few.axes.doubles.max { abs($0) < abs($1) } ?? 0 > 0)
  }

  @Test func componentsOfEqualCodes() throws {
    let none = try PrincipalComponents(of: .ones([4, 3], .float64))
    #expect(none.variances.doubles == [0, 0] && none.explained.isNaN)
    #expect(none(.ones([2, 3], .float64)).doubles.allSatisfy { $0 == 0 })
  }

  /// Norms change evenly between the ends', at equal angles.
  @Test func normsOnRequest() {
    let (a, b) = (Tensor([2, 0] as [Double]), Tensor([0, 5] as [Double]))
    let arc = interpolated(from: a, to: b, steps: 7, .sphericalNorm)
    let norms = sqrt(square(arc).sum(axes: [1])).doubles
    #expect(distance(norms, (0..<7).map { 2 + 0.5 * Double($0) }) < 1e-14)
    let angles = (0..<7).map { atan2(arc[$0, 1].item, arc[$0, 0].item) }
    #expect(distance(angles, (0..<7).map { Double($0) * .pi / 12 }) < 1e-14)
    // Of one norm both are the same.
    let c = Tensor([0, 2] as [Double])
    #expect(
      distance(
        interpolated(from: a, to: c, steps: 5, .sphericalNorm),
        interpolated(from: a, to: c, steps: 5, .spherical)) < 1e-15)
  }
}
