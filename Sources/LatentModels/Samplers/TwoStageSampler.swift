// A second variational autoencoder of the codes, trained after the first one is done (Dai and Wipf 2019, section 4): its
// own latents look like the prior, because it has as many of them as a code has numbers.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Codes as a second stage draws them: u from N(0, I), then z from p(z | u) with the learned deviation.
public struct TwoStageSampler: LatentSampler {
  /// The shape of one latent.
  public let latentShape: Shape
  /// A model of standardised codes.
  public var second: SecondStage
  var scale: CodeScale

  /// Of latents of this shape, with first weights.
  public init(_ latentShape: Shape, hidden: [Int], using random: inout RandomStream) {
    self.latentShape = latentShape
    second = SecondStage(codes: latentShape.count, hidden: hidden, using: &random)
    scale = CodeScale(latentShape.count)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&second, "second")
    visitor.visit(&scale, "scale")
  }

  /// The deviation becomes what the second stage leaves unexplained, where its loss is least: gamma² is the mean squared
  /// error. Steps of a bounded size need not have reached it.
  mutating func settleDeviation(on data: EncodedData, using random: inout RandomStream) {
    let codes = scale.standardized(data.codes(using: &random))
    let u = second.encode(codes).sample(using: &random)
    let error = square(second.decode(u).mean - codes).mean()
    guard let old = second.decoder.head.logVariance else { return }
    second.decoder.head.logVariance = log(error).broadcast(to: old.shape)
  }

  public func latents(
    _ count: Int, of model: some LatentVariableModel, fields: [String: Tensor],
    using random: inout RandomStream
  ) -> Tensor {
    let u = second.samplePrior(count, using: &random)
    return scale.restored(second.decode(u).sample(using: &random)).reshaped([count] + latentShape)
  }
}

/// A second stage, in words. The paper's is three layers of 1024 for 800 epochs.
public struct TwoStageSamplerDescription: SamplerDescription {
  public static let name = "two-stage"
  public static let origin = Origin(
    "a second autoencoder of the codes, after training", paper: "Dai and Wipf 2019",
    equation: "section 4", test: "LatentModelsTests/Samplers/TwoStageSamplerTests.swift")

  /// Widths of the hidden layers.
  public var hidden = [256, 256, 256]
  /// Updates, each of a batch of codes.
  public var steps = 5000
  /// Codes of an update.
  public var batchSize = 256
  /// Of Adam, at the beginning.
  public var learningRate = 2e-3

  public init() {}

  public func validate() throws {
    try checkTraining(hidden, steps: steps, batchSize: batchSize, learningRate: learningRate)
  }

  public func makeSampler(
    _ facts: SamplerFacts, using random: inout RandomStream
  ) -> any LatentSampler {
    TwoStageSampler(Shape(facts.latentShape), hidden: hidden, using: &random)
  }

  public func fit(
    _ data: EncodedData, using random: inout RandomStream, progress: (String) -> Void
  ) -> any LatentSampler {
    var sampler = TwoStageSampler(
      Shape(data.facts.latentShape), hidden: hidden, using: &random)
    sampler.scale = CodeScale(of: data.codes(using: &random))
    let training = CodeTraining(steps: steps, batchSize: batchSize, learningRate: learningRate)
    sampler.second = training.train(
      sampler.second, on: data, scale: sampler.scale, using: &random, progress: progress
    ) { second, codes, _, context in ELBO()(second, codes, &context).total }
    sampler.settleDeviation(on: data, using: &random)
    return sampler
  }
}

extension SamplerDescription {
  /// Numbers of a network that learns codes.
  func checkTraining(
    _ hidden: [Int], steps: Int, batchSize: Int, learningRate: Double
  ) throws {
    let widest = 1 << 14
    try check(
      hidden.count <= 100 && hidden.allSatisfy { (1...widest).contains($0) }, "hidden", hidden,
      "at most 100 widths, each 1 to \(widest)")
    try check(size: steps, "steps")
    try check(size: batchSize, "batchSize", most: 1 << 20)
    try check(
      learningRate > 0 && learningRate.isFinite, "learningRate", learningRate, "a positive number")
  }
}
