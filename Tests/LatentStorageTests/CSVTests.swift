// Tables as text.

import LatentNumerics
import Testing

@testable import LatentStorage

@Suite struct CSVTests {
  private func text(_ table: NDArray, _ columns: [String]) throws -> String {
    String(decoding: try CSV.encode(table, columns: columns), as: UTF8.self)
  }

  @Test func tables() throws {
    let floats = NDArray([0.1, 1e-20, -3, 16_777_216, .infinity, .nan] as [Float], shape: [3, 2])
    #expect(
      try text(floats, ["a", "b"]) == "a,b\n0.1,1e-20\n-3.0,16777216.0\ninf,nan\n")
    #expect(
      try text(NDArray([0.1 + 0.2] as [Double], shape: [1, 1]), ["x"]) == "x\n0.30000000000000004\n"
    )
    #expect(try text(NDArray([-5, 7] as [Int32], shape: [1, 2]), ["i", "j"]) == "i,j\n-5,7\n")
    #expect(try text(NDArray([] as [UInt8], shape: [0, 1]), ["e"]) == "e\n")
  }

  @Test func namesAreQuoted() throws {
    let row = NDArray([1, 2, 3] as [UInt8], shape: [1, 3])
    #expect(
      try text(row, ["a,b", "say \"x\"", "two\nlines"])
        == "\"a,b\",\"say \"\"x\"\"\",\"two\nlines\"\n1,2,3\n")
    // One character each to Swift: a line end of Windows, and a quote or a comma with an accent.
    let clusters = ["two\r\nlines", "\"\u{301}", "a,\u{301}b"]
    #expect(
      try text(row, clusters).utf8.elementsEqual(
        "\"two\r\nlines\",\"\"\"\u{301}\",\"a,\u{301}b\"\n1,2,3\n".utf8))
  }

  @Test func numbersReadBackTheSame() throws {
    var random = Random(seed: 4)
    let bits = (0..<1_000).map { _ in Double(bitPattern: random.next()) }.filter { $0.isFinite }
    let lines = try text(NDArray(bits, shape: [bits.count, 1]), ["x"]).split(separator: "\n")
    #expect(lines.dropFirst().map { Double($0) } == bits)
  }

  @Test func shapesAndNamesMustAgree() throws {
    let cases: [(Shape, [String])] = [
      ([2, 3], ["a"]), ([6], ["a"]), ([6], []), ([1, 2, 3], ["a", "b", "c"]),
    ]
    for (shape, columns) in cases {
      let error = storageError {
        _ = try CSV.encode(NDArray(repeating: 0, shape: shape), columns: columns)
      }
      #expect(error?.kind == .cannotWrite)
    }
  }
}
