// The rule of all wrappers that are lenses: what is around the objective inside is written once.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// The settings of a wrapper that changes what is seen of a batch, or adds a term to the loss: all that such a
/// wrapper is.
public protocol LensDescription: WrapperDescription {
  /// What the objective inside is to know of a run.
  /// - Throws: `ModelRequirementError` where the model lacks what the wrapper itself needs.
  func facts<Model: LatentVariableModel>(
    inside facts: TrainingFacts, for model: Model
  ) throws -> TrainingFacts
  /// How x `[batch, ...]` looks from inside; nil: as it is, to the bit. All turns of a step get a stream of the same
  /// numbers, which nothing else draws from.
  func lens<Model: LatentVariableModel>(
    _ x: Tensor, of model: Model, _ context: LayerContext, using random: inout RandomStream
  ) -> Lens?
}

extension LensDescription {
  public func facts<Model: LatentVariableModel>(
    inside facts: TrainingFacts, for model: Model
  ) throws -> TrainingFacts { facts }

  public func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    let known = try self.facts(inside: facts, for: model)
    func open<Inner: TrainingObjective<LensedModel<Model>>>(
      _ inner: Inner
    ) -> any TrainingObjective<Model> { Wrapped(self, around: inner) }
    return open(try inside.description.make(for: LensedModel(model), known))
  }
}

/// Any objective within a wrapper, which has its turns, parts and paths.
///
/// ```swift
/// NestedDropout(around: ELBO(beta: 4)) { $0.ratio = 0.9 }
/// ```
public struct Wrapped<
  Wrapper: LensDescription, Model: LatentVariableModel, Inner: TrainingObjective
>: WrapperObjective where Inner.Model == LensedModel<Model> {
  public let settings: Wrapper
  public let inside: Inner

  /// The wrapper with its standard settings, but for what `change` changes. Traps where one is out of its range.
  public init(
    around inside: Inner, file: StaticString = #fileID, line: UInt = #line,
    _ change: (inout Wrapper) -> Void = { _ in }
  ) {
    self.init(Wrapper.standard(file: file, line: line, change), around: inside)
  }

  /// The wrapper with these settings, which are valid.
  init(_ settings: Wrapper, around inside: Inner) {
    self.settings = settings
    self.inside = inside
  }

  public var turns: [Turn] { inside.turns }

  public func isDue(_ turn: Int, step: Int, _ parts: Inner.Parts) -> Bool {
    inside.isDue(turn, step: step, parts)
  }

  public func makeParts(for model: Model, using random: inout RandomStream) -> Inner.Parts {
    inside.makeParts(for: LensedModel(model), using: &random)
  }

  public func settle(_ model: inout Model, _ parts: Inner.Parts, except frozen: [PathPattern]) {
    guard settlesParameters else { return }
    var seen = LensedModel(model)
    inside.settle(&seen, parts, except: frozen)
    model = seen.base
  }

  public func loss(
    of turn: Int, _ model: Model, _ parts: Inner.Parts, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let stream = stream(context)
    var draws = stream
    guard let lens = settings.lens(x, of: model, context, using: &draws) else {
      return handingOn(
        stream, inside.loss(of: turn, LensedModel(model), parts, x, &context), context)
    }
    let seen = LensedModel(model, through: lens)
    let mask = context.fields[FieldName.mask]
    Inner.Model.enter(lens, &context)
    defer { Inner.Model.leave(&context, mask: mask) }
    var terms = inside.loss(of: turn, seen, parts, lens.target, &context)
    if let term = lens.term, turn == encoderTurn {
      let name = Inner.Model.field(.term)
      // Objectives of generated data alone have no posterior of the batch.
      if context.fields[name] == nil { _ = seen.checkedPosterior(of: lens.target, &context) }
      if let value = context.fields[name] { terms.add(term, value, context) }
    }
    return handingOn(stream, terms, context)
  }

  /// The first player that moves the encoder; the first one of models without a part of that name.
  private var encoderTurn: Int { turns.firstIndex { $0.parameters.match("encoder") } ?? 0 }

  /// What the wrapper draws from: the same numbers at each turn of a step, and none of the objective's inside.
  private func stream(_ context: LayerContext) -> RandomStream {
    let name = Inner.Model.field(.seed)
    guard let halves = context.fields[name]?.doubles else { return context.random.split(name) }
    return RandomStream(seed: UInt64(halves[0]) << 32 | UInt64(halves[1]))
  }

  private func handingOn(
    _ stream: RandomStream, _ terms: LossTerms, _ context: LayerContext
  ) -> LossTerms {
    guard context.isTraining && turns.count > 1 else { return terms }
    var terms = terms
    let halves = [stream.key >> 32, stream.key & 0xFFFF_FFFF].map { Double($0) }
    terms.handover[Inner.Model.field(.seed)] = Tensor(halves, shape: [2])
    return terms
  }
}

extension LossTerms {
  /// Adds a term that a wrapper weighs.
  fileprivate mutating func add(_ term: Lens.Term, _ value: Tensor, _ context: LayerContext) {
    let final = term.weight.final
    let now = context.isTraining ? term.weight.value(step: context.step) : final
    if afterWarmup != nil || now != final {
      afterWarmup = (afterWarmup ?? total) + value.weighted(final)
    }
    total = total + value.weighted(now)
    terms.append((term.name, value))
  }
}
