// The windows of pooling layers, as PyTorch places them.

extension Shape {
  /// The sizes between batch and channels of `[batch, spatial..., channels]`. Traps unless there are
  /// one to three.
  public func spatialSizes(
    _ name: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
  ) -> [Int] {
    require(
      rank >= 3 && rank <= 5,
      "\(name()) of shape \(self): expected [batch, one to three spatial axes, channels]",
      file: file, line: line)
    return Array(dimensions.dropFirst().dropLast())
  }
}

extension AxisMap {
  /// The mean over windows of `kernel` elements at every `stride`-th place, for each spatial axis of
  /// `shape`: `(size + 2 padding - kernel) / stride + 1` of them, rounded down.
  ///
  /// `padding` zeros at both ends count as elements of the mean where `countsPadding`. Traps when a
  /// window does not fit or padding exceeds half of it (a window of padding alone has no elements).
  public static func windows(
    over shape: Shape, kernel: Extent, stride: Extent, padding: Extent, countsPadding: Bool,
    _ name: String, file: StaticString = #fileID, line: UInt = #line
  ) -> [AxisMap] {
    let sizes = shape.spatialSizes(name, file: file, line: line)
    let rank = sizes.count
    let kernels = kernel.values(rank: rank, "\(name): kernel", file: file, line: line)
    let strides = stride.values(rank: rank, "\(name): stride", file: file, line: line)
    let paddings = padding.values(
      rank: rank, "\(name): padding", minimum: 0, file: file, line: line)
    return (0..<rank).map { axis in
      let (size, kernel, padding) = (sizes[axis], kernels[axis], paddings[axis])
      require(
        2 * padding <= kernel && kernel <= size + 2 * padding && size > 0,
        "\(name): windows of \(kernel) with padding \(padding) do not fit \(size) elements of "
          + "spatial axis \(axis) of \(shape) (padding is at most half of a window)",
        file: file, line: line)
      let count = (size + 2 * padding - kernel) / strides[axis] + 1
      return AxisMap(from: size, to: count) { output, add in
        let start = output * strides[axis] - padding
        let inside = max(start, 0)..<min(start + kernel, size)
        let weight = 1 / Double(countsPadding ? kernel : inside.count)
        for input in inside { add(input, weight) }
      }
    }
  }

  /// The mean over windows that divide each spatial axis of `shape` into `outputSize` parts as
  /// evenly as whole elements allow: part o is `floor(o size / parts)..<ceil((o + 1) size / parts)`,
  /// so that neighbours may share an element.
  public static func adaptiveWindows(
    over shape: Shape, to outputSize: Extent, _ name: String, file: StaticString = #fileID,
    line: UInt = #line
  ) -> [AxisMap] {
    let sizes = shape.spatialSizes(name, file: file, line: line)
    let parts = outputSize.values(
      rank: sizes.count, "\(name): output size", file: file, line: line)
    require(!sizes.contains(0), "\(name) of empty axes: \(shape)", file: file, line: line)
    return zip(sizes, parts).map { size, parts in
      AxisMap(from: size, to: parts) { output, add in
        let window = (output * size / parts)..<(((output + 1) * size + parts - 1) / parts)
        for input in window { add(input, 1 / Double(window.count)) }
      }
    }
  }
}
