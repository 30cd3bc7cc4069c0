// What every probability distribution of the library can do. A decoder returns one of these, so
// the density that is trained on and the density that is evaluated are one code path.
//
// Shapes follow TensorFlow Distributions (Dillon et al. 2017): a draw has the shape
// `sample + batch + event`. The event is what one log-probability is about (an image, a latent
// vector), the batch is what differs in its parameters, sample axes lead (importance samples).
// Log-densities are complete, constants included, in nats, summed over the event.

import LatentAutodiff
import LatentNumerics

/// A probability distribution over tensors: what every one of them has.
///
/// Protocols for final value types: one distribution is one file, and nothing is subclassed. What only
/// some have is a protocol of its own, asked for where it is used: a density at any value
/// (`EvaluableDistribution`), a mean, a mode, samples that can be differentiated
/// (`ReparameterizedDistribution`). A normalizing flow or a Hamiltonian posterior knows the density of
/// its own draws only, and neither mean nor mode.
public protocol Distribution: Sendable {
  /// Shape of the independent parameter sets, such as `[batch]` or `[sample, batch]`.
  var batchShape: Shape { get }
  /// Shape of one draw for one parameter set.
  var eventShape: Shape { get }
  /// The type of draws, or of probabilities where draws are integers.
  var dtype: DType { get }
  /// Where the elements of its values lie.
  var support: Support { get }

  /// Draws `[sample, batch, event]` and their log-probabilities `[sample, batch]` in nats. Derivatives
  /// pass where the distribution is reparameterised. Takes a fixed number of draws of `random`.
  func sampleAndLogProbability(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor)

  /// Draws `[sample, batch, event]`, without derivative. Takes a fixed number of draws of `random`.
  func sample(_ sampleShape: Shape, using random: inout RandomStream) -> Tensor

  /// Nats, `[batch]`; nil where there is no closed form (a Monte-Carlo estimate is the caller's
  /// choice: `-logProbability` of samples).
  var entropy: Tensor? { get }

  /// KL(self || other) in closed form, nats `[batch]`, or nil. One half of the double dispatch.
  func closedFormKL(to other: any Distribution) -> Tensor?
  /// KL(other || self) in closed form, or nil: the other half, so that a new distribution can
  /// bring its formulas along without an edit elsewhere.
  func closedFormKL(from other: any Distribution) -> Tensor?

  /// What stands for the whole distribution in reconstructions and pictures, `[batch, event]`: its mean;
  /// its mode where there is no mean; where there is neither, what its family has of that kind, such as a
  /// flow's image of the mean of its base, or nil.
  var pointEstimate: Tensor? { get }
}

/// A distribution whose density can be asked at any value: every likelihood and most priors.
public protocol EvaluableDistribution: Distribution {
  /// Nats, `[..., batch]`, of values `[..., batch, event]` (leading axes broadcast, so that
  /// importance samples `[sample, batch, event]` and plain values both fit). -infinity outside
  /// the support.
  func logProbability(of value: Tensor) -> Tensor
}

/// A distribution whose expectation is known.
public protocol DistributionWithMean: Distribution {
  /// The expectation, `[batch, event]`.
  var mean: Tensor { get }
}

/// A distribution whose most probable value is known.
public protocol DistributionWithMode: Distribution {
  /// The most probable value, `[batch, event]`; where there are several, one of them.
  var mode: Tensor { get }
}

/// A distribution whose samples are differentiable functions of its parameters
/// (Kingma and Welling 2014; Rezende, Mohamed and Wierstra 2014).
public protocol ReparameterizedDistribution: Distribution {
  /// Draws `[sample, batch, event]` with derivatives with respect to the parameters.
  func reparameterizedSample(_ sampleShape: Shape, using random: inout RandomStream) -> Tensor
}

/// A distribution that is a product of factors, one for each element of its event: elements can be left
/// out.
public protocol MaskableDistribution: EvaluableDistribution {
  /// The log-probability without those elements whose `mask`, of the event's shape, is zero:
  /// `[..., batch]`, in nats.
  func logProbability(of value: Tensor, mask: Tensor) -> Tensor
}

/// A distribution that is a product over independent elements of its event.
public protocol FactorizedDistribution: MaskableDistribution, DistributionWithMode {
  /// Nats of each element, `[..., batch, event]`.
  func elementLogProbabilities(of value: Tensor) -> Tensor
}

