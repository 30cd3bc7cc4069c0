// A likelihood of sequences by the chain rule, p(x | z) = prod p(x_t | x_<t, z). Of given data all
// factors come from one pass of the network (teacher forcing, Williams and Zipser 1989); new
// sequences are made element by element, each seen by the next, from what the network remembers of
// those before.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A network that predicts each element of a sequence from a latent and the elements before it.
public protocol AutoregressiveNetwork: Module {
  /// What is remembered between two elements.
  associatedtype Progress: Sendable
  /// Elements of a sequence.
  var length: Int { get }
  /// Values that an element can have.
  var classCount: Int { get }
  /// z `[rows, latent]` and int32 x `[rows, length]` to logits `[rows, length, classes]`, those of
  /// an element from the ones before it alone.
  func logits(_ z: Tensor, _ x: Tensor, _ context: inout LayerContext) -> Tensor
  /// Before the first element, for z `[rows, latent]`.
  func start(_ z: Tensor) -> Progress
  /// Logits `[rows, classes]` of the next element; `previous` is the one before it, int32 `[rows]`,
  /// nil at first.
  func next(_ previous: Tensor?, _ progress: inout Progress) -> Tensor
}

/// Sequences of classes, int32 `[batch, length]`, each element conditioned on those before it.
public struct AutoregressiveCategorical<Network: AutoregressiveNetwork>: MaskableDistribution,
  DistributionWithMode
{
  /// What predicts each element.
  public let network: Network
  /// `[batch, latent]`
  public let latents: Tensor
  public let batchShape: Shape
  private let context: LayerContext

  /// Sequences of a network, given latents.
  ///
  /// - Parameters:
  ///   - latents: `[batch, latent]`; the batch may have several axes or none
  ///   - context: of the pass that makes this likelihood: while training, one draw is taken for
  ///     the network's dropout
  public init(
    _ network: Network, latents: Tensor, _ context: inout LayerContext,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      latents.rank > 0 && latents.dtype.isFloatingPoint,
      "AutoregressiveCategorical: latents \(latents.shape) of \(latents.dtype)", file: file,
      line: line)
    self.network = network
    self.latents = latents
    batchShape = latents.shape.prefix(latents.rank - 1)
    self.context =
      context.isTraining
      ? LayerContext(
        isTraining: true, random: RandomStream(seed: context.random.next()), step: context.step,
        fields: context.fields)
      : .inference
  }

  public var eventShape: Shape { [network.length] }
  /// The type of probabilities; values are int32.
  public var dtype: DType { latents.dtype }
  public var support: Support { .classes(network.classCount) }

  /// Logits of each element given those before it: values `[..., batch, length]` to
  /// `[..., batch, length, classes]`. Values that are no class count as class 0 for their
  /// successors.
  public func logits(of value: Tensor) -> Tensor {
    require(
      value.rank > 0 && value.shape.suffix(1) == eventShape && value.dtype == .int32,
      "AutoregressiveCategorical: value of shape \(value.shape), \(value.dtype): expected int32 "
        + "sequences of \(network.length)")
    guard let common = value.shape.prefix(value.rank - 1).broadcast(with: batchShape) else {
      fatalError(
        "AutoregressiveCategorical: values \(value.shape) do not broadcast with \(batchShape)")
    }
    let known = value * ((value .>= 0) * (value .< Double(network.classCount)))
    let x = known.broadcast(to: common + eventShape).reshaped([common.count, network.length])
    var context = context
    return network.logits(rows(of: common), x, &context)
      .reshaped(common + eventShape.appending(network.classCount))
  }

  public func logProbability(of value: Tensor) -> Tensor {
    elementLogProbabilities(of: value).sum(axes: [-1])
  }

  /// Elements that do not count, such as what fills up a short text, may hold anything; they are
  /// class 0 to those after them.
  public func logProbability(of value: Tensor, mask: Tensor) -> Tensor {
    let observed = mask.detached.converted(to: dtype) .!= 0
    let elements = elementLogProbabilities(
      of: Tensor.where(observed.converted(to: .int32), value, value.zerosLike))
    return Tensor.where(observed, elements, elements.zerosLike).sum(axes: [-1])
  }

  /// log p(x_t | x_<t, z): `[..., batch, length]`.
  private func elementLogProbabilities(of value: Tensor) -> Tensor {
    let logits = logits(of: value)
    let targets = value.broadcast(to: logits.shape.prefix(logits.rank - 1))
    return categoricalLogProbability(logits: logits, targets: targets)
  }

  /// Element by element from its probabilities, by the largest of logits plus Gumbel noise.
  public func sample(_ sampleShape: Shape, using random: inout RandomStream) -> Tensor {
    generate(sampleShape + batchShape) { logits in
      let uniform = random.uniformTensor(logits.shape, logits.dtype)
      return (logits - log(-log(uniform))).argMax(axis: -1)
    }
  }

  /// Element by element the most probable one, int32 `[batch, length]`. Greedy: a search through
  /// all sequences might find a more probable one. (Classes have no expectation, so that there is no
  /// mean: reconstructions and generated data are these sequences.)
  public var mode: Tensor { generate(batchShape) { $0.argMax(axis: -1) } }

  private func rows(of shape: Shape) -> Tensor {
    latents.broadcast(to: shape + latents.shape.suffix(1))
      .reshaped([shape.count, latents.shape[-1]])
  }

  /// `[shape, length]` by `choose` from logits `[rows, classes]`; nothing is recorded.
  private func generate(_ shape: Shape, _ choose: (Tensor) -> Tensor) -> Tensor {
    let network = network.mapParameters { $0.detached }
    var progress = network.start(rows(of: shape).detached)
    var elements: [Tensor] = []
    for _ in 0..<network.length {
      elements.append(choose(network.next(elements.last, &progress)))
    }
    return Tensor.stack(elements, axis: 1).reshaped(shape + eventShape)
  }
}
