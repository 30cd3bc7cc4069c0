import LatentNumerics

/// How important each code is for each factor, and what its spread says (Eastwood and Williams 2018): the common end of
/// all scores of the DCI kind.
public struct Importances: Sendable, Hashable {
  /// Non-negative, code by code, `[latents][factors]`.
  public let values: [[Double]]

  /// Of a table of non-negative numbers, `[latents][factors]`. Traps where it is none.
  public init(_ values: [[Double]], file: StaticString = #fileID, line: UInt = #line) {
    let width = values.first?.count ?? 0
    require(
      width > 0
        && values.allSatisfy { row in
          row.count == width && row.allSatisfy { $0 >= 0 && $0.isFinite }
        },
      "importances that are no table of numbers from 0: \(values)", file: file, line: line)
    self.values = values
  }

  /// The mean over codes, weighted by their share of all importance, of 1 - H(row) to the base of the number of
  /// factors: 1 where each code matters for one factor. Nil of one factor; 0 where nothing matters.
  public var disentanglement: Double? { Importances.concentration(values) }

  /// The same of columns, to the base of the number of codes: 1 where each factor has one code. Codes that matter for
  /// nothing count in the base. Nil of one code.
  public var completeness: Double? {
    Importances.concentration(values[0].indices.map(column))
  }

  /// For each factor 1 - H(column) to the base of the number of codes; nil of one code.
  public var completenesses: [Double]? {
    guard values.count > 1 else { return nil }
    return values[0].indices.map { Importances.concentration([column($0)]) ?? 0 }
  }

  private func column(_ factor: Int) -> [Double] { values.map { $0[factor] } }

  private static func concentration(_ rows: [[Double]]) -> Double? {
    let most = ScoreMath.entropy([Double](repeating: 1, count: rows[0].count))
    guard most > 0 else { return nil }
    let sums = rows.map { $0.reduce(0, +) }
    let total = sums.reduce(0, +)
    guard total > 0 else { return 0 }
    return zip(rows, sums).reduce(0) { $0 + $1.1 / total * (1 - ScoreMath.entropy($1.0) / most) }
  }
}
