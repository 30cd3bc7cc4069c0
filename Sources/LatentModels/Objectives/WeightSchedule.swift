// How the weight of a term moves during training: a function of the step alone, so that a resumed run
// needs no replay. In files and on the command line it is a number or a text such as
// `linear(0, 1, 2000)`.

import Foundation
import LatentNumerics

/// A number that may move with the training step.
public enum WeightSchedule: Sendable, Hashable, Codable, CustomStringConvertible,
  ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral
{
  /// The same at every step.
  case constant(Double)
  /// Straight from one value to another over so many steps, then that (Bowman et al. 2016).
  case linear(from: Double, to: Double, steps: Int)
  /// The same along half a cosine.
  case cosine(from: Double, to: Double, steps: Int)
  /// The same by equal factors; both values are positive.
  case exponential(from: Double, to: Double, steps: Int)
  /// In each period straight from one value to another over `ratio` of it, then that (Fu et al. 2019).
  case cyclic(from: Double, to: Double, period: Int, ratio: Double = 0.5)
  /// Each value from its step on; the first one before that too.
  case steps([Change])

  /// A value and the step from which it holds.
  public struct Change: Sendable, Hashable {
    /// The first step.
    public let step: Int
    /// The value from there on.
    public let value: Double

    /// `value` from `step` on.
    public init(from step: Int, _ value: Double) {
      self.step = step
      self.value = value
    }
  }

  public init(floatLiteral value: Double) { self = .constant(value) }
  public init(integerLiteral value: Int) { self = .constant(Double(value)) }

  /// The value at a training step, from 0. A rise over n steps has arrived at step n - 1.
  public func value(step: Int) -> Double {
    func progress(_ step: Int, _ steps: Double) -> Double {
      min(1, Double(step + 1) / max(1, steps))
    }
    func between(_ from: Double, _ to: Double, _ progress: Double) -> Double {
      progress == 1 ? to : from + (to - from) * progress
    }
    switch self {
    case .constant(let value): return value
    case .linear(let from, let to, let steps):
      return between(from, to, progress(step, Double(steps)))
    case .cosine(let from, let to, let steps):
      return between(from, to, 0.5 - 0.5 * cos(.pi * progress(step, Double(steps))))
    case .exponential(let from, let to, let steps):
      return from * pow(to / from, progress(step, Double(steps)))
    case .cyclic(let from, let to, let period, let ratio):
      return between(from, to, progress(step % max(1, period), Double(period) * ratio))
    case .steps(let changes):
      return changes.last { $0.step <= step }?.value ?? changes.first?.value ?? 0
    }
  }

  /// The value once everything has risen: what losses are compared by.
  public var final: Double {
    switch self {
    case .constant(let value): value
    case .linear(_, let to, _), .cosine(_, let to, _), .exponential(_, let to, _),
      .cyclic(_, let to, _, _):
      to
    case .steps(let changes): changes.last?.value ?? 0
    }
  }

  /// Every value that it takes on the way lies between two of these.
  var values: [Double] {
    switch self {
    case .constant(let value): [value]
    case .linear(let from, let to, _), .cosine(let from, let to, _),
      .exponential(let from, let to, _), .cyclic(let from, let to, _, _):
      [from, to]
    case .steps(let changes): changes.map(\.value)
    }
  }

  /// Whether the schedule says anything: positive lengths, rising steps, finite values.
  public var isPossible: Bool {
    guard values.allSatisfy(\.isFinite), !values.isEmpty else { return false }
    switch self {
    case .constant: return true
    case .linear(_, _, let steps), .cosine(_, _, let steps): return steps > 0
    case .exponential(let from, let to, let steps): return steps > 0 && from > 0 && to > 0
    case .cyclic(_, _, let period, let ratio): return period > 0 && ratio > 0 && ratio <= 1
    case .steps(let changes):
      return zip(changes, changes.dropFirst()).allSatisfy { $0.step < $1.step }
    }
  }

  // MARK: Text

  /// What texts may look like, for errors and help.
  public static let forms =
    "a number, linear(FROM, TO, STEPS), cosine(FROM, TO, STEPS), exponential(FROM, TO, STEPS), "
    + "cyclic(FROM, TO, PERIOD, RATIO) or steps(STEP: VALUE, ...)"

  /// `4.0`, `linear(0.0, 1.0, 2000)` and so on: what `init?(_:)` reads.
  public var description: String {
    switch self {
    case .constant(let value): "\(value)"
    case .linear(let from, let to, let steps): "linear(\(from), \(to), \(steps))"
    case .cosine(let from, let to, let steps): "cosine(\(from), \(to), \(steps))"
    case .exponential(let from, let to, let steps): "exponential(\(from), \(to), \(steps))"
    case .cyclic(let from, let to, let period, let ratio):
      "cyclic(\(from), \(to), \(period), \(ratio))"
    case .steps(let changes):
      "steps(\(changes.map { "\($0.step): \($0.value)" }.joined(separator: ", ")))"
    }
  }

  /// Reads one of `forms`; nil where the text is none of them.
  public init?(_ text: String) {
    if let value = Double(text) {
      self = .constant(value)
      return
    }
    guard let match = text.wholeMatch(of: /\s*([a-z]+)\s*\((.*)\)\s*/) else { return nil }
    let parts = match.2.split(separator: ",").map {
      $0.trimmingCharacters(in: .whitespaces)
    }
    if match.1 == "steps" {
      var changes: [Change] = []
      for part in parts {
        let sides = part.split(separator: ":").map { $0.trimmingCharacters(in: .whitespaces) }
        guard sides.count == 2, let step = Int(sides[0]), let value = Double(sides[1]) else {
          return nil
        }
        changes.append(Change(from: step, value))
      }
      self = .steps(changes)
    } else {
      guard parts.count == (match.1 == "cyclic" ? 4 : 3), let from = Double(parts[0]),
        let to = Double(parts[1]), let steps = Int(parts[2])
      else { return nil }
      switch match.1 {
      case "linear": self = .linear(from: from, to: to, steps: steps)
      case "cosine": self = .cosine(from: from, to: to, steps: steps)
      case "exponential": self = .exponential(from: from, to: to, steps: steps)
      case "cyclic":
        guard let ratio = Double(parts[3]) else { return nil }
        self = .cyclic(from: from, to: to, period: steps, ratio: ratio)
      default: return nil
      }
    }
    if !isPossible { return nil }
  }

  public init(from decoder: any Swift.Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let text = try? container.decode(String.self) else {
      self = .constant(try container.decode(Double.self))
      return
    }
    guard let schedule = WeightSchedule(text) else {
      throw SettingError(
        key: decoder.codingPath.map(\.stringValue).joined(separator: "."), found: "'\(text)'",
        expected: WeightSchedule.forms)
    }
    self = schedule
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.singleValueContainer()
    if case .constant(let value) = self {
      try container.encode(value)
    } else {
      try container.encode(description)
    }
  }
}
