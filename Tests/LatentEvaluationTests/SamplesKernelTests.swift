// The kernel distance: known values, scikit-learn, no bias, and its standard error.

import Latent
import Testing

@Suite struct SamplesKernelTests {
  private func distance(_ real: Tensor, _ fake: Tensor) throws -> Double {
    try KernelDistance().value(.kernelDistance, real: real, fake: fake).value
  }

  @Test("Three points and three: -4.375; three points and themselves: -14/9")
  func exact() throws {
    let x = rows([[1, 0], [0, 1], [1, 1]])
    #expect(try distance(x, rows([[0, 0], [2, 1], [-1, 1]])).isClose(-4.375))
    #expect(try distance(x, x).isClose(-14.0 / 9))
  }

  @Test("scikit-learn's kernel")
  func reference() throws {
    let reference = SamplesReference.all
    #expect(try distance(rows(reference.x), rows(reference.y)).isClose(reference.kernel))
  }

  @Test("Blocks of two samples of one law are 0 on average, and vary by the standard error")
  func standardError() throws {
    let metric = KernelDistance(blockSize: 40)
    let same = try (0..<40).map { (seed: UInt64) in
      try metric.value(
        .kernelDistance, real: normals(200, 4, seed: 2 * seed),
        fake: normals(170, 4, seed: 2 * seed + 1))
    }
    #expect(same.allSatisfy { $0.settings["blocks"] == "4" })
    let mean = same.reduce(0) { $0 + $1.value } / 40
    let (error, spread) = errorsAndSpread(same)
    #expect(abs(mean) < 3 * spread / 40.0.squareRoot(), "\(mean), \(spread)")
    #expect(abs(error / spread - 1) < 0.35, "\(error), \(spread)")
    // One block has no spread.
    let single = try KernelDistance().value(
      .kernelDistance, real: normals(50, 4, seed: 1), fake: normals(50, 4, seed: 2))
    #expect(single.standardError == nil)
  }
}
