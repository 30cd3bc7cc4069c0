// Derivatives against central differences, in float64: of log-densities by parameters and by the
// value, of reparameterised samples with the noise held fixed, of entropies and means.

import LatentAutodiff
import LatentDistributions
import LatentNumerics
import Testing

@Suite struct DistributionGradientTests {
  static let tolerance = 1e-6

  /// The uniform on [1e6, 1.001e6] is for sampling; the differences' step is too coarse for it.
  static let rows = (smallRows + eventRows).filter { !$0.parameters.isEmpty }

  /// Small numbers where the row's are too large for the step of the differences.
  static func parameters(_ row: Row) -> [Tensor] {
    row.name == "Uniform" ? row.parameters.map { $0.sliced(0, 0..<2) } : row.parameters
  }
  static func value(_ row: Row) -> Tensor {
    row.name == "Uniform" ? row.value.sliced(0, 0..<2) : row.value
  }

  @Test(arguments: rows) func logProbabilityByParameters(_ row: Row) {
    let error = gradientError(at: Self.parameters(row)) {
      row.make($0).logProbability(of: Self.value(row))
    }
    #expect(error < Self.tolerance, "\(row.name): \(error)")
  }

  @Test(arguments: smallRows + eventRows) func logProbabilityByValue(_ row: Row) {
    if !row.value.dtype.isFloatingPoint { return }
    let distribution = row.make(Self.parameters(row))
    let error = gradientError(at: [Self.value(row)]) { distribution.logProbability(of: $0[0]) }
    #expect(error < Self.tolerance, "\(row.name): \(error)")
  }

  @Test(arguments: rows) func reparameterizedSample(_ row: Row) {
    guard row.distribution is any ReparameterizedDistribution else { return }
    let error = gradientError(at: Self.parameters(row)) { parameters in
      var random = RandomStream(seed: 77)
      guard let distribution = row.make(parameters) as? any ReparameterizedDistribution else {
        return .scalar(.nan, .float64)
      }
      return distribution.reparameterizedSample([4], using: &random)
    }
    #expect(error < Self.tolerance, "\(row.name): \(error)")
  }

  @Test(arguments: rows) func densityOfReparameterizedSample(_ row: Row) {
    guard row.distribution is any ReparameterizedDistribution else { return }
    let error = gradientError(at: Self.parameters(row)) { parameters in
      var random = RandomStream(seed: 77)
      return row.make(parameters).sampleAndLogProbability([4], using: &random).logProbability
    }
    #expect(error < Self.tolerance, "\(row.name): \(error)")
  }

  @Test(arguments: rows) func entropyAndMean(_ row: Row) {
    let parameters = Self.parameters(row)
    let mean = gradientError(at: parameters) { row.make($0).mean }
    #expect(mean < Self.tolerance, "mean of \(row.name): \(mean)")
    if row.distribution.entropy == nil { return }
    let entropy = gradientError(at: parameters) {
      row.make($0).entropy ?? .scalar(.nan, .float64)
    }
    #expect(entropy < Self.tolerance, "entropy of \(row.name): \(entropy)")
  }

  /// The second derivative of log Z is the variance: series and closed form, and where they meet.
  @Test func secondDerivativeOfContinuousBernoulli() {
    let logits = vector([-8, -0.51, -0.49, -1e-7, 0, 1e-3, 0.3, 0.7, 5])
    let curvature = gradient(at: logits) { outer in
      gradient(at: outer) { inner in
        ContinuousBernoulli(logits: inner, eventRank: 0)
          .logProbability(of: Tensor.zeros([9], .float64)).sum()
      }.sum()
    }
    expectClose(
      -curvature, ContinuousBernoulli(logits: logits, eventRank: 0).variance, 1e-12, "curvature")
  }

  /// A sample is a differentiable function of the logit across 0 and the series' ends.
  @Test func continuousBernoulliSampleIsSmooth() {
    let logits = vector([-0.021, -0.0199, -1e-6, 0, 1e-9, 0.0199, 0.0201, 0.999, 1.001])
    let error = gradientError(at: [logits]) {
      var random = RandomStream(seed: 8)
      return ContinuousBernoulli(logits: $0[0], eventRank: 0)
        .reparameterizedSample([64], using: &random)
    }
    #expect(error < Self.tolerance, "\(error)")
  }
}
