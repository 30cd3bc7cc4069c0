// The header of an NPY file is a Python literal, such as
// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
// It is parsed by this tiny grammar (strings, booleans, tuples of whole numbers) and never
// evaluated. Python 2 wrote long integers as `3L` and unicode strings as `u'<f4'`.

struct NPYHeader {
  /// What the elements are.
  enum Description: Equatable {
    case word(String)
    /// Python's list of the fields of a record, as it stands there.
    case records(String)

    var text: String {
      switch self {
      case .word(let text), .records(let text): text
      }
    }
  }

  var descr = Description.word("")
  var fortranOrder = false
  var shape: [Int] = []

  /// A problem and where it stands.
  struct Malformed: Error {
    let offset: Int
    let found: String
    let expected: String
  }

  init(parsing bytes: [UInt8]) throws(Malformed) {
    var parser = Parser(bytes: bytes)
    var seen: Set<String> = []
    try parser.expect("{")
    while !parser.accept("}") {
      let key = try parser.string()
      try parser.expect(":")
      guard seen.insert(key).inserted else { throw parser.malformed("'\(key)' twice", "it once") }
      switch key {
      case "descr": descr = try parser.description()
      case "fortran_order": fortranOrder = try parser.boolean()
      case "shape": shape = try parser.tuple()
      default:
        throw parser.malformed("the key '\(key)'", "'descr', 'fortran_order' and 'shape'")
      }
      if parser.accept(",") { continue }
      try parser.expect("}")
      break
    }
    try parser.expectEnd()
    guard seen.count == 3 else {
      throw parser.malformed("keys \(seen.sorted())", "'descr', 'fortran_order' and 'shape'")
    }
  }

  private struct Parser {
    let bytes: [UInt8]
    var position = 0

    func malformed(_ found: String, _ expected: String) -> Malformed {
      Malformed(offset: position, found: found, expected: expected)
    }

    private var here: String {
      position < bytes.count ? "'\(Unicode.Scalar(bytes[position]))'" : "the end"
    }

    private mutating func skipSpace() {
      while position < bytes.count, bytes[position] == 32 || (9...13).contains(bytes[position]) {
        position += 1
      }
    }

    mutating func accept(_ character: Unicode.Scalar) -> Bool {
      skipSpace()
      guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
      position += 1
      return true
    }

    mutating func expect(_ character: Unicode.Scalar) throws(Malformed) {
      guard accept(character) else { throw malformed(here, "'\(character)'") }
    }

    mutating func expectEnd() throws(Malformed) {
      skipSpace()
      guard position == bytes.count else { throw malformed(here, "the end") }
    }

    /// A string, or the list (of one field, the tuple) that describes records.
    mutating func description() throws(Malformed) -> NPYHeader.Description {
      skipSpace()
      let start = position
      guard accept("[") || accept("(") else { return .word(try string()) }
      var depth = 1
      while depth > 0 {
        guard position < bytes.count else { throw malformed(here, "the end of the list") }
        switch bytes[position] {
        case UInt8(ascii: "["), UInt8(ascii: "("): depth += 1
        case UInt8(ascii: "]"), UInt8(ascii: ")"): depth -= 1
        case UInt8(ascii: "'"), UInt8(ascii: "\""): skipString()
        default: break
        }
        position += 1
      }
      return .records(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    /// From a quote to the one that ends it, or to the end.
    private mutating func skipString() {
      let quote = bytes[position]
      position += 1
      while position < bytes.count, bytes[position] != quote {
        position += bytes[position] == UInt8(ascii: "\\") ? 2 : 1
      }
    }

    /// Printable ASCII between single or double quotes, without escapes.
    mutating func string() throws(Malformed) -> String {
      skipSpace()
      let next = bytes[position...].prefix(2)
      if ["u'", "u\"", "U'", "U\""].contains(where: { next.elementsEqual($0.utf8) }) {
        position += 1
      }
      let quote: Unicode.Scalar = accept("\"") ? "\"" : "'"
      if quote == "'" {
        guard accept("'") else { throw malformed(here, "a string") }
      }
      let start = position
      while position < bytes.count, bytes[position] != UInt8(ascii: quote) {
        guard (32..<127).contains(bytes[position]), bytes[position] != UInt8(ascii: "\\") else {
          throw malformed("byte \(bytes[position])", "printable ASCII")
        }
        position += 1
      }
      let text = String(decoding: bytes[start..<position], as: UTF8.self)
      try expect(quote)
      return text
    }

    mutating func boolean() throws(Malformed) -> Bool {
      skipSpace()
      for (word, value) in [("True", true), ("False", false)]
      where bytes[position...].starts(with: word.utf8) {
        position += word.utf8.count
        return value
      }
      throw malformed(here, "True or False")
    }

    mutating func tuple() throws(Malformed) -> [Int] {
      var numbers: [Int] = []
      try expect("(")
      while !accept(")") {
        numbers.append(try number())
        if accept(",") { continue }
        // Python writes a tuple of one number with a comma; without it, this is no tuple.
        guard numbers.count > 1 else { throw malformed(here, "','") }
        try expect(")")
        break
      }
      return numbers
    }

    private mutating func number() throws(Malformed) -> Int {
      skipSpace()
      if accept("-") { throw malformed("a negative number", "a number, 0 or more") }
      let digits = bytes[position...].prefix { (48..<58).contains($0) }
      guard let value = Int(String(decoding: digits, as: UTF8.self)) else {
        throw malformed(digits.isEmpty ? here : "a number of \(digits.count) digits", "a number")
      }
      position += digits.count
      if position < bytes.count, bytes[position] == UInt8(ascii: "L") { position += 1 }
      return value
    }
  }
}
