// Codes that are signs: as many codes as there are corners of a cube, without a code book or a search.

import Foundation
import LatentAutodiff
import LatentLayers
import LatentNumerics

/// The signs of a vector's numbers, 0 counting as negative.
///
/// Without a code book (Yu et al. 2024, MAGVIT-v2) codes are ±1; on the sphere (Zhao, Xiong and Krähenbühl 2024) the vector
/// is first divided by its length, and codes are ±1 / sqrt(b), b numbers, of length 1. The index is the binary number
/// that the signs write, the first number's bit counting most.
public struct BinaryQuantizer: Quantizer {
  public let dimension: Int
  /// Whether vectors and codes lie on the unit sphere.
  public let isSpherical: Bool
  /// What the distance of vectors from their codes, |z - c|², counts.
  public let commitment: Double
  /// What balances the use of codes; nil where nothing does.
  public let entropy: BinaryEntropy?

  /// Of vectors of so many numbers, at most 30.
  public init(
    dimension: Int, isSpherical: Bool, commitment: Double = 0, entropy: BinaryEntropy? = nil
  ) {
    self.dimension = dimension
    self.isSpherical = isSpherical
    self.commitment = commitment
    self.entropy = entropy
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  public var codeCounts: [Int] { [1 << dimension] }

  /// Each number of a code, but for its sign.
  private var size: Double { isSpherical ? 1 / Double(dimension).squareRoot() : 1 }

  /// The vector itself, or divided by its length; zeros stay.
  public func prepared(_ z: Tensor) -> Tensor {
    if !isSpherical { return z }
    let squares = square(z).sum(axes: [1], keepingDimensions: true)
    return z * reciprocalSqrt(Tensor.where(squares.detached .> 0, squares, squares.onesLike))
  }

  public func quantized(_ z: Tensor, _ context: inout LayerContext) -> Quantized {
    let bits = z.detached .> 0
    let codes = (bits * 2 - 1) * size
    var losses: [Quantized.Loss] = [("commitment", meanSquaredDistance(z, codes), commitment)]
    if let entropy { losses += entropy.losses(of: z, size: size) }
    return Quantized(
      codes: codes, indices: digits.indices(of: bits.reversed(axis: 1)), losses: losses)
  }

  private var digits: MixedRadix { MixedRadix(sizes: Array(repeating: 2, count: dimension)) }

  public func codes(at indices: Tensor, _ dtype: DType) -> Tensor {
    (digits.digits(of: indices, dtype).reversed(axis: 1) * 2 - 1) * size
  }

  /// 2^-stage.
  public func scale(ofStage stage: Int) -> [Double] {
    Array(repeating: Foundation.pow(2, -Double(stage)), count: dimension)
  }
}

/// The entropies of codes that each vector has with a probability: of soft codes, so that there is a derivative.
///
/// p(c | z) is proportional to exp(-|z - c|² sharpness): each bit is positive with probability σ(4 s z sharpness), s being
/// the size of a code's numbers, independently of the others. `entropy` = E H(p(c | z)) - diversity H(E p(c | z)), in nats,
/// means over the vectors: small where each vector is sure of its code, and all codes are used. The first is a sum over
/// bits; the second is that of the joint distribution of `group` bits, 2^group codes, summed over the groups, which is at
/// least that of all.
public struct BinaryEntropy: Sendable, Hashable {
  /// What the term counts in the loss.
  public let weight: Double
  /// What the entropy of all vectors together counts within it.
  public let diversity: Double
  /// The inverse of the temperature.
  public let sharpness: Double
  /// Bits whose joint distribution is looked at.
  public let group: Int

  /// Of bits one by one, unless a group is larger.
  public init(weight: Double, diversity: Double = 1, sharpness: Double = 100, group: Int = 1) {
    self.weight = weight
    self.diversity = diversity
    self.sharpness = sharpness
    self.group = group
  }

