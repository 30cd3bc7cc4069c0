// Importance sampling against a model whose evidence is known, and its runs: interrupted ones end with the same bits.

import Foundation
import Latent
import Testing

@Suite struct ImportanceTests {
  @Test("The exact posterior has weights without variance", arguments: [1, 2, 100, 1000])
  func exact(samples: Int) {
    let estimates = LinearGaussian.model().importanceEstimates(
      of: LinearGaussian.data([1, -0.3, 4]), ImportanceSampling(samples: samples, samplesAtOnce: 30)
    )
    #expect(abs(estimates[0].logLikelihood - -1.5155121235) < 1e-10)
    for (estimate, x) in zip(estimates, [1, -0.3, 4]) {
      #expect(abs(estimate.logLikelihood - LinearGaussian.logEvidence(x)) < 1e-12)
      #expect(abs(estimate.effectiveSamples - Double(samples)) < 1e-8)
      #expect(samples == 1 || estimate.standardError < 1e-12)
      #expect(estimate.tailShape == -.infinity && estimate.isReliable)
    }
  }

  @Test("A wider posterior comes within its own standard error")
  func wide() {
    let x = Array(repeating: 1.0, count: 200)
    let estimates = LinearGaussian.model(gain: 0.3, variance: 0.9).importanceEstimates(
      of: LinearGaussian.data(x), ImportanceSampling(samples: 400, seed: 3))
    let scores = estimates.map {
      ($0.logLikelihood - LinearGaussian.logEvidence(1)) / $0.standardError
    }
    let (mean, error) = meanAndItsError(scores)
    #expect(abs(mean) < 5 * error + 0.1, "\(mean) +- \(error)")
    let spread = (error * error * 200).squareRoot()
    #expect(abs(spread - 1) < 0.2, "errors of \(spread) standard errors")
    let single = LinearGaussian.model(gain: 0.3, variance: 0.9).importanceEstimates(
      of: LinearGaussian.data([1]), ImportanceSampling(samples: 20_000, samplesAtOnce: 5000))[0]
    #expect(abs(single.logLikelihood - -1.5155121235) < 0.01)
    #expect(single.isReliable && single.effectiveSamples > 10_000)
  }

  @Test("Data that the proposal does not reach are flagged")
  func outOfReach() {
    let prior = LinearGaussian.model(gain: 0, variance: 1)
    let estimates = prior.importanceEstimates(
      of: LinearGaussian.data([1, 10]), ImportanceSampling(samples: 5000))
    #expect(estimates[0].isReliable, "\(estimates[0].tailShape)")
    #expect(!estimates[1].isReliable, "\(estimates[1].tailShape)")
  }

  @Test("An example's numbers depend on its place in the data alone")
  func places() {
    let model = LinearGaussian.model(gain: 0.2, variance: 0.7)
    let x = LinearGaussian.data((0..<9).map { Double($0) / 3 })
    let sampling = ImportanceSampling(samples: 100, samplesAtOnce: 33, seed: 5)
    let together = model.importanceEstimates(of: x, sampling)
    let parts = (0..<3).flatMap {
      model.importanceEstimates(of: x[3 * $0..<3 * $0 + 3], sampling, firstExample: 3 * $0)
    }
    #expect(parts == together)
    var other = sampling
    other.seed = 6
    #expect(model.importanceEstimates(of: x, other) != together)
  }

  // MARK: Runs

  static let data = ArrayDataset(
    inputs: NDArray((0..<100).map { Float($0 % 13) / 4 - 1 }, shape: [100, 1]), name: "hundred")

  static var model: LinearGaussian.Model {
    LinearGaussian.model(gain: 0.3, variance: 0.9).converted(to: .float32)
  }

  @Test("An interrupted run goes on with the same bits")
  func resumes() throws {
    let sampling = ImportanceSampling(samples: 60, samplesAtOnce: 25, seed: 2)
    var whole = LikelihoodRun(sampling, of: "m", on: Self.data)
    var heard: [Int] = []
    try whole.advance(Self.model, on: Self.data) { done, count in
      heard.append(done)
      return count == 100
    }
    #expect(whole.isComplete && heard.last == 100 && heard.sorted() == heard && heard.count > 2)

    let file = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).h5").path
    defer { try? FileManager.default.removeItem(atPath: file) }
    var begun = LikelihoodRun(sampling, of: "m", on: Self.data)
    try begun.advance(Self.model, on: Self.data) { _, _ in false }
    #expect(!begun.isComplete && !begun.estimates.isEmpty)
    try begun.write(to: file)
    var resumed = try LikelihoodRun(contentsOf: file, of: "m")
    #expect(resumed == begun)
    try resumed.advance(Self.model, on: Self.data)
    #expect(resumed == whole)

    #expect(throws: LikelihoodRunError.otherModel(file: file, found: "m", expected: "n")) {
      try LikelihoodRun(contentsOf: file, of: "n")
    }
    let other = ArrayDataset(inputs: NDArray([1, 2], shape: [2, 1]), name: "two")
    let error = #expect(throws: LikelihoodRunError.self) {
      try resumed.advance(Self.model, on: other)
    }
    #expect(
      error?.description
        == "cannot go on with a likelihood run on two of 2 examples: it was begun on "
        + "hundred of 100 or more; begin anew")
    try Checkpoint(texts: ["something": "else"]).write(to: file)
    #expect(throws: LikelihoodRunError.noRun(file: file)) {
      try LikelihoodRun(contentsOf: file, of: "m")
    }
  }

  @Test func measurements() throws {
    var run = LikelihoodRun(ImportanceSampling(samples: 300), of: "m", on: Self.data, count: 40)
    #expect(run.measurements.isEmpty)
    try run.advance(Self.model, on: Self.data)
    let found = run.measurements
    let exact = meanAndItsError(
      (0..<40).map { -LinearGaussian.logEvidence(Double($0 % 13) / 4 - 1) })
    #expect(found.map(\.metric.name) == ["nll", "nll-unreliable", "nll-ess"])
    #expect(abs(found[0].value - exact.mean) < 0.02)
    #expect(abs((found[0].standardError ?? 0) / exact.error - 1) < 0.1)
    #expect(found.allSatisfy { $0.count == 40 && $0.settings["samples"] == "300" })
    #expect(found[2].value > 100 && found[2].value < 300 && found[2].ceiling == 300)
  }
}