/// A distribution that estimates its divergence from another one together with its draws: exactly in part, with
/// less noise than the difference of two densities, or part by part, as posteriors of several levels do.
public protocol DivergenceEstimatingDistribution: ReparameterizedDistribution {
  /// Draws and the divergence from `other`; nil where it knows no better way than the two densities. Takes
  /// a fixed number of draws of `random`, none where it is nil.
  func sampleAndDivergence(
    from other: any Distribution, _ sampleShape: Shape, using random: inout RandomStream
  ) -> DivergenceEstimate?
}

/// Draws and what is known of the divergence of where they are from.
public struct DivergenceEstimate: Sendable {
  /// Draws `[sample, batch, event]`.
  public var value: Tensor
  /// Unbiased, nats, `[sample, batch]`.
  public var divergence: Tensor
  /// What `divergence` is the sum of, by names, each `[sample, batch]`; empty where it is one.
  public var parts: [(name: String, value: Tensor)]
  /// What is worth seeing of it that is no part, such as two numbers that it is the difference of, by names, each
  /// `[sample, batch]`.
  public var figures: [(name: String, value: Tensor)]

  /// Of draws `[sample, batch, event]`, nats `[sample, batch]`.
  public init(
    value: Tensor, divergence: Tensor, parts: [(name: String, value: Tensor)] = [],
    figures: [(name: String, value: Tensor)] = []
  ) {
    self.value = value
    self.divergence = divergence
    self.parts = parts
    self.figures = figures
  }
}

extension Distribution {
  /// One draw for each parameter set, `[batch, event]`, without derivative.
  public func sample(using random: inout RandomStream) -> Tensor { sample([], using: &random) }

  /// One draw for each parameter set, `[batch, event]`, and its log-probability `[batch]` in nats.
  public func sampleAndLogProbability(
    using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor) {
    sampleAndLogProbability([], using: &random)
  }

  public var entropy: Tensor? { nil }
  public func closedFormKL(to other: any Distribution) -> Tensor? { nil }
  public func closedFormKL(from other: any Distribution) -> Tensor? { nil }

  public var pointEstimate: Tensor? {
    (self as? any DistributionWithMean)?.mean ?? (self as? any DistributionWithMode)?.mode
  }
}

extension Distribution {
  /// This distribution as one whose density can be asked at any value; traps where it cannot.
  public var evaluable: any EvaluableDistribution {
    guard let density = self as? any EvaluableDistribution else {
      fatalError("\(Self.self) knows the density of its own draws only, not of any value")
    }
    return density
  }
}

extension EvaluableDistribution {
  /// The draw comes first and the density is asked of it, as suits most families.
  public func sampleAndLogProbability(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor) {
    let value = sample(sampleShape, using: &random)
    return (value, logProbability(of: value))
  }
}

extension ReparameterizedDistribution {
  /// One draw for each parameter set, `[batch, event]`, with derivatives with respect to the
  /// parameters.
  public func reparameterizedSample(using random: inout RandomStream) -> Tensor {
    reparameterizedSample([], using: &random)
  }

  public func sample(_ sampleShape: Shape, using random: inout RandomStream) -> Tensor {
    reparameterizedSample(sampleShape, using: &random).detached
  }
}

extension ReparameterizedDistribution where Self: EvaluableDistribution {
  public func sampleAndLogProbability(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor) {
    let value = reparameterizedSample(sampleShape, using: &random)
    return (value, logProbability(of: value))
  }
}

extension FactorizedDistribution {
  public func logProbability(of value: Tensor) -> Tensor {
    elementLogProbabilities(of: value).summedOverEvent(eventShape.rank)
  }

  /// Only elements where `mask`, of any type, is not zero count (observed entries; valid positions).
  /// The others may hold anything, NaN too: the mode stands in for them, so that no derivative meets
  /// one.
  public func logProbability(of value: Tensor, mask: Tensor) -> Tensor {
    let observed = mask.detached.converted(to: dtype) .!= 0
    let standIn = mode.detached.converted(to: value.dtype)
    let elements = elementLogProbabilities(
      of: Tensor.where(observed.converted(to: value.dtype), value, standIn))
    return Tensor.where(observed, elements, elements.zerosLike).summedOverEvent(eventShape.rank)
  }
}

extension Tensor {
  /// The sum over the last `rank` axes.
  func summedOverEvent(_ rank: Int) -> Tensor {
    rank == 0 ? self : sum(axes: Array((self.rank - rank)..<self.rank))
  }
}
