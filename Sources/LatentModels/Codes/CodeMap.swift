// Where the indices of a latent's codes stand, for networks that go through them one after the other.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The indices of one latent as a map of one kind of index, gone through row by row.
///
/// Codes of latents `[height, width, channels]` keep their rows; where a place has several indices, those of groups or
/// stages, they stand beside each other. Indices of other latents are a single row.
public struct CodeMap: Sendable, Hashable {
  /// Rows, and indices of a row.
  public let height, width: Int
  /// Indices are 0 to one less.
  public let codes: Int

  /// The most codes that an index can be of: each has a vector in and a logit out.
  public static let mostCodes = 1 << 16

  /// A map of this size.
  public init(height: Int, width: Int, codes: Int) {
    (self.height, self.width, self.codes) = (height, width, codes)
  }

  /// The map of latents of a shape, of whose indices there are so many codes each (`LatentCodes.counts`). `purpose` is
  /// what asks for it.
  /// - Throws: `ModelRequirementError` unless all indices are of equally many codes, at most `mostCodes`.
  public init(latentShape: Shape, counts: [Int], for purpose: String) throws {
    let codes = counts.max() ?? 0
    guard counts.allSatisfy({ $0 == codes }), (1...CodeMap.mostCodes).contains(codes) else {
      throw ModelRequirementError(
        purpose: purpose, found: "indices of \(Set(counts).sorted()) codes",
        expected: "equally many codes for every index, at most \(CodeMap.mostCodes)")
    }
    let rows = latentShape.rank == 3 ? latentShape[0] : 1
    self.init(height: rows, width: counts.count / rows, codes: codes)
  }

  /// Indices of a latent.
  public var length: Int { height * width }
}

/// The sizes of a network that goes through the indices of codes: what priors and samplers by it have in common.
protocol CodeNetworkSize {
  associatedtype Network: AutoregressiveNetwork
  /// Calls `check(condition, key, found, expected)` for each number.
  func validate(_ check: (Bool, String, Any, String) throws -> Void) rethrows
  /// Weights and biases for so many conditions, in double.
  func parameterCount(_ map: CodeMap, conditions: Int) -> Double
  func makeNetwork(
    _ map: CodeMap, conditions: Int, using random: inout RandomStream
  ) -> Network
}

/// What such a network is told beside the indices before one: the class, of which there is one more than labels have,
/// for none.
enum CodeCondition {
  /// `[labels, classes + 1]` of int32 labels.
  static func of(_ labels: Tensor, classes: Int, _ dtype: DType = .float32) -> Tensor {
    Tensor.oneHot(labels, classes: classes + 1, dtype)
  }

  /// `[classes + 1]`.
  static func none(classes: Int, _ dtype: DType = .float32) -> Tensor {
    of(Tensor([Int32(classes)], shape: []), classes: classes, dtype)
  }
}
