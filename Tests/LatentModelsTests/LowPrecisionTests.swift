// Every ready network at low precision: the weights of encoder and decoder change, the numbers hardly.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct LowPrecisionTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let description: ModelDescription
    /// How much of all numbers goes into products at least.
    let share: Double
    var testDescription: String { name }

    init(_ name: String, _ inputShape: [Int], share: Double = 0.9) throws {
      self.name = name
      self.share = share
      description = try ModelDescription(named: name, inputShape: inputShape)
    }
  }

  static func cases() throws -> [Case] {
    try [
      Case("mlp", [8, 8, 1]), Case("mlp-autoencoder", [12]), Case("gated-mlp", [8, 8, 1]),
      Case("conv28", [28, 28, 1]),
    ]
  }

  private func reconstruct<M: LatentVariableModel>(
    _ model: M, _ x: Tensor
  ) throws -> (mean: Tensor, logProbability: Tensor) {
    let likelihood = model.decode(try #require(model.encode(x).pointEstimate))
    return (try #require(likelihood.pointEstimate), likelihood.evaluable.logProbability(of: x))
  }

  private func check(_ model: some LatentVariableModel, _ x: Tensor, _ test: Case) throws {
    let expected = try reconstruct(model, x)
    for precision in LowPrecision.allCases {
      let quantized = model.quantized(precision, calibratedOn: x)
      let small = quantized.namedParameters.filter { $0.tensor.dtype.isLowPrecision }
      let count = small.reduce(0) { $0 + $1.tensor.count }
      #expect(Double(count) > test.share * Double(model.parameterCount), "\(test.name)")
      #expect(small.allSatisfy { $0.path.hasSuffix("weight") })
      let found = try reconstruct(quantized, x)
      let size = expected.mean.doubles.map(abs).max() ?? 0
      let off = zip(expected.mean.doubles, found.mean.doubles).map { abs($0 - $1) }.max() ?? 1
      #expect(off > 0 && off < 0.05 * size, "\(test.name) \(precision): \(off) of \(size)")
      for (old, new) in zip(expected.logProbability.doubles, found.logProbability.doubles) {
        #expect(abs(old - new) < 0.01 * abs(old) + 0.1, "\(test.name) \(precision)")
      }
    }
  }

  @Test(arguments: try LowPrecisionTests.cases()) func networks(test: Case) throws {
    var random = RandomStream(seed: 1)
    let x = random.uniformTensor(Shape([40] + test.description.inputShape))
    try check(test.description.makeModel(using: &random), x, test)
  }

  /// Text models, whose decoders run when a density is asked for, and element by element.
  @Test(arguments: TextModelTests.cases) func texts(row: TextModelTests.Case) throws {
    func check(_ model: some LatentVariableModel) throws {
      let x = TextModelTests.text(60)
      for precision in LowPrecision.allCases {
        let quantized = model.quantized(precision, calibratedOn: x)
        let paths = quantized.lowPrecisionPaths
        #expect(paths.contains { $0.hasPrefix("encoder") }, "\(paths)")
        #expect(paths.contains { $0.hasPrefix("decoder") }, "\(paths)")
        #expect(!paths.contains { $0.contains("tokens") }, "\(paths)")
        let z = try #require(model.encode(x).pointEstimate)
        let old = model.decode(z).evaluable.logProbability(of: x).doubles
        let new = quantized.decode(z).evaluable.logProbability(of: x).doubles
        #expect(old != new)
        for (old, new) in zip(old, new) { #expect(abs(old - new) < 0.05 * abs(old) + 0.5) }
        var random = RandomStream(seed: 3)
        #expect(quantized.generate(4, using: &random).shape == [4, TextModelTests.length])
      }
    }
    func inFloat32(_ model: some LatentVariableModel) throws {
      try check(model.converted(to: .float32))
    }
    try inFloat32(row.model)
  }

  /// Ranges are those of the whole batch, also where the network takes it in runs on several threads.
  @Test func runsAreSeenWhole() throws {
    var random = RandomStream(seed: 2)
    let encoder = ConvEncoder(
      inputShape: [8, 8, 1], channels: [4], hidden: 6, latentSize: 2, using: &random)
    var pixels = [Float](repeating: 0.5, count: 64 * 64)
    pixels[0] = -1
    pixels[64 * 64 - 1] = 7
    let x = Tensor(pixels, shape: [64, 8, 8, 1])
    let quantized = encoder.quantized(.int8) { _ = $0(x) }
    let first = try #require(quantized.convolutions[0].weight.array.quantization)
    #expect(first.inputRange == -1...7)
  }
}
