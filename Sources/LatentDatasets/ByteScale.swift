// What bytes stand for. Of pictures they are gray values of 0...255 and become 0...1; of masks and
// counts they are numbers. A file does not say which. The rule is found once for a data set by looking
// at it, said where it is not the usual one, and can be given; a run keeps the rule it began with.

import LatentNumerics
import LatentStorage

/// The meaning of inputs that are stored as bytes.
public enum ByteScale: String, Sendable, Hashable, Codable, CaseIterable {
  /// Gray values: times 1 / 255.
  case pictures
  /// Numbers, as they are.
  case numbers
}

/// The largest of the bytes that were looked at.
struct ByteLook: Sendable, Equatable {
  /// The largest byte; the look ends early at one that only pictures have.
  private(set) var largest: UInt8 = 0
  /// How many examples were looked at, where they were not all.
  private(set) var sampled: Int?

  /// Bytes of pictures go beyond this in all but strange sets.
  static let doubtful: UInt8 = 63
  /// Files with more bytes are judged by a sample.
  static let wholeBytes = 256 << 20
  /// So many examples, at equal distances.
  static let sampleSize = 256

  /// All of an array.
  init(_ array: NDArray) { see(array) }

  /// The rows of an array in a file: all, or the sample of a large one.
  ///
  /// - Parameter rows: Reads rows by position.
  init(count: Int, rowBytes: Int, rows: ([Int]) throws -> NDArray) rethrows {
    let isWhole = count <= ByteLook.wholeBytes / max(rowBytes, 1)
    let positions = isWhole ? Array(0..<count) : ExampleSample.positions(of: count)
    if !isWhole { sampled = positions.count }
    let step = max(1, (8 << 20) / max(rowBytes, 1))
    for start in stride(from: 0, to: positions.count, by: step) where largest <= ByteLook.doubtful {
      see(try rows(Array(positions[start..<min(start + step, positions.count)])))
    }
  }

  private mutating func see(_ array: NDArray) {
    array.withUnsafeBytes { bytes in
      for start in stride(from: 0, to: bytes.count, by: 1 << 12) where largest <= ByteLook.doubtful
      {
        for byte in bytes[start..<min(start + 1 << 12, bytes.count)] {
          largest = max(largest, byte)
        }
      }
    }
  }
}

/// The rule for the bytes of one data set.
struct ByteRule: Sendable, Equatable {
  let scale: ByteScale
  let notes: [String]
  /// Whether a byte above 1 contradicts what the rule was found by.
  let isBinaryBySample: Bool

  /// - Parameters:
  ///   - asked: The rule that was given; nil looks for it.
  ///   - what: A name of the bytes, such as "the bytes of x.npy".
  init(_ asked: ByteScale?, _ look: ByteLook, what: String) {
    let isBinary = look.largest == 1
    scale = asked ?? (isBinary ? .numbers : .pictures)
    isBinaryBySample = asked == nil && isBinary && look.sampled != nil
    let seen = look.sampled.map { "\(what) (of \($0) examples looked at)" } ?? what
    let ways = "--bytes numbers (from code, bytes: .numbers) takes them as they are"
    switch (scale, look.largest) {
    case (.numbers, 1) where asked == nil:
      notes = [
        "\(seen) are 0 and 1 only, and are taken as these numbers; --bytes pictures (from code, "
          + "bytes: .pictures) divides them by 255"
      ]
    case (.pictures, 1...ByteLook.doubtful):
      let most = Float(look.largest) / 255
      notes = [
        "\(seen) go to \(look.largest) only, and are divided by 255 as those of pictures, to \(most) at "
          + "most; where they are counts or classes, \(ways)"
      ]
    default: notes = []
    }
  }
}

extension ByteRule {
  /// Throws `DatasetError.wrongShape` for rows that contradict the sample the rule was found by.
  func check(_ rows: NDArray, _ indices: [Int], file: String) throws {
    guard isBinaryBySample, let row = indices.indices.first else { return }
    let rowBytes = rows.byteCount / indices.count
    let found = rows.withUnsafeBytes { bytes in
      bytes.firstIndex { $0 > 1 }.map { (row: row + $0 / rowBytes, byte: bytes[$0]) }
    }
    guard let found else { return }
    throw DatasetError.wrongShape(
      file: file, what: "example \(indices[found.row])", found: "the byte \(found.byte)",
      expected: "0 and 1, as in the examples looked at; say what bytes are: --bytes pictures or "
        + "--bytes numbers (from code, bytes:)")
  }
}

/// Examples that stand for a whole set: the same for the same number of them.
enum ExampleSample {
  /// At most `size` positions at equal distances, the first and the last among them.
  static func positions(of count: Int, size: Int = ByteLook.sampleSize) -> [Int] {
    guard count > size else { return Array(0..<max(0, count)) }
    // (count - 1) * i / (size - 1) without the product, which may overflow.
    let (step, rest) = (count - 1).quotientAndRemainder(dividingBy: size - 1)
    return (0..<size).map { $0 * step + $0 * rest / (size - 1) }
  }
}
