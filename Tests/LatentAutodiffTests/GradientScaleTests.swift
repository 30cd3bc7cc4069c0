// A derivative that is multiplied on its way back by a factor that is known only later.

import LatentAutodiff
import LatentNumerics
import TestSupport
import Testing

@Suite struct GradientScaleTests {
  static let x = Tensor([0.5, -1, 2, 0.25, -0.75, 1.5, 3, -2] as [Double], shape: [2, 2, 2])

  /// x^3 of each element, by a factor that is a function of its sums.
  private func scaled(
    _ x: Tensor, _ factor: (Tensor) -> Tensor = { $0.sum(axes: [2]) }
  ) -> Tensor {
    let scale = GradientScale()
    let cubes = pow(x.scalingGradient(by: scale), 3)
    scale.set(factor(cubes))
    return cubes
  }

  /// The factor's axes are the first ones; values stay.
  @Test(arguments: [DType.float64, .float32]) func scales(dtype: DType) {
    let x = Self.x.converted(to: dtype)
    #expect(x.scalingGradient(by: GradientScale()).array == x.array)
    let plain = gradient(at: x) { pow($0, 3).sum() }
    let sums = pow(x, 3).sum(axes: [2], keepingDimensions: true)
    #expect(gradient(at: x) { scaled($0).sum() }.array == (plain * sums).array)
    let whole = gradient(at: x) { scaled($0) { _ in .scalar(-2, dtype) }.sum() }
    #expect(whole.array == (plain * -2).array)
  }

  /// Only what comes through the scaled tensor is multiplied, and what others get is as before.
  @Test func leavesOthersAlone() {
    let result = valueAndGradient(at: [Self.x, Self.x]) { (scaled($0[0]) * $0[1]).sum() }
    let sums = pow(Self.x, 3).sum(axes: [2], keepingDimensions: true)
    let expected = pow(Self.x, 2) * 3 * Self.x * sums
    #expect(result.gradients[1].array == pow(Self.x, 3).array)
    #expect(relativeError(result.gradients[0].doubles, expected.doubles) < 1e-14)
  }

  /// The factor is a constant, and derivatives of derivatives pass twice: 2 (2 * 3 x^2)' = 24 x.
  @Test func higherOrder() {
    let curvature = gradient(at: Self.x) { outer in
      gradient(at: outer) { scaled($0) { _ in .scalar(2, .float64) }.sum() }.sum()
    }
    #expect(relativeError(curvature.doubles, (Self.x * 24).doubles) < 1e-14)
  }

  static let mistakes = [
    Mistake(name: "unset", words: ["the scale was not set before the derivative was asked for"]),
    Mistake(name: "rank", words: ["a factor of shape [2, 2, 2, 1] for [2, 2, 2]"]),
  ]

  static func make(_ name: String) {
    let scale = GradientScale()
    if name == "rank" { scale.set(.ones([2, 2, 2, 1], .float64)) }
    _ = gradient(at: x) { $0.scalingGradient(by: scale).sum() }
  }

  @Test(arguments: mistakes) func traps(mistake: Mistake) async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [mistake] in
      GradientScaleTests.make(mistake.name)
    }
    #expect(mistake.missing(in: result?.standardErrorContent) == nil)
  }
}
