// The prior that an encoder makes (Tomczak and Welling 2018, "VAE with a VampPrior", equation 9): the mixture of the
// posteriors of some inputs that are learned.
//
//   p(z) = 1/K sum_k q(z | u_k)

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The mixture, with equal weights, of the posteriors that the model's encoder gives to learned inputs.
///
/// The encoder is asked as after training, without noise and fields of the batch: components are the same for every
/// batch. Its posteriors must have a density at any value. Inputs are clipped to a range and have no derivative
/// beyond it; before training they become examples of the data, drawn in from the ends of that range, where they would
/// never move again.
public struct VampPrior: Prior {
  /// The learned inputs before they are clipped, `[components, input]`.
  public var inputs: Tensor
  /// The smallest and the largest number of an input, `[2]`: 0 and 1, or those of the data that were looked at.
  public var range: Tensor

  /// How much of the range first inputs keep around its middle.
  private static let kept = 0.9

  /// Inputs of this shape, uniform in the range but for its ends.
  public init(
    inputShape: Shape, components: Int, range: ClosedRange<Double> = 0...1,
    using random: inout RandomStream
  ) {
    let uniform = random.uniformTensor([components] + inputShape, .float32)
    inputs = VampPrior.drawnIn(
      uniform * (range.upperBound - range.lowerBound) + range.lowerBound, range)
    self.range = Tensor([Float(range.lowerBound), Float(range.upperBound)])
  }

  private static func drawnIn(_ inputs: Tensor, _ range: ClosedRange<Double>) -> Tensor {
    let middle = (range.lowerBound + range.upperBound) / 2
    return inputs * kept + middle * (1 - kept)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.enterArithmetic()
    visitor.visit(&inputs, "inputs")
    visitor.leaveArithmetic()
    visitor.visitBuffer(&range, "range")
  }

  /// Traps where the posterior of one of its inputs has no density.
  public func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution {
    let ends = range.doubles
    var plain = context
    plain.isTraining = false
    plain.fields = [:]
    let components = encoder(inputs.clamped(to: ends[0]...ends[1]), &plain)
    context.random = plain.random
    func mixture(_ components: some EvaluableDistribution) -> any Distribution {
      Mixture(logWeights: .zeros([inputs.shape[0]], components.dtype), components: components)
    }
    return mixture(components.evaluable)
  }
}

extension VampPrior: DataInitializable {
  /// Inputs become examples, and their range that of the data. Data that are all one number change nothing.
  public mutating func initialize(from statistics: DataStatistics) {
    let (low, high) = (statistics.smallest, statistics.largest)
    guard low < high else { return }
    let examples = statistics.examples(inputs.shape[0]).converted(to: inputs.dtype)
    inputs = Tensor(VampPrior.drawnIn(examples, low...high).array)
    range = Tensor([low, high]).converted(to: range.dtype)
  }
}

/// The mixture of posteriors of learned inputs, in words.
public struct VampPriorDescription: PriorDescription {
  public static let name = "vamp"
  public static let origin = Origin(
    "a mixture of the posteriors of learned inputs", paper: "Tomczak and Welling 2018",
    equation: "9", test: "LatentModelsTests/Priors/VampPriorTests.swift")

  /// The learned inputs.
  public var components = 500

  public init() {}

  public var asksEncoder: Bool { true }
  public var factorizes: Bool { false }

  public func validate() throws { try check(size: components, "components") }

  public func validate(
    latentShape: [Int], inputShape: [Int], posterior: any PosteriorDescription
  ) throws {
    // Heads are made to be asked, as large as their settings say.
    let parameters = posterior.parameterCount(latents: latentShape.last ?? 1)
    guard parameters <= Double(ModelDescription.maximumParameters) else { return }
    func hasDensity<Head: PosteriorHead>(_ head: Head) -> Bool {
      Head.Posterior.self is any EvaluableDistribution.Type
        && !(Head.Posterior.self is any PointDistribution.Type)
    }
    var random = RandomStream(seed: 0)
    if !hasDensity(posterior.makeHead(latentShape: Shape(latentShape), using: &random)) {
      throw ModelDescriptionError(
        key: "prior.name",
        found: "'\(Self.name)', a mixture of posteriors, beside the posterior "
          + "'\(type(of: posterior).name)'",
        expected: "a posterior with a density at any value, such as 'diagonal', or another prior")
    }
  }

  public func parameterCount(latentShape: [Int], inputShape: [Int]) -> Double {
    Double(components) * inputShape.reduce(1) { $0 * Double($1) }
  }

  public func makePrior(
    latentShape: Shape, inputShape: Shape, using random: inout RandomStream
  ) -> any Prior {
    VampPrior(inputShape: inputShape, components: components, using: &random)
  }
}
