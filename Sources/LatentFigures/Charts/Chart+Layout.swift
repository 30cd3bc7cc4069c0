// How the area of a chart is shared between its texts and its marks.

import Foundation

extension Chart {
  /// A chart with places for everything.
  struct Layout {
    private let chart: Chart
    private let plot: Plot
    private let xTicks, yTicks: [Tick]
    private let legend: [[Entry]]

    /// A name of the legend.
    private struct Entry {
      let group: Int
      let name: String
      let isLine: Bool
    }

    private static let row = 18.0

    init(_ chart: Chart) {
      self.chart = chart
      var groups: [Entry] = []
      var count = 0
      for mark in chart.marks {
        groups += mark.names.enumerated().map {
          Entry(group: count + $0, name: $1, isLine: mark is Line)
        }
        count += mark.names.count
      }
      let named = groups.filter { !$0.name.isEmpty }
      let isLabelled =
        named.count <= 4 && !named.isEmpty
        && chart.marks.allSatisfy { $0 is Line || $0.names.allSatisfy(\.isEmpty) }
      // A single group is what title and axis say.
      legend = isLabelled || named.count < 2 ? [] : Layout.rows(named, width: chart.width)

      var (x, y) = (
        Chart.domain(chart.x, chart.marks.compactMap(\.extent.x)),
        Chart.domain(chart.y, chart.marks.compactMap(\.extent.y))
      )
      let above = legend.isEmpty ? 22 : 28 + Double(legend.count) * Layout.row
      let top = above + (chart.y.label.isEmpty ? 4 : Layout.row)
      let below = (chart.x.hasTicks ? Layout.row : 0) + (chart.x.label.isEmpty ? 4 : Layout.row)
      let bottom = chart.height - below - 2
      let names = isLabelled ? named.map { Chart.width(of: $0.name, isBold: true) + 10 } : []
      let right = chart.width - max(10, names.max() ?? 0)
      var left = 6.0
      let upright = Layout.ticks(chart.y, y, room: bottom - top, size: 34)
      if chart.y.hasTicks { left += 4 + (upright.map { Chart.width(of: $0.text) }.max() ?? 0) }
      if chart.hasEqualScales {
        (x, y) = Chart.equalized(x, y, width: right - left, height: bottom - top)
      }
      xTicks = Layout.ticks(
        chart.x, x, room: right - left, size: Layout.widest(chart.x, x, room: right - left))
      yTicks =
        chart.hasEqualScales ? Layout.ticks(chart.y, y, room: bottom - top, size: 34) : upright
      // Names count from the top.
      let isFromTop = if case .categories = chart.y.scale { true } else { false }
      plot = Plot(
        left: left, top: top, right: right, bottom: bottom,
        horizontal: Projection(
          domain: x, isLogarithmic: chart.x.scale == .logarithmic, from: left, to: right),
        vertical: Projection(
          domain: y, isLogarithmic: chart.y.scale == .logarithmic,
          from: isFromTop ? top : bottom, to: isFromTop ? bottom : top),
        groupsBefore: 0, hasDirectLabels: isLabelled)
    }

    /// Ticks that are at least `size` pixels apart.
    private static func ticks(
      _ axis: Axis, _ domain: ClosedRange<Double>, room: Double, size: Double
    ) -> [Tick] {
      let count = max(1, Int(room / size))
      return switch axis.scale {
      case .linear: axis.hasTicks ? Tick.linear(domain, count: count, isWhole: axis.isWhole) : []
      case .logarithmic: axis.hasTicks ? Tick.logarithmic(domain, count: count) : []
      case .categories(let names): Tick.categories(names, count: axis.hasTicks ? count : 0)
      }
    }

    /// The distance that the texts of a level axis need.
    private static func widest(_ axis: Axis, _ domain: ClosedRange<Double>, room: Double) -> Double
    {
      let texts = ticks(axis, domain, room: room, size: 60).map(\.text)
      let all = if case .categories(let names) = axis.scale { names } else { texts }
      return 10 + max(14, all.map { Chart.width(of: $0) }.max() ?? 0)
    }

    /// The legend broken into lines.
    private static func rows(_ entries: [Entry], width: Double) -> [[Entry]] {
      var rows: [[Entry]] = []
      var used = Double.infinity
      for entry in entries {
        let size = 34 + Chart.width(of: entry.name)
        if used + size > width - 10 {
          rows.append([])
          used = 0
        }
        rows[rows.count - 1].append(entry)
        used += size
      }
      return rows
    }

