// Moments and ranges of data against plain loops, and decoders that start there.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct DataStatisticsTests {
  /// By the definitions, in two passes.
  private func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
    let mean = values.reduce(0, +) / Double(values.count)
    return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count))
  }

  /// [6, 2, 3] numbers around `offset`, in two batches.
  @Test(arguments: [0.0, 1e7, -255]) func momentsAreThoseOfTheDefinition(offset: Double) {
    let x = numbers([6, 2, 3]) + offset
    var statistics = DataStatistics(shape: [2, 3])
    statistics.add(x.sliced(0, 0..<4).array, indices: [3, 4, 5, 6])
    statistics.add(x.sliced(0, 4..<6).array, indices: [7, 8])
    let values = x.doubles
    func every(_ stride: Int, from first: Int) -> [Double] {
      Swift.stride(from: first, to: values.count, by: stride).map { values[$0] }
    }
    let elements = (0..<6).map { moments(every(6, from: $0)) }
    let channels = (0..<3).map { moments(every(3, from: $0)) }
    let total = moments(values)
    for (found, expected) in [
      (statistics.moments, elements), (statistics.channelMoments, channels),
      (statistics.totalMoments, [total]),
    ] {
      #expect(distance(found.mean.doubles, expected.map(\.mean)) < 1e-12)
      #expect(distance(found.variance.doubles, expected.map(\.variance)) < 1e-9)
    }
    #expect(statistics.moments.mean.shape == [2, 3])
    #expect(statistics.smallest == values.min() && statistics.largest == values.max())
    #expect(statistics.examples.map(\.index) == [3, 4, 5, 6, 7, 8] && statistics.count == 36)
  }

  /// Hidden and non-finite elements do not count; what was never seen has the moments of all.
  @Test func masksAndNonFiniteNumbers() {
    let x = NDArray([1, 2, 900, 3, Float.nan, 900, 5, .infinity, 900] as [Float], shape: [3, 3])
    let mask = NDArray([1, 1, 0] as [Float], shape: [3])
    var statistics = DataStatistics(shape: [3])
    statistics.add(x, indices: [0, 1, 2], mask: mask)
    #expect(statistics.moments.mean.doubles == [3, 2, 2.75])
    #expect(distance(statistics.moments.variance.doubles, [8.0 / 3, 0, 2.1875]) < 1e-12)
    #expect(statistics.smallest == 1 && statistics.largest == 5 && statistics.count == 4)
  }

  @Test func wholeNumbers() {
    var statistics = DataStatistics(shape: [2])
    statistics.add(NDArray([Int32(2), 0, 2, 3], shape: [2, 2]), indices: [0, 1])
    #expect(statistics.occurrences == [1, 0, 2, 1] && statistics.isWhole)
    statistics.add(NDArray([Float(2), 0.5], shape: [1, 2]), indices: [2])
    #expect(!statistics.isWhole && statistics.examples[2].fraction == 0.5)
  }

  // MARK: Decoders

  struct Pair: Sendable, CustomTestStringConvertible {
    let name: String
    let likelihood: ModelDescription.Likelihood
    var testDescription: String { "\(name), \(likelihood.rawValue)" }
  }

  static let pairs = ["mlp", "mlp-autoencoder", "gated-mlp", "conv", "resnet"].flatMap { name in
    [ModelDescription.Likelihood.bernoulli, .continuousBernoulli, .normal, .unitNormal]
      .map { Pair(name: name, likelihood: $0) }
  }

  /// Smooth numbers in [0.1, 0.9], different in every pixel and channel: [30, 8, 8, 2].
  static let pictures: Tensor = {
    let values = (0..<30 * 128).map { index -> Double in
      let (example, pixel, channel) = (index / 128, index / 2 % 64, index % 2)
      return 0.5 + 0.4 * sin(Double(example * (channel + 1)) + Double(pixel) * 0.37)
    }
    return Tensor(values, shape: [30, 8, 8, 2]).converted(to: .float32)
  }()

  static func statistics(_ x: Tensor) -> DataStatistics {
    var statistics = DataStatistics(shape: x.shape.removing(0))
    statistics.add(x.array, indices: Array(0..<x.shape[0]))
    return statistics
  }

  /// With the last layer's weights at zero the likelihood has the mean of the data: of each pixel where
  /// pixels have biases of their own, else of each channel. A learned scale is theirs around it.
  @Test(arguments: pairs) func likelihoodsStartAtTheMean(pair: Pair) throws {
    let x = DataStatisticsTests.pictures
    let statistics = DataStatisticsTests.statistics(x)
    var description = try ModelDescription(named: pair.name, inputShape: [8, 8, 2])
    description.likelihood = pair.likelihood
    var random = RandomStream(seed: 4)
    let model = try description.makeModel(using: &random)
    try check(model, x, statistics, perPixel: pair.name.contains("mlp"), pair.likelihood)
  }

  private func check<Model: LatentVariableModel>(
    _ model: Model, _ x: Tensor, _ statistics: DataStatistics, perPixel: Bool,
    _ likelihood: ModelDescription.Likelihood
  ) throws {
    var informed = try #require(model as? any DataInitializable)
    informed.initialize(from: statistics)
    var model = try #require(informed as? Model)
    var arrays = model.namedArrays
    let last = try #require(
      arrays.keys.filter { $0.hasPrefix("decoder.output") || $0.hasPrefix("decoder.convolutions") }
        .filter { $0.hasSuffix("weight") }.max())
    arrays[last] = NDArray(repeating: 0, shape: arrays[last]!.shape)
    try model.load(arrays)
    let moments = perPixel ? statistics.moments : statistics.channelMoments
    var random = RandomStream(seed: 1)
    let decoded = model.decode(model.samplePrior(3, using: &random))
    let expected = moments.mean.broadcast(to: [3, 8, 8, 2])
    let mean = try #require(decoded.pointEstimate)
    #expect(distance(mean.doubles, expected.doubles) < 1e-5)
    if let normal = decoded as? DiagonalNormal, likelihood == .normal {
      let variance = moments.variance.mean().item
      #expect(abs(normal.variance.doubles[0] / variance - 1) < 1e-5)
    }
  }

  /// The probabilities of the first token are the frequencies, each counted once more; in every place
  /// where the network adds nothing.
  @Test(arguments: ["transformer-text", "gru-text"]) func tokensStartAtTheirFrequencies(
    name: String
  ) throws {
    let text = Array("the end of the tale".utf8).map { Int32($0) }
    var statistics = DataStatistics(shape: [text.count])
    statistics.add(NDArray(text, shape: [1, text.count]), indices: [0])
    var random = RandomStream(seed: 4)
    let model = try ModelDescription(named: name, inputShape: [text.count])
      .makeModel(using: &random)
    let bias = try #require(informed(model, statistics)["decoder.output.bias"])
    for (token, nats) in bias.doubles.enumerated() {
      let seen = text.count { $0 == Int32(token) }
      #expect(abs(exp(nats) * Double(text.count + 256) - Double(seen + 1)) < 1e-4)
    }
  }

  private func informed(
    _ model: any LatentVariableModel, _ statistics: DataStatistics
  ) -> [String: NDArray] {
    guard var informed = model as? any DataInitializable else { return [:] }
    informed.initialize(from: statistics)
    return informed.namedArrays
  }

  /// Means at the ends of the interval, constant data and data far away give finite parameters.
  @Test(arguments: pairs, [0.0, 1, 0.5, 1e6])
  func extremeDataGiveFiniteParameters(pair: Pair, value: Double) throws {
    let x = Tensor(repeating: value, shape: [4, 8, 8, 1])
    var description = try ModelDescription(named: pair.name, inputShape: [8, 8, 1])
    description.likelihood = pair.likelihood
    var random = RandomStream(seed: 4)
    let arrays = informed(
      try description.makeModel(using: &random), DataStatisticsTests.statistics(x))
    #expect(!arrays.isEmpty && arrays.values.allSatisfy { $0.nonFiniteCount == 0 })
  }

  /// A deviation for each element has a second set of outputs, which starts at that of the data.
  @Test func elementwiseScale() throws {
    let x = DataStatisticsTests.pictures
    let moments = DataStatisticsTests.statistics(x).moments
    var head = NormalHead(.elementwise)
    let outputs = head.initialize(from: moments)
    let raw = try #require(outputs)
    let likelihood = head(raw, eventRank: 3)
    #expect(distance(likelihood.mean, moments.mean) < 1e-12)
    let variance = moments.variance.mean().item
    #expect(likelihood.variance.doubles.allSatisfy { abs($0 / variance - 1) < 1e-9 })
  }
}
