// What turns the vectors that an encoder makes into codes of a finite set. How a code is found, how codes are moved and
// how a derivative passes are a quantiser's own business; what is done with indices and codes is not, and stands here.

import Foundation
import LatentAutodiff
import LatentLayers
import LatentNumerics

/// A finite set of codes, and the way from vectors to the nearest of them.
///
/// A vector is brought to where codes lie (`prepared`), its code is found (`quantized`), and what goes on is the code's
/// value with a derivative for the vector (`passed`). A residual quantiser takes the three apart: it finds several
/// codes for one vector and lets the derivative pass once.
public protocol Quantizer: Module {
  /// The numbers of a vector.
  var dimension: Int { get }
  /// A vector has one index or more, one beside the other; of each, how many codes there are.
  var codeCounts: [Int] { get }
  /// Vectors `[vector, number]` brought to where codes lie; themselves where nothing is said.
  func prepared(_ z: Tensor) -> Tensor
  /// The codes of prepared vectors `[vector, number]`.
  func quantized(_ z: Tensor, _ context: inout LayerContext) -> Quantized
  /// The codes with a derivative for the prepared vectors that they are of, `[vector, number]`. `stage` is that of the
  /// last code which is part of the sum, from 0. Straight-through where nothing is said: the derivative with respect
  /// to a code is taken for that with respect to its vector (Bengio, Léonard and Courville 2013).
  func passed(
    from z: Tensor, to codes: Tensor, stage: Int, _ context: inout LayerContext
  ) -> Tensor
  /// The codes `[vector, number]` of indices `[vector, index]`, int32, that are below the counts.
  func codes(at indices: Tensor, _ dtype: DType) -> Tensor
  /// What the codes of a stage of a residual quantiser are multiplied by, for each number: all that stages before it
  /// leave of a vector lies within the codes then. 1 where nothing is said, for code books that learn their size.
  func scale(ofStage stage: Int) -> [Double]
}

/// Vectors and their codes.
public struct Quantized: Sendable {
  /// A term that codes add to any loss.
  public typealias Loss = (name: String, value: Tensor, weight: Double)

  /// The codes, `[vector, number]`, as functions of what is trained of them.
  public var codes: Tensor
  /// int32 `[vector, index]`; -1 where a stage was left out.
  public var indices: Tensor
  /// Scalars, means over the vectors, and what they count.
  public var losses: [Loss]

  /// Codes `[vector, number]` at indices `[vector, index]`.
  public init(codes: Tensor, indices: Tensor, losses: [Loss] = []) {
    self.codes = codes
    self.indices = indices
    self.losses = losses
  }
}

extension Quantizer {
  public func prepared(_ z: Tensor) -> Tensor { z }

  public func passed(
    from z: Tensor, to codes: Tensor, stage: Int, _ context: inout LayerContext
  ) -> Tensor { codes.withDerivative(of: z) }

  public func scale(ofStage stage: Int) -> [Double] { Array(repeating: 1, count: dimension) }

  /// Vectors `[vector, number]` to their codes, of the same shape, and indices `[vector, index]`.
  ///
  /// Notes in the context what the codes add to the loss, and shows of the vectors at hand the `perplexity`, the
  /// exponential of the entropy with which indices occur, and the `usage`, the share of all codes that occur: means over
  /// the indices of a vector.
  public func callAsFunction(
    _ z: Tensor, _ context: inout LayerContext
  ) -> (value: Tensor, indices: Tensor) {
    require(
      z.rank == 2 && z.shape[1] == dimension,
      "a quantiser of vectors of \(dimension) numbers: found \(z.shape)")
    let place = prepared(z)
    let found = quantized(place, &context)
    for loss in found.losses where loss.weight != 0 {
      context.add(loss: loss.value, loss.name, weight: loss.weight)
    }
    let use = CodeUse(found.indices, counts: codeCounts)
    context.show(.scalar(use.perplexity, z.dtype), "perplexity")
    context.show(.scalar(use.usage, z.dtype), "usage")
    return (passed(from: place, to: found.codes, stage: 0, &context), found.indices)
  }
}

extension Tensor {
  /// This value to the bit, with the derivative of `path`, of the same shape.
  func withDerivative(of path: Tensor) -> Tensor {
    path.isRecorded ? detached + (path - path.detached) : detached
  }
}

/// How evenly codes are used.
struct CodeUse {
  let perplexity, usage: Double

  /// Of indices `[vector, index]`; those that are -1 do not count.
  init(_ indices: Tensor, counts: [Int]) {
    let values = indices.array.int32s
    var (perplexity, usage) = (0.0, 0.0)
    for (column, count) in counts.enumerated() {
      var occurrences: [Int32: Int] = [:]
      for row in stride(from: column, to: values.count, by: counts.count) where values[row] >= 0 {
        occurrences[values[row], default: 0] += 1
      }
      // In a fixed order: a dictionary's own would change last bits.
      let sorted = occurrences.values.sorted()
      let all = Double(sorted.reduce(0, +))
      let entropy = sorted.reduce(0.0) { $0 - Double($1) / all * log(Double($1) / all) }
      perplexity += sorted.isEmpty ? 0 : exp(entropy)
      usage += Double(sorted.count) / Double(count)
    }
    self.perplexity = perplexity / Double(counts.count)
    self.usage = usage / Double(counts.count)
  }
}

/// An index as digits of several sizes, and back: the first digit counts least.
struct MixedRadix: Sendable, Hashable {
  let sizes: [Int]

  /// The number of indices.
  var count: Int { sizes.reduce(1, *) }

  /// What a step of each digit counts.
  private var weights: [Int] {
    sizes.indices.map { sizes[..<$0].reduce(1, *) }
  }

  /// Digits `[vector, digit]` of any type to int32 `[vector, 1]`.
  func indices(of digits: Tensor) -> Tensor {
    let weights = Tensor(weights.map(Int32.init))
    return (digits.detached.converted(to: .int32) * weights).sum(axes: [1], keepingDimensions: true)
  }

  /// Indices `[vector, 1]` to digits `[vector, digit]` as numbers. Traps where one is none of the codes'.
  func digits(of indices: Tensor, _ dtype: DType) -> Tensor {
    let (weights, count) = (weights, count)
    let values = indices.array.int32s.flatMap { index -> [Double] in
      require(
        (0..<count).contains(Int(index)), "index \(index) of a code: expected 0 to \(count - 1)")
      return zip(weights, sizes).map { Double(Int(index) / $0 % $1) }
    }
    return Tensor(values, shape: [indices.shape[0], sizes.count]).converted(to: dtype)
  }
}