  /// The two entropies of z `[vector, bit]`, scalars in nats: of one vector, and of all.
  func entropies(of z: Tensor, size: Double) -> (each: Tensor, all: Tensor) {
    let logits = z * (4 * size * sharpness)
    // H of one bit is softplus(l) - l σ(l), which no l overflows.
    let each = (softplus(logits) - logits * sigmoid(logits)).sum() * (1 / Double(z.shape[0]))
    let (ones, zeros) = (sigmoid(logits), sigmoid(-logits))
    let bits = z.shape[1]
    let all = stride(from: 0, to: bits, by: group).map { first -> Tensor in
      // The probabilities of all codes of the group, [vector, code], a bit at a time.
      let joint = (first..<min(first + group, bits)).reduce(Tensor.ones([z.shape[0], 1], z.dtype)) {
        Tensor.concatenate(
          [$0 * ones.sliced(1, $1..<$1 + 1), $0 * zeros.sliced(1, $1..<$1 + 1)], axis: 1)
      }
      let mean = joint.mean(axes: [0])
      // p log p is 0 where p is.
      let safe = Tensor.where(mean.detached .> 0, mean, mean.onesLike)
      return -(mean * log(safe)).sum()
    }
    return (each, all.dropFirst().reduce(all[0], +))
  }

  func losses(of z: Tensor, size: Double) -> [Quantized.Loss] {
    if weight == 0 { return [] }
    let (each, all) = entropies(of: z, size: size)
    return [("entropy", each - all * diversity, weight)]
  }
}

/// What both kinds of signs have in common in words.
public protocol BinaryCodesDescription: CodesDescription {
  /// Whether vectors and codes lie on the unit sphere.
  static var isSpherical: Bool { get }
  /// Bits of an index; 0 for all numbers of a place.
  var bits: Int { get }
  /// What the distance of vectors from their codes counts.
  var commitment: Double { get }
  /// What the entropies count.
  var entropy: Double { get }
  /// What the entropy of all vectors together counts among them.
  var diversity: Double { get }
  /// How sure of its code a vector is: the inverse temperature of the entropies.
  var sharpness: Double { get }
  /// Bits whose joint entropy is computed, with 2^group numbers for each vector.
  var group: Int { get }
}

extension BinaryCodesDescription {
  /// Indices are int32.
  private static var maximumBits: Int { 30 }

  public var vectorSize: Int { bits }

  public func validate() throws {
    try check(
      (0...Self.maximumBits).contains(bits), "bits", bits, "0 to \(Self.maximumBits)")
    try check(weight: commitment, "commitment")
    try check(weight: entropy, "entropy")
    try check(weight: diversity, "diversity")
    try check(sharpness > 0 && sharpness.isFinite, "sharpness", sharpness, "more than 0")
    try check((1...16).contains(group), "group", group, "1 to 16")
  }

  public func validate(dimension: Int) throws {
    try check(
      dimension <= Self.maximumBits, "bits", dimension,
      "at most \(Self.maximumBits), a divisor of the numbers of a place")
  }

  public func makeQuantizer(
    dimension: Int, using random: inout RandomStream
  ) -> any Quantizer {
    BinaryQuantizer(
      dimension: dimension, isSpherical: Self.isSpherical, commitment: commitment,
      entropy: BinaryEntropy(
        weight: entropy, diversity: diversity, sharpness: sharpness, group: group))
  }
}

/// Signs without a code book, in words.
public struct LookupFreeCodes: BinaryCodesDescription {
  public static let name = "lfq"
  public static let isSpherical = false
  public static let origin = Origin(
    "the signs of a vector's numbers, used evenly", paper: "Yu et al. 2024 (arXiv 2310.05737)",
    equation: "2, 6", test: "LatentModelsTests/Codes/BinaryQuantizerTests.swift")

  public var bits = 0
  public var commitment = 0.25
  public var entropy = 0.1
  public var diversity = 1.0
  public var sharpness = 100.0
  public var group = 1

  public init() {}
}

/// Signs on a sphere, in words.
public struct BinarySphericalCodes: BinaryCodesDescription {
  public static let name = "bsq"
  public static let isSpherical = true
  public static let origin = Origin(
    "the signs of a vector of length 1, used evenly",
    paper: "Zhao, Xiong and Krähenbühl 2024 (arXiv 2406.07548)", equation: "6, 9-11",
    test: "LatentModelsTests/Codes/BinaryQuantizerTests.swift")

  public var bits = 0
  public var commitment = 0.0
  public var entropy = 0.1
  public var diversity = 1.0
  public var sharpness = 100.0
  public var group = 9

  public init() {}
}
