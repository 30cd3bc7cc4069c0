// Sparse autoencoders: what a network's activations are made of, as sums of few of many directions. Dead directions, which
// no example uses any more, are brought back by letting them say what the others leave (Gao et al. 2024, "Scaling and
// evaluating sparse autoencoders", appendix A.2).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The share of the batch's variance that reconstructions leave unexplained, `sum |x - x̂|² / sum |x - mean|²`, and
/// `auxiliary` times the share of the rest that dead latents leave.
///
/// How codes become sparse is the posterior's business (`TopKHead`, `BatchTopKHead`, `JumpReLUHead`), and so is the loss
/// that it takes. Directions have length 1: in training they count as if they had, so that derivatives along
/// them are nothing, and after each step they are given it. With several `levels` each half of the dictionary is an
/// autoencoder of its own, and the first half of that, and so on; their losses are averaged (Bussmann, Nabeshima,
/// Karvonen and Nanda 2025, equation 4).
public struct SparseAutoencoder<
  Model: DictionaryModel, Settings: SparseObjectiveDescription
>: DescribedObjective {
  public let settings: Settings

  public init(_ settings: Settings) { self.settings = settings }

  /// Which latents are silent.
  public struct Parts: Module {
    /// Examples since each latent was last active, float64, `[latent]`.
    public var silence: Tensor

    public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      visitor.visitBuffer(&silence, "silence")
    }
  }

  /// No latent is silent yet.
  public func makeParts(for model: Model, using random: inout RandomStream) -> Parts {
    Parts(silence: .zeros([model.dictionary.shape[0]], .float64))
  }

  /// A batch of one has no variance.
  public var smallestBatch: Int { 2 }

  public func loss(
    of turn: Int, _ model: Model, _ parts: Parts, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    require(
      context.fields[FieldName.mask] == nil,
      "\(Settings.purpose) of data with a mask: directions are of whole examples")
    var model = model
    if context.isTraining { model.dictionary = model.dictionary.unitRows }
    let values = model.preactivations(of: x)
    let code = model.code(of: values, &context)
    let examples = x.flattened(from: 1)
    let spread = square(examples - examples.mean(axes: [0])).sum().detached
    let variance = maximum(spread, spread.zerosLike + 1e-30)

    // Each level adds its latents to what the levels before have said.
    var rest = examples - model.center
    var shares: [Tensor] = []
    for range in levels(of: code.shape[1]) {
      rest =
        rest - matmul(sparse: code.sliced(1, range), model.dictionary.sliced(0, range))
      shares.append(square(rest).sum() / variance)
    }
    let unexplained = shares[shares.count - 1]
    let mean = shares.dropFirst().reduce(shares[0], +) / Double(shares.count)
    var terms = [("unexplained", unexplained)]
    if shares.count > 1 { terms.append(("levels", mean)) }

    let dead = context.current(parts.silence) .>= Double(settings.deadAfter)
    let auxiliary = deadShare(
      of: rest.detached, values, dead.converted(to: values.dtype), model.dictionary)
    terms += [("auxiliary", auxiliary), ("dead", dead.mean().converted(to: values.dtype))]
    if context.isTraining {
      let isActive = (code.detached .!= 0).max(axes: [0]).converted(to: .float64)
      let count = Double(x.shape[0])
      context.update(parts.silence) { silence in (silence + count) * (1 - isActive) }
    }
    return LossTerms(total: mean + auxiliary * settings.auxiliary, terms: terms)
  }

  /// The latents of each level, from the first on.
  private func levels(of latents: Int) -> [Range<Int>] {
    let ends = (0..<settings.levels).map { latents >> (settings.levels - 1 - $0) }
      .filter { $0 > 0 }
    return zip([0] + ends, ends).map { $0..<$1 }
  }

  /// The share of what the code leaves unsaid that the dead latents leave too: half as many of them as an example has
  /// elements, those that are largest. 0 where none is dead.
  private func deadShare(
    of rest: Tensor, _ values: Tensor, _ dead: Tensor, _ dictionary: Tensor
  ) -> Tensor {
    let count = Int(dead.sum().item)
    guard count > 0, settings.auxiliary > 0 else { return .zeros([], values.dtype) }
    let infinity = values.zerosLike - .infinity
    let chosen = Tensor.where(dead, values.detached, infinity)
      .largestMask(min(count, max(1, rest.shape[1] / 2)))
    let said = matmul(sparse: relu(values) * chosen, dictionary)
    let spread = square(rest - rest.mean(axes: [0])).sum()
    // A rest of nothing, as of a code that says all, leaves nothing to be said.
    if spread.item == 0 { return .zeros([], values.dtype) }
    return square(rest - said).sum() / spread
  }

  public var settlesParameters: Bool { true }

  /// Gives the directions length 1, which changes no loss of training.
  public func settle(_ model: inout Model, _ parts: Parts, except frozen: [PathPattern]) {
    if !frozen.match(Model.dictionaryPath) { model.dictionary = model.dictionary.unitRows }
  }
}

/// Sparse autoencoders in words.
public protocol SparseObjectiveDescription: ObjectiveDescription {
  /// What the dead latents' share counts.
  var auxiliary: Double { get set }
  /// Examples after which a latent that was never active is dead.
  var deadAfter: Int { get set }
  /// Dictionaries inside each other.
  var levels: Int { get }
}

extension SparseObjectiveDescription {
  public static var requirement: String { "the network 'sparse' and a posterior that is a point" }
  public var asksOnlyAboutTheBatch: Bool { false }
  public var levels: Int { 1 }

  public func validate() throws {
    try check(weight: auxiliary, "auxiliary")
    try check(deadAfter > 0, "deadAfter", deadAfter, "a positive number")
    try check((1...16).contains(levels), "levels", levels, "1 to 16")
  }

  public func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    guard let dictionary = model as? any DictionaryModel else {
      throw ModelRequirementError(
        purpose: Self.purpose, found: "\(Model.self)",
        expected:
          "the network 'sparse' with a posterior that is a point, such as 'topk', and a normal "
          + "likelihood")
    }
    func open<Opened: DictionaryModel>(_ model: Opened) -> any TrainingObjective {
      SparseAutoencoder<Opened, Self>(self)
    }
    return cast(open(dictionary), for: model)
  }
}

/// One sparse autoencoder, in words.
public struct SparseDescription: SparseObjectiveDescription {
  public static let name = "sparse"
  public static let origin = Origin(
    "a sparse autoencoder: few of many directions say what an example is",
    paper: "Gao et al. 2024", equation: "2 and appendix A.2",
    test: "LatentModelsTests/SparseAutoencoderTests.swift")

  public var auxiliary = 1.0 / 32
  public var deadAfter = 10_000_000

  public init() {}
}

/// Sparse autoencoders inside each other, in words.
public struct MatryoshkaDescription: SparseObjectiveDescription {
  public static let name = "matryoshka"
  public static let origin = Origin(
    "sparse autoencoders inside each other: the first half of the latents is one too",
    paper: "Bussmann et al. 2025", equation: "4",
    test: "LatentModelsTests/SparseAutoencoderTests.swift")

  public var auxiliary = 1.0 / 32
  public var deadAfter = 10_000_000
  public var levels = 5

  public init() {}
}
