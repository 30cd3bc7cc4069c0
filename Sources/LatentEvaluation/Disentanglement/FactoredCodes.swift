// What scores of disentanglement are computed from: codes of examples whose factors are known, in two parts.

import LatentAutodiff
import LatentNumerics

/// Codes of examples and the factors that the examples were made with, split into a part that learners are fitted to
/// and a part that they are asked about.
public struct FactoredCodes: Sendable {
  /// A factor that takes several values.
  public struct Factor: Sendable, Hashable {
    /// What it is called.
    public let name: String
    /// How many levels it has: different values, or intervals where it was cut into such.
    public let levels: Int
  }

  /// Some of the examples.
  public struct Part: Sendable {
    /// float64, `[examples, latent]`.
    public let codes: Tensor
    /// The factors' values as they were given, float64, `[examples, factors]`.
    public let values: Tensor
    /// For each factor the level of each example, from 0, in the order of the values.
    public let levels: [[Int]]
    /// The number of examples.
    public var count: Int { codes.shape[0] }
  }

  /// The factors that vary; may be none.
  public let factors: [Factor]
  /// The names of factors that have one value only: nothing can be said of them.
  public let constantFactors: [String]
  /// What learners are fitted to.
  public let train: Part
  /// What scores are taken on.
  public let test: Part

  /// From codes `[examples, latent]` and factors `[examples, factors]`, any numbers of any type, split at random.
  ///
  /// Levels are the values that occur. A factor with more of them than `levels` is cut into so many intervals of one
  /// width; without it, a factor that hardly takes a value twice is refused. Traps where shapes, names and the share
  /// of the part to fit to do not go together.
  ///
  /// - Throws: `FactoredCodesError`.
  public init(
    _ codes: Tensor, factors: Tensor, names: [String]? = nil, trainShare: Double = 2.0 / 3,
    levels: Int? = nil, using random: inout RandomStream, file: StaticString = #fileID,
    line: UInt = #line
  ) throws(FactoredCodesError) {
    require(
      codes.rank == 2 && trainShare > 0 && trainShare < 1,
      "\(trainShare) of the codes \(codes.shape) to fit to", file: file, line: line)
    let count = codes.shape[0]
    guard count >= FactoredCodes.fewest else { throw .tooFew(count) }
    let order = random.permutation(count)
    let cut = min(count - 1, max(1, Int((Double(count) * trainShare).rounded())))
    try self.init(
      codes, factors: factors, names: names, train: Array(order[..<cut]),
      test: Array(order[cut...]), levels: levels, file: file, line: line)
  }

  /// The same with the examples of both parts by their numbers; an example may be in both.
  ///
  /// - Throws: `FactoredCodesError`.
  public init(
    _ codes: Tensor, factors: Tensor, names: [String]? = nil, train: [Int], test: [Int],
    levels: Int? = nil, file: StaticString = #fileID, line: UInt = #line
  ) throws(FactoredCodesError) {
    require(
      codes.rank == 2 && factors.rank == 2 && codes.shape[0] == factors.shape[0]
        && codes.shape[1] > 0 && names?.count ?? factors.shape[1] == factors.shape[1]
        && levels ?? 2 >= 2,
      "codes \(codes.shape) with factors \(factors.shape), names \(names ?? []), cut into "
        + "\(levels ?? 2) levels", file: file, line: line)
    let count = codes.shape[0]
    require(
      (train + test).allSatisfy { (0..<count).contains($0) },
      "parts of \(count) examples with numbers outside 0..<\(count)", file: file, line: line)
    let fewest = min(train.count, test.count)
    guard fewest > 1 && count >= FactoredCodes.fewest else { throw .tooFew(min(count, fewest)) }
    for (what, table) in [("codes", codes), ("factors", factors)] {
      let spoiled = table.array.nonFiniteCount
      if spoiled > 0 { throw .notFinite(what: what, count: spoiled, of: table.count) }
    }
    let columns = factors.detached.converted(to: .float64).transposed.array
    var found: [(factor: Factor, column: Int, levels: [Int])] = []
    var constant: [String] = []
    for column in 0..<factors.shape[1] {
      let name = names?[column] ?? "factor\(column)"
      let values = columns.rows(column..<column + 1).doubles
      let own = FactoredCodes.levels(of: values, most: levels)
      if own.count > count / 2 { throw .continuous(factor: name, values: own.count, of: count) }
      // What does not vary where learners look cannot be learnt, and has no entropy to divide by.
      if Set(train.map { own.places[$0] }).count < 2 {
        constant.append(name)
      } else {
        found.append((Factor(name: name, levels: own.count), column, own.places))
      }
    }
    self.factors = found.map(\.factor)
    constantFactors = constant
    let chosen = Tensor(NDArray(found.map { Int32($0.column) }))
    func part(_ rows: [Int]) -> Part {
      let numbers = Tensor(NDArray(rows.map { Int32($0) }))
      return Part(
        codes: codes.detached.converted(to: .float64).gathering(numbers),
        values: factors.detached.converted(to: .float64).gathering(numbers)
          .gathering(chosen, axis: 1),
        levels: found.map { factor in rows.map { factor.levels[$0] } })
    }
    (self.train, self.test) = (part(train), part(test))
  }

  /// The fewest examples that can be split and told apart.
  private static let fewest = 10

  private static func levels(of values: [Double], most: Int?) -> (count: Int, places: [Int]) {
    let distinct = Set(values).sorted()
    if let most, distinct.count > most {
      let binning = Binning(values, bins: most)
      return (most, binning.bins.map { Int($0) })
    }
    let places = Dictionary(uniqueKeysWithValues: zip(distinct, 0...))
    return (distinct.count, values.map { places[$0] ?? 0 })
  }

  /// The number of latent dimensions.
  public var latents: Int { train.codes.shape[1] }

  /// The settings that all scores share, and those of one.
  func settings(_ own: [String: String] = [:]) -> [String: String] {
    var settings = [
      "latents": "\(latents)", "trainExamples": "\(train.count)", "testExamples": "\(test.count)",
      "factors": factors.map { "\($0.name) (\($0.levels))" }.joined(separator: ", "),
    ]
    if !constantFactors.isEmpty {
      settings["constantFactors"] = constantFactors.joined(separator: ", ")
    }
    let constant = train.codes.variance(axes: [0]).doubles
      .count(where: { $0 < Moments.leastVariance })
    if constant > 0 { settings["constantLatents"] = "\(constant)" }
    return settings.merging(own) { $1 }
  }
}

/// Why scores of disentanglement cannot be taken of some codes.
public enum FactoredCodesError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Too few examples to fit anything to.
  case tooFew(Int)
  /// Codes or factors that are no numbers.
  case notFinite(what: String, count: Int, of: Int)
  /// A factor that hardly takes a value twice.
  case continuous(factor: String, values: Int, of: Int)

  public var description: String {
    switch self {
    case .tooFew(let count):
      "disentanglement of \(count) examples: expected 10 at least and 2 in each part, better thousands"
    case .notFinite(let what, let count, let of):
      "disentanglement: \(count) of \(of) numbers of the \(what) are NaN or infinite "
        + "(did the training diverge?)"
    case .continuous(let factor, let values, let of):
      "disentanglement: the factor '\(factor)' has \(values) different values in \(of) examples: "
        + "expected levels that occur many times (cut it into some, such as levels: 20)"
    }
  }
}
