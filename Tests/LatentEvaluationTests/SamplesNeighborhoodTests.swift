// Precision, recall, density and coverage: known values, expectations and the authors' package.

import Latent
import Testing

@Suite struct SamplesNeighborhoodTests {
  private func values(_ real: Tensor, _ fake: Tensor) throws -> [Double] {
    var random = RandomStream(seed: 1)
    let found = try Neighborhoods()(real: real, fake: fake, using: &random)
    #expect(found.map(\.metric) == Neighborhoods.metrics)
    return found.map(\.value)
  }

  @Test("A sample and itself: 1 everywhere, and the density not 1.2")
  func itself() throws {
    let x = normals(80, 3, seed: 1)
    #expect(try values(x, x) == [1, 1, 1, 1])
    // In another order the balls are the same.
    #expect(try values(x, x.reversed(axis: 0)) == [1, 1, 1, 1])
  }

  @Test("The authors' package, each k on its own")
  func reference() throws {
    let reference = SamplesReference.all
    let found = try values(rows(reference.x), rows(reference.y))
    let expected = [reference.precision, reference.recall, reference.density, reference.coverage]
    for (found, expected) in zip(found, expected) { #expect(found.isClose(expected)) }
  }

  @Test("Only one real example generated, again and again: precise, and no more")
  func droppedModes() throws {
    let x = normals(100, 2, seed: 3)
    let y = x[..<1].broadcast(to: [60, 2])
    let found = try values(x, y)
    #expect(found[0] == 1 && found[1] == 0)
    // The balls that hold the one example: as many as have it among their five nearest.
    #expect(found[3] < 0.15)
    #expect(found[2] > 1e-9)
  }

  @Test("The coverage of fresh data is its exact expectation, and their density 1")
  func expectations() throws {
    #expect(
      Neighborhoods.expectedCoverage(real: 1000, fake: 1000, neighbors: 5).isClose(0.968984, 1e-6))
    #expect(Neighborhoods.expectedCoverage(real: 3, fake: 1, neighbors: 1).isClose(1.0 / 3))
    let count = 30
    var (coverage, density) = (0.0, 0.0)
    for seed in 0..<UInt64(count) {
      let found = try values(
        normals(60, 2, seed: 2 * seed + 50), normals(40, 2, seed: 2 * seed + 51))
      coverage += found[3] / Double(count)
      density += found[2] / Double(count)
    }
    let expected = Neighborhoods.expectedCoverage(real: 60, fake: 40, neighbors: 5)
    #expect(abs(coverage - expected) < 0.015, "\(coverage), \(expected)")
    #expect(abs(density - 1) < 0.05, "\(density)")
  }

  @Test("Balls to the fifth neighbour need six examples")
  func tooFew() throws {
    #expect(throws: SampleError.self) { try values(normals(5, 2, seed: 1), normals(9, 2, seed: 2)) }
    _ = try values(normals(6, 2, seed: 1), normals(6, 2, seed: 2))
  }
}
