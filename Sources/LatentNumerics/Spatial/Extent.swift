// Kernels, strides and paddings are mostly the same along every axis and sometimes not: a size that
// can be written either way.

/// A size for each spatial axis, outermost first: `3` is the same on every axis, `[3, 5]` is one for
/// each.
///
/// Where it is used the number of axes is known, and `values(rank:...)` checks it against them.
public enum Extent: Sendable, Hashable {
  /// One number for all axes.
  case same(Int)
  /// A number for each axis.
  case axes([Int])

  /// The size of each of `rank` axes. Traps, naming `name`, when there are not as many sizes as axes
  /// or one is below `minimum`.
  public func values(
    rank: Int, _ name: @autoclosure () -> String = "extent", minimum: Int = 1,
    file: StaticString = #fileID, line: UInt = #line
  ) -> [Int] {
    let list: [Int]
    switch self {
    case .same(let size): list = Array(repeating: size, count: rank)
    case .axes(let sizes): list = sizes
    }
    require(
      list.count == rank, "\(name()) \(self) has \(list.count) sizes for \(rank) spatial axes",
      file: file, line: line)
    require(
      list.allSatisfy { $0 >= minimum }, "\(name()) \(self): expected at least \(minimum)",
      file: file, line: line)
    return list
  }
}

extension Extent: ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral {
  public init(integerLiteral size: Int) { self = .same(size) }
  public init(arrayLiteral sizes: Int...) { self = .axes(sizes) }
}

extension Extent: Codable, CustomStringConvertible {
  public var description: String {
    switch self {
    case .same(let size): "\(size)"
    case .axes(let sizes): "\(sizes)"
    }
  }

  /// Reads what a literal looks like: a number or a list of numbers.
  public init(from decoder: any Swift.Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let size = try? container.decode(Int.self) {
      self = .same(size)
    } else {
      self = .axes(try container.decode([Int].self))
    }
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .same(let size): try container.encode(size)
    case .axes(let sizes): try container.encode(sizes)
    }
  }
}
