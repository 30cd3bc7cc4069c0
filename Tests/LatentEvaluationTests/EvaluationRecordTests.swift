// The file of an evaluation: its schema, its order, and definitions that do not change unnoticed.

import Foundation
import LatentEvaluation
import Testing

@Suite struct EvaluationRecordTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  private static func record() throws -> EvaluationRecord {
    var record = EvaluationRecord(
      version: "1", model: String(repeating: "0a", count: 32), data: "digits",
      dataFingerprint: String(repeating: "1b", count: 32), examples: 10)
    let metric = try #require(Metric.all.first)
    let measurements = [
      MetricValue(metric, 1.5, standardError: 0.5, chance: 0, ceiling: 2, count: 10),
      MetricValue(metric, part: "x", .nan, ceiling: .infinity, count: 9, settings: ["k": "3"]),
    ]
    for name in ["samples", "likelihood"] {
      record.set(
        .init(name, settings: ["seed": "0"], measurements: measurements, notes: ["a note"]),
        order: ["likelihood", "samples"])
    }
    return record
  }

  @Test("A record is the same in any order of its parts, and comes back from its file")
  func roundTrip() throws {
    let record = try EvaluationRecordTests.record()
    #expect(record.parts.map(\.name) == ["likelihood", "samples"])
    #expect(record.notes == ["likelihood: a note", "samples: a note"])
    let path = FileManager.default.temporaryDirectory
      .appending(path: "evaluation-\(UUID().uuidString).json").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(record.encoded()).write(to: URL(filePath: path))
    let read = try EvaluationRecord(contentsOf: path)
    #expect(try read.encoded() == record.encoded())
    #expect(read.isAbout(record))
    #expect(record.part("samples", settings: ["seed": "0"]) != nil)
    #expect(record.part("samples", settings: ["seed": "1"]) == nil)
  }

  @Test("An evaluation of another version of a metric is not read")
  func otherVersions() throws {
    let text = String(decoding: try EvaluationRecordTests.record().encoded(), as: UTF8.self)
    let other = text.replacingOccurrences(of: "\"version\" : 1", with: "\"version\" : 999")
    #expect(other != text)
    let path = FileManager.default.temporaryDirectory
      .appending(path: "evaluation-\(UUID().uuidString).json").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(other.utf8).write(to: URL(filePath: path))
    #expect(throws: DecodingError.self) { try EvaluationRecord(contentsOf: path) }
  }

  @Test("A record fits the schema in docs/, and the schema is strict")
  func schema() throws {
    let url = EvaluationRecordTests.root.appending(path: "docs/evaluation.schema.json")
    let schema = try Schema(JSONSerialization.jsonObject(with: Data(contentsOf: url)))
    let record = try EvaluationRecordTests.record().encoded()
    var object = try #require(
      JSONSerialization.jsonObject(with: Data(record)) as? [String: Any])
    #expect(schema.faults(in: object).isEmpty)
    object["more"] = 1
    #expect(schema.faults(in: object) == ["$.more: not allowed"])
    object["more"] = nil
    object["examples"] = "ten"
    #expect(schema.faults(in: object) == ["$.examples: no integer"])
  }

  /// After a change of a definition its version has to change too; then the file is written anew:
  /// `LATENT_WRITE_GOLDEN=1 swift test --filter EvaluationRecordTests`.
  @Test("A definition that changes has another version")
  func golden() throws {
    let url = EvaluationRecordTests.root
      .appending(path: "Tests/LatentEvaluationTests/Resources/definitions.json")
    let now = Dictionary(
      uniqueKeysWithValues: Metric.all.map {
        ("\($0.name) \($0.version)", "\($0.formula) [\($0.unit.rawValue)]")
      })
    if ProcessInfo.processInfo.environment["LATENT_WRITE_GOLDEN"] == "1" {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      try (encoder.encode(now) + Data("\n".utf8)).write(to: url)
    }
    let known = try JSONDecoder().decode([String: String].self, from: Data(contentsOf: url))
    for (key, formula) in now {
      let old = try #require(known[key], "\(key) is not in \(url.lastPathComponent)")
      #expect(old == formula, "\(key) changed: give it another version")
    }
  }
}

/// As much of JSON Schema as the file in docs/ uses.
private struct Schema {
  private let root: [String: Any]

  init(_ root: Any) throws { self.root = try #require(root as? [String: Any]) }

  func faults(in value: Any) -> [String] { faults(value, root, "$") }

  private func faults(_ value: Any, _ schema: [String: Any], _ path: String) -> [String] {
    if let reference = schema["$ref"] as? String {
      let name = String(reference.split(separator: "/").last ?? "")
      let target = (root["$defs"] as? [String: Any])?[name] as? [String: Any]
      return target.map { faults(value, $0, path) } ?? ["\(path): no \(reference)"]
    }
    if let choices = schema["anyOf"] as? [[String: Any]] {
      return choices.contains { faults(value, $0, path).isEmpty }
        ? [] : ["\(path): none of several"]
    }
    if let constant = schema["const"] as? Int, value as? Int != constant {
      return ["\(path): not \(constant)"]
    }
    if let words = schema["enum"] as? [String], !words.contains(value as? String ?? "") {
      return ["\(path): no word of the list"]
    }
    if let pattern = schema["pattern"] as? String, let text = value as? String,
      text.range(of: pattern, options: .regularExpression) == nil
    {
      return ["\(path): not of the form \(pattern)"]
    }
    switch schema["type"] as? String {
    case "string": return value is String ? [] : ["\(path): no string"]
    case "integer": return value is Int ? [] : ["\(path): no integer"]
    case "number": return value is Double && !(value is String) ? [] : ["\(path): no number"]
    case "array":
      guard let list = value as? [Any] else { return ["\(path): no array"] }
      let items = schema["items"] as? [String: Any] ?? [:]
      return list.enumerated().flatMap { faults($1, items, "\(path)[\($0)]") }
    case "object":
      guard let object = value as? [String: Any] else { return ["\(path): no object"] }
      return faults(of: object, schema, path)
    default: return []
    }
  }

  private func faults(
    of object: [String: Any], _ schema: [String: Any], _ path: String
  ) -> [String] {
    let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
    let missing = (schema["required"] as? [String] ?? []).filter { object[$0] == nil }
    return missing.map { "\(path).\($0): missing" }
      + object.sorted { $0.key < $1.key }.flatMap { key, value -> [String] in
        if let own = properties[key] { return faults(value, own, "\(path).\(key)") }
        if let other = schema["additionalProperties"] as? [String: Any] {
          return faults(value, other, "\(path).\(key)")
        }
        let isClosed = schema["additionalProperties"] as? Bool == false
        return isClosed ? ["\(path).\(key): not allowed"] : []
      }
  }
}
