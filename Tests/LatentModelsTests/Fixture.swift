// Expected values computed by PyTorch in float64 (../shared/fixtures/README.md beside the
// package), and the rule that gives every implementation the same first weights and inputs.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import LatentStorage
import Testing

/// One fixture of the `mlp` workload: 784 -> hidden -> latent, mirrored, Bernoulli.
struct Fixture: Sendable, CustomTestStringConvertible {
  typealias Model = VAE<
    FixedNoiseEncoder<MLPEncoder>, MLPDecoder<BernoulliHead>, StandardNormalPrior
  >
  let name: String
  let hidden, latentSize: Int
  /// Weights, gradients and updated weights are stored as count, sum, sum of squares and the
  /// first 16 values.
  let isReduced: Bool
  var testDescription: String { name }

  static let all = [
    Fixture(name: "mlp-tiny", hidden: 48, latentSize: 8, isReduced: false),
    Fixture(name: "mlp-full", hidden: 400, latentSize: 20, isReduced: true),
  ]

  static let folder = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "shared/fixtures")

  var path: String { Fixture.folder.appending(path: "\(name).h5").path }
  static var areThere: Bool {
    all.allSatisfy { FileManager.default.fileExists(atPath: $0.path) }
  }

  // MARK: The rule (Wellons' lowbias32 over a counter)

  static func uniform(stream: Int, count: Int) -> [Double] {
    let start = UInt32(truncatingIfNeeded: (stream + 1) &* 0x9E37_79B1)
    return (0..<count).map { index in
      var h = UInt32(truncatingIfNeeded: index) &+ start
      h ^= h >> 16
      h = h &* 0x7FEB_352D
      h ^= h >> 15
      h = h &* 0x846C_A68B
      h ^= h >> 16
      return Double(h >> 8) / 16_777_216
    }
  }

  /// Names in PyTorch's order with shape and fan in.
  var parameters: [(name: String, shape: Shape, fanIn: Int)] {
    func layer(_ name: String, _ input: Int, _ output: Int) -> [(String, Shape, Int)] {
      [("\(name).weight", [output, input], input), ("\(name).bias", [output], input)]
    }
    return layer("enc.fc", 784, hidden) + layer("enc.mu", hidden, latentSize)
      + layer("enc.logvar", hidden, latentSize) + layer("dec.fc", latentSize, hidden)
      + layer("dec.out", hidden, 784)
  }

  /// First weights; every value is a float32.
  func weights() -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for (index, (name, shape, fanIn)) in parameters.enumerated() {
      let values = Fixture.uniform(stream: index, count: shape.count).map {
        Double(Float((2 * $0 - 1) / Double(fanIn).squareRoot()))
      }
      result[name] = Tensor(values, shape: shape)
    }
    return result
  }

  /// Four images of 7 by 7 gray cells.
  static func inputs() -> Tensor {
    let coarse = uniform(stream: 1000, count: 4 * 49)
    let pixels = (0..<(4 * 784)).map { position -> Double in
      let (image, y, x) = (position / 784, position / 28 % 28, position % 28)
      return Double(Float(coarse[image * 49 + y / 4 * 7 + x / 4]))
    }
    return Tensor(pixels, shape: [4, 784])
  }

  // MARK: The model

  func model(_ dtype: DType, noise: Tensor) throws -> Model {
    var random = RandomStream(seed: 0)
    var model = VAE(
      encoder: FixedNoiseEncoder(
        base: MLPEncoder(
          inputShape: [784], hidden: [hidden], latentSize: latentSize, using: &random),
        noise: noise.converted(to: dtype)),
      decoder: MLPDecoder(
        latentSize: latentSize, hidden: [hidden], outputShape: [784], head: BernoulliHead(),
        using: &random),
      prior: .standardNormal(latentSize)
    ).converted(to: dtype)
    let weights = weights()
    func joined(_ kind: String) -> Tensor {
      Tensor.concatenate(["enc.mu.", "enc.logvar."].compactMap { weights[$0 + kind] }, axis: 0)
    }
    var arrays: [String: NDArray] = [
      "encoder.head.weight": joined("weight").array, "encoder.head.bias": joined("bias").array,
    ]
    for (ours, theirs) in Fixture.layers {
      for kind in ["weight", "bias"] {
        arrays["\(ours).\(kind)"] = weights["\(theirs).\(kind)"]?.array
      }
    }
    try model.load(arrays)
    return model
  }

  private static let layers = [
    ("encoder.hidden.0", "enc.fc"), ("decoder.hidden.0", "dec.fc"), ("decoder.output", "dec.out"),
  ]

  /// Our parameters (or what belongs to them, in visiting order) under PyTorch's names: means and
  /// log-variances are one layer here and two there.
  func named(_ tensors: [Tensor], of model: Model) -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    let ours = Dictionary(uniqueKeysWithValues: zip(model.namedParameters.map(\.path), tensors))
    for kind in ["weight", "bias"] {
      for (path, name) in Fixture.layers { result["\(name).\(kind)"] = ours["\(path).\(kind)"] }
      let halves = ours["encoder.head.\(kind)"]?.split(into: 2, axis: 0)
      result["enc.mu.\(kind)"] = halves?[0]
      result["enc.logvar.\(kind)"] = halves?[1]
    }
    return result
  }

  // MARK: Comparison

  /// The largest error, relative to the largest element (sums: to what their terms could add to).
  func error(_ found: Tensor, _ expected: NDArray, reduced: Bool) -> Double {
    let (values, wanted) = (found.doubles, expected.doubles)
    let largest = max(values.reduce(0) { max($0, Swift.abs($1)) }, 1e-300)
    func worst(_ pairs: [(Double, Double)], _ scale: Double) -> Double {
      pairs.reduce(0) { worst, pair in
        let error = Swift.abs(pair.0 - pair.1) / scale
        return error.isNaN ? .infinity : max(worst, error)
      }
    }
    if !reduced {
      return found.shape == expected.shape ? worst(Array(zip(values, wanted)), largest) : .infinity
    }
    let squares = values.reduce(0) { $0 + $1 * $1 }
    let first = Array(zip(values.prefix(16), wanted.dropFirst(3)))
    guard Int(wanted[0]) == values.count, wanted.count == 3 + first.count else { return .infinity }
    return max(
      worst([(values.reduce(0, +), wanted[1])], (squares * Double(values.count)).squareRoot()),
      worst([(squares, wanted[2])], squares), worst(first, largest))
  }
}
