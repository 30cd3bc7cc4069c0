// A prior whose density comes from the flow of a velocity, the network of flow matching (Lipman et al. 2023) without its
// loss: here the velocity is trained with the model, by the density of the posterior's draws (Grathwohl et al. 2019).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The standard normal carried along a learned velocity.
public struct FlowMatchingPrior: Prior {
  /// The velocity of latents.
  public var velocity: VelocityNetwork
  /// The shape of one latent.
  public let eventShape: Shape
  /// Steps of Heun's rule.
  public let steps: Int

  /// N(0, I) at first.
  public init(
    _ eventShape: Shape, hidden: [Int], steps: Int, using random: inout RandomStream
  ) {
    velocity = VelocityNetwork(
      latents: eventShape.count, hidden: hidden, classes: 0, using: &random)
    (self.eventShape, self.steps) = (eventShape, steps)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&velocity, "velocity")
  }

  /// In training the trace of each value is that of a random probe; afterwards it is exact up to 32 numbers.
  public func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution {
    let isEstimated = context.isTraining || eventShape.count > ProbabilityFlow.mostExact
    return CarriedNormal(
      velocity, eventShape: eventShape, steps: steps, dtype: dtype,
      probes: isEstimated ? RandomStream(seed: context.random.next()) : nil)
  }
}

/// A standard normal that a velocity carries to where latents are.
public struct CarriedNormal: EvaluableDistribution {
  /// Of the latents' numbers as one axis.
  public let velocity: VelocityNetwork
  public let eventShape: Shape
  /// Steps of Heun's rule.
  public let steps: Int
  public let dtype: DType
  private let probes: RandomStream?

  /// `probes` are where the random signs of estimated traces are from, the same for every call; without them traces are
  /// exact, and cost a derivative for each number.
  public init(
    _ velocity: VelocityNetwork, eventShape: Shape, steps: Int, dtype: DType = .float32,
    probes: RandomStream? = nil
  ) {
    self.velocity = velocity
    self.eventShape = eventShape
    self.steps = steps
    self.dtype = dtype
    self.probes = probes
  }

  public var batchShape: Shape { [] }
  public var support: Support { .reals }

  private func flow(_ shape: Shape) -> ProbabilityFlow {
    guard var stream = probes else { return ProbabilityFlow(velocity, steps: steps) }
    return ProbabilityFlow(
      velocity, steps: steps, probe: ProbabilityFlow.probe(shape, dtype, using: &stream))
  }

  public func logProbability(of value: Tensor) -> Tensor {
    require(
      value.rank >= eventShape.rank && value.shape.suffix(eventShape.rank) == eventShape,
      "CarriedNormal: value of shape \(value.shape), expected [..., \(eventShape)]")
    let leading = value.shape.prefix(value.rank - eventShape.rank)
    let rows = value.reshaped([leading.count, eventShape.count])
    return flow(rows.shape).logProbability(of: rows).reshaped(leading)
  }

  public func sample(_ sampleShape: Shape, using random: inout RandomStream) -> Tensor {
    latents(at: random.normalTensor(sampleShape + eventShape, dtype)).detached
  }

  public func sampleAndLogProbability(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor) {
    let value = sample(sampleShape, using: &random)
    return (value, logProbability(of: value))
  }
}

extension CarriedNormal: BaseSpace {
  public func base(of latents: Tensor) -> Tensor {
    let rows = latents.reshaped([latents.count / eventShape.count, eventShape.count])
    return flow(rows.shape).start(of: rows).reshaped(latents.shape)
  }

  public func latents(at base: Tensor) -> Tensor {
    let rows = base.reshaped([base.count / eventShape.count, eventShape.count])
    return flow(rows.shape).codes(from: rows).reshaped(base.shape)
  }
}

/// That prior in words.
public struct FlowMatchingPriorDescription: PriorDescription {
  public static let name = "flow-matching"
  public static let origin = Origin(
    "a standard normal carried along a learned velocity", paper: "Grathwohl et al. 2019",
    equation: "4, 8", test: "LatentModelsTests/Priors/FlowMatchingPriorTests.swift")

  /// Widths of the hidden layers.
  public var hidden = [128, 128]
  /// Steps of the solver, each of which takes two derivatives of the network.
  public var solverSteps = 8

  public init() {}
  public var factorizes: Bool { false }

  public func validate() throws {
    let limit = ModelDescription.maximumDepth
    try check(hidden.count <= limit, "hidden", hidden, "fewer widths")
    for width in hidden { try check(size: width, "hidden") }
    try check((1...1000).contains(solverSteps), "solverSteps", solverSteps, "1 to 1000")
  }

  public func parameterCount(latentShape: [Int], inputShape: [Int]) -> Double {
    VelocityNetwork.parameterCount(latents: Shape(latentShape).count, hidden: hidden)
  }

  public func makePrior(
    latentShape: Shape, inputShape: Shape, using random: inout RandomStream
  ) -> any Prior {
    FlowMatchingPrior(latentShape, hidden: hidden, steps: solverSteps, using: &random)
  }
}
