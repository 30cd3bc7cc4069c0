// The element types of arrays: float32 for work, float64 for proofs, int32 for indices and tokens,
// uint8 for images and bytes as they lie in files.

import CLatentKernels

/// The type of an array's elements, chosen at run time.
public enum DType: String, Sendable, Hashable, Codable, CaseIterable {
  case float32, float64, int32, uint8

  /// Bytes of one element.
  public var size: Int {
    switch self {
    case .float64: 8
    case .float32, .int32: 4
    case .uint8: 1
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
    }
  }
}

/// A Swift number that can be the element of an array.
public protocol ArrayElement: Sendable {
  static var dtype: DType { get }
}

extension Float: ArrayElement { public static var dtype: DType { .float32 } }
extension Double: ArrayElement { public static var dtype: DType { .float64 } }
extension Int32: ArrayElement { public static var dtype: DType { .int32 } }
extension UInt8: ArrayElement { public static var dtype: DType { .uint8 } }
