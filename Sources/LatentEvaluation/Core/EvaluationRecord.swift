// What `evaluation.json` holds: numbers by parts, with everything that another number would come of. It is complete
// after every part, so that an evaluation that was interrupted goes on where it stopped and ends in the same bytes.

import Foundation
import LatentStorage

/// The evaluation of one trained model on one data set.
///
/// Its form is described by `docs/evaluation.schema.json`.
public struct EvaluationRecord: Sendable, Equatable, Codable {
  /// One kind of question and its answers.
  public struct Part: Sendable, Equatable, Codable {
    /// What it is called, such as `likelihood`.
    public let name: String
    /// What it was asked with.
    public let settings: [String: String]
    /// What was found.
    public let measurements: [MetricValue]
    /// What could not be measured and why, and what to do about what was found, a sentence each.
    public let notes: [String]

    /// An answered part.
    public init(
      _ name: String, settings: [String: String], measurements: [MetricValue], notes: [String] = []
    ) {
      self.name = name
      self.settings = settings
      self.measurements = measurements
      self.notes = notes
    }
  }

  /// The version of this form.
  public static let schema = 1

  /// The version of the form of the file.
  public let schema: Int
  /// The version of the library.
  public let version: String
  /// Which model: the fingerprint of its parameters.
  public let model: String
  /// Which data: their name, and the fingerprint of a sample of them.
  public let data, dataFingerprint: String
  /// The number of examples that there are.
  public let examples: Int
  /// In the order in which parts are asked for.
  public private(set) var parts: [Part] = []

  /// An evaluation that has not begun.
  public init(
    version: String, model: String, data: String, dataFingerprint: String, examples: Int
  ) {
    schema = EvaluationRecord.schema
    self.version = version
    self.model = model
    self.data = data
    self.dataFingerprint = dataFingerprint
    self.examples = examples
  }

  /// All numbers.
  public var measurements: [MetricValue] { parts.flatMap(\.measurements) }
  /// All notes, after the name of their part.
  public var notes: [String] { parts.flatMap { part in part.notes.map { "\(part.name): \($0)" } } }

  /// Whether numbers of another record are about the same model and data, and may stand beside these.
  public func isAbout(_ other: EvaluationRecord) -> Bool {
    (schema, version, model, data) == (other.schema, other.version, other.model, other.data)
      && (dataFingerprint, examples) == (other.dataFingerprint, other.examples)
  }

  /// The part of this name if it was asked with these settings.
  public func part(_ name: String, settings: [String: String]) -> Part? {
    parts.first { $0.name == name && $0.settings == settings }
  }

  /// Puts a part in its place among `order`, in place of an older one of its name.
  public mutating func set(_ part: Part, order: [String]) {
    parts.removeAll { $0.name == part.name }
    parts.append(part)
    parts.sort { first, second in
      (order.firstIndex(of: first.name) ?? order.count)
        < (order.firstIndex(of: second.name) ?? order.count)
    }
  }

  // MARK: Files

  /// The name of the file in a run's folder.
  public static let fileName = "evaluation.json"

  /// As JSON; numbers that are none become the words "nan", "inf" and "-inf".
  public func encoded() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
  }

  /// Reads a file.
  /// - Throws: `StorageError` where the file is not there, `DecodingError` where it is no evaluation, or one with
  ///   metrics in versions that are not known here.
  public init(contentsOf path: String) throws {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let contents = FileManager.default.contents(atPath: path) else {
      throw StorageError.missing(file: path)
    }
    self = try decoder.decode(EvaluationRecord.self, from: contents)
  }
}
