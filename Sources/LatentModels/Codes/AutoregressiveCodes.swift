// Distributions over codes by the chain rule: each index from those before it (van den Oord et al. 2017, section 3.2).
//
//   log p(codes) = sum over t of log p(k_t | k_1, ..., k_(t-1))

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Codes whose indices a network predicts one after the other.
public struct AutoregressiveCodes<Network: AutoregressiveNetwork>: CodeDistribution {
  public let codes: LatentCodes
  /// Over the indices, in their order.
  public let indices: AutoregressiveCategorical<Network>

  /// Over these codes by a network that is told `condition` `[conditions]`. Traps unless it is for as many indices.
  public init(
    _ codes: LatentCodes, _ network: Network, condition: Tensor, _ context: inout LayerContext,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      network.length == codes.counts.count,
      "AutoregressiveCodes: a network for \(network.length) indices, of codes with "
        + "\(codes.counts.count)", file: file, line: line)
    self.codes = codes
    indices = AutoregressiveCategorical(network, latents: condition, &context)
  }

  public var dtype: DType { indices.dtype }

  /// A stage of a residual quantiser that was left out has the index -1 and no cost; those after it see class 0 there.
  public func logProbability(ofIndices indices: Tensor) -> Tensor {
    self.indices.logProbability(of: indices, mask: indices .>= 0)
  }

  public func sampleIndices(_ count: Int, using random: inout RandomStream) -> Tensor {
    indices.sample([count], using: &random)
  }
}

/// A prior over codes that is trained with the model: it learns from the codes, which do not learn from it, because an
/// index has no derivative.
///
/// Objectives without a divergence, such as ``VectorQuantization``, leave it as it is.
public struct AutoregressiveCodePrior<Network: AutoregressiveNetwork>: Prior {
  /// What predicts each index.
  public var network: Network
  /// The shape of one latent.
  public let latentShape: Shape

  /// Over the codes of latents of this shape, by a network of one condition, which says nothing.
  public init(_ network: Network, latentShape: Shape) {
    self.network = network
    self.latentShape = latentShape
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&network, "network")
  }

  /// Traps unless the encoder is one that ends in codes.
  public func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution {
    AutoregressiveCodes(
      LatentCodes(of: encoder, latentShape), network,
      condition: CodeCondition.none(classes: 0, dtype), &context)
  }
}

/// Such a prior in words.
protocol AutoregressiveCodePriorDescription: PriorDescription {
  associatedtype Size: CodeNetworkSize
  var size: Size { get }
}

extension AutoregressiveCodePriorDescription {
  public var space: LatentSpace { .codes }
  public var factorizes: Bool { false }

  public func validate() throws {
    try size.validate { try check($0, $1, $2, $3) }
  }

  public func validate(
    latentShape: [Int], inputShape: [Int], posterior: any PosteriorDescription
  ) throws {
    // Quantisers are made to be asked, as large as their settings say; more than a model may have is refused later.
    guard isPossible(posterior, latentShape) else { return }
    do {
      _ = try map(latentShape, posterior)
    } catch let error as ModelRequirementError {
      throw ModelDescriptionError(
        key: "prior.name", found: "'\(Self.name)' for \(error.found)", expected: error.expected)
    }
  }

  private func isPossible(_ posterior: any PosteriorDescription, _ latentShape: [Int]) -> Bool {
    posterior.parameterCount(latents: latentShape.last ?? 1)
      <= Double(ModelDescription.maximumParameters)
  }

  private func map(
    _ latentShape: [Int], _ posterior: any PosteriorDescription
  ) throws -> CodeMap {
    var random = RandomStream(seed: 0)
    let shape = Shape(latentShape)
    guard let head = posterior.makeHead(latentShape: shape, using: &random) as? CodesHead else {
      fatalError("the posterior '\(type(of: posterior).name)' lies on codes and has none")
    }
    let codes = LatentCodes(head.quantizer, latentShape: shape)
    return try CodeMap(latentShape: shape, counts: codes.counts, for: "prior '\(Self.name)'")
  }

  public func parameterCount(
    latentShape: [Int], inputShape: [Int], posterior: any PosteriorDescription
  ) -> Double {
    guard isPossible(posterior, latentShape), let map = try? map(latentShape, posterior) else {
      return .infinity
    }
    return size.parameterCount(map, conditions: 1)
  }

  public func makePrior(
    latentShape: Shape, inputShape: Shape, posterior: any PosteriorDescription,
    using random: inout RandomStream
  ) -> any Prior {
    do {
      let map = try map(latentShape.dimensions, posterior)
      return AutoregressiveCodePrior(
        size.makeNetwork(map, conditions: 1, using: &random), latentShape: latentShape)
    } catch {
      fatalError("a prior that was not validated: \(error)")
    }
  }

  /// Over the codes that there are where nothing is said.
  public func parameterCount(latentShape: [Int], inputShape: [Int]) -> Double {
    parameterCount(latentShape: latentShape, inputShape: inputShape, posterior: CodesPosterior())
  }

  /// Over the codes that there are where nothing is said.
  public func makePrior(
    latentShape: Shape, inputShape: Shape, using random: inout RandomStream
  ) -> any Prior {
    makePrior(
      latentShape: latentShape, inputShape: inputShape, posterior: CodesPosterior(), using: &random)
  }
}
