// Axes: what they are called, what they show, and where their ticks stand.

import Foundation

extension Chart {
  /// One direction of a chart.
  public struct Axis: Sendable {
    /// How numbers become places.
    public enum Scale: Sendable, Equatable {
      /// Equal steps are equal differences.
      case linear
      /// Equal steps are equal ratios; values that are not positive are not shown.
      case logarithmic
      /// The values 0, 1, 2 ... have names; upright axes have the first on top.
      case categories([String])
    }

    /// What is measured along it; may be empty.
    public var title: String
    /// Such as "nats"; nil where numbers have none.
    public var unit: String?
    /// How numbers become places.
    public var scale: Scale
    /// What is shown at least; otherwise what the marks need.
    public var range: ClosedRange<Double>?
    /// Whether there are numbers on it: the places of a map mean nothing by themselves.
    public var hasTicks: Bool
    /// Whether there is nothing between whole numbers, as with epochs.
    public var isWhole: Bool

    /// An axis for numbers.
    public init(
      _ title: String, unit: String? = nil, scale: Scale = .linear,
      range: ClosedRange<Double>? = nil, hasTicks: Bool = true, isWhole: Bool = false
    ) {
      self.title = title
      self.unit = unit
      self.scale = scale
      self.range = range
      self.hasTicks = hasTicks
      self.isWhole = isWhole
    }

    /// An axis for things with names.
    public static func categories(_ names: [String], title: String = "") -> Axis {
      Axis(title, scale: .categories(names))
    }

    /// The title with the unit: "loss (nats)".
    var label: String { unit.map { title.isEmpty ? $0 : "\(title) (\($0))" } ?? title }
  }
}

/// A place on an axis with its text.
struct Tick: Equatable {
  let value: Double
  let text: String
}

extension Tick {
  /// Multiples of 1, 2 or 5 times a power of ten within the range, about `count` of them and at most one more;
  /// whole numbers only where that is said.
  static func linear(_ range: ClosedRange<Double>, count: Int, isWhole: Bool = false) -> [Tick] {
    let span = range.upperBound - range.lowerBound
    guard span > 0, span.isFinite else {
      return [Tick(value: range.lowerBound, text: Numeral.text(range.lowerBound, digits: 4))]
    }
    let rough = max(isWhole ? 1 : 0, span / Double(max(1, count)))
    let exponent = log10(rough).rounded(.down)
    let factor = rough / pow(10, exponent)
    // A little less than the numbers themselves, for what rounding does to the factor.
    let nice: Double = factor <= 1.000001 ? 1 : factor <= 2.000001 ? 2 : factor <= 5.000001 ? 5 : 10
    let step = nice * pow(10, exponent)
    let decimals = max(0, -Int(exponent) - (nice == 10 ? 1 : 0))
    let (first, last) = (
      (range.lowerBound / step - 1e-6).rounded(.up), (range.upperBound / step + 1e-6).rounded(.down)
    )
    let isPlain = decimals <= 5 && max(abs(range.lowerBound), abs(range.upperBound)) < 1e6
    return stride(from: first, through: last, by: 1).map { index in
      // Not a multiple of 0.1, which is none: a quotient of whole numbers, where there are decimals.
      let value = step < 1 ? index * nice / pow(10, -exponent) : index * step
      return Tick(
        value: value,
        text: isPlain ? Numeral.text(value, decimals: decimals) : Numeral.text(value, digits: 3))
    }
  }

  /// Powers of ten within the range; in less than two decades 2 and 5 times these too, in a part of one as on a linear
  /// axis.
  static func logarithmic(_ range: ClosedRange<Double>, count: Int) -> [Tick] {
    let exponents =
      Int(
        (log10(range.lowerBound) - 1e-9).rounded(.down))...Int(
        (log10(range.upperBound) + 1e-9).rounded(.up))
    func inside(_ value: Double) -> Bool {
      value >= range.lowerBound * (1 - 1e-9) && value <= range.upperBound * (1 + 1e-9)
    }
    func text(_ value: Double, _ exponent: Int) -> String {
      (-3...4).contains(exponent)
        ? Numeral.text(value, decimals: max(0, -exponent)) : Numeral.text(value, digits: 1)
    }
    let powers = exponents.filter { inside(pow(10, Double($0))) }
    if powers.count > 2 {
      let stride = (powers.count + count - 1) / max(1, count)
      return powers.filter { $0 % max(1, stride) == 0 }.map {
        let value = pow(10, Double($0))
        return Tick(
          value: value, text: (-3...4).contains($0) ? text(value, $0) : Numeral.powerOfTen($0))
      }
    }
    let few = exponents.flatMap { exponent in
      [1.0, 2, 5].map { ($0 * pow(10, Double(exponent)), exponent) }
    }.filter { inside($0.0) }
    if few.count < 2 { return linear(range, count: count) }
    return few.map { Tick(value: $0, text: text($0, $1)) }
  }

  /// The names of categories, every second, fifth ... where there is no place for all.
  static func categories(_ names: [String], count: Int) -> [Tick] {
    let stride = [1, 2, 5, 10, 20, 50, 100, 200, 500].first { names.count <= count * $0 } ?? 1000
    return names.enumerated().filter { $0.offset % stride == 0 }
      .map { Tick(value: Double($0), text: $1) }
  }
}
