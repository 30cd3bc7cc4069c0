// float32 formulas against float64 ones over the whole range of float32: at most 4 units in the
// last place or 1e-6 relative, and no overflow where the result is finite.

import Foundation
import LatentNumerics
import Testing

@Suite struct StableMathTests {
  struct Function: CustomTestStringConvertible, Sendable {
    var kernel: UnaryKernel
    /// Where the function is asked for.
    var range: ClosedRange<Float> = -.greatestFiniteMagnitude ... .greatestFiniteMagnitude
    /// Absolute slack, where the result crosses zero away from the origin.
    var slack = 0.0
    var oracle: @Sendable (Double) -> Double
    var testDescription: String { "\(kernel)" }
  }

  static let functions: [Function] = [
    Function(kernel: .exp) { exp($0) },
    Function(kernel: .expMinusOne) { expm1($0) },
    Function(kernel: .log, range: 0 ... .greatestFiniteMagnitude) { log($0) },
    Function(kernel: .logOnePlus, range: -1 ... .greatestFiniteMagnitude) { log1p($0) },
    Function(kernel: .softplus) { max($0, 0) + log1p(exp(-abs($0))) },
    Function(kernel: .logSigmoid) { min($0, 0) - log1p(exp(-abs($0))) },
    Function(kernel: .sigmoid) { $0 < 0 ? exp($0) / (1 + exp($0)) : 1 / (1 + exp(-$0)) },
    Function(kernel: .tanh) { tanh($0) },
    Function(kernel: .erf) { erf($0) },
    Function(kernel: .erfc) { erfc($0) },
    Function(kernel: .sin, slack: 1e-7) { sin($0) },
    Function(kernel: .cos, slack: 1e-7) { cos($0) },
    Function(kernel: .relu) { max($0, 0) },
    Function(kernel: .elu) { $0 > 0 ? $0 : expm1($0) },
    Function(kernel: .gelu) { $0 * 0.5 * erfc(-$0 / 2.0.squareRoot()) },
    // Its sigmoid leaves the normal numbers, and is flushed to zero, before the product does.
    Function(kernel: .silu, slack: 2e-36) {
      $0 < 0 ? $0 * exp($0) / (1 + exp($0)) : $0 / (1 + exp(-$0))
    },
    Function(kernel: .sqrt, range: 0 ... .greatestFiniteMagnitude) { $0.squareRoot() },
    Function(kernel: .reciprocalSqrt, range: 1e-37 ... .greatestFiniteMagnitude) {
      1 / $0.squareRoot()
    },
    Function(kernel: .abs) { abs($0) },
    Function(kernel: .square, range: -1e18...1e18) { $0 * $0 },
    Function(kernel: .negate) { -$0 },
    Function(kernel: .floor) { $0.rounded(.down) },
    Function(kernel: .round) { $0.rounded(.toNearestOrEven) },
    Function(kernel: .logGamma, range: 1e-30...1e30, slack: 1e-6) { lgamma($0) },
  ]

  /// Every 50,021st bit pattern (86,000 of them), and the neighbourhood of 0, 1 and -1.
  static let patterns: [Float] = {
    var values = stride(from: UInt32(0), to: UInt32.max - 50_021, by: 50_021).map {
      Float(bitPattern: $0)
    }
    for centre in [Float(0), 1, -1, 0.5, -0.5, 5.9, -5.9, 88.7, -88.7, -103.9, 20, -20] {
      for step in -500...500 { values.append(centre + Float(step) * 4e-4) }
    }
    return values.filter(\.isFinite)
  }()

