// A trained model with its weights in 16 or 8 bits, for encoding and decoding. A run over a batch shows
// which parameters go into products as they are, and the range of what they are multiplied with; those
// are stored at low precision, everything else stays as it was.

import LatentAutodiff
import LatentNumerics

/// How weights are stored that only serve inference.
public enum LowPrecision: String, Sendable, Hashable, Codable, CaseIterable {
  /// The upper half of float32: two or three decimal digits. Half the memory.
  case bfloat16
  /// Integers with a scale for each output channel; inputs become 8 bits too. A quarter of the memory.
  case int8
}

extension Module {
  /// This module with the weights of `linear` and of convolutions at low precision.
  ///
  /// `run` gets this module and calls it as it will be used later, on typical data. Weights that it
  /// does not touch stay as they are, and so do biases, and weights that are computed anew at each call
  /// (`WeightNorm`) or used in different ways (tied embeddings). The result has no derivatives.
  ///
  /// - Parameters:
  ///   - isKept: Paths of weights that are to stay float32 all the same, because their rounding costs
  ///     too much, or because arithmetic reads them too.
  ///   - run: Should not let fewer inputs through than a hundred or so, for `int8`: what lies outside
  ///     the range that it shows is drawn to its ends later.
  public func quantized(
    _ precision: LowPrecision, keeping isKept: (String) -> Bool = { _ in false },
    calibratedBy run: (Self) throws -> Void
  ) rethrows -> Self {
    let seen = try WeightObserver.weights { try run(self) }
    let kept = Set(namedParameters.map(\.path).filter { isKept($0) })
    var quantizer = Quantizer(precision: precision, seen: seen, kept: kept)
    var copy = self
    copy.visitParameters(&quantizer)
    return copy
  }

  /// The paths of the weights at low precision, in visiting order.
  public var lowPrecisionPaths: [String] {
    namedParameters.filter { $0.tensor.dtype.isLowPrecision }.map(\.path)
  }
}

private struct Quantizer: ParameterVisitor {
  let precision: LowPrecision
  let seen: [ObservedWeight]
  let kept: Set<String>
  var prefix: [String] = []
  var arithmetic = 0

  mutating func enterArithmetic() { arithmetic += 1 }
  mutating func leaveArithmetic() { arithmetic -= 1 }

  mutating func visit(_ parameter: inout Tensor, _ name: String) {
    let path = (prefix + [name]).joined(separator: ".")
    let array = parameter.array
    let uses = seen.filter { $0.weight.overlaps(array) }
    guard arithmetic == 0, !kept.contains(path), uses.count == 1, let use = uses.first,
      let channels = use.channels,
      use.weight.place == array.place, use.weight.shape == array.shape
    else { return }
    switch precision {
    case .bfloat16: parameter = Tensor(array.converted(to: .bfloat16))
    case .int8:
      guard channels.inner(of: array.shape) <= Quantization.maximumInner else { return }
      parameter = Tensor(
        array.quantized(
          scalesShape: channels.scalesShape(of: array.shape), inputRange: use.inputRange))
    }
  }

  mutating func enter(_ name: String) { prefix.append(name) }
  mutating func leave() { prefix.removeLast() }
}
