// How a sequence model knows where an element stands, as a value to exchange: vectors that are
// learned (Gehring et al. 2017), vectors of sines (Vaswani et al. 2017, section 3.5), or turned
// queries and keys (Su et al. 2021), which attention applies itself.

import Foundation
import LatentAutodiff
import LatentNumerics

/// Positions of a sequence: `[..., length, width] -> [..., length, width]`.
public struct PositionEncoding: Module {
  /// How positions are told apart.
  public enum Policy: String, Sendable, Hashable, Codable, CaseIterable {
    /// Causal attention still sees an order, other attention a set.
    case none
    /// One vector for each position.
    case learned
    /// Sines and cosines of wavelengths from 2 pi to 20 000 pi.
    case sinusoidal
    /// Queries and keys are turned; nothing is added.
    case rotary
  }

  /// How positions are told apart.
  public let policy: Policy
  /// The most positions there are.
  public let length: Int
  /// `[length, width]` where learned.
  public var table: Tensor?
  /// What attention turns its queries and keys by, where rotary.
  public let angles: RotaryAngles?
  /// `[length, width]` where sinusoidal.
  private let waves: NDArray?

  /// `heads` are those of the attention that follows. Traps where they do not divide the width.
  public init(
    _ policy: Policy, length: Int, width: Int, heads: Int,
    initializer: Initializer = .normal(deviation: 0.02), using random: inout RandomStream,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      length > 0 && heads > 0 && width > 0 && width % heads == 0,
      "positions of \(length) vectors of \(width) for \(heads) heads", file: file, line: line)
    self.policy = policy
    self.length = length
    table = policy == .learned ? initializer([length, width], using: &random) : nil
    angles =
      policy == .rotary
      ? RotaryAngles(length: length, headSize: width / heads, file: file, line: line) : nil
    waves = policy == .sinusoidal ? PositionEncoding.waves(length, width) : nil
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.enterArithmetic()
    visitor.visit(&table, "table")
    visitor.leaveArithmetic()
  }

  /// Adds the vectors of the positions from `start` on. Traps beyond the last one.
  public func callAsFunction(
    _ x: Tensor, from start: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let end = start + x.shape[-2]
    require(
      start >= 0 && end <= length, "positions \(start)..<\(end) of a sequence of \(length)",
      file: file, line: line)
    if let table { return x + table.sliced(0, start..<end) }
    if let waves { return x + Tensor(waves.rows(start..<end).converted(to: x.dtype)) }
    return x
  }

  /// sin(position / 10000^(2 i / width)) and the cosine, side by side, in float64.
  private static func waves(_ length: Int, _ width: Int) -> NDArray {
    let values = (0..<(length * width)).map { index -> Double in
      let (position, column) = (Double(index / width), index % width)
      let angle = position * Foundation.pow(10_000, -Double(column / 2 * 2) / Double(width))
      return column % 2 == 0 ? Foundation.sin(angle) : Foundation.cos(angle)
    }
    return NDArray(values, shape: [length, width])
  }
}
