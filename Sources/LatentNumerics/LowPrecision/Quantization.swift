// Weights in 8 bits: integers, a factor for each output channel that says what one step is worth, and
// the range of the layer's input, found by calibration, so that the input can be made integers too
// and the product be one of integers (Jacob et al. 2018; symmetric weights, as Krishnamoorthi 2018).

import CLatentDNN
import CLatentKernels
import Synchronization

/// What the integers of an int8 weight stand for.
///
/// The weight is `scale * integer` with a scale for each output channel, integers from -127 to 127. The
/// layer's input is `inputScale * integer`: from 0 to 255 where calibration saw nothing below zero, else
/// from -127 to 127; what lies outside the calibrated range is drawn to its ends.
public struct Quantization: Sendable, Equatable {
  /// float32, of the weight's rank: `[outputs, 1, ...]` for `linear` and convolutions, `[groups, 1,
  /// ..., outputs / groups]` for transposed convolutions.
  public let scales: NDArray
  /// The least and the greatest input that calibration saw.
  public let inputRange: ClosedRange<Float>
  let outputScales: OutputScales

  /// Sums of so many products of 8 bits cannot leave 32 bits.
  public static let maximumInner = 1 << 16
  /// Smaller steps count as this one: the product of two is still a normal number.
  static let smallestScale: Float = 0x1p-50

  /// A failure, with the reason, where the numbers cannot be those of a weight of `shape`: scales that
  /// are not finite and positive or do not fit, more than `maximumInner` products for one output, a
  /// range that is not finite.
  public static func checked(
    scales: NDArray, inputRange: (low: Float, high: Float), for shape: Shape
  ) -> Result<Quantization, QuantizationMismatch> {
    guard scales.dtype == .float32 else {
      return .failure(
        QuantizationMismatch(
          found: "scales \(scales.shape) of \(scales.dtype)",
          expected: "float32 that fit a weight of shape \(shape)"))
    }
    if let mismatch = Quantization.mismatch(scales.shape, shape) { return .failure(mismatch) }
    guard scales.floats.allSatisfy({ $0 >= smallestScale && $0.isFinite }) else {
      return .failure(
        QuantizationMismatch(found: "a scale that is no positive number", expected: "a step"))
    }
    guard inputRange.low <= inputRange.high, inputRange.low.isFinite, inputRange.high.isFinite
    else {
      return .failure(
        QuantizationMismatch(
          found: "an input range from \(inputRange.low) to \(inputRange.high)",
          expected: "finite numbers in order"))
    }
    return .success(
      Quantization(scales: scales, inputRange: inputRange.low...inputRange.high))
  }

  /// Why scales of a shape cannot belong to a weight of `shape`: nil where they can.
  static func mismatch(_ scales: Shape, _ shape: Shape) -> QuantizationMismatch? {
    let rank = shape.rank
    let isPlain =
      rank > 0 && scales.rank == rank && scales.count > 0
      && (1..<max(rank - 1, 1)).allSatisfy { scales[$0] == 1 }
    let isOfOutputs = isPlain && scales[0] == shape[0] && (rank == 1 || scales[-1] == 1)
    // Transposed convolutions have at least one axis between the inputs and the outputs.
    let isOfGroups = isPlain && rank > 2 && shape[0] % scales[0] == 0 && scales[-1] == shape[-1]
    guard isOfOutputs || isOfGroups else {
      return QuantizationMismatch(
        found: "scales \(scales) of float32",
        expected: "float32 that fit a weight of shape \(shape)")
    }
    let inner = shape.count / scales.count
    if inner > maximumInner {
      return QuantizationMismatch(
        found: "\(inner) products for each output of a weight of shape \(shape)",
        expected: "at most \(maximumInner), whose sums stay within 32 bits")
    }
    return nil
  }

  init(scales: NDArray, inputRange: ClosedRange<Float>) {
    self.scales = scales
    self.inputRange = inputRange
    let step = Quantization.inputScale(inputRange)
    outputScales = OutputScales(
      scales.reshaped([scales.count]).binary(.multiply, scalar: Double(step)))
  }

  /// Whether the input's integers have a sign.
  public var inputIsSigned: Bool { inputRange.lowerBound < 0 }
  /// What one step of the input's integers is worth.
  public var inputScale: Float { Quantization.inputScale(inputRange) }

  private static func inputScale(_ range: ClosedRange<Float>) -> Float {
    let step =
      range.lowerBound < 0
      ? max(-range.lowerBound, range.upperBound) / 127 : range.upperBound / 255
    return max(step, smallestScale)
  }

  public static func == (left: Quantization, right: Quantization) -> Bool {
    left.scales == right.scales && left.inputRange == right.inputRange
  }
}

/// Why numbers cannot be those of an int8 weight.
public struct QuantizationMismatch: Error, Sendable, Equatable {
  /// In the words of an error.
  public let found, expected: String
}

/// The products of input scale and weight scales `[outputs]`. oneDNN compiles them into its plans,
/// which are found by a number and forgotten with this object.
final class OutputScales: Sendable {
  let values: NDArray
  let number: Int64
  private let ofPatches = Mutex<OutputScales?>(nil)
  /// The bias that came last, and what oneDNN is given for it.
  private let lastBias = Mutex<(bias: NDArray, unscaled: NDArray)?>(nil)
  private static let counter = Atomic<Int64>(0)

