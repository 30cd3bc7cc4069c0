// Pooling over the spatial axes of `[batch, spatial..., channels]`, one to three of them.

import LatentNumerics

extension Tensor {
  /// Each of `maps` along its spatial axis, outermost first. The derivative is the transposed map,
  /// itself an operation.
  package func mapped(_ maps: [AxisMap]) -> Tensor {
    Tensor.record("spatialMap", self, array.mapped(maps), saving: []) { g, _ in
      [g.mapped(maps.map(\.transposed))]
    }
  }

  /// The mean of windows of `kernel` elements at every `stride`-th place (`kernel` where nil):
  /// `[batch, size..., channels] -> [batch, (size + 2 padding - kernel) / stride + 1..., channels]`.
  ///
  /// Padded zeros count as elements where `countsPadding` (PyTorch's `count_include_pad`). Where
  /// `roundsUp` (its `ceil_mode`) the division by the stride is rounded up.
  public func averagePooled(
    kernel: Extent, stride: Extent? = nil, padding: Extent = 0, roundsUp: Bool = false,
    countsPadding: Bool = true, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    mapped(
      AxisMap.windows(
        over: shape, kernel: kernel, stride: stride ?? kernel, padding: padding,
        roundsUp: roundsUp, countsPadding: countsPadding, "average pooling", file: file, line: line)
    )
  }

  /// The largest element of each window; sizes as in `averagePooled`, a window of `dilation` reaching
  /// over `dilation (kernel - 1) + 1` elements. Padding never wins. The derivative goes to the first of
  /// equal elements.
  public func maxPooled(
    kernel: Extent, stride: Extent? = nil, padding: Extent = 0, dilation: Extent = 1,
    roundsUp: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    maxPooled(
      AxisMap.windows(
        over: shape, kernel: kernel, stride: stride ?? kernel, padding: padding,
        dilation: dilation, roundsUp: roundsUp, countsPadding: false, "max pooling", file: file,
        line: line))
  }

  /// The means of windows that divide each spatial axis evenly:
  /// `[batch, size..., channels] -> [batch, outputSize..., channels]`.
  public func adaptiveAveragePooled(
    to outputSize: Extent, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    mapped(
      AxisMap.adaptiveWindows(
        over: shape, to: outputSize, "adaptive average pooling", file: file, line: line))
  }

  /// The largest elements of windows that divide each spatial axis evenly:
  /// `[batch, size..., channels] -> [batch, outputSize..., channels]`.
  public func adaptiveMaxPooled(
    to outputSize: Extent, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    maxPooled(
      AxisMap.adaptiveWindows(
        over: shape, to: outputSize, "adaptive max pooling", file: file, line: line))
  }

  private func maxPooled(_ windows: [AxisMap]) -> Tensor {
    let (values, positions) = array.maxPooled(windows, savingPositions: isRecorded)
    guard let positions else { return Tensor(values) }
    return Tensor.record("maxPool", self, values, saving: []) { g, _ in
      [g.placed(at: positions, windows)]
    }
  }

  /// The derivative of max pooling as an operation; it is linear, and its own derivative takes the
  /// elements at the same positions.
  private func placed(at positions: NDArray, _ windows: [AxisMap]) -> Tensor {
    let small = shape
    let result = array.maxPoolGradient(positions: positions, windows: windows)
    return Tensor.record("maxPoolGradient", self, result, saving: []) { g, _ in
      func line(_ shape: Shape) -> Shape {
        [shape[0], shape[1..<(shape.rank - 1)].count, shape[-1]]
      }
      let indices = Tensor(positions.reshaped(line(small)))
      return [g.reshaped(line(g.shape)).gathering(along: 1, indices).reshaped(small)]
    }
  }
}
