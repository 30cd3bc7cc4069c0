// Patterns of parameter paths: what they stand for and what not, however they are written.

import LatentLayers
import Testing

@Suite struct PathPatternTests {
  @Test(
    arguments: [
      (
        "encoder.**", ["encoder", "encoder.head", "encoder.hidden.0.weight"],
        ["encoders.head", "decoder"]
      ),
      ("**", ["", "a", "a.b.c"], []), ("*", ["a", ""], ["a.b"]),
      ("**.weight", ["weight", "a.weight", "a.b.weight"], ["a.weights", "weight.a"]),
      ("a.*.c", ["a.b.c", "a..c"], ["a.c", "a.b.b.c"]),
      ("a.**.c", ["a.c", "a.b.c", "a.b.b.c", "a.c.c"], ["a.c.d", "c"]),
      ("blocks.1*.w", ["blocks.1.w", "blocks.10.w"], ["blocks.2.w", "blocks.01.w"]),
      ("*a*b", ["ab", "xaxb", "aab", "abab"], ["abx", "ba", "a.b"]),
      ("**.a.**.a.**", ["a.a", "x.a.y.a.z"], ["a", "x.a.y"]), ("", [""], ["a"]),
      ("ü.*", ["ü.x"], ["u.x", "u\u{308}.x"]),
    ] as [(PathPattern, [String], [String])])
  func paths(pattern: PathPattern, matches: [String], others: [String]) {
    for path in matches { #expect(pattern.matches(path), "\(pattern) stands for '\(path)'") }
    for path in others {
      #expect(!pattern.matches(path), "\(pattern) does not stand for '\(path)'")
    }
  }

  /// A pattern that takes exponential time where every star is tried with every length.
  @Test func longPatterns() {
    let pattern = PathPattern(String(repeating: "**.a*a*.", count: 40) + "b")
    #expect(!pattern.matches(String(repeating: "aaaaaaaa.", count: 200) + "c"))
  }
}
