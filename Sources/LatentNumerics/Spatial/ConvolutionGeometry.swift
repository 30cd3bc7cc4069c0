// What a convolution does to sizes. One description serves one, two and three spatial axes: the
// kernels always see three, and axes that are not there have size one.

/// Kernel, stride, padding, dilation and groups of a convolution.
///
/// Input `[batch, in..., channels]`, weight `[outputs, kernel..., channels / groups]`, output
/// `[batch, out..., outputs]`, with `out = (in + before + after - dilation (kernel - 1) - 1) /
/// stride + 1` rounded down along every spatial axis.
public struct ConvolutionGeometry: Sendable, Hashable {
  /// The number of spatial axes, 1 to 3.
  public let rank: Int
  /// Sizes along depth, height and width.
  public let kernel, stride, dilation, before: SIMD3<Int>
  /// Added at the end of each axis.
  public private(set) var after: SIMD3<Int>
  /// Parts of the channels that do not see each other.
  public let groups: Int

  /// Traps, naming the argument, on sizes that no convolution has.
  public init(
    rank: Int, kernel: Extent, stride: Extent = 1, before: Extent = 0, after: Extent? = nil,
    dilation: Extent = 1, groups: Int = 1, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      (1...3).contains(rank), "a convolution over \(rank) spatial axes", file: file, line: line)
    require(groups > 0, "a convolution of \(groups) groups", file: file, line: line)
    func three(_ extent: Extent, _ name: String, _ minimum: Int, _ missing: Int) -> SIMD3<Int> {
      let list = extent.values(rank: rank, name, minimum: minimum, file: file, line: line)
      var result = SIMD3(repeating: missing)
      for (axis, size) in list.enumerated() { result[3 - rank + axis] = size }
      return result
    }
    self.rank = rank
    self.groups = groups
    self.kernel = three(kernel, "kernel", 1, 1)
    self.stride = three(stride, "stride", 1, 1)
    self.dilation = three(dilation, "dilation", 1, 1)
    self.before = three(before, "padding", 0, 0)
    self.after = three(after ?? before, "padding", 0, 0)
  }

  /// The part of the input that one output position sees.
  public var reach: SIMD3<Int> { dilation &* (kernel &- 1) &+ 1 }

  /// Spatial sizes of the output; zero or less where the padded input is smaller than the kernel.
  public func outputSize(of input: SIMD3<Int>) -> SIMD3<Int> {
    let room = input &+ before &+ after &- reach
    var result = SIMD3<Int>()
    for axis in 0..<3 { result[axis] = room[axis] < 0 ? 0 : room[axis] / stride[axis] + 1 }
    return result
  }

  /// Spatial sizes of what a transposed convolution makes of `output`; `extra` resolves what the
  /// rounding of a stride leaves open.
  public func inputSize(of output: SIMD3<Int>, extra: SIMD3<Int> = .zero) -> SIMD3<Int> {
    (output &- 1) &* stride &- before &- after &+ reach &+ extra
  }

  /// The convolution that leads from `inputSize(of:extra:)` back, for any `extra`. Less than a stride is
  /// lost by rounding; more is what it does not see of its input's end: padding, which may be negative.
  public func ending(before extra: SIMD3<Int>) -> ConvolutionGeometry {
    var result = self
    for axis in 0..<3 where extra[axis] >= stride[axis] { result.after[axis] -= extra[axis] }
    return result
  }

  /// The spatial sizes of `[batch, sizes..., channels]` or `[first, kernel..., last]`, as three.
  public func sizes(of shape: Shape) -> SIMD3<Int> {
    var result = SIMD3(repeating: 1)
    for axis in 0..<rank { result[3 - rank + axis] = shape[1 + axis] }
    return result
  }

  /// `[batch, sizes..., channels]` with this geometry's number of axes.
  func shape(batch: Int, _ sizes: SIMD3<Int>, channels: Int) -> Shape {
    var result: Shape = [batch]
    for axis in 0..<rank { result.append(sizes[3 - rank + axis]) }
    return result.appending(channels)
  }

  /// `[first, kernel..., last]`.
  func weightShape(_ first: Int, _ last: Int) -> Shape {
    shape(batch: first, kernel, channels: last)
  }
}
