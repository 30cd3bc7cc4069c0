// The posterior of codes: latents are cut into vectors, of which each becomes the nearest code.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Cuts latents, a vector or `[height, width, channels]`, along their last axis into vectors for a quantiser.
///
/// What the quantiser adds to the loss and how its code book moves it notes in the context, so that every objective of
/// autoencoders trains it.
public struct CodesHead: PosteriorHead {
  /// From vectors to codes.
  public var quantizer: any Quantizer

  /// A head with this quantiser, the size of whose vectors divides the last axis of latents.
  public init(_ quantizer: any Quantizer) { self.quantizer = quantizer }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.enter("quantizer")
    quantizer.visitParameters(&visitor)
    visitor.leave()
  }

  public func callAsFunction(
    _ raw: Tensor, eventRank: Int, _ context: inout LayerContext
  ) -> CodePoint {
    let size = quantizer.dimension
    require(
      raw.shape[-1] % size == 0, "latents \(raw.shape) for codes of vectors of \(size) numbers")
    let found = quantizer(raw.reshaped([raw.count / size, size]), &context)
    let batch = raw.shape.prefix(raw.rank - eventRank).count
    let latent = LatentCodes(quantizer, latentShape: raw.shape.suffix(eventRank))
    let counts = latent.counts
    return CodePoint(
      found.value.reshaped(raw.shape), indices: found.indices.reshaped([batch, counts.count]),
      counts: counts, eventRank: eventRank)
  }
}

/// An encoder that ends in a `PosteriorHead`, as the ready ones do.
public protocol HeadedEncoder: Encoder {
  /// The last step.
  associatedtype Ending: PosteriorHead
  /// From raw outputs to the posterior.
  var posterior: Ending { get set }
}

extension DenseEncoder: HeadedEncoder {}
extension ConvEncoder: HeadedEncoder {}
extension ConvMapEncoder: HeadedEncoder {}
extension ResidualEncoder: HeadedEncoder {}
extension TransformerTextEncoder: HeadedEncoder {}
extension GRUTextEncoder: HeadedEncoder {}
extension DictionaryEncoder: HeadedEncoder {}

extension Encoder {
  /// The quantiser that it ends in; nil where it ends in something else.
  var quantizer: (any Quantizer)? {
    ((self as? any HeadedEncoder)?.posterior as? CodesHead)?.quantizer
  }
}

extension LatentSpace {
  /// The codes of a quantiser.
  public static let codes = LatentSpace("codes")
}

/// Codes in words.
public struct CodesPosterior: PosteriorDescription {
  public static let name = "codes"
  public static let origin = Origin(
    "one of finitely many codes, or several: discrete latents (--codes)",
    paper: "van den Oord et al. 2017", equation: "1, 2",
    test: "LatentModelsTests/CodesTests.swift")

  /// Which codes.
  public var codes = CodesSettings()

  public init() {}

  /// These codes.
  public init(_ codes: any CodesDescription) { self.codes = CodesSettings(codes) }

  public var space: LatentSpace { .codes }
  public var standardPrior: any PriorDescription { UniformCodesPrior() }

  /// The numbers of a vector, of latents whose last axis has so many.
  func dimension(latents: Int) -> Int {
    let size = codes.description.vectorSize
    return size == 0 ? latents : size
  }

  public func validate() throws { try codes.description.validate() }

  public func validate(latentShape: [Int]) throws {
    let latents = latentShape.last ?? 1
    let dimension = dimension(latents: latents)
    if latents % dimension != 0 {
      throw ModelDescriptionError(
        key: "posterior.codes", found: "'\(codes.name)' of vectors of \(dimension) numbers",
        expected: "a divisor of the last axis of latents \(latentShape)")
    }
    try codes.description.validate(dimension: dimension)
  }

  public func outputCount(latents: Int) -> Double { Double(latents) }

  public func parameterCount(latents: Int) -> Double {
    codes.description.parameterCount(dimension: dimension(latents: latents))
  }

  public func makeHead(
    latentShape: Shape, using random: inout RandomStream
  ) -> any PosteriorHead {
    CodesHead(
      codes.description.makeQuantizer(
        dimension: dimension(latents: latentShape[-1]), using: &random))
  }
}
