// Where the values of a distribution lie. A likelihood says it of itself, so that data can be compared
// with it before anything is trained on them, whatever the likelihood is.

/// A set of numbers: an interval, or the whole numbers of one.
///
/// A new likelihood is a line such as `Support.interval(-.pi ... .pi)`; nobody keeps a list of them.
public struct Support: Sendable, Hashable, CustomStringConvertible {
  /// The smallest number, or minus infinity.
  public let lowest: Double
  /// The largest number, or infinity.
  public let highest: Double
  /// Whether the two belong to it where they are finite.
  public var includesEnds = true
  /// Whether only whole numbers belong to it. Their log-probabilities are those of a probability, not of
  /// a density, and never above 0.
  public var isDiscrete = false
  /// Whether numbers between the whole ones are taken as shares of them (soft targets).
  public var takesShares = false

  private init(_ lowest: Double, _ highest: Double) {
    self.lowest = lowest
    self.highest = highest
  }

  /// Every number.
  public static let reals = Support(-.infinity, .infinity)
  /// 0 and above.
  public static let nonNegative = Support(0, .infinity)
  /// Above 0.
  public static let positive = Support(0, .infinity).open
  /// From 0 to 1.
  public static let unitInterval = interval(0...1)
  /// From one number to another.
  public static func interval(_ range: ClosedRange<Double>) -> Support {
    Support(range.lowerBound, range.upperBound)
  }
  /// 0 and 1.
  public static let binary = classes(2)
  /// 0, 1, 2, ...
  public static let nonNegativeIntegers = nonNegative.discrete
  /// 0, 1, ..., count - 1.
  public static func classes(_ count: Int) -> Support {
    Support(0, Double(max(1, count) - 1)).discrete
  }

  /// Without its ends.
  public var open: Support { with { $0.includesEnds = false } }
  /// Its whole numbers.
  public var discrete: Support { with { $0.isDiscrete = true } }
  /// With what lies between its whole numbers as shares of them.
  public var soft: Support { with { $0.takesShares = true } }

  private func with(_ change: (inout Support) -> Void) -> Support {
    var support = self
    change(&support)
    return support
  }

  /// Whether numbers that are not whole are in it.
  public var takesFractions: Bool { !isDiscrete || takesShares }

  /// Whether it has two ends.
  public var isBounded: Bool { lowest.isFinite && highest.isFinite }

  /// Whether a log-probability is defined there and may be above -infinity. No for NaN and infinities.
  public func contains(_ value: Double) -> Bool {
    let isInside =
      includesEnds ? value >= lowest && value <= highest : value > lowest && value < highest
    return value.isFinite && isInside
      && (takesFractions || value == value.rounded(.towardZero))
  }

  /// In words: "numbers from 0 to 1", "0 and 1".
  public var description: String {
    func text(_ bound: Double) -> String {
      bound == bound.rounded() && abs(bound) < 1e15 ? "\(Int(bound))" : "\(bound)"
    }
    let kind = isDiscrete ? "whole numbers" : "numbers"
    let shares = isDiscrete && takesShares ? " and shares between them" : ""
    if isDiscrete && isBounded && highest == lowest + 1 {
      return "\(text(lowest)) and \(text(highest))\(shares)"
    }
    let ends = includesEnds ? "" : ", ends excluded"
    switch (lowest.isFinite, highest.isFinite) {
    case (false, false): return "all \(kind)" + shares
    case (true, false): return "\(kind) \(includesEnds ? "from" : "above") \(text(lowest))" + shares
    case (false, true):
      return "\(kind) \(includesEnds ? "up to" : "below") \(text(highest))" + shares
    case (true, true): return "\(kind) from \(text(lowest)) to \(text(highest))" + ends + shares
    }
  }
}

extension Distribution {
  /// Every number, unless a distribution says otherwise.
  public var support: Support { .reals }
}
