// What the regression check watches: every workload's operations, every kernel, layer and
// distribution of the micro-benchmarks.

import Latent

struct CheckedOperation {
  var name: String
  /// What it is compared with where the baseline does not say.
  var reference: Reference.Kind
  var prepare: () -> () -> Void

  static var all: [CheckedOperation] {
    Workloads.all.flatMap { ofWorkload($0) }
      + MicroBenchmark.all.map { benchmark in
        CheckedOperation(
          name: "\(benchmark.group.rawValue): \(benchmark.name)",
          reference: benchmark.reference, prepare: benchmark.prepare)
      }
  }

  private static func ofWorkload(_ workload: some Workload) -> [CheckedOperation] {
    let cells: [(Operation, Int)] = [
      (.train, workload.batch), (.encode, 1), (.encode, 64), (.decode, 1), (.decode, 64),
      (.generate, 64),
    ]
    return cells.map { operation, batch in
      CheckedOperation(
        name: "\(workload.name) \(operation.rawValue) \(batch)", reference: .product,
        prepare: { workload.call(operation, batch: batch) })
    }
  }

  /// Time over that of the reference, which is measured before and after every block: the median of
  /// the rounds.
  func ratio(to kind: Reference.Kind, _ reference: Reference, rounds: Int) -> Double {
    let call = prepare()
    let perBlock = warmUp(0.05, call)
    var before = reference.seconds(kind)
    let ratios = (0..<rounds).map { _ in
      let time = block(perBlock, call)
      let after = reference.seconds(kind)
      defer { before = after }
      return time / ((before + after) / 2)
    }
    return median(ratios)
  }
}
