// Whether data are those of before. A resumed run that meets others trains on: its validation part is
// chosen by number, so that what it had kept aside may come in, and nobody is told. A count, the
// shapes and a checksum of a few examples at fixed places tell nearly all changes for the price of a few
// batches.

import Foundation
import LatentNumerics
import LatentStorage

/// What is remembered of a data set to recognise it.
///
/// ```swift
/// let print = try DatasetFingerprint(of: data)
/// try print.check(against: checkpoint.texts[DatasetFingerprint.textName], of: data.name)
/// trainer.descriptions[DatasetFingerprint.textName] = print.encoded
/// ```
public struct DatasetFingerprint: Sendable, Hashable, Codable {
  /// The number of examples.
  public let count: Int
  /// The shape of an example, field by field.
  public let shapes: [String: [Int]]
  /// SHA-256 of the sampled examples, as batches hand them out, in hexadecimal.
  public let checksum: String
  /// How many examples the checksum is of.
  public let sampled: Int

  /// The name of the text in checkpoints.
  public static let textName = "fingerprint"

  /// Reads at most 256 examples, at equal distances from the first to the last.
  ///
  /// Throws what the data set throws.
  public init(of data: some Dataset) throws {
    count = data.count
    shapes = data.fieldShapes.mapValues(\.dimensions)
    let positions = ExampleSample.positions(of: data.count)
    sampled = positions.count
    // A digest of digests: examples may be large, and batches of a few are enough.
    var digests: [UInt8] = []
    for start in stride(from: 0, to: positions.count, by: 32) {
      let batch = try data.batch(at: Array(positions[start..<min(start + 32, positions.count)]))
      for (name, array) in batch.fields.sorted(by: { $0.key < $1.key }) {
        digests += Array(name.utf8) + array.withUnsafeBytes { SHA256.digest($0) }
      }
    }
    checksum = digests.withUnsafeBytes { SHA256.digest($0) }
      .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// As JSON with sorted keys: the same text for the same data.
  public var encoded: String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// Compares the data with those of before. Nothing is known, and nothing refused, where `saved` is
  /// nil or was written by a version with other fingerprints.
  ///
  /// Throws `DatasetError.changedData`, which says what was and what is.
  public func check(against saved: String?, of name: String) throws {
    guard let saved,
      let old = try? JSONDecoder().decode(DatasetFingerprint.self, from: Data(saved.utf8)),
      old != self
    else { return }
    if old.count != count {
      throw DatasetError.changedData(
        name: name, was: "\(old.count) examples", found: "\(count) examples")
    }
    if old.shapes != shapes {
      throw DatasetError.changedData(
        name: name, was: DatasetFingerprint.text(old.shapes),
        found: DatasetFingerprint.text(shapes))
    }
    // How many are sampled is a habit of the version.
    guard old.sampled == sampled else { return }
    throw DatasetError.changedData(
      name: name, was: "checksum \(old.checksum.utf8.prefix(8).text)",
      found: "checksum \(checksum.utf8.prefix(8).text) of \(sampled) examples")
  }

  private static func text(_ shapes: [String: [Int]]) -> String {
    shapes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
  }
}

extension Sequence<UInt8> {
  fileprivate var text: String { String(decoding: Array(self), as: UTF8.self) }
}
