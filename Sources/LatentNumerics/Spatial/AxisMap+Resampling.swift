// Resizing by interpolation, with the sampling points of PyTorch's `interpolate`.

/// How values between the elements of an axis are found.
public enum Resampling: Sendable, Hashable, Codable {
  /// Element `floor(o inputSize / outputSize)` for output o.
  case nearest
  /// Linear along each axis (bilinear over two, trilinear over three). Elements are the centres of
  /// cells that share an axis; where corners are aligned, they are points whose first and last are
  /// those of the output.
  case linear(alignCorners: Bool = false)

  /// `linear`, by its name over two axes.
  public static func bilinear(alignCorners: Bool = false) -> Resampling {
    .linear(alignCorners: alignCorners)
  }
}

extension AxisMap {
  /// Each spatial axis of `shape` resized to `outputSize`.
  package static func resampling(
    _ shape: Shape, to outputSize: Extent, _ method: Resampling, _ name: String,
    file: StaticString = #fileID, line: UInt = #line
  ) -> [AxisMap] {
    let sizes = shape.spatialSizes(name, file: file, line: line)
    let targets = outputSize.values(
      rank: sizes.count, "\(name): output size", file: file, line: line)
    require(!sizes.contains(0), "\(name) of empty axes: \(shape)", file: file, line: line)
    return zip(sizes, targets).map { size, target in
      switch method {
      case .nearest: AxisMap(from: size, to: target) { $1($0 * size / target, 1) }
      case .linear(let alignCorners): linear(from: size, to: target, alignCorners: alignCorners)
      }
    }
  }

  private static func linear(from size: Int, to target: Int, alignCorners: Bool) -> AxisMap {
    if size == target { return identity(size) }
    let step =
      alignCorners
      ? (target > 1 ? Double(size - 1) / Double(target - 1) : 0) : Double(size) / Double(target)
    return AxisMap(from: size, to: target) { output, add in
      let point = alignCorners ? step * Double(output) : max(0, step * (Double(output) + 0.5) - 0.5)
      let left = min(Int(point), size - 1)
      let fraction = min(max(point - Double(left), 0), 1)
      if left == size - 1 || fraction == 0 {
        add(left, 1)
      } else {
        add(left, 1 - fraction)
        add(left + 1, fraction)
      }
    }
  }
}
