// What a distribution says of its values is what its density and its samples say.

import LatentAutodiff
import LatentDistributions
import LatentNumerics
import Testing

@Suite struct SupportTests {
  typealias Stated = LatentDistributions.Support

  struct Line: Sendable, CustomTestStringConvertible {
    let support: Stated
    let inside: [Double]
    let outside: [Double]
    let words: String
    var testDescription: String { words }
  }

  static let lines = [
    Line(support: .reals, inside: [-1e30, 0, 0.5], outside: [], words: "all numbers"),
    Line(
      support: .nonNegative, inside: [0, 1e9, 0.1], outside: [-1e-9], words: "numbers from 0"),
    Line(support: .positive, inside: [1e-30, 7], outside: [0, -1], words: "numbers above 0"),
    Line(
      support: .unitInterval, inside: [0, 0.3, 1], outside: [-1e-9, 1.000001],
      words: "numbers from 0 to 1"),
    Line(
      support: .unitInterval.open, inside: [1e-9, 0.3], outside: [0, 1, 2],
      words: "numbers from 0 to 1, ends excluded"),
    Line(
      support: .interval(-2.5...2.5), inside: [-2.5, 1], outside: [3],
      words: "numbers from -2.5 to 2.5"),
    Line(support: .binary, inside: [0, 1], outside: [0.5, 2, -1], words: "0 and 1"),
    Line(
      support: .binary.soft, inside: [0, 0.5, 1], outside: [2, -1],
      words: "0 and 1 and shares between them"),
    Line(
      support: .nonNegativeIntegers, inside: [0, 65_536], outside: [-1, 1.5],
      words: "whole numbers from 0"),
    Line(
      support: .classes(256), inside: [0, 255], outside: [256, -1, 0.5],
      words: "whole numbers from 0 to 255"),
    Line(support: .classes(1), inside: [0], outside: [1], words: "whole numbers from 0 to 0"),
  ]

  @Test(arguments: lines) func membership(line: Line) {
    for value in line.inside { #expect(line.support.contains(value), "\(value)") }
    for value in line.outside + [.nan, .infinity, -.infinity] {
      #expect(!line.support.contains(value), "\(value)")
    }
    #expect(line.support.description == line.words)
  }

  /// Samples and known values are inside; outside of a support that is not soft there is no
  /// probability, and inside of a discrete one none above 1.
  @Test(arguments: smallRows + eventRows) func agreesWithTheDensity(row: Row) {
    let distribution = row.distribution
    let support = distribution.support
    var random = RandomStream(seed: 5)
    let samples = distribution.sample([20], using: &random)
    for value in samples.doubles + row.value.doubles {
      #expect(support.contains(value), "\(value) is not among \(support)")
    }
    if support.isDiscrete {
      #expect(distribution.logProbability(of: samples).doubles.allSatisfy { $0 <= 0 })
    }
    guard support.isBounded, !support.takesShares else {
      #expect(support.isBounded || support == .reals)
      return
    }
    for value in [support.lowest - 1, support.highest + 1] {
      let outside = Tensor(NDArray(repeating: value, shape: row.value.shape, row.value.dtype))
      let nats = distribution.logProbability(of: outside).doubles
      #expect(nats.allSatisfy { $0 == -.infinity }, "\(value): \(nats)")
    }
  }

  /// Every kind of bounded values in the table is stated: a default of all numbers would pass the law.
  @Test(arguments: smallRows + eventRows) func isStated(row: Row) {
    let stated = row.distribution.support
    switch row.support {
    case .line, .plane: #expect(stated == .reals)
    case .unit: #expect(stated == .unitInterval)
    case .flips: #expect(stated == .binary.soft)
    case .classes(let count): #expect(stated == .classes(count))
    case .bounded(let low, let high):
      let lowest = row.parameters[low].doubles.min()
      #expect(stated.lowest == lowest && stated.highest == row.parameters[high].doubles.max())
    }
  }
}
