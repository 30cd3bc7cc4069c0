// Values, first and second derivatives beside PyTorch 2's (float64, printed in full).

import LatentNumerics
import Testing

@testable import LatentAutodiff

@Suite struct ParityTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var expected: [Double]
    var compute: @Sendable () throws -> Tensor

    init(_ name: String, _ expected: [Double], _ compute: @escaping @Sendable () throws -> Tensor) {
      testDescription = name
      self.expected = expected
      self.compute = compute
    }
  }

  static let x = Tensor([-2.5, -0.7, -0.1, 0.3, 1.9, 4.0] as [Double])
  static let m = x.reshaped([2, 3])
  static let t = Tensor([0, 1, 0.25, 0.5, 1, 0] as [Double], shape: [2, 3])
  static let a = Tensor([4, 1, 0.5, 1, 3, -0.2, 0.5, -0.2, 2] as [Double], shape: [3, 3])
  static let w = Tensor([0.2, -0.4, 0.6, 1, 0.3, -0.5] as [Double], shape: [2, 3])
  static let b = Tensor([0.1, -0.2] as [Double])
  static let scale = Tensor([1.5, 0.5, -1.0] as [Double])
  static let shift = Tensor([0.1, 0.2, 0.3] as [Double])
  static let picks = Tensor([2, 0, 1, 1] as [Int32], shape: [2, 2])

  @Sendable static func layer(_ y: Tensor) -> Tensor {
    square(linear(y, weight: w, bias: b, activation: .gelu)).sum()
  }
  @Sendable static func norm(_ y: Tensor) -> Tensor {
    pow(layerNormalized(y, scale: scale, shift: shift), 3).sum()
  }
  /// The derivative of the squared length of the derivative.
  static func second(_ function: (Tensor) -> Tensor) -> Tensor {
    gradient(at: m) { y in square(gradient(at: y, of: function)).sum() }
  }

  static let functions: [Case] = [
    Case(
      "gelu",
      [
        -0.015524163314440398, -0.1693745565561511, -0.0460172162722971, 0.1853734266566858,
        1.8454385363495966, 3.9998733150326675,
      ]
    ) { gelu(x) },
    Case(
      "silu",
      [
        -0.18964545005310887, -0.2322685594822837, -0.047502081252106004, 0.1723327550434977,
        1.652793898710304, 3.928055160151634,
      ]
    ) { silu(x) },
    Case(
      "elu",
      [
        -0.9179150013761013, -0.5034146962085905, -0.09516258196404043, 0.3, 1.9, 4,
      ]
    ) { elu(x) },
    Case(
      "softplus",
      [
        0.07888973429254963, 0.4031860488854579, 0.6443966600735709, 0.8543552444685272,
        2.0393867582829603, 4.0181499279178094,
      ]
    ) { softplus(x) },
    Case(
      "logSigmoid",
      [
        -2.5788897342925496, -1.103186048885458, -0.7443966600735709, -0.5543552444685271,
        -0.1393867582829606, -0.018149927917809738,
      ]
    ) { logSigmoid(x) },
    Case("leakyRelu", [-0.025, -0.007, -0.001, 0.3, 1.9, 4]) { leakyRelu(x) },
    Case(
      "erf",
      [
        -0.999593047982555, -0.6778011938374184, -0.1124629160182849, 0.3286267594591274,
        0.9927904292352575, 0.9999999845827421,
      ]
    ) { erf(x) },
    Case(
      "reciprocalSqrt",
      [
        0.6324555320336759, 1.1952286093343936, 3.162277660168379, 1.8257418583505538,
        0.7254762501100117, 0.5,
      ]
    ) { reciprocalSqrt(abs(x)) },
    Case(
      "pow",
      [
        4.747861205827337, 0.5453391388693143, 0.0199526231496888, 0.12915348607498026,
        2.977701238891942, 10.556063286183154,
      ]
    ) { pow(abs(x), 1.7) },
    Case(
      "softmax",
      [
        0.057324175898868755, 0.06913842034334683, 0.01630249937144095, 0.9426758241011313,
        0.9308615796566531, 0.9836975006285591,
      ]
    ) { softmax(m, axis: 0) },
    Case(
      "logSoftmax",
      [
        -2.894409364949062, -1.094409364949062, -0.494409364949062, -3.8373067174916984,
        -2.2373067174916983, -0.13730671749169815,
      ]
    ) { logSoftmax(m) },
    Case("logSumExp", [0.394409364949062, 4.137306717491698]) { m.logSumExp(axes: [1]) },
    Case("unbiased variance", [1.56, 3.4433333333333342]) {
      m.variance(axes: [1], correction: 1)
    },
    Case("gather along", [-0.1, -2.5, 1.9, 1.9]) { m.gathering(along: 1, picks) },
  ]

  static let matrices: [Case] = [
    Case(
      "linear with gelu",
      [
        -0.07714373113783787, -0.00605806641555718, 1.7353254255967336, -0.12203965041487343,
      ]
    ) { linear(m, weight: w, bias: b, activation: .gelu) },
    Case(
      "layer norm",
      [
        -1.959209518928966, 0.3961151922789492, -0.6805759613947457, -1.6490451644273605,
        0.1449985797349887, -0.9760329501482634,
      ]
    ) { layerNormalized(m, scale: scale, shift: shift) },
    Case("bernoulli", [-1.8514724432515783, -4.861891930669297]) {
      bernoulliLogProbability(logits: m, targets: t)
    },
    Case("standard normal KL", [3.7511536225733932, 10.283501549579587]) {
      standardNormalKL(mean: m, logVariance: t)
    },
    Case(
      "cholesky",
      [
        2, 0, 0, 0.5, 1.6583123951777, 0, 0.25, -0.19598237397554635, 1.3780750738225074,
      ]
    ) { try cholesky(a) },
    Case("logDeterminant", [3.039270575568475]) { try logDeterminant(a) },
    Case(
      "inverse",
      [
        0.2853039731929153, -0.10052656773575873, -0.08137865007180468, -0.10052656773575874,
        0.3709909047391096, 0.06223073240785064, -0.08137865007180468, 0.06223073240785064,
        0.5265677357587362,
      ]
    ) { try inverse(a) },
    Case(
      "triangularSolve",
      [
        -0.625, -0.175, 0.175, 0.15833333333333333, 1.12375, 2.0595833333333333,
      ]
    ) { triangularSolve(a.lowerTriangle, m.reshaped([3, 2])) },
  ]

  static let derivatives: [Case] = [
    Case(
      "gradient of linear",
      [
        -0.010838744335860281, 0.022150802007809146, -0.03323649243206347, 0.7989150898687463,
        -1.5263411154285578, 2.2879575630491638,
      ]
    ) { gradient(at: m, of: layer) },
    Case(
      "gradient of layer norm",
      [
        0.45883489707775915, -1.8349392222290097, 1.3761043251512524, 1.4094357483904298,
        -2.4832543855012013, 1.0738186371107732,
      ]
    ) { gradient(at: m, of: norm) },
    Case(
      "gradient of logSumExp",
      [
        0.04364667838634284, 0.26404701722998636, 0.48112503428179476, 0.1783308917221957,
        0.8832786889713298, 7.213003854289873,
      ]
    ) { gradient(at: m) { square($0.logSumExp(axes: [1])).sum() } },
    Case(
      "gradient of softmax",
      [
        -0.043410841241723154, -0.15317382178885067, 0.19658466303057373, -0.042875057084238055,
        -0.2088613093177446, 0.25173636640198255,
      ]
    ) { gradient(at: m) { pow(softmax($0), 3).sum() } },
    Case(
      "gradient of cholesky",
      [
        3.1545319597545896, -0.4774911187656089, -0.28127344050549746, -0.47749111876560896,
        2.520445746734881, 0.27903745665510954, -0.2812734405054975, 0.27903745665510954,
        2.067112610733761,
      ]
    ) { try gradient(at: a) { pow(try cholesky($0), 3).sum() } },
    Case(
      "second derivative of linear",
      [
        -0.001671023964301403, 0.003403605870881177, -0.005106747022458251, 1.7694636075673407,
        -3.6244014918494, 5.438460374224419,
      ]
    ) { second(layer) },
    Case(
      "second derivative of layer norm",
      [
        10.43454732953618, -23.501386323453325, 13.066838993917145, 5.559955270899319,
        -0.9332306115795639, -4.626724659319772,
      ]
    ) { second(norm) },
  ]

  @Test(arguments: functions + matrices + derivatives) func equalsPyTorch(example: Case) throws {
    let found = try example.compute().doubles
    #expect(relativeError(found, example.expected) < 1e-12, "\(found)")
  }
}
