// Samplers of codes: what they learn where the entropy is known, classes, temperature and guidance.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite(.serialized) struct CodeSamplerTests {
  typealias Kind = CodeNetworkTests.Kind

  /// Maps of 2 by 2 places with 3 codes: the first is the class, the next of two codes, the others follow from these.
  private func maps(_ count: Int) -> EncodedData {
    var random = RandomStream(seed: 1)
    let labels = (0..<count).map { Int32($0 % 3) }
    let indices = labels.flatMap { label -> [Int32] in
      let next = Int32.random(in: 0..<2, using: &random)
      return [label, next, (label + next) % 3, (label + 2 * next) % 3]
    }
    let point = CodePoint(
      .zeros([count, 2, 2, 1]), indices: Tensor(indices, shape: [count, 4]),
      counts: [3, 3, 3, 3], eventRank: 3)
    return EncodedData([point], labels: Tensor(labels))
  }

  private func fitted(_ kind: Kind, labelled: Bool) throws -> any LatentSampler {
    let data = maps(300)
    var random = RandomStream(seed: 2)
    let given = labelled ? data : EncodedData(data.posteriors)
    switch kind {
    case .pixelcnn:
      var description = PixelCNNSamplerDescription()
      (description.channels, description.layers, description.kernel) = (16, 2, 3)
      (description.steps, description.batchSize, description.learningRate) = (250, 32, 1e-2)
      return try description.fit(given, using: &random) { _ in }
    case .transformer:
      var description = TransformerSamplerDescription()
      (description.width, description.heads, description.layers) = (32, 4, 2)
      (description.steps, description.batchSize, description.learningRate) = (400, 32, 3e-3)
      return try description.fit(given, using: &random) { _ in }
    }
  }

  private func open<Network: AutoregressiveNetwork>(
    _ sampler: CodeSampler<Network>, labelled: Bool
  ) throws {
    let data = maps(300)
    let indices = try #require(data.indices)
    let rate = -sampler.logProbability(ofIndices: indices).mean().item
    // log 6 nats of a map, and less of one whose class is known.
    #expect(rate > log(6.0) - 0.02 && rate < log(6.0) + 0.1, "\(rate)")
    var random = RandomStream(seed: 3)
    func agree(_ drawn: Tensor) -> Double {
      let values = drawn.array.int32s
      let rows = stride(from: 0, to: values.count, by: 4)
      let right = rows.count {
        let (first, next) = (values[$0], values[$0 + 1])
        return next < 2 && values[$0 + 2] == (first + next) % 3
          && values[$0 + 3] == (first + 2 * next) % 3
      }
      return Double(right) * 4 / Double(values.count)
    }
    #expect(agree(sampler.indices(500, using: &random)) > 0.93)
    let cold = CodeSampler(sampler.network, classes: sampler.classCount, temperature: 0.3)
    #expect(agree(cold.indices(500, using: &random)) > 0.995)
    guard labelled else { return }
    #expect(sampler.classCounts.doubles == [100, 100, 100])
    let known = sampler.logProbability(ofIndices: indices, labels: data.labels).mean().item
    #expect(-known < log(2.0) + 0.1)
    let labels = Tensor([Int32](repeating: 1, count: 500))
    for guidance in [0, 2.0] {
      let guided = CodeSampler(
        sampler.network, classes: sampler.classCount, guidance: guidance)
      let first = guided.indices(500, labels: labels, using: &random).sliced(1, 0..<1)
      #expect(first.array.int32s.count { $0 == 1 } > 480)
    }
  }

  @Test(arguments: Kind.allCases, [false, true]) func learns(kind: Kind, labelled: Bool) throws {
    let sampler = try fitted(kind, labelled: labelled)
    if let sampler = sampler as? CodeSampler<PixelCNN> {
      try open(sampler, labelled: labelled)
    } else {
      try open(try #require(sampler as? CodeSampler<TransformerTextDecoder>), labelled: labelled)
    }
  }

  /// ((1 + w) l_c - w l) / T, at once and one after the other.
  @Test func sharperLogits() {
    var random = RandomStream(seed: 4)
    let map = CodeMap(height: 2, width: 2, codes: 3)
    let network = PixelCNN(map, conditions: 3, using: &random)
    let sharper = TemperedNetwork(base: network, temperature: 0.5, guidance: 2)
    let x = Tensor([0, 2, 1, 1] as [Int32], shape: [1, 4])
    let (one, none) = (
      CodeCondition.of(Tensor([1] as [Int32]), classes: 2),
      CodeCondition.none(classes: 2).reshaped([1, 3])
    )
    var context = LayerContext.inference
    let (own, plain) = (network.logits(one, x, &context), network.logits(none, x, &context))
    let expected = (own * 3 - plain * 2) * 2
    #expect(distance(sharper.logits(one, x, &context), expected) < 1e-5)
    var progress = sharper.start(one)
    for place in 0..<4 {
      let previous = place == 0 ? nil : x.selecting(place - 1, axis: 1)
      let next = sharper.next(previous, &progress)
      #expect(distance(next, expected.selecting(place, axis: 1)) < 1e-5)
    }
  }

  @Test func refusals() throws {
    var random = RandomStream(seed: 1)
    let description = PixelCNNSamplerDescription()
    let error = #expect(throws: ModelRequirementError.self) {
      try description.fit(placedCodes(10), using: &random) { _ in }
    }
    #expect(
      error?.description
        == "sampler 'pixelcnn' needs codes (the posterior 'codes'): found DiagonalNormal")
    #expect(throws: ModelRequirementError.self) {
      try description.validate(for: SamplerTests.model)
    }
    var cold = TransformerSamplerDescription()
    cold.temperature = 0
    let setting = #expect(throws: SettingError.self) { try cold.validate() }
    #expect(setting?.key == "sampler.temperature")
    // How it is drawn from is no part of the fit.
    cold.temperature = 0.5
    cold.guidance = 3
    #expect(cold.ofFit == TransformerSamplerDescription())
  }
}
