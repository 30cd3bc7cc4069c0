// A table that reads well in a terminal and in a page.

import Foundation

struct MarkdownTable {
  var header: [String]
  var rows: [[String]] = []
  /// The first columns are words, the others numbers, which go to the right.
  var words = 1

  var text: String {
    let all = [header] + rows
    let widths = header.indices.map { column in
      max(3, all.map { $0[column].count }.max() ?? 0)
    }
    func line(_ cells: [String]) -> String {
      let padded = zip(cells, widths).enumerated().map { column, pair in
        let space = String(repeating: " ", count: pair.1 - pair.0.count)
        return column < words ? pair.0 + space : space + pair.0
      }
      return "| " + padded.joined(separator: " | ") + " |"
    }
    let rule = widths.enumerated().map { column, width in
      column < words
        ? String(repeating: "-", count: width + 2)
        : String(repeating: "-", count: width + 1) + ":"
    }
    return ([line(header), "|" + rule.joined(separator: "|") + "|"] + rows.map(line))
      .joined(separator: "\n") + "\n"
  }
}
