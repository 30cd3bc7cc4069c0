import Foundation
import Testing

@testable import LatentFigures

@Suite struct NumeralTests {
  @Test(
    "Numbers as people write them",
    arguments: [
      (12345.678, 1, "12,345.7"), (1234.5, 0, "1234"), (-0.5, 2, "−0.50"), (-0.001, 2, "0.00"),
      (1_000_000, 0, "1,000,000"), (.nan, 2, "NaN"), (-.infinity, 2, "−∞"), (0, 3, "0.000"),
    ] as [(Double, Int, String)])
  func decimals(value: Double, decimals: Int, text: String) {
    #expect(Numeral.text(value, decimals: decimals) == text)
  }

  @Test(
    "Significant digits, and powers of ten beyond",
    arguments: [
      (0.0123456, 4, "0.01235"), (123.456, 4, "123.5"), (99.996, 4, "100.0"),
      (1.23e-7, 3, "1.23×10⁻⁷"),
      (-4e12, 2, "−4.0×10¹²"), (0, 4, "0"),
    ] as [(Double, Int, String)])
  func digits(value: Double, digits: Int, text: String) {
    #expect(Numeral.text(value, digits: digits) == text)
  }

  @Test(
    "An error says how many decimals a value deserves",
    arguments: [
      (0.8123, 0.0123, 3), (92.31, 4.2, 1), (92.31, 42, 0), (0.5, 0.00996, 3), (3, nil, 0),
      (0.25, nil, 4),
    ] as [(Double, Double?, Int)])
  func errors(value: Double, error: Double?, decimals: Int) {
    #expect(Numeral.decimals(of: value, error: error) == decimals)
  }
}

@Suite struct TickTests {
  @Test(
    "Ticks of linear axes",
    arguments: [
      (0...1, 5, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]), (1...20, 6, ["5", "10", "15", "20"]),
      (-0.3...0.3, 6, ["−0.3", "−0.2", "−0.1", "0.0", "0.1", "0.2", "0.3"]),
      (0...45000, 5, ["0", "10,000", "20,000", "30,000", "40,000"]), (7...7, 5, ["7.000"]),
    ] as [(ClosedRange<Double>, Int, [String])])
  func linear(range: ClosedRange<Double>, count: Int, texts: [String]) {
    #expect(Tick.linear(range, count: count).map(\.text) == texts)
  }

  @Test("Epochs have ticks at whole numbers only")
  func whole() {
    #expect(Tick.linear(1...3, count: 9, isWhole: true).map(\.text) == ["1", "2", "3"])
    #expect(
      Tick.linear(1...100, count: 5, isWhole: true).map(\.text) == ["20", "40", "60", "80", "100"])
  }

  @Test("Ticks lie inside, about as many as asked for, at multiples of 1, 2 or 5")
  func laws() {
    for exponent in stride(from: -8.0, through: 8, by: 0.37) {
      for start in [-1.7, 0, 0.31, 12] {
        let size = pow(10, exponent)
        let range = (start * size)...(start * size + size)
        let ticks = Tick.linear(range, count: 6)
        #expect((2...7).contains(ticks.count), "\(range)")
        let slack = 1e-5 * size
        #expect(
          ticks.allSatisfy {
            $0.value >= range.lowerBound - slack && $0.value <= range.upperBound + slack
          }, "\(range)")
        let step = ticks[1].value - ticks[0].value
        let factor = step / pow(10, log10(step * 1.0001).rounded(.down))
        #expect([1, 2, 5].contains { abs($0 - factor) < 1e-3 }, "\(range): \(step)")
        #expect(Set(ticks.map(\.text)).count == ticks.count, "\(range): \(ticks.map(\.text))")
      }
    }
  }

  @Test(
    "Ticks of logarithmic axes",
    arguments: [
      (0.001...1000, 10, ["0.001", "0.01", "0.1", "1", "10", "100", "1000"]),
      (1e-6...1e6, 4, ["10⁻⁴", "1", "10,000"]), (1...60, 6, ["1", "2", "5", "10", "20", "50"]),
      (3...4, 3, ["3.0", "3.5", "4.0"]),
    ] as [(ClosedRange<Double>, Int, [String])])
  func logarithmic(range: ClosedRange<Double>, count: Int, texts: [String]) {
    #expect(Tick.logarithmic(range, count: count).map(\.text) == texts)
  }

  @Test("Categories are thinned, never cut off")
  func categories() {
    let names = (0..<30).map(String.init)
    #expect(Tick.categories(names, count: 30).count == 30)
    #expect(Tick.categories(names, count: 7).map(\.text) == ["0", "5", "10", "15", "20", "25"])
  }
}
