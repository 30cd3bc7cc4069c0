// A table of metrics as it is found: as the log wrote it, or as a spreadsheet saved it again, which
// changes line ends, separators, decimal points, quotes and the encoding.

import Foundation
import LatentStorage

/// Names and texts, in the order of the columns.
typealias MetricsRow = [(name: String, text: String)]

/// The rows of a file, and the lines that are none.
struct MetricsTable {
  var rows: [MetricsRow] = []
  /// The first line that does not begin with the number of an epoch.
  var unread: (number: Int, text: String)?

  /// Empty where there is no file.
  init(contentsOf path: String) {
    self.init(FileManager.default.contents(atPath: path).map(MetricsTable.text) ?? "")
  }

  init(_ text: String) {
    let lines = MetricsTable.lines(text)
    guard let first = lines.first else { return }
    let separator = MetricsTable.separator(of: first.text)
    let names = MetricsTable.fields(first.text, separator)
    guard names.first == "epoch" else {
      unread = first
      return
    }
    for line in lines.dropFirst() {
      let fields = MetricsTable.fields(line.text, separator)
      if fields.allSatisfy(\.isEmpty) { continue }
      let row = zip(names, fields).map { name, text in
        (name: name, text: MetricsTable.number(text))
      }
      guard MetricsTable.epoch(row) != nil else {
        unread = unread ?? line
        continue
      }
      rows.append(row.filter { !$0.name.isEmpty })
    }
  }

  /// The epoch of a row.
  static func epoch(_ row: MetricsRow) -> Int? {
    row.first.flatMap { Double($0.text) }.flatMap { Int(exactly: $0) }
  }

  /// UTF-8 or UTF-16, with or without the mark that says which.
  private static func text(_ data: Data) -> String {
    if data.starts(with: [0xFF, 0xFE]) || data.starts(with: [0xFE, 0xFF]) {
      return String(data: data, encoding: .utf16) ?? ""
    }
    let start = data.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    return String(decoding: data.dropFirst(start), as: UTF8.self)
  }

  /// Lines that end in any of the three ways, numbered from 1, without empty ones. By scalars: "\r\n"
  /// is one character.
  private static func lines(_ text: String) -> [(number: Int, text: String)] {
    var lines: [(Int, String)] = []
    var (line, number, last) = (String.UnicodeScalarView(), 1, Unicode.Scalar(0))
    for scalar in text.unicodeScalars {
      if scalar == "\n" && last == "\r" {
        // The line ended before.
      } else if scalar == "\n" || scalar == "\r" {
        if !line.isEmpty { lines.append((number, String(line))) }
        line = String.UnicodeScalarView()
        number += 1
      } else {
        line.append(scalar)
      }
      last = scalar
    }
    if !line.isEmpty { lines.append((number, String(line))) }
    return lines
  }

  /// What follows the first name.
  private static func separator(of header: String) -> Unicode.Scalar {
    header.unicodeScalars.first { [",", ";", "\t"].contains($0) } ?? ","
  }

  private static func fields(_ line: String, _ separator: Unicode.Scalar) -> [String] {
    var fields = [String.UnicodeScalarView()]
    var isQuoted = false
    for scalar in line.unicodeScalars {
      if scalar == "\"" {
        isQuoted.toggle()
      } else if scalar == separator && !isQuoted {
        fields.append(String.UnicodeScalarView())
      } else {
        fields[fields.count - 1].append(scalar)
      }
    }
    return fields.map { String($0).trimmingCharacters(in: .whitespaces) }
  }

  /// The text of a number as JSON and the log write it; other texts as they are. A comma in a field
  /// is a decimal point.
  private static func number(_ text: String) -> String {
    let pointed = text.replacingOccurrences(of: ",", with: ".")
    guard let value = Double(pointed), value.isFinite else { return text }
    if let whole = Int(pointed) { return "\(whole)" }
    // Its digits, where they are a number of JSON already.
    let isPlain = pointed.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/) != nil
    return isPlain ? pointed : "\(value)"
  }
}
