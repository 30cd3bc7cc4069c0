// What a wrapper does to the objective inside: it changes what is seen of a batch. The objective inside trains a model
// that looks like the one it wraps, at data that look like the batch; so it need not know that it is wrapped, whatever
// it computes, and whatever it asks of models.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// How a batch and the model look from inside of a wrapper.
public struct Lens: Sendable {
  /// What the objective inside takes for the data, `[batch, ...]`: what is to be reconstructed.
  public var target: Tensor
  /// What of `target` is observed; nil: everything.
  public var mask: Tensor?
  /// What the encoder sees where it is asked for the posterior of `target`; nil: `target` itself.
  public var seen: Tensor?
  /// What of `seen` is observed; nil: everything.
  public var seenMask: Tensor?
  /// What the decoder gets in place of latents `[..., batch, latent]`, of which as many axes as the second argument
  /// says are one latent; nil: the latents themselves.
  public var latents: (@Sendable (_ z: Tensor, _ eventRank: Int) -> Tensor)?
  /// What is added to the loss of the first player that moves the encoder.
  public var term: Term?

  /// A term of the posterior.
  public struct Term: Sendable {
    /// How it is called among the parts of a loss.
    public let name: String
    /// What it counts.
    public let weight: WeightSchedule
    /// Its value for a posterior of batch shape `[batch]`: a mean over the batch, shape `[]`.
    public let value: @Sendable (any Distribution) -> Tensor

    /// A term by its name.
    public init(
      _ name: String, weight: WeightSchedule,
      value: @escaping @Sendable (any Distribution) -> Tensor
    ) {
      self.name = name
      self.weight = weight
      self.value = value
    }
  }

  /// Everything as it is: x `[batch, ...]` with the mask of the context.
  public init(_ x: Tensor, _ context: LayerContext) {
    target = x
    mask = context.fields[FieldName.mask]
    seenMask = mask
  }
}

/// A model as it looks from inside of a wrapper.
///
/// It is every kind of model that the one inside of it is, has its parameters under the same paths, and is made by
/// ``Wrapped``.
public struct LensedModel<Base: LatentVariableModel>: LatentVariableModel {
  /// The model itself.
  public var base: Base
  let lens: Lens?

  init(_ base: Base, through lens: Lens? = nil) {
    self.base = base
    self.lens = lens
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    base.visitParameters(&visitor)
  }

  public var masking: Masking { base.masking }

  public func posterior(_ x: Tensor, _ context: inout LayerContext) -> Base.Posterior {
    let q = seen(x, &context)
    // The batch is what is asked for first; some objectives also ask for data that they made up.
    if let term = lens?.term, context.fields[Self.field(.term)] == nil {
      context.fields[Self.field(.term)] = term.value(q)
    }
    return q
  }

  /// The posterior of what the lens shows in place of x, entries that a mask hides being filled in already. The batch is
  /// known by its bits, a part of it too: whatever else an objective asks for is seen as it is.
  private func seen(_ x: Tensor, _ context: inout LayerContext) -> Base.Posterior {
    let mask = context.fields[FieldName.mask]
    guard let target = context.fields[Self.field(.target)],
      let seen = context.fields[Self.field(.seen)],
      base.masking(target, mask: mask).array == x.array
    else { return base.posterior(x, &context) }
    let seenMask = context.fields[Self.field(.seenMask)]
    context.fields[FieldName.mask] = seenMask
    defer { context.fields[FieldName.mask] = mask }
    return base.posterior(base.masking(seen, mask: seenMask), &context)
  }

  public func likelihood(_ z: Tensor, _ context: inout LayerContext) -> Base.Likelihood {
    guard let latents = lens?.latents else { return base.likelihood(z, &context) }
    let rank = z.rank == 2 ? 1 : base.latentShape(fields: context.fields).rank
    return base.likelihood(latents(z, rank), &context)
  }

  public func prior(_ dtype: DType, _ context: inout LayerContext) -> any Distribution {
    base.prior(dtype, &context)
  }
}

extension LensedModel: ReparameterizedModel where Base.Posterior: ReparameterizedDistribution {}
extension LensedModel: DiagonalNormalModel where Base.Posterior == DiagonalNormal {}
extension LensedModel: ExpectedDataModel where Base.Likelihood: DistributionWithMean {}

// MARK: What a lens leaves among the fields of a batch

/// Fields with a row for each example follow an objective that takes a batch apart.
enum LensField: String, CaseIterable {
  case target, seen, seenMask, term, seed
}

private protocol Lensed {
  /// How many lenses there are one in another.
  static var depth: Int { get }
}

extension LensedModel: Lensed {
  fileprivate static var depth: Int { 1 + ((Base.self as? any Lensed.Type)?.depth ?? 0) }

  /// The name of a field of this lens, which no other one of the same batch has.
  static func field(_ field: LensField) -> String { "lens\(depth).\(field.rawValue)" }

  /// Puts in place what the objective inside sees of a batch.
  static func enter(_ lens: Lens, _ context: inout LayerContext) {
    context.fields[FieldName.mask] = lens.mask
    guard let seen = lens.seen else { return }
    context.fields[field(.target)] = lens.target
    context.fields[field(.seen)] = seen
    context.fields[field(.seenMask)] = lens.seenMask
  }

  /// Takes it away again.
  static func leave(_ context: inout LayerContext, mask: Tensor?) {
    context.fields[FieldName.mask] = mask
    for name in LensField.allCases where name != .seed { context.fields[field(name)] = nil }
  }
}
