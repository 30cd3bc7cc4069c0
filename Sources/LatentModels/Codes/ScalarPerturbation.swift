// Rounding that is never done in training: noise as wide as a level takes its place ("finite scalar perturbation",
// arXiv 2602.17133), as uniform noise takes that of rounding in learned compression (Ballé, Laparra and Simoncelli 2017).

import Foundation
import LatentAutodiff
import LatentLayers
import LatentNumerics

/// A number z becomes `u = 2 F(z) - 1`, F being the distribution function of N(0, 1), uniform between -1 and 1 where z is
/// standard normal. L levels cut that into parts of width 2 / L, whose middles are the codes.
///
/// Training goes on with `u + noise e`, e uniform within ±1 / L; after training, and in training where the noise is 0, it
/// is the code. The first number's level counts least in an index.
public struct ScalarPerturbation: Quantizer {
  /// The numbers of the rule.
  public let settings: ScalarPerturbationCodes

  /// Of these levels.
  public init(_ settings: ScalarPerturbationCodes) { self.settings = settings }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  public var dimension: Int { settings.levels.count }
  public var codeCounts: [Int] { [grid.count] }

  private var grid: MixedRadix { MixedRadix(sizes: settings.levels) }
  private func levels(_ dtype: DType) -> Tensor {
    Tensor(settings.levels.map(Double.init)).converted(to: dtype)
  }

  /// `2 F(z) - 1`.
  public func prepared(_ z: Tensor) -> Tensor { erf(z * 0.5.squareRoot()) }

  public func quantized(_ z: Tensor, _ context: inout LayerContext) -> Quantized {
    let levels = levels(z.dtype)
    let level = minimum(
      maximum(floor((z.detached + 1) * 0.5 * levels), levels.zerosLike), levels - 1)
    return Quantized(codes: middle(of: level), indices: grid.indices(of: level))
  }

  private func middle(of level: Tensor) -> Tensor {
    (level * 2 + 1) / levels(level.dtype) - 1
  }

  public func passed(
    from z: Tensor, to codes: Tensor, stage: Int, _ context: inout LayerContext
  ) -> Tensor {
    guard context.isTraining && settings.noise > 0 else { return codes.withDerivative(of: z) }
    let width = Tensor(
      settings.levels.map { settings.noise * Foundation.pow(Double($0), -Double(stage + 1)) }
    ).converted(to: z.dtype)
    return z + (context.random.uniformTensor(z.shape, z.dtype) * 2 - 1) * width
  }

  public func codes(at indices: Tensor, _ dtype: DType) -> Tensor {
    middle(of: grid.digits(of: indices, dtype))
  }

  /// L^-stage.
  public func scale(ofStage stage: Int) -> [Double] {
    settings.levels.map { Foundation.pow(Double($0), -Double(stage)) }
  }
}

/// Noise in place of rounding, in words.
public struct ScalarPerturbationCodes: CodesDescription {
  public static let name = "fsp"
  public static let origin = Origin(
    "levels of a normal's distribution function; noise of their width in training",
    paper: "arXiv 2602.17133", equation: "FSP",
    test: "LatentModelsTests/ScalarQuantizerTests.swift")

  /// The levels of each number of a vector.
  public var levels = [8, 5, 5, 5]
  /// The width of the noise, 1 being that of a level; rounding where 0.
  public var noise = 1.0

  public init() {}

  public var vectorSize: Int { levels.count }

  public func validate() throws {
    try check(levels: levels, "levels", least: 2)
    try check((0...1).contains(noise), "noise", noise, "0 to 1")
  }

  public func makeQuantizer(
    dimension: Int, using random: inout RandomStream
  ) -> any Quantizer { ScalarPerturbation(self) }
}
