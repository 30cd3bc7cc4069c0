// What stands beyond the ends of an axis.

/// What padded elements are.
public enum PaddingMode: String, Sendable, Hashable, Codable, CaseIterable {
  /// Zeros.
  case zero
  /// The elements mirrored at the first and last one, which are not repeated: `c b | a b c | b a`.
  case reflect
  /// The first and last element: `a a | a b c | c c`.
  case replicate
  /// The other end: `b c | a b c | a b`.
  case circular

  /// How much fits at one end of an axis.
  func limit(_ size: Int) -> Int {
    switch self {
    case .zero: .max
    case .reflect: max(size - 1, 0)
    case .replicate: size > 0 ? .max : 0
    case .circular: size
    }
  }
}

extension AxisMap {
  /// Each spatial axis of `shape` with `amounts` before and after its elements.
  package static func padding(
    _ shape: Shape, _ mode: PaddingMode, _ amounts: [(before: Int, after: Int)], _ name: String,
    file: StaticString = #fileID, line: UInt = #line
  ) -> [AxisMap] {
    let sizes = shape.spatialSizes(name, file: file, line: line)
    require(
      amounts.count == sizes.count,
      "\(name): \(amounts.count) amounts for \(sizes.count) spatial axes of \(shape)",
      file: file, line: line)
    return sizes.indices.map { axis in
      let (size, (before, after)) = (sizes[axis], amounts[axis])
      let limit = mode.limit(size)
      require(
        min(before, after) >= 0 && max(before, after) <= limit,
        "\(name): \(mode.rawValue) padding of \(before) and \(after) does not fit \(size) elements "
          + "of spatial axis \(axis) of \(shape) (0 to \(limit == .max ? "any" : "\(limit)"))",
        file: file, line: line)
      return AxisMap(from: size, to: before + size + after) { output, add in
        let place = output - before
        switch mode {
        case .zero: if place >= 0 && place < size { add(place, 1) }
        case .reflect: add(place < size ? abs(place) : 2 * size - 2 - place, 1)
        case .replicate: add(min(max(place, 0), size - 1), 1)
        case .circular: add((place + size) % size, 1)
        }
      }
    }
  }
}
