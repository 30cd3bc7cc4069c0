// Axis maps applied to the spatial axes of `[batch, spatial..., channels]`, and max pooling over the
// same windows.

import CLatentKernels

extension NDArray {
  /// Traps unless `maps` fit the spatial axes; the shape that they lead to.
  private func mappedShape(_ maps: [AxisMap], _ name: StaticString) -> Shape {
    requireNumbers(name, fractions: true)
    let sizes = shape.spatialSizes("\(name)")
    require(
      maps.map(\.inputSize) == sizes,
      "\(name): maps of sizes \(maps.map(\.inputSize)) do not fit \(shape)")
    var result = shape
    for (axis, map) in maps.enumerated() { result[axis + 1] = map.outputSize }
    return result
  }

  /// Three maps for the kernels: missing leading axes have size 1.
  private static func withKernelMaps(
    _ maps: [AxisMap], _ body: (UnsafePointer<latent_axis_map>) -> Void
  ) {
    let all = Array(repeating: AxisMap.identity(1), count: 3 - maps.count) + maps
    let kernels = all.map(\.kernel)
    kernels.withUnsafeBufferPointer { body($0.baseAddress.unsafelyUnwrapped) }
    keepAlive(all)
  }

  /// Each of `maps` along its spatial axis, outermost first.
  package func mapped(_ maps: [AxisMap]) -> NDArray {
    let result = NDArray(uninitialized: mappedShape(maps, "spatial map"), dtype)
    NDArray.withKernelMaps(maps) {
      latent_map_axes(
        dtype.kernel, Int64(shape[0]), Int64(shape[-1]), $0, pointer, result.freshPointer)
    }
    keepAlive(storage)
    return result
  }

  /// The largest element of each window (what a row of a map names; its weights do not matter), and
  /// where it stood: int32 positions counted over the spatial axes. NaN is larger than any number.
  package func maxPooled(
    _ windows: [AxisMap], savingPositions: Bool
  ) -> (values: NDArray, positions: NDArray?) {
    let newShape = mappedShape(windows, "max pooling")
    require(
      windows.reduce(1) { $0 * $1.inputSize } <= Int(Int32.max),
      "max pooling of \(shape): more than \(Int32.max) positions")
    let values = NDArray(uninitialized: newShape, dtype)
    let positions = savingPositions ? NDArray(uninitialized: newShape, .int32) : nil
    NDArray.withKernelMaps(windows) {
      latent_max_axes(
        dtype.kernel, Int64(shape[0]), Int64(shape[-1]), $0, pointer, values.freshPointer,
        positions?.freshPointer.assumingMemoryBound(to: Int32.self))
    }
    keepAlive(storage)
    return (values, positions)
  }

  /// The cotangent of what `maxPooled` was applied to from that of its values (this array).
  package func maxPoolGradient(positions: NDArray, windows: [AxisMap]) -> NDArray {
    let transposed = windows.map(\.transposed)
    let newShape = mappedShape(transposed, "max pooling")
    require(
      positions.shape == shape && positions.dtype == .int32,
      "max pooling: positions \(positions.shape) of \(positions.dtype) for \(shape)")
    let result = NDArray(uninitialized: newShape, dtype)
    NDArray.withKernelMaps(transposed) {
      latent_max_axes_grad(
        dtype.kernel, Int64(shape[0]), Int64(shape[-1]), $0,
        positions.pointer.assumingMemoryBound(to: Int32.self), pointer, result.freshPointer)
    }
    keepAlive(storage)
    keepAlive(positions.storage)
    return result
  }
}
