// Arithmetic with every kind of broadcasting, selection, and the functions of one element.

import LatentAutodiff
import LatentNumerics

extension Operation {
  /// Pairs of shapes: equal, row, column, both repeated, scalar on either side, more axes, empty.
  static let broadcasts: [(Shape, Shape)] = [
    ([2, 3], [2, 3]), ([2, 3], [3]), ([3], [2, 3]), ([2, 3], [2, 1]), ([2, 1], [1, 3]),
    ([2, 3], []), ([], [2, 3]), ([2, 1, 2], [3, 1]), ([1, 1], [2]), ([], []), ([1], [2, 1, 2]),
    ([0, 3], [3]),
  ]

  static let arithmetic: [Operation] = {
    var table = Table()
    for (left, right) in broadcasts {
      table.add("+", .normal(left), .normal(right)) { $0[0] + $0[1] }
      table.add("-", .normal(left), .normal(right)) { $0[0] - $0[1] }
      table.add("*", .normal(left), .normal(right)) { $0[0] * $0[1] }
      table.add("/", .normal(left), .positive(right)) { $0[0] / $0[1] }
      table.add("pow", .positive(left), .normal(right)) { pow($0[0], $0[1]) }
      table.add("maximum", .normal(left), .normal(right)) { maximum($0[0], $0[1]) }
      table.add("minimum", .normal(left), .normal(right)) { minimum($0[0], $0[1]) }
      table.add("where", .normal(left), .normal(right)) {
        Tensor.where($0[0] .> $0[1], $0[0] * 2, $0[1] * 3)
      }
    }
    let one: Input = .apart([2, 3])
    table.add("+ number", one) { $0[0] + 1.5 }
    table.add("number +", one) { 1.5 + $0[0] }
    table.add("- number", one) { $0[0] - 1.5 }
    table.add("number -", one) { 1.5 - $0[0] }
    table.add("* number", one) { $0[0] * 1.5 }
    table.add("number *", one) { 1.5 * $0[0] }
    table.add("/ number", one) { $0[0] / 1.5 }
    table.add("number /", one) { 1.5 / $0[0] }
    table.add("negate", one) { -$0[0] }
    table.add("in place", one, .normal([3])) {
      var x = $0[0]
      x += $0[1]
      x *= $0[0]
      x -= $0[1]
      x += 2
      x *= 0.5
      return x
    }
    for exponent in [-1.5, -1, 0, 0.5, 1, 2, 3, 2.5] {
      table.add("pow \(exponent)", .positive([2, 3])) { pow($0[0], exponent) }
    }
    for exponent in [-2.0, 0, 1, 2, 3] {
      table.add("pow \(exponent) of either sign", one) { pow($0[0], exponent) }
    }
    table.add("clamp", .normal([4, 5])) { $0[0].clamped(to: -0.5...0.75) }
    table.add("where, condition broadcast", .apart([3]), .normal([2, 1]), .normal([2, 3])) {
      Tensor.where($0[0] .< 0, $0[1], $0[2])
    }
    table.add("where, one branch wider", .apart([]), .normal([2, 3]), .normal([3])) {
      Tensor.where($0[0] .>= 0, $0[1], $0[2]) + Tensor.where($0[0] .<= 0, $0[1], $0[2])
    }
    table.add("comparisons", .apart([5]), .apart([5])) { x in
      let signs = (x[0] .== x[1]) + (x[0] .!= x[1]) * 2 + (x[0] .== 0) + (x[0] .!= 0)
      return x[0] * signs * ((x[0] .> 0) + 0.5) + x[1] * (x[1] .>= x[0]) * (x[0] .<= x[1])
    }
    return table.operations
  }()

  static let functions: [Operation] = {
    typealias Function = @Sendable (Tensor) -> Tensor
    let everywhere: [(String, Function)] = [
      ("square", { square($0) }), ("exp", { exp($0) }), ("expMinusOne", { expMinusOne($0) }),
      ("sin", { sin($0) }), ("cos", { cos($0) }), ("tanh", { tanh($0) }),
      ("sigmoid", { sigmoid($0) }), ("softplus", { softplus($0) }),
      ("logSigmoid", { logSigmoid($0) }), ("erf", { erf($0) }), ("erfc", { erfc($0) }),
      ("gelu", { gelu($0) }), ("silu", { silu($0) }),
    ]
    let apart: [(String, Function)] = [
      ("abs", { abs($0) }), ("relu", { relu($0) }), ("leakyRelu", { leakyRelu($0) }),
      ("leakyRelu 0.3", { leakyRelu($0, slope: 0.3) }), ("elu", { elu($0) }),
      ("constants", { $0 * (sign($0) + floor($0 * 0) + round($0 * 0) + isFinite($0)) }),
    ]
    let positive: [(String, Function)] = [
      ("log", { log($0) }), ("log(onePlus:)", { log(onePlus: $0) }),
      ("logGamma", { logGamma($0) }), ("digamma", { digamma($0) }),
      ("polygamma", { polygamma(2, $0) }), ("sqrt", { sqrt($0) }),
      ("reciprocalSqrt", { reciprocalSqrt($0) }),
    ]
    var table = Table()
    for shape in [[2, 3], [], [7]] as [Shape] {
      for (name, function) in everywhere { table.add(name, .normal(shape)) { function($0[0]) } }
      for (name, function) in apart { table.add(name, .apart(shape)) { function($0[0]) } }
      for (name, function) in positive { table.add(name, .positive(shape)) { function($0[0]) } }
    }
    // Where saturated, and where a fused derivative takes another branch.
    for (name, function) in everywhere where name != "exp" && name != "expMinusOne" {
      table.add("\(name) of large", .normal([9])) { function($0[0] * 6) }
    }
    table.add("log(onePlus:) of negative", .unit([6])) { log(onePlus: -$0[0]) }
    for activation in Activation.allCases {
      table.add("activation \(activation)", .apart([2, 3])) { activation($0[0]) }
    }
    return table.operations
  }()
}
