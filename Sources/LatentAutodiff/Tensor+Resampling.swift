// Resizing the spatial axes of `[batch, spatial..., channels]`: by interpolation, by trading channels
// for positions, and by padding.

import LatentNumerics

extension Tensor {
  /// `[batch, size..., channels] -> [batch, outputSize..., channels]`.
  public func resized(
    to outputSize: Extent, _ method: Resampling = .nearest, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    mapped(AxisMap.resampling(shape, to: outputSize, method, "resize", file: file, line: line))
  }

  /// `[batch, size..., channels] -> [batch, size * scale..., channels]`.
  public func upsampled(
    by scale: Extent, _ method: Resampling = .nearest, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    let sizes = shape.spatialSizes("upsampling", file: file, line: line)
    let scales = scale.values(rank: sizes.count, "upsampling: scale", file: file, line: line)
    return mapped(
      AxisMap.resampling(
        shape, to: .axes(zip(sizes, scales).map { $0 * $1 }), method, "upsampling", file: file,
        line: line))
  }

  /// `amounts` before and after the elements of each spatial axis, outermost first:
  /// `[batch, size..., channels] -> [batch, before + size + after..., channels]`.
  public func padded(
    _ mode: PaddingMode, amounts: [(before: Int, after: Int)], file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    mapped(AxisMap.padding(shape, mode, amounts, "padding", file: file, line: line))
  }

  /// Channels spread over blocks of `factor` positions along every spatial axis (Shi et al. 2016):
  /// `[batch, height, width, channels * factor^2] -> [batch, height * factor, width * factor,
  /// channels]`. Channel c and the place in the block come from channel
  /// `(c factor + row) factor + column`, as in PyTorch.
  public func pixelShuffled(
    by factor: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let sizes = shape.spatialSizes("pixel shuffle", file: file, line: line)
    require(factor > 0, "pixel shuffle by \(factor)", file: file, line: line)
    let (axes, block) = (sizes.count, sizes.reduce(1) { product, _ in product * factor })
    require(
      shape[-1] % block == 0,
      "pixel shuffle by \(factor): \(shape[-1]) channels of \(shape) are no multiple of \(block)",
      file: file, line: line)
    let channels = shape[-1] / block
    let blocks = reshaped(
      Shape([shape[0]] + sizes + [channels] + Array(repeating: factor, count: axes)))
    let pairs = (1...axes).flatMap { [$0, $0 + axes + 1] }
    return blocks.permuted([0] + pairs + [axes + 1])
      .reshaped(Shape([shape[0]] + sizes.map { $0 * factor } + [channels]))
  }

  /// The inverse of `pixelShuffled`:
  /// `[batch, height, width, channels] -> [batch, height / factor, width / factor,
  /// channels * factor^2]`.
  public func pixelUnshuffled(
    by factor: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let sizes = shape.spatialSizes("pixel unshuffle", file: file, line: line)
    require(factor > 0, "pixel unshuffle by \(factor)", file: file, line: line)
    require(
      sizes.allSatisfy { $0 % factor == 0 },
      "pixel unshuffle by \(factor): spatial axes of \(shape) are no multiples of it",
      file: file, line: line)
    let (axes, channels) = (sizes.count, shape[-1])
    let blocks = reshaped(
      Shape([shape[0]] + sizes.flatMap { [$0 / factor, factor] } + [channels]))
    let outer = (0..<axes).map { 1 + 2 * $0 }
    let order = [0] + outer + [2 * axes + 1] + outer.map { $0 + 1 }
    let block = sizes.reduce(1) { product, _ in product * factor }
    return blocks.permuted(order)
      .reshaped(Shape([shape[0]] + sizes.map { $0 / factor } + [channels * block]))
  }
}
