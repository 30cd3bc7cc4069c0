// The sliced Wasserstein distance: one dimension is exact, shifts are known.

import Latent
import Testing

@Suite struct SamplesSlicedTests {
  private func distance(_ real: Tensor, _ fake: Tensor, _ directions: Int = 500) throws
    -> MetricValue
  {
    try SlicedWassersteinDistance(directions: directions)
      .value(.slicedWasserstein, real: real, fake: fake)
  }

  @Test("One dimension of two sizes, against lists repeated to a common length")
  func oneDimension() throws {
    let reference = SamplesReference.all
    let x = rows(reference.x.map { [$0[0]] })
    let y = rows(reference.y.map { [$0[1]] })
    let found = try distance(x, y, 3)
    #expect(found.value.isClose(reference.transport))
    #expect((found.standardError ?? 1).isClose(0))
    // The same points twice are the same distribution.
    #expect(try distance(x, Tensor.concatenate([x, x], axis: 0), 3).value.isClose(0))
  }

  @Test("A shift by v: |v|²/d within four standard errors; in the scaling of MIND 3 |v|²")
  func shift() throws {
    let x = normals(60, 5, seed: 1)
    let v = normals(1, 5, seed: 2)
    let length = square(v).sum().item
    let found = try distance(x, x + v)
    let error = try #require(found.standardError)
    #expect(abs(found.value - length / 5) < 4 * error && error < 0.1 * length / 5)
    let mind = try SlicedWassersteinDistance(directions: 500).value(.mind, real: x, fake: x + v)
    #expect(mind.value.isClose(15 * found.value))
    #expect(try distance(x, x).value.isClose(0))
  }
}
