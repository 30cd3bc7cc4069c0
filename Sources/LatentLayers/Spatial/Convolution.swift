// Convolutional layers over one, two and three spatial axes, channels last. Weights keep the channels
// last as well: `[outputs, kernel..., channels / groups]`, and `[channels, kernel..., outputs /
// groups]` for the transposed ones.

import LatentAutodiff
import LatentNumerics

/// Over sequences: `[batch, length, channels] -> [batch, length', outputs]`.
public typealias Conv1D = Convolution<OneAxis>
/// Over images: `[batch, height, width, channels] -> [batch, height', width', outputs]`.
public typealias Conv2D = Convolution<TwoAxes>
/// Over volumes: `[batch, depth, height, width, channels] -> [batch, depth', height', width', outputs]`.
public typealias Conv3D = Convolution<ThreeAxes>
/// Over sequences: `[batch, length, channels] -> [batch, length', outputs]`.
public typealias ConvTranspose1D = TransposedConvolution<OneAxis>
/// Over images: `[batch, height, width, channels] -> [batch, height', width', outputs]`.
public typealias ConvTranspose2D = TransposedConvolution<TwoAxes>
/// Over volumes: `[batch, depth, height, width, channels] -> [batch, depth', height', width', outputs]`.
public typealias ConvTranspose3D = TransposedConvolution<ThreeAxes>

/// `activation(x * w + b)`: sizes become `(size + before + after - dilation (kernel - 1) - 1) / stride
/// + 1`, rounded down.
public struct Convolution<Rank: SpatialRank>: WeightedLayer {
  /// `[outputs, kernel..., channels / groups]`.
  public var weight: Tensor
  /// `[outputs]`.
  public var bias: Tensor?
  /// Kernel, stride, padding, dilation and groups.
  public let geometry: ConvolutionGeometry
  /// Applied after the bias, in the same pass.
  public let activation: Activation

  /// With the `.pyTorch` initialiser the bias is drawn as there, with any other it starts at zero.
  /// Traps where sizes are not positive or the groups do not divide the channels.
  public init(
    _ channels: Int, _ outputs: Int, kernel: Extent, stride: Extent = 1, padding: Extent = 0,
    dilation: Extent = 1, groups: Int = 1, activation: Activation = .none, bias: Bool = true,
    initializer: Initializer = .pyTorch, using random: inout RandomStream,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    geometry = ConvolutionGeometry(
      rank: Rank.axes, kernel: kernel, stride: stride, before: padding, dilation: dilation,
      groups: groups, file: file, line: line)
    (weight, self.bias) = convolutionParameters(
      channels, outputs, geometry, first: outputs, last: channels / groups, bias: bias, initializer,
      &random, file, line)
    self.activation = activation
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visitFactor(&weight, "weight", .outputsFirst)
    visitor.visit(&bias, "bias")
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor { self(x) }

  /// Traps unless x has the layer's axes and channels.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    requireInput(
      x, last: weight.shape[-1] * geometry.groups, axes: Rank.axes, "Conv\(Rank.axes)D", weight,
      file: file, line: line)
    return convolution(x, weight: weight, bias: bias, activation: activation, geometry)
  }
}

/// `activation(x *^T w + b)`: sizes become `(size - 1) stride - before - after + dilation (kernel - 1)
/// + 1 + outputPadding`.
public struct TransposedConvolution<Rank: SpatialRank>: WeightedLayer {
  /// `[channels, kernel..., outputs / groups]`.
  public var weight: Tensor
  /// `[outputs]`.
  public var bias: Tensor?
  /// That of the convolution whose transpose this is.
  public let geometry: ConvolutionGeometry
  /// Added at the end of each axis, first of all what the rounding of a stride leaves open.
  public let outputPadding: SIMD3<Int>
  /// Applied after the bias, in the same pass.
  public let activation: Activation

  /// As of `Convolution`; every output padding must be smaller than the stride or the dilation, as in
  /// PyTorch.
  public init(
    _ channels: Int, _ outputs: Int, kernel: Extent, stride: Extent = 1, padding: Extent = 0,
    outputPadding: Extent = 0, dilation: Extent = 1, groups: Int = 1,
    activation: Activation = .none, bias: Bool = true, initializer: Initializer = .pyTorch,
    using random: inout RandomStream, file: StaticString = #fileID, line: UInt = #line
  ) {
    geometry = ConvolutionGeometry(
      rank: Rank.axes, kernel: kernel, stride: stride, before: padding, dilation: dilation,
      groups: groups, file: file, line: line)
    let extra = outputPadding.values(
      rank: Rank.axes, "output padding", minimum: 0, file: file, line: line)
    var three = SIMD3<Int>()
    for (axis, size) in extra.enumerated() { three[3 - Rank.axes + axis] = size }
    let geometry = geometry
    require(
      (0..<3).allSatisfy { three[$0] < max(geometry.stride[$0], geometry.dilation[$0]) },
      "output padding \(outputPadding) with stride \(stride) and dilation \(dilation): expected less "
        + "than the larger of the two", file: file, line: line)
    self.outputPadding = three
    (weight, self.bias) = convolutionParameters(
      channels, outputs, geometry, first: channels, last: outputs / groups, bias: bias, initializer,
      isTransposed: true, &random, file, line)
    self.activation = activation
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visitFactor(&weight, "weight", .outputsLast(groups: geometry.groups))
    visitor.visit(&bias, "bias")
  }

  public var outputsAreLast: Bool { true }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor { self(x) }

  /// Traps unless x has the layer's axes and channels.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    requireInput(
      x, last: weight.shape[0], axes: Rank.axes, "ConvTranspose\(Rank.axes)D", weight, file: file,
      line: line)
    return transposedConvolution(
      x, weight: weight, bias: bias, activation: activation,
      geometry.ending(before: outputPadding),
      outputSize: geometry.inputSize(of: geometry.sizes(of: x.shape), extra: outputPadding))
  }
}

/// First weight and bias. An output of the transposed convolution is a sum over the taps that the
/// stride leaves it; PyTorch takes its fans from the other way round.
private func convolutionParameters(
  _ channels: Int, _ outputs: Int, _ geometry: ConvolutionGeometry, first: Int, last: Int,
  bias: Bool, _ initializer: Initializer, isTransposed: Bool = false,
  _ random: inout RandomStream, _ file: StaticString, _ line: UInt
) -> (weight: Tensor, bias: Tensor?) {
  require(
    channels > 0 && outputs > 0 && channels % geometry.groups == 0
      && outputs % geometry.groups == 0,
    "a convolution from \(channels) to \(outputs) channels in \(geometry.groups) groups",
    file: file,
    line: line)
  var shape: Shape = [first]
  for axis in (3 - geometry.rank)..<3 { shape.append(geometry.kernel[axis]) }
  shape.append(last)
  let taps = shape.count / first / last
  let strides = geometry.stride[0] * geometry.stride[1] * geometry.stride[2]
  let (there, back) = (last * taps, first / geometry.groups * taps)
  let (fanIn, fanOut) =
    isTransposed && initializer != .pyTorch ? (max(1, back / strides), there) : (there, back)
  let weight = initializer(shape, fanIn: fanIn, fanOut: fanOut, using: &random)
  let rule = initializer == .pyTorch ? initializer : .constant(0)
  return (weight, bias ? rule([outputs], fanIn: fanIn, using: &random) : nil)
}
