// NaN and infinities never become plausible numbers: every activation, fused into every operation that
// takes one, at sizes that take each of the ways through which products and passes go.

import Foundation
import LatentNumerics
import Testing

@testable import LatentAutodiff

@Suite struct NonFiniteTests {
  static let types: [DType] = [.float32, .float64]

  /// What the activation makes of a pre-activation that is not finite, from its definition.
  static func limit(_ activation: Activation, _ value: Double) -> Double {
    if value.isNaN { return .nan }
    let isUp = value > 0
    switch activation {
    case .none: return value
    case .relu, .gelu, .silu, .softplus: return isUp ? .infinity : 0
    case .tanh: return isUp ? 1 : -1
    case .sigmoid: return isUp ? 1 : 0
    case .elu: return isUp ? .infinity : -1
    }
  }

  /// Its slope there. A difference of infinities on the way may make NaN of it, but no other number.
  static func slope(_ activation: Activation, _ value: Double) -> Double {
    if activation == .none { return 1 }
    if value.isNaN { return .nan }
    let isUp = value > 0
    switch activation {
    case .none: return 1
    case .relu, .gelu, .silu, .softplus, .elu: return isUp ? 1 : 0
    case .tanh, .sigmoid: return 0
    }
  }

  static func same(_ found: Double, _ expected: Double) -> Bool {
    expected.isNaN ? found.isNaN : found == expected
  }

  /// One way to an activation, of examples by channels. The first example is what is spoiled.
  struct Way: Sendable, CustomTestStringConvertible {
    let name: String
    let types: [DType]
    let input: Shape
    /// Weight and bias are filled with these.
    let weight: Shape
    let outputs: Int
    let apply: @Sendable (Tensor, Tensor, Tensor, Activation) -> Tensor
    var testDescription: String { name }

    init(
      _ name: String, types: [DType] = NonFiniteTests.types, _ input: Shape, _ weight: Shape,
      outputs: Int, _ apply: @escaping @Sendable (Tensor, Tensor, Tensor, Activation) -> Tensor
    ) {
      self.name = name
      self.types = types
      self.input = input
      self.weight = weight
      self.outputs = outputs
      self.apply = apply
    }
  }

  static let ways: [Way] = {
    var ways: [Way] = []
    let rows = Array(1...40) + [64, 255, 256, 300, 600]
    for (inner, columns) in [(3, 5), (64, 72)] {
      for rows in rows {
        ways.append(
          Way(
            "linear \(rows) x \(inner) x \(columns)", [rows, inner], [columns, inner],
            outputs: columns
          ) { linear($0, weight: $1, bias: $2, activation: $3) })
      }
    }
    for (axes, size) in [(1, 19), (2, 9), (3, 5)] {
      for (channels, outputs) in [(1, 3), (16, 32)] {
        for batch in [1, 2, 9] {
          let spatial = Array(repeating: size, count: axes)
          let kernel = Array(repeating: 3, count: axes)
          let geometry = ConvolutionGeometry(rank: axes, kernel: 3, before: 1)
          ways.append(
            Way(
              "conv\(axes)d \(batch) x \(channels) x \(outputs)",
              Shape([batch] + spatial + [channels]), Shape([outputs] + kernel + [channels]),
              outputs: outputs
            ) { convolution($0, weight: $1, bias: $2, activation: $3, geometry) })
          ways.append(
            Way(
              "transposed \(axes)d \(batch) x \(channels) x \(outputs)",
              Shape([batch] + spatial + [channels]), Shape([channels] + kernel + [outputs]),
              outputs: outputs
            ) {
              transposedConvolution(
                $0, weight: $1, bias: $2, activation: $3, geometry,
                outputSize: geometry.sizes(of: $0.shape))
            })
        }
      }
    }
    return ways
  }()

  /// The value of one pass, with the gradients of input, weight and bias for a cotangent that is 1
  /// but at `spoiled`, where it is `cotangent`.
  static func pass(
    _ way: Way, _ activation: Activation, _ x: Tensor, _ weight: Tensor, _ bias: Tensor,
    cotangent: (Tensor) -> Tensor
  ) -> (output: Tensor, gradients: [Tensor]) {
    let (output, plain) = (way.apply(x, weight, bias, activation), cotangent)
    let gradients = valueAndGradient(at: [x, weight, bias]) {
      (way.apply($0[0], $0[1], $0[2], activation) * plain(output)).sum()
    }.gradients
    return (output, gradients)
  }

