// Codes without a code book: each number is bounded and rounded by itself (Mentzer et al. 2024, "Finite scalar
// quantization: VQ-VAE made simple").

import Foundation
import LatentAutodiff
import LatentLayers
import LatentNumerics

/// A grid of so many levels for each number of a vector.
///
/// With L levels and eps = 1e-3, h = (L - 1)(1 - eps) / 2, o = 1/2 for even L, else 0, and s = artanh(o / h), a number z is
/// bounded to `h tanh(z + s) - o`, rounded, halves to the even, and divided by floor(L / 2): codes lie between -1 and 1, and
/// z = 0 is a code. (The paper's listing has tan for artanh, which puts the bound of z = 0 beside it.) The first number's
/// level counts least in an index.
public struct FiniteScalarQuantizer: Quantizer {
  /// The numbers of the rule.
  public let settings: FiniteScalarCodes

  /// Of these levels.
  public init(_ settings: FiniteScalarCodes) { self.settings = settings }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  public var dimension: Int { settings.levels.count }
  public var codeCounts: [Int] { [grid.count] }

  private var grid: MixedRadix { MixedRadix(sizes: settings.levels) }

  /// One number for each of the levels.
  private func vector(_ dtype: DType, _ number: (Double) -> Double) -> Tensor {
    Tensor(settings.levels.map { number(Double($0)) }).converted(to: dtype)
  }

  private static func half(_ levels: Double) -> Double { (levels - 1) * (1 - 1e-3) / 2 }
  private static func offset(_ levels: Double) -> Double {
    levels.truncatingRemainder(dividingBy: 2) == 0 ? 0.5 : 0
  }
  /// floor(L / 2): the level of code 0, and what codes are divided by.
  private static func middle(_ levels: Double) -> Double { (levels / 2).rounded(.down) }

  /// `(h tanh(z + s) - o) / floor(L / 2)`.
  public func prepared(_ z: Tensor) -> Tensor {
    let half = vector(z.dtype, Self.half)
    let shift = vector(z.dtype) { atanh(Self.offset($0) / Self.half($0)) }
    let bounded = tanh(z + shift) * half - vector(z.dtype, Self.offset)
    return bounded / vector(z.dtype, Self.middle)
  }

  public func quantized(_ z: Tensor, _ context: inout LayerContext) -> Quantized {
    let middle = vector(z.dtype, Self.middle)
    // Of a residual quantiser z may be beyond the last level.
    let rounded = maximum(round(z.detached * middle), -middle)
    let level = minimum(rounded, vector(z.dtype) { $0 - 1 } - middle) + middle
    return Quantized(codes: code(of: level, middle), indices: grid.indices(of: level))
  }

  public func codes(at indices: Tensor, _ dtype: DType) -> Tensor {
    let middle = vector(dtype, Self.middle)
    return code(of: grid.digits(of: indices, dtype), middle)
  }

  /// Of levels from 0.
  private func code(of level: Tensor, _ middle: Tensor) -> Tensor { (level - middle) / middle }

  /// (L - 1)^-stage.
  public func scale(ofStage stage: Int) -> [Double] {
    settings.levels.map { Foundation.pow(Double($0 - 1), -Double(stage)) }
  }
}

/// Rounding in words.
public struct FiniteScalarCodes: CodesDescription {
  public static let name = "fsq"
  public static let origin = Origin(
    "each number rounded to one of a few levels: no code book",
    paper: "Mentzer et al. 2024", equation: "listing 1, with artanh",
    test: "LatentModelsTests/Codes/ScalarQuantizerTests.swift")

  /// The levels of each number of a vector; 5 or more each are recommended.
  public var levels = [8, 5, 5, 5]

  public init() {}

  public var vectorSize: Int { levels.count }

  /// Two levels are a sign, whose bound would need artanh(1.001).
  public func validate() throws { try check(levels: levels, "levels", least: 3) }

  public func makeQuantizer(
    dimension: Int, using random: inout RandomStream
  ) -> any Quantizer { FiniteScalarQuantizer(self) }
}