  @Test(arguments: functions) func singlePrecision(function: Function) {
    let inputs = Self.patterns.filter { function.range.contains($0) }
    let results = NDArray(inputs).unary(function.kernel).floats
    var worst = (error: 0.0, at: Float(0), found: Float(0), oracle: 0.0)
    for (x, found) in zip(inputs, results) {
      let oracle = function.oracle(Double(x))
      let rounded = Float(oracle)
      if found == rounded { continue }
      // Results below the smallest normal number may be flushed to zero.
      if Swift.abs(oracle) < Double(Float.leastNormalMagnitude)
        && Swift.abs(found) <= Float.leastNormalMagnitude
      {
        continue
      }
      let difference = Swift.abs(Double(found) - oracle)
      let allowed = max(4 * Double(rounded.ulp), 1e-6 * Swift.abs(oracle)) + function.slack
      let error = difference.isNaN || allowed.isNaN ? .infinity : difference / allowed
      if error > worst.error { worst = (error, x, found, oracle) }
    }
    #expect(
      worst.error <= 1,
      "\(function.kernel) at \(worst.at): \(worst.found), not \(worst.oracle) (\(worst.error))")
  }

  @Test(arguments: functions) func doublePrecision(function: Function) {
    // The oracle has no more digits: this finds wrong formulas, not wrong last digits.
    let inputs = Self.patterns.filter { function.range.contains($0) }.map { Double($0) }
    let found = NDArray(inputs).unary(function.kernel).doubles
    let oracle = inputs.map(function.oracle)
    for (x, pair) in zip(inputs, zip(found, oracle)) {
      let scale = max(Swift.abs(pair.1), 1e-300)
      let same = pair.0 == pair.1 || Swift.abs(pair.0 - pair.1) <= 1e-12 * scale + function.slack
      if !same { Issue.record("\(function.kernel) at \(x): \(pair.0), not \(pair.1)") }
      if !same { break }
    }
  }

  /// The derivative of GELU, which crosses zero at -0.75, as the backward pass of a layer computes it.
  @Test func slopeOfGELU() {
    let inputs = Self.patterns + stride(from: Float(-6.5), to: 6.5, by: 1e-3)
    let saved = NDArray(inputs).reshaped([1, inputs.count])
    let ones = NDArray(repeating: 1, shape: saved.shape, .float32)
    let found = ones.biasActivationGradient(.gelu, saved: saved, wantsBias: false).pre.floats
    for (x, found) in zip(inputs, found) {
      let wide = max(Double(x), -1000)
      let density = exp(-0.5 * wide * wide) / (2 * Double.pi).squareRoot()
      let oracle = 0.5 * erfc(-wide / 2.0.squareRoot()) + min(wide, 1000) * density
      // Around the zero two units in the last place of 1, which the result is subtracted from.
      // The density leaves the normal numbers, and is flushed to zero, before the product with x does.
      let slack = Swift.abs(x) < 1.5 ? 2e-7 : 1e-36
      let isClose = Swift.abs(Double(found) - oracle) <= 2e-6 * Swift.abs(oracle) + slack
      if !isClose { Issue.record("at \(x): \(found), not \(oracle)") }
      if !isClose { break }
    }
  }

  /// A number's GELU has the same bits whatever stands beside it and however many there are, alone and
  /// with a bias.
  @Test func neighboursOfGELU() {
    let values: [Float] = [0.3, -7, .nan, 2, -5.95, .infinity, -0.2, -200, 5.95, -3, -.infinity]
    let alone = values.map { NDArray([$0]).unary(.gelu).floats[0].bitPattern }
    for length in 0..<50 {
      let row = (0..<length).map { values[$0 % values.count] }
      let expected = (0..<length).map { alone[$0 % values.count] }
      #expect(NDArray(row).unary(.gelu).floats.map(\.bitPattern) == expected, "\(length)")
      let rows = NDArray(row).reshaped([1, length])
      let zeros = NDArray(repeating: 0, shape: [length], .float32)
      let biased = rows.addingBias(zeros, activation: .gelu, savingPre: false).output
      #expect(biased.floats.map(\.bitPattern) == expected, "\(length), with a bias")
    }
  }

  /// psi(x + 1) = psi(x) + 1/x, psi(1) = -gamma, psi(1/2) = -gamma - 2 log 2.
  @Test func digamma() {
    let gamma = 0.577_215_664_901_532_86
    let values = NDArray([1, 0.5, 2] as [Double]).unary(.digamma).doubles
    #expect(distance(NDArray(values), [-gamma, -gamma - 2 * log(2), 1 - gamma]) < 1e-14)
    let x = (1...3000).map { Double($0) * 0.013 }
    let next = NDArray(x.map { $0 + 1 }).unary(.digamma).doubles
    let here = NDArray(x).unary(.digamma).doubles
    #expect(distance(NDArray(next), zip(here, x).map { $0 + 1 / $1 }) < 1e-12)
  }

  /// Rows whose largest element is anything float32 can hold.
  @Test func logSumExpOverTheFullRange() {
    var cases = Cases(seed: 45)
    for exponent in stride(from: -125, through: 126, by: 3) {
      let rows = cases.array([20, 9], .float32).binary(
        .multiply, scalar: Double(sign: .plus, exponent: exponent, significand: 1))
      let oracle = ReductionTests.groups(rows, [1]).map { ReductionTests.oracle(.logSumExp, $0) }
      let found = rows.reduced(.logSumExp, axes: [1], keepingDimensions: false).doubles
      for (value, expected) in zip(found, oracle) {
        #expect(
          Swift.abs(value - expected) <= 1e-6 * max(Swift.abs(expected), 1),
          "2^\(exponent), seed \(cases.seed)")
      }
    }
  }
}
