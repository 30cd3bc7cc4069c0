// The windows of pooling layers, as PyTorch places them.

extension Shape {
  /// The sizes between batch and channels of `[batch, spatial..., channels]`. Traps unless there are
  /// one to three.
  package func spatialSizes(
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
  /// The mean over windows of `kernel` elements, `dilation` apart, at every `stride`-th place, for each
  /// spatial axis of `shape`: `(size + 2 padding - reach) / stride + 1` of them with `reach = dilation
  /// (kernel - 1) + 1`, rounded down, or up where `roundsUp`: the last window then reaches beyond the
  /// end, but never begins there.
  ///
  /// `padding` zeros at both ends count as elements of the mean where `countsPadding`; what is beyond
  /// them never does. Traps when a window does not fit or has no elements but padding, or padding exceeds
  /// half of the kernel.
  package static func windows(
    over shape: Shape, kernel: Extent, stride: Extent, padding: Extent, dilation: Extent = 1,
    roundsUp: Bool = false, countsPadding: Bool, _ name: String, file: StaticString = #fileID,
    line: UInt = #line
  ) -> [AxisMap] {
    let sizes = shape.spatialSizes(name, file: file, line: line)
    let rank = sizes.count
    let kernels = kernel.values(rank: rank, "\(name): kernel", file: file, line: line)
    let strides = stride.values(rank: rank, "\(name): stride", file: file, line: line)
    let dilations = dilation.values(rank: rank, "\(name): dilation", file: file, line: line)
    let paddings = padding.values(
      rank: rank, "\(name): padding", minimum: 0, file: file, line: line)
    return (0..<rank).map { axis in
      let (size, stride, padding) = (sizes[axis], strides[axis], paddings[axis])
      let reach = dilations[axis] * (kernels[axis] - 1) + 1
      let room = size + 2 * padding - reach
      require(
        2 * padding <= kernels[axis] && room >= 0 && size > 0,
        "\(name): windows of \(reach) with padding \(padding) do not fit \(size) elements of "
          + "spatial axis \(axis) of \(shape) (padding is at most half of the kernel)",
        file: file, line: line)
      var count = (room + (roundsUp ? stride - 1 : 0)) / stride + 1
      if (count - 1) * stride >= size + padding { count -= 1 }
      return AxisMap(from: size, to: count) { output, add in
        let start = output * stride - padding
        let taps = Swift.stride(from: start, to: start + reach, by: dilations[axis])
        let inside = taps.filter { $0 >= 0 && $0 < size }
        require(
          !inside.isEmpty, "\(name): a window with nothing but padding on axis \(axis) of \(shape)",
          file: file, line: line)
        let counted = countsPadding ? taps.count { $0 < size + padding } : inside.count
        for input in inside { add(input, 1 / Double(counted)) }
      }
    }
  }

  /// The mean over windows that divide each spatial axis of `shape` into `outputSize` parts as
  /// evenly as whole elements allow: part o is `floor(o size / parts)..<ceil((o + 1) size / parts)`,
  /// so that neighbours may share an element.
  package static func adaptiveWindows(
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

extension AxisMap {
  /// The sums over each spatial axis of `shape` of neighbours times `taps`, where all of them are inside:
  /// `size - taps.count + 1` of them. Traps where the taps do not fit.
  package static func filters(over shape: Shape, taps: [Double]) -> [AxisMap] {
    shape.spatialSizes("filter").map { size in
      require(taps.count <= size, "a filter of \(taps.count) taps over \(shape)")
      return AxisMap(from: size, to: size - taps.count + 1) { output, add in
        for (tap, weight) in taps.enumerated() { add(output + tap, weight) }
      }
    }
  }
}
