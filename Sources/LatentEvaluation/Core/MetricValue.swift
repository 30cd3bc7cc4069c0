// The value of a metric with what is needed to read it: how sure it is, what chance would give, what is possible, and
// how it was taken.

/// A number that was measured.
public struct MetricValue: Sendable, Hashable {
  /// What was measured.
  public let metric: Metric
  /// Of what, where there are several: a factor's name, a dimension, a level. Nil: of everything.
  public let part: String?
  /// The number, in the metric's unit.
  public let value: Double
  /// The standard error of `value` under other draws of examples (or of samples, where the metric says so); nil where
  /// none is known.
  public let standardError: Double?
  /// What a model that knows nothing would have here; nil where it depends on more than is known.
  public let chance: Double?
  /// What a perfect model would have here.
  public let ceiling: Double?
  /// The number of examples behind it.
  public let count: Int
  /// How it was taken: every setting that another value would come of, as text.
  public let settings: [String: String]

  /// A measured number.
  public init(
    _ metric: Metric, part: String? = nil, _ value: Double, standardError: Double? = nil,
    chance: Double? = nil, ceiling: Double? = nil, count: Int, settings: [String: String] = [:]
  ) {
    self.metric = metric
    self.part = part
    self.value = value
    self.standardError = standardError
    self.chance = chance
    self.ceiling = ceiling
    self.count = count
    self.settings = settings
  }

  /// Where the value stands between chance (0) and the ceiling (1); nil where one of them is not known.
  public var normalized: Double? {
    guard let chance, let ceiling, ceiling != chance else { return nil }
    return (value - chance) / (ceiling - chance)
  }
}

extension MetricValue: Codable {
  private enum CodingKeys: String, CodingKey {
    case metric, version, part, value, standardError, chance, ceiling, count, settings
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(metric.name, forKey: .metric)
    try container.encode(metric.version, forKey: .version)
    try container.encodeIfPresent(part, forKey: .part)
    try container.encode(value, forKey: .value)
    try container.encodeIfPresent(standardError, forKey: .standardError)
    try container.encodeIfPresent(chance, forKey: .chance)
    try container.encodeIfPresent(ceiling, forKey: .ceiling)
    try container.encode(count, forKey: .count)
    try container.encode(settings, forKey: .settings)
  }

  /// Reads what `encode(to:)` has written.
  /// - Throws: `DecodingError` for a metric that is not known, or known in another version.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let name = try container.decode(String.self, forKey: .metric)
    let version = try container.decode(Int.self, forKey: .version)
    guard let metric = Metric.all.first(where: { $0.name == name && $0.version == version }) else {
      throw DecodingError.dataCorruptedError(
        forKey: .metric, in: container,
        debugDescription: "the metric '\(name)' in version \(version) is not known here")
    }
    self.init(
      metric, part: try container.decodeIfPresent(String.self, forKey: .part),
      try container.decode(Double.self, forKey: .value),
      standardError: try container.decodeIfPresent(Double.self, forKey: .standardError),
      chance: try container.decodeIfPresent(Double.self, forKey: .chance),
      ceiling: try container.decodeIfPresent(Double.self, forKey: .ceiling),
      count: try container.decode(Int.self, forKey: .count),
      settings: try container.decode([String: String].self, forKey: .settings))
  }
}
