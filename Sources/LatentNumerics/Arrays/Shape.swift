// The extents of an array, held inline: shapes are made for every operation and must not allocate.

/// The sizes of an array's axes, outermost first: `[batch, height, width, channels]`.
public struct Shape: Sendable, ExpressibleByArrayLiteral {
  /// The most axes that an array may have.
  public static let maximumRank = 8

  @usableFromInline var extents: InlineArray<8, Int>
  /// The number of axes.
  public private(set) var rank: Int

  /// Traps when there are more than eight axes or one is negative.
  public init(_ dimensions: some Sequence<Int>) {
    extents = .init(repeating: 0)
    rank = 0
    for dimension in dimensions { append(dimension) }
  }

  public init(arrayLiteral elements: Int...) { self.init(elements) }

  /// The shape of a scalar: no axes, one element.
  public static let scalar = Shape([])

  /// The size of an axis, from 0 or, where negative, from the end.
  public subscript(axis: Int) -> Int {
    get { extents[checked(axis)] }
    set { extents[checked(axis)] = newValue }
  }

  /// The number of elements.
  public var count: Int {
    var product = 1
    for axis in 0..<rank { product *= extents[axis] }
    return product
  }

  /// The sizes as a list.
  public var dimensions: [Int] { (0..<rank).map { extents[$0] } }

  /// The position of `axis`, where -1 is the last one.
  public func checked(
    _ axis: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Int {
    let position = axis < 0 ? axis + rank : axis
    require(
      position >= 0 && position < rank, "axis \(axis) is outside shape \(self)", file: file,
      line: line)
    return position
  }

  /// Adds an axis at the end.
  public mutating func append(_ dimension: Int) {
    require(rank < Shape.maximumRank, "a shape has at most \(Shape.maximumRank) axes")
    require(dimension >= 0, "a dimension is negative: \(dimension)")
    extents[rank] = dimension
    rank += 1
  }

  /// With one more axis at the end.
  public func appending(_ dimension: Int) -> Shape {
    var result = self
    result.append(dimension)
    return result
  }

  /// With one more axis before axis `axis`.
  public func inserting(_ dimension: Int, at axis: Int) -> Shape {
    var list = dimensions
    list.insert(dimension, at: axis < 0 ? axis + rank + 1 : axis)
    return Shape(list)
  }

  /// Without an axis.
  public func removing(_ axis: Int) -> Shape {
    var result = Shape.scalar
    let removed = checked(axis)
    for position in 0..<rank where position != removed { result.append(extents[position]) }
    return result
  }

  /// With another size of an axis.
  public func replacing(_ axis: Int, with dimension: Int) -> Shape {
    var result = self
    result[axis] = dimension
    return result
  }

  /// The first `length` axes.
  public func prefix(_ length: Int) -> Shape { self[0..<length] }
  /// The last `length` axes.
  public func suffix(_ length: Int) -> Shape { self[(rank - length)..<rank] }
  /// The axes in a range.
  public subscript(axes: Range<Int>) -> Shape {
    var result = Shape.scalar
    for axis in axes { result.append(extents[axis]) }
    return result
  }

  public static func + (left: Shape, right: Shape) -> Shape {
    var result = left
    for axis in 0..<right.rank { result.append(right.extents[axis]) }
    return result
  }

  /// Elements to step over for one step along each axis of a dense row-major array.
  public var strides: InlineArray<8, Int> {
    var result = InlineArray<8, Int>(repeating: 0)
    var step = 1
    for axis in stride(from: rank - 1, through: 0, by: -1) {
      result[axis] = step
      step *= extents[axis]
    }
    return result
  }

  /// The shape that both broadcast to (axes are aligned at the end; size 1 repeats), or nil.
  public func broadcast(with other: Shape) -> Shape? {
    if self == other { return self }
    var result = rank >= other.rank ? self : other
    for back in 1..<(result.rank + 1) {
      let left = back <= rank ? extents[rank - back] : 1
      let right = back <= other.rank ? other.extents[other.rank - back] : 1
      guard left == right || left == 1 || right == 1 else { return nil }
      result.extents[result.rank - back] = left == 1 ? right : left
    }
    return result
  }

  /// Strides of a dense array of this shape read as `target`: 0 where an axis repeats.
  func broadcastStrides(to target: Shape) -> InlineArray<8, Int> {
    var result = InlineArray<8, Int>(repeating: 0)
    let dense = strides
    let lead = target.rank - rank
    for axis in 0..<rank where extents[axis] != 1 || target.extents[axis + lead] == 1 {
      result[axis + lead] = dense[axis]
    }
    return result
  }
}

extension Shape: Hashable, CustomStringConvertible, Codable {
  public static func == (left: Shape, right: Shape) -> Bool {
    guard left.rank == right.rank else { return false }
    for axis in 0..<left.rank where left.extents[axis] != right.extents[axis] { return false }
    return true
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(rank)
    for axis in 0..<rank { hasher.combine(extents[axis]) }
  }

  public var description: String { "\(dimensions)" }

  /// Reads a list of sizes.
  ///
  /// - Throws: `DecodingError` for what no shape can be: decoded text comes from outside.
  public init(from decoder: any Swift.Decoder) throws {
    let list = try [Int](from: decoder)
    if list.count > Shape.maximumRank || list.contains(where: { $0 < 0 }) {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "\(list) is not a shape"))
    }
    self.init(list)
  }
  public func encode(to encoder: any Swift.Encoder) throws { try dimensions.encode(to: encoder) }
}
