// Numbers as people read them: no more digits than are known, true minus signs, thousands set apart.

import Foundation

/// Writes numbers for people.
public enum Numeral {
  /// With so many digits after the point: "12,345", "−0.50", "NaN", "∞".
  public static func text(_ value: Double, decimals: Int) -> String {
    if value.isNaN { return "NaN" }
    if value.isInfinite { return value < 0 ? "−∞" : "∞" }
    let plain = String(format: "%.\(max(0, decimals))f", abs(value))
    let isZero = !plain.contains { ("1"..."9").contains($0) }
    let parts = plain.split(separator: ".", omittingEmptySubsequences: false)
    let whole = parts[0].count > 4 ? grouped(parts[0]) : String(parts[0])
    let sign = value < 0 && !isZero ? "−" : ""
    return sign + whole + (parts.count > 1 ? ".\(parts[1])" : "")
  }

  /// With `digits` significant digits, as a power of ten where it is very large or very small: "0.01234",
  /// "1.23×10⁻⁷".
  public static func text(_ value: Double, digits: Int = 4) -> String {
    guard value.isFinite, value != 0 else { return text(value, decimals: 0) }
    let exponent = exponent(of: value, digits: digits)
    if (-5...6).contains(exponent) { return text(value, decimals: digits - 1 - exponent) }
    let mantissa = value / pow(10, Double(exponent))
    return "\(text(mantissa, decimals: digits - 1))×\(powerOfTen(exponent))"
  }

  /// As many digits as ``decimals(of:error:)`` gives a value alone: "3", "0.2500", "123.5".
  static func plain(_ value: Double) -> String {
    value.isFinite && value != 0 && !(1e-4..<1e7).contains(abs(value))
      ? text(value, digits: 4) : text(value, decimals: decimals(of: value))
  }

  /// How many decimals a value with this standard error deserves: as many as show two digits of the error, at most 6;
  /// of a value alone, as many as show four digits of it.
  public static func decimals(of value: Double, error: Double? = nil) -> Int {
    if let error, error.isFinite, error > 0 {
      return min(6, max(0, 1 - exponent(of: error, digits: 2)))
    }
    guard value.isFinite, value != 0, value != value.rounded() else { return 0 }
    return min(6, max(0, 3 - exponent(of: value, digits: 4)))
  }

  /// "10⁻³".
  static func powerOfTen(_ exponent: Int) -> String {
    let raised: [Character: Character] = [
      "-": "⁻", "0": "⁰", "1": "¹", "2": "²", "3": "³", "4": "⁴", "5": "⁵", "6": "⁶", "7": "⁷",
      "8": "⁸", "9": "⁹",
    ]
    return "10" + String(String(exponent).map { raised[$0] ?? $0 })
  }

  /// The power of ten of the first digit, after rounding to so many digits.
  private static func exponent(of value: Double, digits: Int) -> Int {
    let written = String(format: "%.\(max(0, digits - 1))e", value)
    return written.split(separator: "e").last.flatMap { Int($0) } ?? 0
  }

  private static func grouped(_ digits: Substring) -> String {
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0 && (digits.count - index) % 3 == 0 { result.append(",") }
      result.append(digit)
    }
    return result
  }
}
