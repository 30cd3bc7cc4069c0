// The maximum mean discrepancy between two samples under a polynomial kernel (Binkowski et al. 2018, "Demystifying MMD
// GANs", section 4): unbiased for any number of examples, as the Frechet distance is not. The discrepancy of latents
// from a prior, with other kernels and derivatives, is `MaximumMeanDiscrepancy` of `LatentModels`.

import LatentAutodiff
import LatentNumerics

/// MMD² with the kernel (a·b / d + 1)³: the mean over disjoint blocks of examples, whose spread is its standard error.
public struct KernelDistance: TwoSampleMetric {
  /// The examples of each sample in a block.
  public let blockSize: Int

  /// Traps unless a block has two examples.
  public init(blockSize: Int = 1000, file: StaticString = #fileID, line: UInt = #line) {
    require(blockSize > 1, "blocks of \(blockSize) examples", file: file, line: line)
    self.blockSize = blockSize
  }

  public static let metrics: [Metric] = [.kernelDistance]

  /// The distance. Examples are dealt to as many blocks of `blockSize` or more as the smaller sample fills; with one
  /// block there is no standard error.
  public func callAsFunction(
    real: Tensor, fake: Tensor, using random: inout RandomStream
  ) throws -> [MetricValue] {
    let pair = try SamplePair(.kernelDistance, real: real, fake: fake, least: 2)
    let blocks = max(1, min(pair.n, pair.m) / blockSize)
    // Data sets are often sorted. Samples of one size are dealt in one order, so that they can change places.
    let (real, fake) = (
      pair.real.shuffledRows(pair.n, using: random), pair.fake.shuffledRows(pair.m, using: random)
    )
    _ = random.next()
    func block(_ index: Int, of sample: NDArray) -> NDArray {
      let count = sample.shape[0]
      return sample.rows(count * index / blocks..<count * (index + 1) / blocks)
    }
    let (value, error) = meanAndError(
      (0..<blocks).map { kernelDistance(block($0, of: real), block($0, of: fake)) })
    return [
      MetricValue(
        .kernelDistance, value, standardError: error, ceiling: 0, count: pair.count,
        settings: ["blocks": "\(blocks)"])
    ]
  }
}

/// The unbiased estimate (Gretton et al. 2012, lemma 6) for samples `[n, d]` and `[m, d]` of two examples and more:
/// means of the kernel over pairs of different examples of each, minus twice the mean over all mixed pairs.
func kernelDistance(_ real: NDArray, _ fake: NDArray) -> Double {
  let scale = NDArray(repeating: 1 / Double(real.shape[1]), shape: [], .float64)
  let one = NDArray(repeating: 1, shape: [], .float64)
  func sum(_ products: NDArray) -> Double {
    let base = products.binary(.multiply, scale).binary(.add, one)
    return base.binary(.multiply, base).binary(.multiply, base)
      .reduced(.sum, axes: nil, keepingDimensions: false).item
  }
  func within(_ sample: NDArray) -> Double {
    let count = Double(sample.shape[0])
    let own = sum(sample.reduced(.sumOfSquares, axes: [1], keepingDimensions: false))
    return (sum(sample.matmul(sample, transpose: .right)) - own) / (count * (count - 1))
  }
  let between = sum(real.matmul(fake, transpose: .right)) / Double(real.shape[0] * fake.shape[0])
  return within(real) + within(fake) - 2 * between
}

extension Metric {
  /// The kernel distance.
  public static let kernelDistance = Metric(
    "kd", title: "Kernel distance",
    formula: """
      the unbiased estimate of MMD² with the kernel (a·b/d + 1)³, averaged over disjoint blocks of 1000 examples; \
      standard error from the spread of the blocks. Negative values are right on average, and mean 0
      """,
    paper: "Binkowski et al. 2018, section 4", unit: .plain, better: .lower,
    chance: "depends on the features", ceiling: "0", cost: "1000 n d",
    test: "LatentEvaluationTests/SamplesKernelTests.swift")
}
