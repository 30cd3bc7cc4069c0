// The element types of arrays: float32 for work, float64 for proofs, int32 for indices and tokens,
// uint8 for images and bytes as they lie in files; bfloat16 and int8 for the stored weights of models
// that only serve.

import CLatentKernels

/// The type of an array's elements, chosen at run time.
public enum DType: String, Sendable, Hashable, Codable, CaseIterable {
  /// A type to compute with.
  case float32, float64, int32, uint8
  /// A type for the stored weights of models that only serve.
  case bfloat16, int8

  /// The types that operations compute with.
  public static let arithmetic: [DType] = [.float32, .float64, .int32, .uint8]

  /// Whether the type only stores weights: such arrays are factors of `linear` and of convolutions,
  /// and can be converted; every other operation traps.
  public var isLowPrecision: Bool { self == .bfloat16 || self == .int8 }

  /// The type of what is computed with weights of this type.
  public var computed: DType { isLowPrecision ? .float32 : self }

  /// Bytes of one element.
  public var size: Int {
    switch self {
    case .float64: 8
    case .float32, .int32: 4
    case .bfloat16: 2
    case .uint8, .int8: 1
    }
  }

  /// Whether the type has fractions, derivatives and random normals.
  public var isFloatingPoint: Bool { self == .float32 || self == .float64 }

  var kernel: latent_dtype {
    switch self {
    case .float32: LATENT_F32
    case .float64: LATENT_F64
    case .int32: LATENT_I32
    case .uint8: LATENT_U8
    case .bfloat16, .int8: refuseArithmetic()
    }
  }

  /// The size for kernels that move elements.
  var movedSize: Int32 {
    if isLowPrecision { refuseArithmetic() }
    return Int32(size)
  }

  func refuseArithmetic() -> Never {
    fatalError(
      "an operation on \(self), which only stores weights: convert the array to float32 first")
  }
}

/// A Swift number that can be the element of an array.
public protocol ArrayElement: Sendable {
  /// The element type of arrays that hold such numbers.
  static var dtype: DType { get }
}

extension Float: ArrayElement { public static var dtype: DType { .float32 } }
extension Double: ArrayElement { public static var dtype: DType { .float64 } }
extension Int32: ArrayElement { public static var dtype: DType { .int32 } }
extension UInt8: ArrayElement { public static var dtype: DType { .uint8 } }
