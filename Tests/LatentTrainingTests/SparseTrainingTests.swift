// A dictionary that is known is found again: features in superposition, of which each example has a few.

import Foundation
import Latent
import Testing

@Suite struct SparseTrainingTests {
  /// Sums of four of 64 directions in 32 dimensions, with weights from 0.5 to 1.5.
  static func data(_ count: Int) -> (truth: Tensor, examples: Tensor) {
    var random = RandomStream(seed: 8)
    let truth = random.normalTensor([64, 32], .float32)
    let unit = truth * reciprocalSqrt(square(truth).sum(axes: [1], keepingDimensions: true))
    let places = random.uniformTensor([count, 64], .float32).largestMask(4)
    let code = places * (random.uniformTensor([count, 64], .float32) + 0.5)
    return (unit, matmul(code, unit))
  }

  @Test(arguments: ["topk", "batch-topk", "jumprelu"])
  func dictionariesAreRecovered(posterior name: String) throws {
    let (truth, examples) = Self.data(100_000)
    var posterior = try PosteriorSettings(named: name)
    switch posterior.description {
    case var few as TopKPosterior:
      few.active = 4
      posterior = PosteriorSettings(few)
    case var few as BatchTopKPosterior:
      few.active = 4
      posterior = PosteriorSettings(few)
    case var few as JumpReLUPosterior:
      (few.sparsity, few.threshold, few.width) = (0.02, 0.1, 0.1)
      posterior = PosteriorSettings(few)
    default: break
    }
    var random = RandomStream(seed: 1)
    let model = try ModelDescription(
      SparseNetwork(latentSize: 64), inputShape: [32], posterior: posterior.description,
      likelihood: .unitNormal
    ).makeModel(using: &random)
    func check<Model: DictionaryModel>(_ model: Model) throws {
      var trainer = Trainer(
        model,
        objective: SparseAutoencoder<Model, SparseDescription> { $0.deadAfter = 20_000 },
        optimizer: Adam(learningRate: 3e-3), seed: 1)
      for step in 0..<2500 {
        let start = step * 200 % 100_000
        _ = try trainer.step(examples[start..<start + 200])
      }
      var figures = SparseFigures()
      for start in stride(from: 0, to: 10_000, by: 1000) {
        figures.add(examples[start..<start + 1000], trainer.model)
      }
      let cosine = meanMaximalCosine(of: trainer.model.dictionary, to: truth)
      #expect(cosine >= 0.95, "\(cosine), \(figures.unexplained) at \(figures.active)")
      #expect(figures.dead < 0.05)
      #expect(figures.unexplained < 0.15)
      #expect(figures.active > 2 && figures.active < 8)
    }
    let dictionary = try #require(model as? any DictionaryModel)
    try check(dictionary)
  }
}
