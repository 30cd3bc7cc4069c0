// The texts of a run, one on a line. A model of bytes may produce any of them, also what is no
// character or would break the line; such bytes are spelt out, so that nothing is hidden and no
// terminal is confused.

import Foundation
import Latent

/// Sequences of bytes as lines.
public enum Texts {
  /// How names of files with texts end.
  public static let ending = ".txt"
  /// In place of a name: standard output.
  public static let standardOutput = "-"

  /// Whether what is written under this name is text.
  public static func areWritten(to path: String) -> Bool {
    path == standardOutput || path.hasSuffix(ending)
  }

  /// Each row of int32 bytes `[rows, length]` on its line.
  public static func lines(_ rows: Tensor) -> [String] {
    let (bytes, length) = (rows.array.int32s, rows.shape[1])
    return (0..<rows.shape[0]).map { row in
      line(bytes[(row * length)..<((row + 1) * length)].map { UInt8(truncatingIfNeeded: $0) })
    }
  }

  /// UTF-8 as it is, but `\n`, `\r`, `\t`, `\\`, and `\xNN` for bytes that are no character or none
  /// to be seen.
  public static func line(_ bytes: [UInt8]) -> String {
    var (text, start) = ("", 0)
    var rest = bytes.makeIterator()
    var parser = Unicode.UTF8.ForwardParser()
    while true {
      switch parser.parseScalar(from: &rest) {
      case .emptyInput: return text
      case .error(let count):
        text += spelt(bytes[start..<(start + count)])
        start += count
      case .valid(let code):
        let scalar = Unicode.UTF8.decode(code)
        switch scalar {
        case "\n": text += "\\n"
        case "\r": text += "\\r"
        case "\t": text += "\\t"
        case "\\": text += "\\\\"
        case _ where isVisible(scalar): text.unicodeScalars.append(scalar)
        default: text += spelt(bytes[start..<(start + code.count)])
        }
        start += code.count
      }
    }
  }

  private static func spelt(_ bytes: ArraySlice<UInt8>) -> String {
    bytes.map { String(format: "\\x%02X", $0) }.joined()
  }

  private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator,
      .paragraphSeparator:
      false
    default: true
    }
  }

  /// Lines of `data` and of `reconstructions` in turn, with what each is in front.
  public static func pairs(_ data: Tensor, _ reconstructions: Tensor) -> [String] {
    zip(lines(data), lines(reconstructions)).flatMap {
      ["data           \($0)", "reconstruction \($1)"]
    }
  }

  /// The lines, with an empty one after every `size` of them.
  public static func blocks(_ lines: [String], of size: Int? = nil) -> String {
    let size = size ?? lines.count
    return stride(from: 0, to: lines.count, by: max(1, size)).map { start in
      lines[start..<min(start + size, lines.count)].map { $0 + "\n" }.joined()
    }.joined(separator: "\n")
  }

  public static func write(_ text: String, to path: String) throws {
    if path == standardOutput {
      try printResult(text)
    } else {
      try AtomicFile.write(Array(text.utf8), to: path)
    }
  }
}
