// A published finding as something that can be run: arms that are trained, figures that are taken of each, and
// claims about those figures. The list itself is in Reproductions.swift and beside it.

/// A finding of the literature, to be found again.
struct Reproduction: Sendable {
  let name: String
  /// What is claimed, in a few words.
  let summary: String
  let paper: String
  /// What all arms have in common, as of `latent-train --set`.
  let settings: [String]
  let arms: [Arm]
  let claims: [Claim]
  /// An estimate of the wall time of one seed on two cores, where nothing is changed.
  let minutes: Double
  /// As of `latent-train --data`, where the finding brings its own.
  var data: String?
  /// The digits that figures are taken on; nil: all there are.
  var digits: ClosedRange<Int>?
}

/// One training run of a finding.
struct Arm: Sendable {
  let name: String
  /// What it has of its own, as of `latent-train --set`.
  let settings: [String]
  /// The arm before it whose parameters it begins with; nil: with its own.
  let start: String?
  /// The digits that it is trained on; nil: all there are.
  let digits: ClosedRange<Int>?
  let figures: [Figure]

  init(
    _ name: String, _ settings: [String] = [], from start: String? = nil,
    digits: ClosedRange<Int>? = nil, figures: [Figure]
  ) {
    self.name = name
    self.settings = settings
    self.start = start
    self.digits = digits
    self.figures = figures
  }
}

/// What is said about figures of arms.
enum Claim: Sendable {
  /// The mean over seeds is lower than that of another arm by more than `margin`.
  case lower(Figure, of: String, than: String, margin: Double)
  /// In each seed it is lower than that of another arm.
  case lowerInEachSeed(Figure, of: String, than: String)
  /// The mean over seeds is at least so many times that of another arm.
  case higher(Figure, of: String, than: String, factor: Double)
  /// Of what it falls from one arm to another, this one's falls at least a share, in the mean over seeds.
  case shareOfGain(Figure, of: String, from: String, to: String, Double)
  /// In each seed one figure of an arm is lower than another one of the same arm.
  case below(Figure, Figure, of: String)
  /// In each seed it is no less.
  case atLeast(Figure, of: String, Double)
  /// In each seed it is no more.
  case atMost(Figure, of: String, Double)
}

/// A claim beside what was found.
struct Verdict: Encodable, Sendable {
  let claim, found: String
  let holds: Bool
}

extension Claim {
  /// Compares the claim with the figures of each arm, one number a seed.
  func verdict(_ found: (_ arm: String, _ figure: Figure) -> [Double]) -> Verdict {
    func shown(_ values: [Double]) -> String { values.map(rounded).joined(separator: ", ") }
    switch self {
    case .lower(let figure, let arm, let other, let margin):
      let difference = mean(found(other, figure)) - mean(found(arm, figure))
      return Verdict(
        claim: "\(figure) of \(arm) below that of \(other)"
          + (margin == 0
            ? "" : margin > 0 ? " by \(margin)" : ", or above by less than \(-margin)"),
        found: "\(rounded(mean(found(arm, figure)))), \(rounded(mean(found(other, figure)))): "
          + "\(rounded(abs(difference))) \(difference < 0 ? "above" : "below")",
        holds: difference > margin)
    case .lowerInEachSeed(let figure, let arm, let other):
      let pairs = zip(found(arm, figure), found(other, figure))
      return Verdict(
        claim: "\(figure) of \(arm) below that of \(other) in each seed",
        found: pairs.map { "\(rounded($0)) and \(rounded($1))" }.joined(separator: ", "),
        holds: pairs.allSatisfy { $0 < $1 })
    case .higher(let figure, let arm, let other, let factor):
      let (value, base) = (mean(found(arm, figure)), mean(found(other, figure)))
      return Verdict(
        claim: "\(figure) of \(arm) at least \(rounded(factor)) times that of \(other)",
        found: "\(rounded(value)), \(rounded(base))", holds: value >= factor * base)
    case .shareOfGain(let figure, let arm, let start, let end, let bound):
      let (first, last) = (mean(found(start, figure)), mean(found(end, figure)))
      let share = (first - mean(found(arm, figure))) / (first - last)
      return Verdict(
        claim:
          "\(arm) has at least \(rounded(bound)) of what \(figure) gains from \(start) to \(end)",
        found: rounded(share), holds: share >= bound)
    case .below(let figure, let other, let arm):
      let pairs = zip(found(arm, figure), found(arm, other))
      return Verdict(
        claim: "\(figure) of \(arm) below its \(other) in each seed",
        found: pairs.map { "\(rounded($0)) and \(rounded($1))" }.joined(separator: ", "),
        holds: pairs.allSatisfy { $0 < $1 })
    case .atLeast(let figure, let arm, let bound):
      let values = found(arm, figure)
      return Verdict(
        claim: "\(figure) of \(arm) at least \(rounded(bound))", found: shown(values),
        holds: values.allSatisfy { $0 >= bound })
    case .atMost(let figure, let arm, let bound):
      let values = found(arm, figure)
      return Verdict(
        claim: "\(figure) of \(arm) at most \(rounded(bound))", found: shown(values),
        holds: values.allSatisfy { $0 <= bound })
    }
  }
}
