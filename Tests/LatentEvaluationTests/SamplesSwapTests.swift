// What becomes of each comparison when the samples change places. A metric that is symmetric must be so; one that is
// not must change, in the way that it should: precision and recall were the wrong way round in a package of standing for
// nearly four years.

import Latent
import Testing

@Suite struct SamplesSwapTests {
  /// What a number becomes.
  enum Swap: Sendable {
    /// It stays.
    case same
    /// It becomes another number of the same comparison.
    case other(Metric, part: String?)
    /// It changes.
    case changed
  }

  static func swap(of metric: Metric, part: String?) -> Swap? {
    switch (metric, part) {
    case (.frechetDistance, _), (.frechetDistanceAtInfinity, _), (.kernelDistance, _),
      (.slicedWasserstein, _), (.mind, _):
      .same
    case (.precision, _): .other(.recall, part: nil)
    case (.recall, _): .other(.precision, part: nil)
    case (.density, _), (.coverage, _): .changed
    case (.vendi, "fake"): .other(.vendi, part: "real")
    case (.vendi, "real"): .other(.vendi, part: "fake")
    default: nil
    }
  }

  @Test("Every comparison of the list", arguments: [(120, 120), (120, 100)])
  func swapped(_ n: Int, _ m: Int) throws {
    // The real sample has two modes, the generated one only the first, more widely.
    let first = normals(n, 3, seed: 1) * 0.5
    let far = (Tensor.range(n, .float64) .< Double(n / 3)).reshaped([n, 1]).converted(to: .float64)
    let real = first + far * 4
    let fake = normals(m, 3, seed: 2)
    for metric in TwoSampleMetrics.all {
      let forth = try TwoSampleMetrics.measure(
        real: real, fake: fake, [metric], using: RandomStream(seed: 3))
      let back = try TwoSampleMetrics.measure(
        real: fake, fake: real, [metric], using: RandomStream(seed: 3))
      #expect(Set(forth.map(\.metric)) == Set(type(of: metric).metrics))
      for found in forth {
        let name = "\(found.metric.name) \(found.part ?? "")"
        func value(_ metric: Metric, _ part: String?) -> Double {
          back.first { $0.metric == metric && $0.part == part }?.value ?? .nan
        }
        switch Self.swap(of: found.metric, part: found.part) {
        case .same?:
          #expect(found.value.isClose(value(found.metric, found.part)), "\(name)")
        case .other(let metric, let part)?:
          #expect(found.value.isClose(value(metric, part)), "\(name)")
          #expect(!found.value.isClose(value(found.metric, found.part), 1e-3), "\(name)")
        case .changed?:
          #expect(!found.value.isClose(value(found.metric, found.part), 1e-3), "\(name)")
        case nil: Issue.record("\(name) does not say what it does when samples are swapped")
        }
      }
    }
  }

  @Test(
    "Precision is the share of generated examples: a sample of one mode is precise and recalls little"
  )
  func direction() throws {
    let far = (Tensor.range(200, .float64) .< 100).reshaped([200, 1]).converted(to: .float64)
    let real = normals(200, 2, seed: 1) + far * 20
    let fake = normals(100, 2, seed: 2)
    let precision = try Neighborhoods().value(.precision, real: real, fake: fake).value
    let recall = try Neighborhoods().value(.recall, real: real, fake: fake).value
    #expect(precision > 0.8 && (0.3..<0.55).contains(recall), "\(precision), \(recall)")
  }

  @Test("Numbers that are not finite, and features of other sizes, are refused by all")
  func refused() throws {
    let x = normals(30, 2, seed: 1)
    let bad = Tensor.concatenate([x[..<29], .ones([1, 2], .float64) * .nan], axis: 0)
    for metric in TwoSampleMetrics.all {
      func measure(_ real: Tensor, _ fake: Tensor) throws -> [MetricValue] {
        try TwoSampleMetrics.measure(real: real, fake: fake, [metric], using: RandomStream(seed: 1))
      }
      #expect(throws: SampleError.self) { try measure(x, bad) }
      #expect(throws: SampleError.self) { try measure(bad, x) }
      #expect(throws: SampleError.self) { try measure(x, normals(30, 3, seed: 2)) }
      #expect(throws: SampleError.self) { try measure(x, normals(0, 2, seed: 2)) }
    }
  }

  @Test("Results are the same bits for any number of threads")
  func threads() throws {
    let (x, y) = (normals(150, 4, seed: 1), normals(130, 4, seed: 2) + 0.2)
    let before = Threads.count
    defer { Threads.count = before }
    let found = try [1, 2].map { count in
      Threads.count = count
      return try TwoSampleMetrics.measure(real: x, fake: y, using: RandomStream(seed: 4))
        + CopyingMetrics.measure(
          training: x, heldOut: y, generated: x + y.mean(), using: RandomStream(seed: 5))
    }
    #expect(found[0] == found[1])
  }
}
