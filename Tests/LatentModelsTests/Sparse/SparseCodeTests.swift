// Heads that keep few numbers: how many, which, and what derivatives thresholds have.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct SparseCodeTests {
  static func noise(_ shape: Shape, seed: UInt64 = 1) -> Tensor {
    var random = RandomStream(seed: seed)
    return random.normalTensor(shape, .float64)
  }
  static func active(_ z: Tensor) -> [Double] { (z .!= 0).sum(axes: [z.rank - 1]).doubles }

  /// As many as are asked for where so many are positive, and these the largest; all of them are the ReLU to the bit.
  @Test(arguments: [[5, 12], [2, 3, 12]] as [Shape]) func topK(shape: Shape) {
    let raw = Self.noise(shape)
    let positive = (raw .> 0).sum(axes: [raw.rank - 1]).doubles
    for count in [1, 3, 12, 40] {
      var context = Tiny.training()
      let code = TopKHead(active: count)(raw, eventRank: shape.rank - 1, &context).value
      #expect(Self.active(code) == positive.map { min($0, Double(count)) })
      #expect(((code .!= 0) * relu(raw)).array == code.array)
      if count >= 12 { #expect(code.array == relu(raw).array) }
      let left = Tensor.where(code .> 0, code.zerosLike, relu(raw)).max(axes: [raw.rank - 1])
      let kept = Tensor.where(code .> 0, code, code + .infinity).min(axes: [raw.rank - 1])
      #expect(zip(left.doubles, kept.doubles).allSatisfy { $0 <= $1 })
      let slope = gradient(at: raw) { raw in
        var context = Tiny.training()
        return TopKHead(active: count)(raw, eventRank: shape.rank - 1, &context).value.sum()
      }
      #expect(slope.array == (code .!= 0).array)
    }
  }

  /// As many as are asked for in the mean of the batch, wherever they are.
  @Test func batchTopK() {
    let raw = Self.noise([8, 20])
    var head = BatchTopKHead(active: 3)
    head.threshold = head.threshold.converted(to: .float64)
    var context = Tiny.training()
    let code = head(raw, eventRank: 1, &context).value
    #expect(Self.active(code).reduce(0, +) == 24 && Set(Self.active(code)).count > 1)
    let sorted = raw.doubles.sorted(by: >)
    #expect(code.doubles.filter { $0 != 0 }.min() == sorted[23])
    // The first step sets the threshold, the next ones move it by a thousandth.
    head.apply(context.bufferUpdates)
    #expect(head.threshold.item == sorted[23])
    var second = Tiny.training()
    _ = head(raw * 2, eventRank: 1, &second)
    head.apply(second.bufferUpdates)
    #expect(abs(head.threshold.item - (0.999 * sorted[23] + 0.001 * 2 * sorted[23])) < 1e-15)
    // After training an example does not depend on others.
    var inference = LayerContext.inference
    let after = head(raw, eventRank: 1, &inference).value
    let alone = head(raw[2..<3], eventRank: 1, &inference).value
    #expect(after[2].array == alone[0].array)
    #expect(distance(after, raw * (raw .> head.threshold.item)) == 0)
    // All of them, and none.
    var all = Tiny.training()
    #expect(BatchTopKHead(active: 20)(raw, eventRank: 1, &all).value.array == relu(raw).array)
    var none = Tiny.training()
    _ = head(-abs(raw), eventRank: 1, &none)
    #expect(none.bufferUpdates.isEmpty)
    var untrained = LayerContext.inference
    #expect(
      BatchTopKHead(active: 3)(raw.converted(to: .float32), eventRank: 1, &untrained).value.array
        == relu(raw.converted(to: .float32)).array)
  }

  /// Derivatives for thresholds are those of the functions smoothed by a rectangle, whose integrals are exact.
  @Test func thresholds() {
    let (width, y) = (0.5, Self.noise([6, 4]))
    let threshold = Tensor([0.1, 0.4, 0.7, 1.2] as [Double])
    let (a, b) = (Self.noise([6, 4], seed: 2), Self.noise([6, 4], seed: 3))
    let slope = gradient(at: threshold) { threshold in
      let (value, isActive) = jumpReLU(y, threshold: threshold, width: width)
      return (value * a + isActive * b).sum()
    }.doubles
    /// The integral over t of t and of 1 from the threshold on, within the rectangle around y, by its width.
    func smoothed(_ threshold: [Double]) -> Double {
      var sum = 0.0
      for (i, y) in y.doubles.enumerated() {
        let (low, high) = (max(threshold[i % 4], y - width / 2), y + width / 2)
        if low >= high { continue }
        sum += a.doubles[i] * (high * high - low * low) / 2 / width
        sum += b.doubles[i] * (high - low) / width
      }
      return sum
    }
    for i in 0..<4 {
      let h = 1e-6
      var (up, down) = (threshold.doubles, threshold.doubles)
      up[i] += h
      down[i] -= h
      #expect(abs(slope[i] - (smoothed(up) - smoothed(down)) / (2 * h)) < 1e-8)
    }
    #expect(slope.contains { $0 != 0 })
    // Values are those without smoothing, and y has the derivative of where it stays.
    let (value, isActive) = jumpReLU(y, threshold: threshold, width: width)
    let isAbove = y .> threshold
    #expect(distance(value, y * isAbove) == 0 && distance(isActive, isAbove) == 0)
    let ySlope = gradient(at: y) { jumpReLU($0, threshold: threshold, width: width).value.sum() }
    #expect(ySlope.array == isAbove.array)
  }

  /// The head adds its loss, whatever is minimised.
  @Test func jumpReLUAddsItsLoss() throws {
    var random = RandomStream(seed: 1)
    var description = ModelDescription(
      SparseNetwork(latentSize: 12), inputShape: [6], posterior: JumpReLUPosterior(),
      likelihood: .unitNormal)
    var posterior = JumpReLUPosterior()
    posterior.sparsity = 0.5
    description.posterior = PosteriorSettings(posterior)
    func check(_ model: some LatentVariableModel) throws {
      let x = Self.noise([5, 6]).converted(to: .float32)
      var context = Tiny.training()
      let q = model.posterior(x, &context)
      let code = try #require(q.pointEstimate)
      let loss = try #require(context.losses.first { $0.name == "active" })
      #expect(loss.weight == 0.5)
      #expect(abs(loss.value.item - (code .!= 0).sum().item / 5) < 1e-6)
    }
    try check(try description.makeModel(using: &random))
  }

  @Test(arguments: [
    ("topk", #"{"name":"topk","active":0}"#, "model.posterior.active is 0"),
    ("batch-topk", #"{"name":"batch-topk","active":-1}"#, "model.posterior.active is -1"),
    (
      "jumprelu", #"{"name":"jumprelu","sparsity":-1,"threshold":1,"width":1}"#,
      "model.posterior.sparsity is -1.0, expected 0 or more"
    ),
    (
      "jumprelu", #"{"name":"jumprelu","sparsity":0,"threshold":0,"width":1}"#,
      "model.posterior.threshold is 0.0, expected a positive number"
    ),
    (
      "jumprelu", #"{"name":"jumprelu","sparsity":0,"threshold":1,"width":0}"#,
      "model.posterior.width is 0.0, expected a positive number"
    ),
  ]) func wrongNumbers(name: String, json: String, words: String) throws {
    let settings = try JSONDecoder().decode(PosteriorSettings.self, from: Data(json.utf8))
    let error = #expect(throws: SettingError.self) { try settings.description.validate() }
    #expect(error?.description.contains(words) == true, "\(error.map { "\($0)" } ?? "")")
  }

  static let isCampaign = ProcessInfo.processInfo.environment["LATENT_CAMPAIGNS"] != nil

  /// Codes of 32 active latents among 4096 are decoded in a fraction of the time of dense ones, to the same numbers.
  @Test(.enabled(if: isCampaign)) func decodingCostsWhatIsNotZero() {
    var random = RandomStream(seed: 9)
    let code = relu(random.normalTensor([512, 4096], .float32))
    let few = code * code.largestMask(32)
    let directions = random.normalTensor([4096, 768], .float32)
    func time(_ body: () -> Tensor) -> (result: Tensor, time: Duration) {
      let first = body()
      return (first, (0..<5).map { _ in ContinuousClock().measure { _ = body() } }.min() ?? .zero)
    }
    let dense = time { matmul(few, directions) }
    let sparse = time { matmul(sparse: few, directions) }
    print("dense \(dense.time), sparse \(sparse.time)")
    #expect(distance(sparse.result, dense.result) < 1e-3)
    #expect(sparse.time * 3 < dense.time)
  }
}