  /// NaN anywhere in the first example reaches all outputs that see it, and the gradients.
  @Test(arguments: ways) func nanOfTheInput(way: Way) {
    for type in way.types {
      for activation in Activation.allCases {
        let name = "\(way.name) \(type) \(activation)"
        var numbers = [Double](repeating: 0.25, count: way.input.count)
        numbers[way.input[-1] * (way.input.count / way.input[-1] / way.input[0] / 2)] = .nan
        let x = Tensor(numbers, shape: way.input).converted(to: type)
        let weight = Tensor(repeating: -0.125, shape: way.weight, type)
        let bias = Tensor(repeating: 0.5, shape: [way.outputs], type)
        let (output, gradients) = NonFiniteTests.pass(way, activation, x, weight, bias) {
          $0.onesLike
        }
        let values = output.doubles
        let each = values.count / way.input[0]
        let spoiled = values.prefix(each).filter(\.isNaN).count
        // A kernel of 3 along each axis sees it from 3 places, the product of a row from the row.
        let axes = way.input.rank - 2
        let places = axes == 0 ? 1 : [3, 9, 27][axes - 1]
        #expect(spoiled == places * way.outputs, "\(name): \(spoiled) NaN")
        #expect(values.dropFirst(each).allSatisfy { $0.isFinite }, "\(name): other examples")
        #expect(gradients[1].array.nonFiniteCount > 0, "\(name): gradient of the weight")
        #expect(
          activation == .none || gradients[2].array.nonFiniteCount == way.outputs,
          "\(name): gradient of the bias")
      }
    }
  }

  /// Infinities of the pre-activation, by the bias alone: the limits of the activation.
  @Test(arguments: ways) func infinitePreActivations(way: Way) {
    for type in way.types {
      for activation in Activation.allCases {
        for value in [Double.infinity, -.infinity, .nan] {
          let name = "\(way.name) \(type) \(activation) of \(value)"
          let x = Tensor(repeating: 0.25, shape: way.input, type)
          let weight = Tensor(repeating: -0.125, shape: way.weight, type)
          let bias = Tensor(repeating: value, shape: [way.outputs], type)
          let (output, gradients) = NonFiniteTests.pass(way, activation, x, weight, bias) {
            $0.onesLike
          }
          let expected = NonFiniteTests.limit(activation, value)
          let isOverflow = activation == .relu && value == -.infinity
          let found = output.doubles
          #expect(
            found.allSatisfy {
              // A plan of oneDNN makes NaN of a sum that overflowed (decision 0024).
              NonFiniteTests.same($0, expected) || (isOverflow && $0.isNaN && type == .float32)
            }, "\(name): \(found[0]), expected \(expected)")
          let slope = NonFiniteTests.slope(activation, value)
          let down = Double(output.count / way.outputs) * slope
          #expect(
            gradients[2].doubles.allSatisfy { $0.isNaN || abs($0 - down) <= 1e-6 * down },
            "\(name): gradient of the bias \(gradients[2].doubles[0]), expected \(down)")
          #expect(
            !value.isNaN || activation == .none
              || gradients.allSatisfy { $0.doubles.allSatisfy { $0.isNaN } },
            "\(name): gradients")
        }
      }
    }
  }

  /// NaN in the cotangent, where the slope is not 0.
  @Test(arguments: ways) func nanOfTheCotangent(way: Way) {
    for type in way.types {
      for activation in Activation.allCases {
        let x = Tensor(repeating: 0.25, shape: way.input, type)
        let weight = Tensor(repeating: 0.125, shape: way.weight, type)
        let bias = Tensor(repeating: 0.5, shape: [way.outputs], type)
        let (_, gradients) = NonFiniteTests.pass(way, activation, x, weight, bias) { output in
          var numbers = [Double](repeating: 1, count: output.count)
          numbers[0] = .nan
          return Tensor(numbers, shape: output.shape).converted(to: type)
        }
        for (index, gradient) in gradients.enumerated() {
          #expect(
            gradient.array.nonFiniteCount > 0, "\(way.name) \(type) \(activation): input \(index)")
        }
      }
    }
  }

  /// Functions of one element, and those that choose among elements: NaN in, NaN out, and a NaN
  /// derivative, at lengths around those of vectors.
  @Test(arguments: types) func elementwise(type: DType) {
    let functions: [(String, @Sendable (Tensor) -> Tensor)] = [
      ("relu", { relu($0) }), ("leakyRelu", { leakyRelu($0) }), ("elu", { elu($0) }),
      ("gelu", { gelu($0) }), ("silu", { silu($0) }), ("tanh", { tanh($0) }),
      ("sigmoid", { sigmoid($0) }), ("softplus", { softplus($0) }),
      ("logSigmoid", { logSigmoid($0) }), ("abs", { abs($0) }), ("exp", { exp($0) }),
      ("expMinusOne", { expMinusOne($0) }), ("log", { log($0) }),
      ("log(onePlus:)", { log(onePlus: $0) }), ("sqrt", { sqrt($0) }),
      ("reciprocalSqrt", { reciprocalSqrt($0) }), ("sin", { sin($0) }), ("cos", { cos($0) }),
      ("erf", { erf($0) }), ("erfc", { erfc($0) }), ("square", { square($0) }),
      ("pow", { pow($0, 3) }), ("clamped", { $0.clamped(to: -1...1) }),
      ("maximum(0, x)", { maximum($0.zerosLike, $0) }),
      ("maximum(x, 0)", { maximum($0, $0.zerosLike) }),
      ("minimum(0, x)", { minimum($0.zerosLike, $0) }),
      ("minimum(x, 0)", { minimum($0, $0.zerosLike) }),
    ]
    for count in [1, 7, 16, 33, 2000] {
      for place in Set([0, count / 2, count - 1]) {
        var numbers = [Double](repeating: 0.5, count: count)
        numbers[place] = .nan
        let x = Tensor(numbers).converted(to: type)
        for (name, function) in functions {
          let (y, slope) = (function(x), gradient(at: x) { function($0).sum() })
          for (what, found) in [("value", y), ("derivative", slope)] {
            let wrong = found.doubles.indices.filter {
              found.doubles[$0].isNaN != ($0 == place)
            }
            #expect(wrong.isEmpty, "\(name) of \(count) \(type) at \(place): \(what) \(wrong)")
          }
          let second = gradient(at: x) { x in gradient(at: x) { function($0).sum() }.sum() }
          #expect(
            second.doubles.enumerated().allSatisfy { $0 == place || $1.isFinite },
            "\(name): second derivative")
        }
        for (name, found) in [
          ("sign", sign(x)), ("floor", floor(x)), ("round", round(x)),
        ] { #expect(found.doubles[place].isNaN, "\(name) of \(count) \(type)") }
      }
    }
  }

  /// Reductions, softmax and pooling.
  @Test(arguments: types) func chosen(type: DType) {
    for count in [1, 5, 16, 40, 3000] {
      var numbers = [Double](repeating: 0.5, count: 3 * count)
      numbers[count + count / 2] = .nan
      let x = Tensor(numbers, shape: [3, count]).converted(to: type)
      let reductions: [(String, (Tensor, Int) -> Tensor)] = [
        ("max", { $0.max(axes: [$1]) }), ("min", { $0.min(axes: [$1]) }),
        ("sum", { $0.sum(axes: [$1]) }), ("logSumExp", { $0.logSumExp(axes: [$1]) }),
      ]
      for (name, function) in reductions {
        for (axis, rows) in [(1, x), (0, x.swapping(0, 1))] {
          let isNaN = function(rows, axis).doubles.map(\.isNaN)
          #expect(isNaN == [false, true, false], "\(name) over \(axis) of \(count) \(type)")
        }
      }
      for (name, y) in [("softmax", softmax(x)), ("logSoftmax", logSoftmax(x))] {
        let rows = (0..<3).map { y.doubles[($0 * count)..<(($0 + 1) * count)] }
        #expect(
          rows[0].allSatisfy { $0.isFinite } && rows[1].allSatisfy { $0.isNaN }
            && rows[2].allSatisfy { $0.isFinite }, "\(name) of \(count) \(type)")
      }
      let image = x.reshaped([3, count, 1])
      let pooled = image.maxPooled(kernel: 3, stride: 1, padding: 1).doubles
      #expect(
        pooled.indices.allSatisfy {
          pooled[$0].isNaN == (abs($0 - count - count / 2) < 2)
            || $0 / count != 1
        } && pooled.contains { $0.isNaN }, "maxPooled of \(count) \(type)")
    }
  }

  /// Normalisation fused with an activation: NaN spoils its group, and no other.
  @Test(arguments: Activation.allCases, types) func normalized(activation: Activation, type: DType)
  {
    for (positions, channels, groups) in [(1, 4, 2), (9, 6, 3), (50, 32, 4), (300, 64, 1)] {
      var numbers = (0..<(2 * positions * channels)).map { Double($0 % 7) / 4 - 0.5 }
      numbers[0] = .nan
      let x = Tensor(numbers, shape: [2, positions, channels]).converted(to: type)
      let (scale, shift) = (Tensor.ones([channels], type), Tensor.zeros([channels], type))
      func apply(_ x: Tensor) -> Tensor {
        groupNormalized(x, groups: groups, scale: scale, shift: shift, activation: activation)
      }
      let each = channels / groups
      for (what, found) in [
        ("value", apply(x)), ("derivative", gradient(at: x) { apply($0).sum() }),
      ] {
        let wrong = found.doubles.indices.filter {
          found.doubles[$0].isNaN != ($0 < positions * channels && $0 % channels < each)
        }
        #expect(
          wrong.isEmpty,
          "\(activation) \(type) \(positions) x \(channels) in \(groups): \(what), \(wrong.count)")
      }
    }
    let rows = Tensor([1, .nan, 3, 4, 5, 7], shape: [2, 3]).converted(to: type)
    let normal = layerNormalized(rows, scale: .ones([3], type), shift: .zeros([3], type))
    #expect(normal.doubles.map(\.isNaN) == [true, true, true, false, false, false])
  }
}
