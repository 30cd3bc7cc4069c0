import LatentAutodiff
import LatentNumerics

/// Which examples have a level of a factor: what the scores draw from that hold a factor fixed.
struct VoteExamples: Sendable {
  /// For each factor and level its examples.
  let members: [[[Int]]]
  /// For each factor the examples whose level occurs more than once: a level of one example has no variation.
  let shared: [[Int]]
  private let levels: [[Int]]

  init(_ part: FactoredCodes.Part, factors: [FactoredCodes.Factor]) {
    var members = factors.map { [[Int]](repeating: [], count: $0.levels) }
    for (factor, own) in part.levels.enumerated() {
      for (example, level) in own.enumerated() { members[factor][level].append(example) }
    }
    self.members = members
    levels = part.levels
    shared = part.levels.indices.map { factor in
      part.levels[factor].indices.filter { members[factor][part.levels[factor][$0]].count > 1 }
    }
  }

  /// Whether there is a factor that can be held fixed while others vary.
  var canHold: Bool { shared.contains { !$0.isEmpty } }

  /// The examples with the level of `factor` that `example` has.
  func companions(of example: Int, factor: Int) -> [Int] {
    members[factor][levels[factor][example]]
  }
}

/// The element that a uniform number from (0, 1) stands for.
func drawn<Element>(_ uniform: Double, from list: [Element]) -> Element {
  list[min(list.count - 1, Int(uniform * Double(list.count)))]
}
