// Distributions over codes, which are distributions over their indices.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The codes that latents of a shape can be, by their indices.
public struct LatentCodes: Sendable {
  /// What finds codes.
  public let quantizer: any Quantizer
  /// The shape of one latent.
  public let shape: Shape

  /// Latents of a shape, cut along the last axis for a quantiser.
  public init(_ quantizer: any Quantizer, latentShape shape: Shape) {
    self.quantizer = quantizer
    self.shape = shape
  }

  /// Vectors of a latent.
  private var vectors: Int { shape.count / quantizer.dimension }

  /// How many codes there are for each index of a latent, in their order.
  public var counts: [Int] {
    Array((0..<vectors).map { _ in quantizer.codeCounts }.joined())
  }

  /// Latents `[..., latent]` of int32 indices `[..., index]`; a stage of a residual quantiser with the index -1 is left
  /// out.
  /// - Throws: `CodeError`.
  public func latents(
    at indices: Tensor, _ dtype: DType, file: StaticString = #fileID, line: UInt = #line
  ) throws -> Tensor {
    let counts = counts
    guard indices.dtype == .int32, indices.rank > 0, indices.shape[-1] == counts.count else {
      throw CodeError.wrongShape(found: indices.shape, indices.dtype, expected: counts.count)
    }
    let least = quantizer is ResidualQuantizer ? -1 : 0
    for (position, index) in indices.array.int32s.enumerated() {
      let place = position % counts.count
      guard (least..<counts[place]).contains(Int(index)) else {
        throw CodeError.noCode(index: Int(index), place: place, least..<counts[place])
      }
    }
    let rows = indices.reshaped([-1, quantizer.codeCounts.count])
    return quantizer.codes(at: rows, dtype)
      .reshaped(indices.shape.prefix(indices.rank - 1) + shape)
  }
}

/// Why numbers are no indices of codes.
public enum CodeError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Not as many as a latent has, or not int32.
  case wrongShape(found: Shape, DType, expected: Int)
  /// An index that no code has.
  case noCode(index: Int, place: Int, Range<Int>)
  /// Packed bytes of another length than so many indices have.
  case wrongBytes(found: Shape, DType, expected: Int)

  public var description: String {
    switch self {
    case .wrongShape(let found, let dtype, let expected):
      "indices of codes of shape \(found) and type \(dtype): expected int32 [..., \(expected)]"
    case .noCode(let index, let place, let range):
      "index \(index) at place \(place) of a latent: expected \(range.lowerBound) to "
        + "\(range.upperBound - 1)"
    case .wrongBytes(let found, let dtype, let expected):
      "packed indices of shape \(found) and type \(dtype): expected uint8 [example, \(expected)]"
    }
  }
}

/// A distribution over the codes of a quantiser: of indices, because one latent may be the sum of several codes in more ways
/// than one.
public protocol CodeDistribution: Distribution {
  /// What it is over.
  var codes: LatentCodes { get }
  /// Nats, `[...]`, of int32 indices `[..., index]`.
  func logProbability(ofIndices indices: Tensor) -> Tensor
  /// int32 indices `[sample, index]`.
  func sampleIndices(_ count: Int, using random: inout RandomStream) -> Tensor
}

extension CodeDistribution {
  public var batchShape: Shape { [] }
  public var eventShape: Shape { codes.shape }
  /// Codes are vectors of real numbers.
  public var support: Support { .reals }

  /// Exact: -log p of the indices.
  public func closedFormKL(from other: any Distribution) -> Tensor? {
    guard let point = other as? CodePoint, point.eventShape == eventShape else { return nil }
    return -logProbability(ofIndices: point.indices).converted(to: point.dtype)
  }

  public func sample(_ sampleShape: Shape, using random: inout RandomStream) -> Tensor {
    sampleAndLogProbability(sampleShape, using: &random).value
  }

  public func sampleAndLogProbability(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor) {
    let indices = sampleIndices(sampleShape.count, using: &random)
    do {
      let value = try codes.latents(at: indices, dtype)
      return (
        value.reshaped(sampleShape + eventShape),
        logProbability(ofIndices: indices).reshaped(sampleShape)
      )
    } catch {
      fatalError("\(Self.self) draws indices that no codes have: \(error)")
    }
  }
}

/// Every code with the same probability.
public struct UniformCodes: CodeDistribution {
  public let codes: LatentCodes
  public let dtype: DType

  /// Over these codes.
  public init(_ codes: LatentCodes, dtype: DType = .float32) {
    self.codes = codes
    self.dtype = dtype
  }

  /// The sum of -log K over the indices, whatever they are; a stage that was left out has none.
  public func logProbability(ofIndices indices: Tensor) -> Tensor {
    let costs = Tensor(codes.counts.map { Foundation.log(Double($0)) }).converted(to: dtype)
    let isThere = (indices .>= 0).converted(to: dtype)
    return -(isThere * costs).sum(axes: [-1])
  }

  public func sampleIndices(_ count: Int, using random: inout RandomStream) -> Tensor {
    let counts = codes.counts
    let uniform = random.uniform([count, counts.count], .float64).doubles
    let indices = uniform.enumerated().map { position, u in
      let codes = counts[position % counts.count]
      return Int32(min(codes - 1, Int(u * Double(codes))))
    }
    return Tensor(indices, shape: [count, counts.count])
  }
}

/// The prior of a model with codes for which no other is learned.
public struct UniformPriorOverCodes: Prior {
  /// The shape of one latent.
  public let latentShape: Shape

  /// Over the codes of latents of this shape.
  public init(_ latentShape: Shape) { self.latentShape = latentShape }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  /// Traps unless the encoder is one that ends in codes.
  public func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution {
    UniformCodes(LatentCodes(of: encoder, latentShape), dtype: dtype)
  }
}

extension LatentCodes {
  /// The codes that an encoder ends in; traps where it ends in something else.
  init(of encoder: some Encoder, _ latentShape: Shape) {
    guard let quantizer = encoder.quantizer else {
      fatalError("a prior over codes for an encoder that ends in none: \(type(of: encoder))")
    }
    self.init(quantizer, latentShape: latentShape)
  }
}

/// The uniform distribution over codes, in words.
public struct UniformCodesPrior: PriorDescription {
  public static let name = "uniform-codes"
  public static let origin = Origin(
    "every code alike", paper: "van den Oord et al. 2017", equation: "section 3.1",
    test: "LatentModelsTests/CodesTests.swift")

  public init() {}
  public var space: LatentSpace { .codes }
  public func makePrior(
    latentShape: Shape, inputShape: Shape, using random: inout RandomStream
  ) -> any Prior { UniformPriorOverCodes(latentShape) }
}
