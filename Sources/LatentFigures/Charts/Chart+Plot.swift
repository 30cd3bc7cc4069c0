// Where numbers fall on the page.

import Foundation

extension Chart {
  /// The rectangle between the axes, as a mark sees it.
  public struct Plot: Sendable {
    /// Its edges in the coordinates of the drawing, which grow to the right and downwards.
    public let left, top, right, bottom: Double
    let horizontal, vertical: Projection
    /// The number of groups of the marks before, whose colours are taken.
    let groupsBefore: Int
    /// Whether lines bear their names at their ends, in place of a legend.
    let hasDirectLabels: Bool

    /// The place of a pair of numbers; nil where it has none: not finite, or not positive on a logarithmic axis.
    public func place(_ x: Double, _ y: Double) -> (x: Double, y: Double)? {
      guard let x = horizontal.place(x), let y = vertical.place(y) else { return nil }
      return (x, y)
    }

    /// The CSS class that makes `var(--c)` the colour of a group of this mark, counted from 0.
    public func style(ofGroup group: Int) -> String {
      "s\((groupsBefore + group) % Palette.light.groups.count + 1)"
    }
  }

  /// How one axis turns numbers into places.
  struct Projection: Sendable {
    let domain: ClosedRange<Double>
    let isLogarithmic: Bool
    /// The places of the domain's ends.
    let from, to: Double

    func place(_ value: Double) -> Double? {
      guard value.isFinite, !isLogarithmic || value > 0 else { return nil }
      func number(_ value: Double) -> Double { isLogarithmic ? log10(value) : value }
      let (low, high) = (number(domain.lowerBound), number(domain.upperBound))
      return from + (number(value) - low) / (high - low) * (to - from)
    }
  }

  /// What an axis shows: its own range and what the marks need, with some room where these ask for it.
  static func domain(_ axis: Axis, _ spans: [Span]) -> ClosedRange<Double> {
    if case .categories(let names) = axis.scale {
      return -0.5...(Double(max(1, names.count)) - 0.5)
    }
    let isLogarithmic = axis.scale == .logarithmic
    let own = axis.range.map {
      Span($0.lowerBound, $0.upperBound, insetLow: false, insetHigh: false)
    }
    let all = spans + (own.map { [$0] } ?? [])
    guard let first = all.first else { return isLogarithmic ? 1...10 : 0...1 }
    let span = all.dropFirst().reduce(first) { $0.union($1) }
    func widened(_ low: Double, _ high: Double, by room: (low: Double, high: Double))
      -> ClosedRange<Double>
    {
      // Room is a difference, on a logarithmic axis a ratio.
      let (from, to) =
        isLogarithmic ? (low / room.low, high * room.high) : (low - room.low, high + room.high)
      return from...to
    }
    if isLogarithmic {
      guard let low = span.lowestPositive else { return 1...10 }
      // A single value lies in the middle.
      if low == span.high { return widened(low, low, by: (2, 2)) }
      let room = pow(span.high / low, 0.05)
      return widened(
        low, span.high, by: (span.isLowInset ? room : 1, span.isHighInset ? room : 1))
    }
    let size = span.high - span.low
    if size <= abs(span.high) * 1e-12 {
      // A single value lies in the middle, but nothing at all at the end where bars begin.
      if span.high == 0 { return widened(0, 0, by: (span.isLowInset ? 1 : 0, 1)) }
      let room = abs(span.high) * 0.1
      return widened(span.low, span.high, by: (room, room))
    }
    let room = 0.05 * size
    return widened(
      span.low, span.high, by: (span.isLowInset ? room : 0, span.isHighInset ? room : 0))
  }

  /// The shorter of two domains made longer around its middle, until a step of one has the same length on both.
  static func equalized(
    _ x: ClosedRange<Double>, _ y: ClosedRange<Double>, width: Double, height: Double
  ) -> (x: ClosedRange<Double>, y: ClosedRange<Double>) {
    func size(_ range: ClosedRange<Double>) -> Double { range.upperBound - range.lowerBound }
    func widened(_ range: ClosedRange<Double>, to new: Double) -> ClosedRange<Double> {
      let room = (new - size(range)) / 2
      return (range.lowerBound - room)...(range.upperBound + room)
    }
    let (across, up) = (size(x) / width, size(y) / height)
    return across > up ? (x, widened(y, to: across * height)) : (widened(x, to: up * width), y)
  }
}
