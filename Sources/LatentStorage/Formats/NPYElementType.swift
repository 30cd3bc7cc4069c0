// The word of an NPY header that says what the elements are: `<f4`, or whatever else NumPy takes for a
// type. What is not a number of ours is named for what it is.

/// A number type and the order of its bytes.
struct NPYElementType: Equatable {
  let number: StoredNumber
  let isBigEndian: Bool

  /// What the elements are instead.
  struct Foreign: Error {
    let found: String
    let expected: String
  }

  /// NumPy's other names of the types, as other programs write them.
  private static let names: [String: StoredNumber] = [
    "e": .f2, "f": .f4, "d": .f8, "b": .i1, "h": .i2, "i": .i4, "q": .i8, "B": .u1, "H": .u2,
    "I": .u4, "Q": .u8, "?": .b1, "float16": .f2, "float32": .f4, "float64": .f8, "int8": .i1,
    "int16": .i2, "int32": .i4, "int64": .i8, "uint8": .u1, "uint16": .u2, "uint32": .u4,
    "uint64": .u8, "bool": .b1,
  ]

  init(_ description: NPYHeader.Description) throws(Foreign) {
    let word: String
    switch description {
    case .word(let text): word = text
    case .records(let text):
      throw Foreign(
        found: "records \(String(decoding: text.utf8.prefix(120), as: UTF8.self))",
        expected: "numbers: save one field alone, as in numpy.save('NAME.npy', array['FIELD'])")
    }
    let hasOrder = word.utf8.first.map { "<>|=".utf8.contains($0) } ?? false
    let name = String(decoding: word.utf8.dropFirst(hasOrder ? 1 : 0), as: UTF8.self)
    guard let number = StoredNumber(rawValue: name) ?? NPYElementType.names[name] else {
      throw NPYElementType.foreign(word, name)
    }
    self.number = number
    isBigEndian = word.utf8.first == UInt8(ascii: ">")
  }

  private static func foreign(_ word: String, _ name: String) -> Foreign {
    func floats(_ what: String) -> Foreign {
      Foreign(
        found: "\(what) ('\(word)')",
        expected: "numbers of at most 64 bits: save array.astype('f8')")
    }
    switch name.utf8.first {
    case UInt8(ascii: "O"):
      return Foreign(
        found: "Python objects ('\(word)')",
        expected: "numbers: save numpy.array(array.tolist(), 'f4'), where its rows have one length")
    case UInt8(ascii: "S"), UInt8(ascii: "a"), UInt8(ascii: "U"):
      return Foreign(
        found: "strings ('\(word)')",
        expected: "numbers: save numpy.unique(array, return_inverse=True)[1] for classes")
    case UInt8(ascii: "M"): return dates("dates", word)
    case UInt8(ascii: "m"): return dates("lengths of time", word)
    case UInt8(ascii: "c"), UInt8(ascii: "F"), UInt8(ascii: "D"), UInt8(ascii: "G"):
      return Foreign(
        found: "complex numbers ('\(word)')",
        expected: "real numbers: save numpy.stack([array.real, array.imag], -1)")
    case UInt8(ascii: "V"):
      return Foreign(
        found: "bytes without a type ('\(word)')", expected: "numbers: save array.view('u1')")
    // The same name is 80 bits on one machine, 128 on another and two doubles on a third.
    case _ where ["f12", "f16", "g", "longdouble", "float96", "float128"].contains(name):
      return floats("long doubles, which differ from machine to machine")
    default:
      return Foreign(
        found: "'\(word)'",
        expected: "\(StoredNumber.allCases.map(\.rawValue).joined(separator: ", "))")
    }
  }

  private static func dates(_ what: String, _ word: String) -> Foreign {
    Foreign(found: "\(what) ('\(word)')", expected: "numbers: save array.astype('i8').astype('f8')")
  }
}
