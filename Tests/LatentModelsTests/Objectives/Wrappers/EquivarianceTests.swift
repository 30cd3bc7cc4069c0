// Latents that move as the picture does: the movement against PyTorch (scripts/references/wrappers.py), and the loss
// against the parts of the model put together by hand.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite struct EquivarianceTests {
  @Test(arguments: [
    (32, 1, 8, 8, 192.286982790629, 3.9527770265646587),
    (32, 2, 8, 8, 192.28698279062903, -2.3681146756938865),
    (32, 3, 8, 8, 192.286982790629, -0.7353038974720008),
    (8, 0, 8, 2, 0.003443229833105273, -0.008455610119107998),
    (12, 1, 8, 3, 4.5545469361699595, -2.0318868667868086),
    (20, 2, 16, 10, 235.2172562017338, -0.05807886204463708),
    (28, 3, 8, 7, 38.11099265413008, 0.07745081824567501),
  ]) func movement(
    scale: Int, turns: Int, size: Int, side: Int, squares: Double, weighted: Double
  ) {
    let x = Tensor(
      (0..<2 * size * size * 3).map { sin(1.7 * Double($0) + 1) }, shape: [2, size, size, 3])
    let y = Similarity(scale: scale, quarterTurns: turns, latents: [size, size, 1]).moved(x)
    #expect(y.shape == [2, side, side, 3])
    #expect(abs(square(y).sum().item - squares) < 1e-9)
    let weights = Tensor((0..<y.count).map { cos(0.3 * Double($0)) }, shape: y.shape)
    #expect(abs((y * weights).sum().item - weighted) < 1e-9)
  }

  /// Pictures move as their latents do, whatever the sizes are: as many times larger as before.
  @Test(arguments: [8, 13, 20, 31], [0, 1, 2, 3]) func picturesAndLatents(scale: Int, turns: Int) {
    let move = Similarity(scale: scale, quarterTurns: turns, latents: [7, 5, 2])
    let (picture, latent) = (
      move.moved(.zeros([2, 28, 15, 1])).shape, move.moved(.zeros([2, 7, 5, 2])).shape
    )
    let factors = turns % 2 == 0 ? [4, 3] : [3, 4]
    #expect(picture == [2, factors[0] * latent[1], factors[1] * latent[2], 1])
    let sides = [max(1, 7 * scale / 32), max(1, 5 * scale / 32)]
    #expect(Array(latent.dimensions[1...2]) == (turns % 2 == 0 ? sides : sides.reversed()))
  }

  @Test(arguments: UInt64(1)..<7) func loss(seed: UInt64) throws {
    func check<Model: LatentVariableModel>(_ model: Model) throws {
      var description = EquivarianceDescription()
      description.probability = 1
      let rule = try description.make(for: model, WrapperTests.facts)
      let x = WrapperTests.x()
      let found = WrapperTests.step(rule, model, x, seed: seed)
      // The same draws: three numbers of the wrapper, then the noise of the posterior.
      let stream = RandomStream(seed: seed).split(0)
      var draws = stream.split("lens1.seed")
      let numbers = draws.uniform([3], .float64).doubles
      let move = Similarity(
        scale: 8 + Int(numbers[1] * 24), quarterTurns: 1 + Int(numbers[2] * 3), latents: [4, 4, 2])
      let result = valueAndGradient(at: model) { model in
        var context = LayerContext(isTraining: true, random: stream)
        guard let q = model.posterior(x, &context) as? DiagonalNormal else {
          fatalError("a diagonal normal")
        }
        let noise = context.random.normalTensor([4, 4, 4, 2], .float64)
        let z = q.mean + exp(q.logVariance * 0.5) * noise
        let likelihood = model.likelihood(move.moved(z), &context)
        let kl = (square(q.mean) + exp(q.logVariance) - q.logVariance - 1).sum() * (0.5 / 4)
        return kl - likelihood.logProbability(of: move.moved(x)).mean()
      }
      let expected = [result.value.item] + result.gradients.tensors.flatMap { $0?.doubles ?? [] }
      #expect(found.count == 1 && distance(found[0], expected) < 1e-9)
    }
    try check(WrapperTests.model("resnet"))
  }

  /// Half of the batches are changed, by each scale and angle alike.
  @Test func draws() {
    let description = EquivarianceDescription()
    let model = Tiny.model(NormalHead(.fixed(1)))
    let context = LayerContext(isTraining: true, random: RandomStream(seed: 1))
    let x = Tensor.zeros([1, 8, 8, 1])
    var sizes: [Int: Int] = [:]
    var random = RandomStream(seed: 4)
    struct Placed: Prior {
      mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
      func callAsFunction(
        encoder: some Encoder, dtype: DType, _ context: inout LayerContext
      ) -> any Distribution { StandardNormal(eventShape: [8, 8, 1], dtype: dtype) }
    }
    let placed = VAE(encoder: model.encoder, decoder: model.decoder, prior: Placed())
    for _ in 0..<4000 {
      let lens = description.lens(x, of: placed, context, using: &random)
      sizes[lens?.target.shape[1] ?? 0, default: 0] += 1
    }
    // Scales 8 to 11 give 2 of 8, and so on: each side stands for four of the 24.
    #expect(sizes.keys.sorted() == [0, 2, 3, 4, 5, 6, 7])
    #expect(abs(Double(sizes[0] ?? 0) - 2000) < 5 * 1000.0.squareRoot())
    for side in 2...7 { #expect(abs(Double(sizes[side] ?? 0) - 2000 / 6.0) < 5 * 18) }
  }
}
