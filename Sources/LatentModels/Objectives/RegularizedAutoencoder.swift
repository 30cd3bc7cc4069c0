// Autoencoders without noise. A decoder that is kept smooth takes the place of the noise that codes have in a
// variational one (Ghosh et al. 2020, "From variational to deterministic autoencoders", equations 6 to 10).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// `reconstruction + embedding * |z|²/2 + weight * penalty`, where z is the mean of the posterior.
public struct RegularizedAutoencoder<Model: LatentVariableModel>: Objective {
  /// What keeps the decoder smooth.
  public enum Penalty: String, Sendable, Hashable {
    /// Nothing.
    case none
    /// The sum of squares of all trained parameters below `decoder` (equation 8). In the loss, hence
    /// divided by Adam's second moments like everything else: not decoupled weight decay.
    case weights
    /// The squared Frobenius norm of d mean(x | z) / dz at the code (equation 9), estimated without bias by
    /// |J^T v|² with one vector v of random signs for each example (Hutchinson 1990). It is the decoder's
    /// alone; the encoder is moved by where it puts the code.
    case gradient
  }

  /// What keeps the decoder smooth.
  public let penalty: Penalty
  /// The weight of the penalty.
  public let weight: WeightSchedule
  /// The weight of half the squared length of codes.
  public let embedding: WeightSchedule
  /// What reconstructions cost.
  public let cost: ReconstructionCost

  /// Traps where a weight is negative.
  public init(
    penalty: Penalty, weight: WeightSchedule = 0, embedding: WeightSchedule = 0,
    cost: ReconstructionCost = .squared, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      weight.isWeight && embedding.isWeight,
      "an autoencoder with weights \(weight), \(embedding)", file: file, line: line)
    self.penalty = penalty
    self.weight = weight
    self.embedding = embedding
    self.cost = cost
  }

  public var summary: String {
    "RegularizedAutoencoder(penalty: \(penalty.rawValue), weight: \(weight), embedding: "
      + "\(embedding), cost: \(cost.rawValue))"
  }

  public func callAsFunction(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let q = model.checkedPosterior(of: x, &context)
    let z = q.requiredMean(for: "an autoencoder without noise")
    let likelihood: Model.Likelihood
    var terms: [(name: String, value: Tensor)] = []
    switch penalty {
    case .none, .weights:
      likelihood = model.checkedLikelihood(of: z, leading: q.batchShape, &context)
      if penalty == .weights { terms = [("weights", squaredWeights(of: model))] }
    case .gradient:
      let (decoded, slope) = decodeWithSlope(model, z, q.batchShape, &context)
      likelihood = decoded
      terms = [("gradient", slope)]
    }
    let reconstruction = cost.distortion(likelihood, x, observedIn: context).mean()
    if penalty == .none && embedding == 0 {
      return LossTerms(total: reconstruction, terms: [("reconstruction", reconstruction)])
    }
    let length = square(z).sum() * (0.5 / Double(z.shape[0]))
    let regularizer = terms.first?.value
    terms = [("reconstruction", reconstruction), ("embedding", length)] + terms
    return LossTerms(context, weights: [embedding, weight], terms: terms) { weights in
      let total = reconstruction + length.weighted(weights[0])
      return regularizer.map { total + $0.weighted(weights[1]) } ?? total
    }
  }

  private func squaredWeights(of model: Model) -> Tensor {
    let squares = model.decoderParameters.map { square($0).sum() }
    require(!squares.isEmpty, "\(Model.self) has no trained parameters below 'decoder'")
    return squares.dropFirst().reduce(squares[0], +)
  }

  /// The likelihood at z and the mean over the batch of the probed squared norm of its mean's Jacobian, from
  /// one pass: the derivative is itself recorded where parameters are differentiated.
  private func decodeWithSlope(
    _ model: Model, _ z: Tensor, _ batch: Shape, _ context: inout LayerContext
  ) -> (likelihood: Model.Likelihood, slope: Tensor) {
    let result = valueAndGradient(
      at: [z],
      withAuxiliary: { inputs in
        let likelihood = model.checkedLikelihood(of: inputs[0], leading: batch, &context)
        let mean = likelihood.requiredMean(for: "a gradient penalty")
        let signs = (context.random.uniformTensor(mean.shape, mean.dtype) .< 0.5) * 2 - 1
        return ((mean * signs).sum(), likelihood)
      })
    let slope = result.gradients[0].map { square($0).sum() / Double(z.shape[0]) }
    return (result.auxiliary, slope ?? .scalar(0, z.dtype))
  }
}

extension Module {
  /// The trained parameters below `decoder`.
  fileprivate var decoderParameters: [Tensor] {
    let pattern: PathPattern = "decoder.**"
    return namedParameters.filter { $0.isTrained && pattern.matches($0.path) }.map(\.tensor)
  }
}

/// The plain autoencoder in words.
public struct AutoencoderDescription: ObjectiveDescription {
  public static let name = "ae"
  public static let origin = Origin(
    "a plain autoencoder: reconstructions from the posterior's mean",
    paper: "Hinton and Salakhutdinov 2006", equation: "1")

  /// What reconstructions cost.
  public var cost = ReconstructionCost.likelihood

  public init() {}

  public func validate() throws {}

  public func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requireMeanOfPosterior(model)
    try requireMeanOfLikelihood(model, for: cost)
    return RegularizedAutoencoder<Model>(penalty: .none, cost: cost)
  }
}

/// The regularised autoencoder with small decoder weights, in words.
public struct RegularizedWeightsDescription: ObjectiveDescription {
  public static let name = "rae-l2"
  public static let origin = Origin(
    "an autoencoder with short codes and small weights of its decoder",
    paper: "Ghosh et al. 2020", equation: "6, 8")

  /// The weight of half the squared length of codes.
  public var embedding: WeightSchedule = 1e-4
  /// The weight of the decoder's squared parameters.
  public var weight: WeightSchedule = 1e-7
  /// What reconstructions cost.
  public var cost = ReconstructionCost.squared

  public init() {}

  public func validate() throws {
    try check(weight: embedding, "embedding")
    try check(weight: weight, "weight")
  }

  public func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requireMeanOfPosterior(model)
    try requireMeanOfLikelihood(model, for: cost)
    if model.decoderParameters.isEmpty {
      throw ModelRequirementError(
        purpose: Self.purpose, found: "none in \(Model.self)",
        expected: "trained parameters below 'decoder'")
    }
    return RegularizedAutoencoder<Model>(
      penalty: .weights, weight: weight, embedding: embedding, cost: cost)
  }
}

/// The regularised autoencoder with a decoder of small slope, in words.
public struct RegularizedGradientDescription: ObjectiveDescription {
  public static let name = "rae-gp"
  public static let origin = Origin(
    "an autoencoder with short codes and a decoder of small slope", paper: "Ghosh et al. 2020",
    equation: "6, 9")

  /// The weight of half the squared length of codes.
  public var embedding: WeightSchedule = 1e-4
  /// The weight of the decoder's squared slope.
  public var weight: WeightSchedule = 5e-8
  /// What reconstructions cost.
  public var cost = ReconstructionCost.squared

  public init() {}

  public func validate() throws {
    try check(weight: embedding, "embedding")
    try check(weight: weight, "weight")
  }

  public func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requireMeanOfPosterior(model)
    try requireMeanOfLikelihood(model)
    return RegularizedAutoencoder<Model>(
      penalty: .gradient, weight: weight, embedding: embedding, cost: cost)
  }
}