    var drawing: String {
      var parts = [Chart.text(2, 15, chart.title, style: "t")]
      for (index, row) in legend.enumerated() {
        var x = 2.0
        for entry in row {
          let y = 34 + Double(index) * Layout.row
          parts.append(sample(entry, x, y - 4) + Chart.text(x + 20, y, entry.name))
          x += 34 + Chart.width(of: entry.name)
        }
      }
      if !chart.y.label.isEmpty { parts.append(Chart.text(2, plot.top - 8, chart.y.label)) }
      parts.append(grid)
      var count = 0
      for mark in chart.marks {
        parts.append(mark.drawing(in: plot.after(count)))
        count += mark.names.count
      }
      parts.append(axes)
      if plot.hasDirectLabels { parts.append(directLabels) }
      return parts.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    /// What a group looks like, at a place of the legend.
    private func sample(_ entry: Entry, _ x: Double, _ y: Double) -> String {
      let (style, y) = (plot.style(ofGroup: entry.group), Chart.number(y))
      return entry.isLine
        ? "<path class=\"l \(style)\"\(Line.dashes(ofGroup: entry.group)) "
          + "d=\"M\(Chart.number(x)) \(y)h16\"/>"
        : "<circle class=\"b \(style)\" cx=\"\(Chart.number(x + 8))\" cy=\"\(y)\" r=\"5\"/>"
    }

    private var grid: String {
      if case .categories = chart.y.scale { return "" }
      let lines = yTicks.compactMap { plot.vertical.place($0.value) }.map {
        "M\(Chart.number(plot.left)) \(Chart.number($0))H\(Chart.number(plot.right))"
      }
      return lines.isEmpty ? "" : "<path class=\"g\" d=\"\(lines.joined())\"/>"
    }

    private var axes: String {
      let base = chart.x.hasTicks ? "a" : "g"
      var parts = [
        "<path class=\"\(base)\" d=\"M\(Chart.number(plot.left)) \(Chart.number(plot.bottom))"
          + "H\(Chart.number(plot.right))\"/>"
      ]
      if chart.x.hasTicks {
        for tick in xTicks {
          guard let x = plot.horizontal.place(tick.value) else { continue }
          // The first and the last text stay inside.
          let half = Chart.width(of: tick.text) / 2
          let anchor = x + half > chart.width ? "end" : x - half < 0 ? "start" : "middle"
          parts.append(Chart.text(x, plot.bottom + 16, tick.text, anchor: anchor))
        }
      }
      if chart.y.hasTicks {
        for tick in yTicks {
          guard let y = plot.vertical.place(tick.value) else { continue }
          parts.append(Chart.text(plot.left - 6, y + 4, tick.text, anchor: "end"))
        }
      }
      if !chart.x.label.isEmpty {
        parts.append(
          Chart.text(plot.right, chart.height - 4, chart.x.label, anchor: "end"))
      }
      return parts.joined(separator: "\n")
    }

    /// Names at the ends of their lines, moved apart where they would lie on each other.
    private var directLabels: String {
      var ends: [(y: Double, group: Int, name: String)] = []
      var count = 0
      for mark in chart.marks {
        if let line = mark as? Line, !line.name.isEmpty,
          let end = line.points.reversed().lazy.compactMap({ plot.place($0.x, $0.y) }).first
        {
          ends.append((end.y, count, line.name))
        }
        count += mark.names.count
      }
      ends.sort { $0.y < $1.y }
      let distance = 14.0
      for index in ends.indices.dropFirst() {
        ends[index].y = max(ends[index].y, ends[index - 1].y + distance)
      }
      var floor = plot.bottom
      for index in ends.indices.reversed() {
        ends[index].y = min(ends[index].y, floor)
        floor = ends[index].y - distance
      }
      return ends.map {
        Chart.text(plot.right + 6, $0.y + 4, $0.name, style: "n \(plot.style(ofGroup: $0.group))")
      }.joined()
    }
  }
}

extension Chart.Plot {
  /// For a mark behind so many groups.
  fileprivate func after(_ groups: Int) -> Chart.Plot {
    Chart.Plot(
      left: left, top: top, right: right, bottom: bottom, horizontal: horizontal,
      vertical: vertical, groupsBefore: groups, hasDirectLabels: hasDirectLabels)
  }
}