  init(_ values: NDArray) {
    self.values = values
    number = OutputScales.counter.wrappingAdd(1, ordering: .relaxed).newValue
  }

  deinit { latent_dnn_forget(number) }

  /// `bias / values`. A layer has one bias, so the last result is kept; the bias is held with it, so that
  /// nobody writes to it in place.
  func unscaled(_ bias: NDArray) -> NDArray {
    lastBias.withLock { last in
      if let last, last.bias.place == bias.place { return last.unscaled }
      let result = bias.binary(.divide, values)
      last = (bias, result)
      return result
    }
  }

  /// The same for each of `taps` taps of a transposed convolution: `[groups * taps * outputs / groups]`.
  /// The last result is kept: the groups are always those of the scales' shape, and weights with
  /// another kernel seldom share scales.
  func forPatches(taps: Int, groups: Int) -> OutputScales {
    ofPatches.withLock { known in
      if let known, known.values.count == taps * values.count { return known }
      let each = values.count / groups
      let repeated = values.reshaped([groups, 1, each]).broadcast(to: [groups, taps, each])
      let made = OutputScales(repeated.reshaped([repeated.count]))
      known = made
      return made
    }
  }

  var kernel: latent_dnn_scales {
    latent_dnn_scales(
      number: number, count: Int64(values.count), values: UnsafePointer(values.floats(0)))
  }
}

extension NDArray {
  /// The scales of this array, where it is an int8 weight.
  public var quantization: Quantization? {
    guard dtype == .int8, let found = storage.quantization, offset == 0,
      byteCount == storage.byteCount, found.scales.shape.rank == shape.rank
    else { return nil }
    return found
  }

  /// These int8 elements with the numbers that say what they stand for. Traps where those are not of
  /// a weight of this shape.
  public func with(
    _ quantization: Quantization, file: StaticString = #fileID, line: UInt = #line
  ) -> NDArray {
    require(dtype == .int8, "scales for an array of \(dtype)", file: file, line: line)
    requireFit(quantization.scales.shape, file: file, line: line)
    let result = NDArray(uninitialized: shape, .int8, quantization)
    result.freshPointer.copyMemory(from: pointer, byteCount: byteCount)
    keepAlive(storage)
    return result
  }

  /// This float32 weight as int8: each channel's largest element becomes 127 or -127.
  ///
  /// - Parameter scalesShape: One scale for each output channel, in the form of
  ///   `Quantization.scales`. Traps where it does not fit this weight.
  public func quantized(
    scalesShape: Shape, inputRange: ClosedRange<Float>, file: StaticString = #fileID,
    line: UInt = #line
  ) -> NDArray {
    require(dtype == .float32, "int8 from an array of \(dtype)", file: file, line: line)
    requireFit(scalesShape, file: file, line: line)
    let blocks = reshaped(folded(scalesShape))
    let largest = blocks.unary(.abs).reduced(.max, axes: [1], keepingDimensions: true)
    let scales = largest.binary(.multiply, scalar: 1.0 / 127)
      .binary(.maximum, scalar: Double(Quantization.smallestScale))
    let steps = blocks.binary(.divide, scales)
    let quantization = Quantization(scales: scales.reshaped(scalesShape), inputRange: inputRange)
    let result = NDArray(uninitialized: shape, .int8, quantization)
    latent_quantize(true, Int64(count), 1, steps.floats(0), result.freshPointer)
    keepAlive(steps.storage)
    return result
  }

  private func requireFit(_ scales: Shape, file: StaticString, line: UInt) {
    if let mismatch = Quantization.mismatch(scales, shape) {
      fatalError(
        "int8 weight: \(mismatch.found), expected \(mismatch.expected)", file: file, line: line)
    }
  }

  /// `[first axis of the scales, what shares a scale, last axis of the scales]`.
  private func folded(_ scales: Shape) -> Shape {
    let last = scales.rank == 1 ? 1 : scales[-1]
    return [scales[0], count / max(scales[0] * last, 1), last]
  }

  func convertedLowPrecision(to type: DType) -> NDArray {
    require(
      type != .int8,
      "an array of \(dtype) becomes int8 by quantized(scalesShape:inputRange:), not by conversion")
    if type == .bfloat16 {
      let source = converted(to: .float32)
      let result = NDArray(uninitialized: shape, .bfloat16)
      latent_bf16_from_f32(
        Int64(count), source.floats(0), result.freshPointer.assumingMemoryBound(to: UInt16.self))
      keepAlive(source.storage)
      return result
    }
    let result = NDArray(uninitialized: shape, .float32)
    if dtype == .bfloat16 {
      latent_f32_from_bf16(
        Int64(count), pointer.assumingMemoryBound(to: UInt16.self), result.floats(0))
    } else {
      latent_f32_from_s8(
        Int64(count), pointer.assumingMemoryBound(to: Int8.self), result.floats(0))
    }
    keepAlive(storage)
    guard let scales = quantization?.scales else { return result.converted(to: type) }
    let blocks = folded(scales.shape)
    return result.reshaped(blocks).binary(.multiply, scales.reshaped([blocks[0], 1, blocks[2]]))
      .reshaped(shape).converted(to: type)
  }
}
