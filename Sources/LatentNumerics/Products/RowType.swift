// In which type the rows of a product are read. At low precision they are made from float32 rows,
// piece by piece, just before they are multiplied.

import CLatentDNN
import CLatentKernels

enum RowType: Sendable {
  case float32, bfloat16
  /// Integers of 8 bits, and what one step of each output is worth.
  case integers(inverseScale: Float, isSigned: Bool, OutputScales)

  init(_ quantization: Quantization) {
    self = .integers(
      inverseScale: 1 / quantization.inputScale, isSigned: quantization.inputIsSigned,
      quantization.outputScales)
  }

  var kernel: latent_dnn_type {
    switch self {
    case .float32: LATENT_DNN_F32
    case .bfloat16: LATENT_DNN_BF16
    case .integers(_, let isSigned, _): isSigned ? LATENT_DNN_S8 : LATENT_DNN_U8
    }
  }

  /// Bytes of one element.
  var size: Int {
    switch self {
    case .float32: 4
    case .bfloat16: 2
    case .integers: 1
    }
  }

  var isSigned: Bool { kernel == LATENT_DNN_S8 }

  var outputScales: OutputScales? {
    if case .integers(_, _, let scales) = self { scales } else { nil }
  }

  /// The same rows for a product that gives patches of a transposed convolution.
  func forPatches(taps: Int, groups: Int) -> RowType {
    guard case .integers(let inverseScale, let isSigned, let scales) = self else { return self }
    return .integers(
      inverseScale: inverseScale, isSigned: isSigned, scales.forPatches(taps: taps, groups: groups))
  }

  /// Calls with the scales as oneDNN wants them.
  func withScales<Result>(_ body: (UnsafePointer<latent_dnn_scales>?) -> Result) -> Result {
    guard let scales = outputScales else { return body(nil) }
    defer { keepAlive(scales) }
    return withUnsafePointer(to: scales.kernel, body)
  }

  /// Writes `count` elements of this type, which is not float32. False where some of them are NaN or
  /// infinite and the type has no such numbers.
  func write(
    _ count: Int, of x: UnsafePointer<Float>, to target: UnsafeMutableRawPointer
  ) -> Bool {
    switch self {
    case .float32: fatalError("float32 rows are read in place")
    case .bfloat16:
      latent_bf16_from_f32(Int64(count), x, target.assumingMemoryBound(to: UInt16.self))
      return true
    case .integers(let inverseScale, let isSigned, _):
      return latent_quantize(isSigned, Int64(count), inverseScale, x, target)
    }
  }

  /// All of a float32 array in this type, as bytes, and whether they stand for all of it.
  func bytes(of x: NDArray) -> (bytes: NDArray, marks: PieceMarks) {
    let result = NDArray(uninitialized: [x.count * size], .uint8)
    let marks = PieceMarks(1)
    if !write(x.count, of: x.floats(0), to: result.freshPointer) { marks.set(0) }
    keepAlive(x.storage)
    return (result, marks)
  }

  /// The bias as oneDNN adds it: before the scales.
  func unscaled(_ bias: NDArray?) -> NDArray? {
    guard let scales = outputScales else { return bias }
    return bias.map { scales.unscaled($0) }
  }
}

extension NDArray {
  /// How rows are read that meet this weight, whose scales must have the shape that the operation has.
  func rowType(
    scalesShape: Shape, _ name: StaticString, file: StaticString, line: UInt
  ) -> RowType {
    if dtype == .bfloat16 { return .bfloat16 }
    guard let quantization else {
      let reason =
        storage.quantization == nil
        ? "has no scales; weights come with them from quantized() or a checkpoint"
        : "is a part or another form of a quantised one, whose scales belong to the whole; convert "
          + "that to float32 first"
      fatalError("\(name): the int8 weight \(shape) \(reason)", file: file, line: line)
    }
    require(
      quantization.scales.shape == scalesShape,
      "\(name): scales \(quantization.scales.shape) of the int8 weight \(shape), expected "
        + "\(scalesShape)", file: file, line: line)
    return RowType(quantization)
  }

  /// This weight in float32, made once.
  var float32Twin: NDArray {
    storage.derived(DerivedKey(offset: offset, layout: DerivedKey.float32, count: count)) {
      converted(to: .float32)
    }.reshaped(shape)
  }

  /// This float32 array with its elements rounded to bfloat16.
  var roundedToBFloat16: NDArray {
    let result = NDArray(uninitialized: shape, .float32)
    latent_f32_as_bf16(Int64(count), floats(0), result.floats(0))
    keepAlive(storage)
    return result
  }
}

extension DerivedKey {
  /// Forms that are not of a plan's making.
  static let float32: Int64 = -2
  static let transposed: Int64 = -3
}
