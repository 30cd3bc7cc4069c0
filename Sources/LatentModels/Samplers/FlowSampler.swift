// Codes as a normal seen through a flow, fitted after training by maximum likelihood.
//
//   z = m + s f(u),   log p(z) = log N(u; 0, I) - log |det df/du| - sum log s
//
// with the means m and deviations s of the codes: a flow that is the identity is the normal of these.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Draws of a standard normal through a flow.
public struct FlowSampler<Map: Flow>: LatentSampler where Map.Map: InvertibleBijection {
  /// From the normal to standardised codes.
  public typealias Standardized = TransformedDistribution<StandardNormal, Map.Map>
  /// From the normal to codes.
  public typealias Codes = TransformedDistribution<
    StandardNormal, FlattenedBijection<Composition<Map.Map, AffineBijection>>
  >

  /// The shape of one latent.
  public let latentShape: Shape
  /// Of vectors of as many numbers, from the normal to standardised codes.
  public var flow: Map
  var scale: CodeScale

  /// Latents of this shape by a flow, which sees them as vectors. Traps where the flow wants conditions.
  public init(
    _ flow: Map, latentShape: Shape, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      flow.conditionCount == 0,
      "FlowSampler: a flow that wants \(flow.conditionCount) conditions, which a sampler has not",
      file: file, line: line)
    (self.flow, self.latentShape) = (flow, latentShape)
    scale = CodeScale(latentShape.count)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&flow, "flow")
    visitor.visit(&scale, "scale")
  }

  /// Of standardised codes `[latents]`.
  static func standardized(_ flow: Map, size: Int) -> Standardized {
    TransformedDistribution(StandardNormal(eventShape: [size]), flow(nil))
  }

  /// The distribution of latents.
  public var distribution: Codes {
    let affine = AffineBijection(shift: scale.mean, logScale: log(scale.deviation))
    return TransformedDistribution(
      StandardNormal(eventShape: latentShape, dtype: scale.mean.dtype),
      FlattenedBijection(flow(nil).then(affine), eventShape: latentShape))
  }

  public func latents(
    _ count: Int, of model: some LatentVariableModel, fields: [String: Tensor],
    using random: inout RandomStream
  ) -> Tensor { distribution.sample([count], using: &random) }
}

/// A fitted flow in words.
protocol FlowSamplerDescription: SamplerDescription {
  associatedtype Map: Flow where Map.Map: InvertibleBijection
  /// How many steps the flow has.
  var depth: Int { get }
  /// Widths of the network of each.
  var hidden: [Int] { get }
  /// Updates, each of a batch of codes.
  var steps: Int { get }
  /// Codes of an update.
  var batchSize: Int { get }
  /// Of Adam, at the beginning.
  var learningRate: Double { get }
  /// The most numbers of a latent.
  static var largestLatent: Int { get }
  /// The flow of vectors of so many numbers.
  func makeFlow(size: Int, using random: inout RandomStream) -> Map
}

extension FlowSamplerDescription {
  public func validate() throws {
    try check(size: depth, "depth", most: 1000)
    try checkTraining(hidden, steps: steps, batchSize: batchSize, learningRate: learningRate)
  }

  public func validate(for model: some LatentVariableModel) throws {
    try check(latents: model.latentShape.count, most: Self.largestLatent)
  }

  public func makeSampler(
    _ facts: SamplerFacts, using random: inout RandomStream
  ) -> any LatentSampler {
    FlowSampler(
      makeFlow(size: facts.latents, using: &random), latentShape: Shape(facts.latentShape))
  }

  public func fit(
    _ data: EncodedData, using random: inout RandomStream, progress: (String) -> Void
  ) -> any LatentSampler {
    let facts = data.facts
    var sampler = FlowSampler(
      makeFlow(size: facts.latents, using: &random), latentShape: Shape(facts.latentShape))
    sampler.scale = CodeScale(of: data.codes(using: &random))
    let training = CodeTraining(steps: steps, batchSize: batchSize, learningRate: learningRate)
    sampler.flow = training.train(
      sampler.flow, on: data, scale: sampler.scale, using: &random, progress: progress
    ) { flow, codes, _, _ in
      -FlowSampler<Map>.standardized(flow, size: facts.latents).logProbability(of: codes).mean()
    }
    return sampler
  }
}

extension SamplerDescription {
  /// - Throws: `ModelRequirementError` for latents of more numbers.
  func check(latents: Int, most: Int) throws {
    if latents > most {
      throw ModelRequirementError(
        purpose: Self.purpose, found: "latents of \(latents) numbers",
        expected: "latents of at most \(most) numbers")
    }
  }
}
