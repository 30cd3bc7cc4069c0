// Parts of a model by the names of their parameters, chosen from outside: what one player of an
// objective moves, what is frozen, what is loaded from another run.

import LatentAutodiff
import LatentNumerics

/// A pattern of parameter paths such as `encoder.**` or `decoder.blocks.*.weight`.
///
/// `*` stands for any characters of one name, `**` for any names, none included: `encoder.**` is the
/// parameter `encoder` as well as all below it. Anything else stands for itself.
public struct PathPattern: Sendable, Hashable, Codable, CustomStringConvertible,
  ExpressibleByStringLiteral
{
  /// As it was written.
  public let description: String
  private var names: [[UInt8]] {
    description.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
      .map(Array.init)
  }

  /// Any text is a pattern.
  public init(_ pattern: String) { description = pattern }
  public init(stringLiteral pattern: String) { self.init(pattern) }
  public init(from decoder: any Decoder) throws {
    self.init(try decoder.singleValueContainer().decode(String.self))
  }
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  /// Whether the pattern stands for the whole of `path`.
  public func matches(_ path: String) -> Bool {
    let path = path.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
      .map(Array.init)
    return PathPattern.matches(names[...], path[...]) { pattern, name in
      pattern == [star, star]
        ? .anyNumber
        : PathPattern.matches(pattern[...], name[...]) { $0 == star ? .anyNumber : .one($0 == $1) }
          ? .one(true) : .one(false)
    }
  }

  private enum Step {
    /// The element of the pattern stands for any number of elements.
    case anyNumber
    /// It stands for one, and this is it or not.
    case one(Bool)
  }

  /// Walks along both with one place to go back to: the last element that stands for any number.
  private static func matches<Element>(
    _ pattern: ArraySlice<Element>, _ text: ArraySlice<Element>,
    _ step: (_ pattern: Element, _ text: Element) -> Step
  ) -> Bool {
    var (p, t) = (pattern.startIndex, text.startIndex)
    var retry: (pattern: Int, text: Int)?
    func isOpen(_ index: Int) -> Bool {
      if case .anyNumber = step(pattern[index], pattern[index]) { true } else { false }
    }
    while t < text.endIndex {
      if p < pattern.endIndex {
        switch step(pattern[p], text[t]) {
        case .anyNumber:
          retry = (p, t)
          p += 1
          continue
        case .one(true):
          p += 1
          t += 1
          continue
        case .one(false): break
        }
      }
      guard let last = retry else { return false }
      retry = (last.pattern, last.text + 1)
      (p, t) = (last.pattern + 1, last.text + 1)
    }
    return pattern[p...].indices.allSatisfy(isOpen)
  }
}

private let star = UInt8(ascii: "*")

extension Sequence where Element == PathPattern {
  /// Whether one of the patterns stands for `path`.
  package func match(_ path: String) -> Bool { contains { $0.matches(path) } }
}

/// Lets another visitor see some of the trained parameters only, and all buffers.
package struct Sieve<Base: ParameterVisitor>: ParameterVisitor {
  /// Who sees them.
  package var base: Base
  private let isChosen: [Bool]
  private var next = 0

  /// `isChosen` has an element for each trained parameter, in visiting order.
  package init(_ base: Base, _ isChosen: [Bool]) {
    self.base = base
    self.isChosen = isChosen
  }

  private mutating func isNextChosen() -> Bool {
    defer { next += 1 }
    return isChosen[next]
  }

  package mutating func visit(_ parameter: inout Tensor, _ name: String) {
    if isNextChosen() { base.visit(&parameter, name) }
  }
  package mutating func visitFactor(
    _ weight: inout Tensor, _ name: String, _ channels: ObservedWeight.Channels
  ) {
    if isNextChosen() { base.visitFactor(&weight, name, channels) }
  }
  package mutating func visitBuffer(_ buffer: inout Tensor, _ name: String) {
    base.visitBuffer(&buffer, name)
  }
  package mutating func visitConstant(_ constant: inout Tensor, _ name: String) {
    base.visitConstant(&constant, name)
  }
  package mutating func enterArithmetic() { base.enterArithmetic() }
  package mutating func leaveArithmetic() { base.leaveArithmetic() }
  package mutating func enter(_ name: String) { base.enter(name) }
  package mutating func leave() { base.leave() }
}
