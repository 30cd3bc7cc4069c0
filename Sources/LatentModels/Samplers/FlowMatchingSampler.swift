// Flow matching as a sampler: the network learns codes after training, class by class where there are labels.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Codes that a flow carries from noise.
public struct FlowMatchingSampler: LatentSampler {
  /// The shape of one latent.
  public let latentShape: Shape
  /// How it is drawn from; the rest of these settings is not looked at.
  public let settings: FlowMatchingDescription
  /// From noise to codes.
  public var flow: FlowMatching
  /// How often each class was seen, `[classes]`; one number that says nothing where there are none.
  public var classCounts: Tensor

  /// Of latents of this shape with labels of so many classes, before anything is learned.
  public init(
    _ latentShape: Shape, _ settings: FlowMatchingDescription = .init(), classes: Int = 0,
    using random: inout RandomStream
  ) {
    self.latentShape = latentShape
    self.settings = settings
    flow = FlowMatching(
      latents: latentShape.count, hidden: settings.hidden, classes: classes, using: &random)
    classCounts = .ones([max(1, classes)])
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&flow, "flow")
    visitor.visitBuffer(&classCounts, "classCounts")
  }

  public var classCount: Int { flow.velocity.classCount }

  /// Where `fields` have labels, codes are of these classes, else of classes as frequent as in training: the flow of a class
  /// was seen by all of its codes, that of none only by those whose label was left out. Traps where a label is unknown to
  /// the flow.
  public func latents(
    _ count: Int, of model: some LatentVariableModel, fields: [String: Tensor],
    using random: inout RandomStream
  ) -> Tensor {
    let labels = labels(count, fields, counts: classCounts, using: &random)
    return flow.codes(
      count, labels: labels, guidance: settings.guidance, steps: settings.solverSteps,
      solver: settings.solver, using: &random
    ).reshaped([count] + latentShape)
  }
}

/// Flow matching, in words.
public struct FlowMatchingDescription: SamplerDescription {
  public static let name = "flow-matching"
  public static let origin = Origin(
    "a flow from noise to codes, with guidance by class", paper: "Lipman et al. 2023",
    equation: "9, 23", test: "LatentModelsTests/Samplers/FlowMatchingTests.swift")

  /// Widths of the hidden layers.
  public var hidden = [256, 256, 256]
  /// Updates, each of a batch of codes.
  public var steps = 5000
  /// Codes of an update.
  public var batchSize = 256
  /// Of Adam, at the beginning.
  public var learningRate = 2e-3
  /// How the flow is followed.
  public var solver = FlowSolver.heun
  /// Steps from noise to a code.
  public var solverSteps = 50
  /// How much more codes shall be of their class than the class is, where they are drawn by labels.
  public var guidance = 0.0

  public init() {}

  public var ofFit: FlowMatchingDescription {
    let standard = FlowMatchingDescription()
    var settings = self
    settings.solver = standard.solver
    settings.solverSteps = standard.solverSteps
    settings.guidance = standard.guidance
    return settings
  }

  public func validate() throws {
    try checkTraining(hidden, steps: steps, batchSize: batchSize, learningRate: learningRate)
    try check(size: solverSteps, "solverSteps", most: 100_000)
    try check(guidance.isFinite, "guidance", guidance, "a number")
  }

  public func makeSampler(
    _ facts: SamplerFacts, using random: inout RandomStream
  ) -> any LatentSampler {
    FlowMatchingSampler(
      Shape(facts.latentShape), self, classes: facts.classes, using: &random)
  }

  public func fit(
    _ data: EncodedData, using random: inout RandomStream, progress: (String) -> Void
  ) -> any LatentSampler {
    let facts = data.facts
    var sampler = FlowMatchingSampler(
      Shape(facts.latentShape), self, classes: facts.classes, using: &random)
    let scale = CodeScale(of: data.codes(using: &random))
    let labels = data.labels
    let training = CodeTraining(steps: steps, batchSize: batchSize, learningRate: learningRate)
    if let labels {
      sampler.classCounts = Tensor.oneHot(labels, classes: facts.classes).sum(axes: [0])
    }
    sampler.flow.scale = scale
    sampler.flow.velocity = training.train(
      sampler.flow.velocity, on: data, scale: scale, using: &random, progress: progress
    ) { velocity, codes, rows, context in
      FlowMatching.loss(
        velocity, codes, labels: labels?.gathering(rows, axis: 0), using: &context.random)
    }
    return sampler
  }
}
