// The perceptual path length of decoders whose length is known.

import Latent
import Testing

@testable import LatentEvaluation

@Suite struct SamplesPathTests {
  private func length(
    _ metric: PathLength, _ start: Tensor, _ end: Tensor, _ decoder: (Tensor) -> Tensor
  ) throws -> MetricValue {
    var random = RandomStream(seed: 1)
    return try metric(from: start, to: end, using: &random, decoder: decoder) { $0 }
  }

  @Test("A linear decoder: |W (b - a)|² at every place")
  func linearDecoder() throws {
    let w = normals(3, 7, seed: 1)
    let (a, b) = (normals(1, 3, seed: 2), normals(1, 3, seed: 3))
    let exact = square(matmul(b - a, w)).sum().item
    let found = try length(
      PathLength(), a.broadcast(to: [50, 3]), b.broadcast(to: [50, 3])
    ) { matmul($0, w) }
    // Steps of 1e-4 leave eight digits of sixteen.
    #expect(found.value.isClose(exact, 1e-6))
    let wide = try length(PathLength(step: 0.5, discarded: 0), a, b) { matmul($0, w) }
    #expect(wide.value.isClose(exact))
  }

  @Test("A curved decoder: the mean of its squared speed")
  func curvedDecoder() throws {
    // z² along the line from 0 to 1 has the squared speed 4 t², whose mean is 4/3.
    let count = 4000
    let found = try length(
      PathLength(discarded: 0), .zeros([count, 1], .float64), .ones([count, 1], .float64)
    ) { square($0) }
    let error = try #require(found.standardError)
    #expect(abs(found.value - 4.0 / 3) < 4 * error && error < 0.03, "\(found)")
  }

  @Test("The tails that do not count are NumPy's percentiles")
  func tails() throws {
    let reference = SamplesReference.all
    let kept = PathLength.middle(reference.x.flatMap { $0 }, without: 0.07)
    #expect((kept.reduce(0, +) / Double(kept.count)).isClose(reference.middle))
    #expect(kept.count < 200)
    #expect(PathLength.middle([3, 1, 2], without: 0).sorted() == [1, 2, 3])
    #expect(PathLength.middle([3], without: 0.01) == [3])
  }
}
