// A direction of latent space that stands for a property (Larsen et al. 2016; White 2016): from where codes without it
// lie to where those with it do.

import LatentAutodiff
import LatentNumerics

/// The difference of the mean codes of two classes, and how much of it chance alone would make.
public struct AttributeVector: Sendable {
  /// Mean of the codes with the attribute less mean of those without, `[latent]`.
  public let direction: Tensor
  /// Codes with the attribute.
  public let with: Int
  /// Codes without it.
  public let without: Int
  /// The length that the difference of two such means would have, in the root mean square, if there were no attribute:
  /// the root of the trace of both covariances, each divided by its number of codes. NaN where a class has one code.
  public let chance: Double

  /// From codes `[codes, latent]`, of which `isWith` says for each whether it has the attribute. Traps unless there
  /// are codes of both kinds.
  public init(
    _ codes: Tensor, isWith: [Bool], file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      codes.rank == 2 && codes.shape[0] == isWith.count && isWith.contains(true)
        && isWith.contains(false),
      "an attribute of codes \(codes.shape), \(isWith.count(where: { $0 })) of \(isWith.count) with it: "
        + "expected codes of both kinds", file: file, line: line)
    let type = codes.dtype
    let wide = codes.detached.converted(to: .float64)
    func part(_ flag: Bool) -> Tensor {
      wide.gathering(Tensor(isWith.indices.filter { isWith[$0] == flag }.map { Int32($0) }))
    }
    let (yes, no) = (part(true), part(false))
    func spread(_ part: Tensor) -> Double {
      let count = Double(part.shape[0])
      return part.variance(axes: [0]).sum().item / (count - 1)
    }
    (with, without) = (yes.shape[0], no.shape[0])
    direction = (yes.mean(axes: [0]) - no.mean(axes: [0])).converted(to: type)
    chance = (spread(yes) + spread(no)).squareRoot()
  }

  /// The length of the direction, in the units of codes.
  public var norm: Double { square(direction.converted(to: .float64)).sum().item.squareRoot() }

  /// What the direction is to be multiplied by so that the expectation of its squared length is that of the classes
  /// themselves (James and Stein 1961, positive part): 1 of large classes, 0 where chance alone makes it as long. NaN
  /// where a class has one code.
  public var shrinkage: Double {
    let share = 1 - chance * chance / (norm * norm)
    return share.isNaN ? .nan : max(0, share).squareRoot()
  }

  /// `z` `[..., latent]` moved by `amount` times the direction: 1 takes an average code without the attribute to one
  /// with it.
  public func added(to z: Tensor, amount: Double = 1) -> Tensor { z + direction * amount }
}
