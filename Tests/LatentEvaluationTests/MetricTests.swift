import Foundation
import LatentEvaluation
import Testing

@Suite struct MetricTests {
  @Test("Names are said once, and every definition says all it should")
  func definitions() {
    #expect(Set(Metric.all.map(\.name)).count == Metric.all.count)
    for metric in Metric.all {
      for words in [
        metric.title, metric.formula, metric.paper, metric.chance, metric.ceiling, metric.cost,
      ] { #expect(!words.isEmpty, "\(metric.name)") }
      #expect(metric.version >= 1)
    }
  }
}
