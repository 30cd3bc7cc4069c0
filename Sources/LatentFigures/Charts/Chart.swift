// A chart is a value: axes and marks on them. Written as SVG it has no numbers but its own and no colours but the
// variables of the page, so that one drawing is right on white, on black and on paper.

import Foundation

/// A picture of numbers.
///
/// ```swift
/// let chart = Chart(
///   "Loss", x: Chart.Axis("epoch"), y: Chart.Axis("loss", unit: "nats"),
///   marks: [Chart.Line("training", zip(epochs, losses).map { ($0, $1) })])
/// try AtomicFile.write(Array(chart.svgFile.utf8), to: "loss.svg")
/// ```
public struct Chart: Sendable {
  /// What stands above it, and what screen readers call it.
  public var title: String
  /// What there is to see, for people who do not; what the marks say of themselves follows it.
  public var summary: String
  /// The level axis.
  public var x: Axis
  /// The upright axis.
  public var y: Axis
  /// Drawn in this order, later ones on top. Their groups take the colours of the palette in the same order.
  public var marks: [any Mark]
  /// The sides in CSS pixels, where nothing makes the chart smaller.
  public var width: Double
  /// The other side in CSS pixels.
  public var height: Double
  /// Whether a step of one is as long to the right as upwards, as in maps.
  public var hasEqualScales: Bool

  /// A chart of marks.
  public init(
    _ title: String, summary: String = "", x: Axis, y: Axis, marks: [any Mark],
    width: Double = 440, height: Double = 280, hasEqualScales: Bool = false
  ) {
    self.title = title
    self.summary = summary
    self.x = x
    self.y = y
    self.marks = marks
    self.width = width
    self.height = height
    self.hasEqualScales = hasEqualScales
  }

  /// What is drawn between the axes.
  public protocol Mark: Sendable {
    /// What the axes have to show.
    var extent: Extent { get }
    /// The names of the groups that take a colour each; an empty one has no place in the legend.
    var names: [String] { get }
    /// What there is to see, in a sentence; empty where there is nothing to be said.
    var description: String { get }
    /// SVG elements. The classes `s1`, `s2` ... choose the colour of a group, ``Plot/style(ofGroup:)`` gives them.
    func drawing(in plot: Plot) -> String
  }

  /// What a mark needs to be seen, on each axis.
  public struct Extent: Sendable, Equatable {
    /// Nil where the mark needs nothing.
    public var x, y: Span?

    /// On both axes.
    public init(x: Span? = nil, y: Span? = nil) {
      self.x = x
      self.y = y
    }
  }

  /// A stretch of an axis. Its ends keep some distance from the edge of the chart, or none.
  public struct Span: Sendable, Equatable {
    /// The ends.
    public let low, high: Double
    /// Whether some room is left beyond an end.
    public let isLowInset, isHighInset: Bool
    /// Where a logarithmic axis begins; nil where it shows nothing of this.
    let lowestPositive: Double?

    /// From `low` to `high`.
    public init(_ low: Double, _ high: Double, insetLow: Bool = true, insetHigh: Bool = true) {
      self.init(low, high, insetLow, insetHigh, [low, high].first { $0 > 0 })
    }

    /// Around the finite ones of some values; nil where there are none.
    public init?(_ values: some Sequence<Double>, isInset: Bool = true) {
      var (low, high, positive) = (Double.infinity, -Double.infinity, Double.infinity)
      for value in values where value.isFinite {
        low = min(low, value)
        high = max(high, value)
        if value > 0 { positive = min(positive, value) }
      }
      if low > high { return nil }
      self.init(low, high, isInset, isInset, positive.isFinite ? positive : nil)
    }

    private init(_ low: Double, _ high: Double, _ isLow: Bool, _ isHigh: Bool, _ positive: Double?)
    {
      self.low = low
      self.high = high
      isLowInset = isLow
      isHighInset = isHigh
      lowestPositive = positive
    }

    /// Both and what is between them.
    func union(_ other: Span) -> Span {
      let (first, last) = (low <= other.low ? self : other, high >= other.high ? self : other)
      return Span(
        first.low, last.high, first.isLowInset, last.isHighInset,
        [lowestPositive, other.lowestPositive].compactMap { $0 }.min())
    }
  }
}
