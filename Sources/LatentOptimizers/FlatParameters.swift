// The parameters of a model in one piece of memory, which a rule walks over in one pass.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// The model's parameters as one buffer, each starting at a multiple of 64 bytes.
///
/// After an update the model's tensors are views of the new buffer, so that packing costs nothing at the next one.
struct FlatParameters: Sendable {
  private(set) var buffer: NDArray?
  private var offsets: [Int] = []
  private var counts: [Int] = []
  private var shapes: [Shape] = []

  /// Takes the parameters out of the model as one buffer, of which nobody else is a holder unless
  /// the model was copied. `end` puts them back.
  mutating func begin(_ model: inout some Module) -> NDArray {
    let parameters = model.parameters
    let packed = pack(parameters)
    shapes = parameters.map(\.shape)
    let nothing = Tensor.zeros([0])
    model.setParameters(parameters.map { _ in nothing })
    buffer = nil
    return packed
  }

  /// Makes the model's parameters views of the updated buffer.
  mutating func end(_ updated: NDArray, _ model: inout some Module) {
    buffer = updated
    model.setParameters(
      shapes.indices.map { Tensor(updated.view(from: offsets[$0], shape: shapes[$0])) })
  }

  /// Packs the parameters unless they still are views of the buffer.
  private mutating func pack(_ parameters: [Tensor]) -> NDArray {
    if let buffer, counts == parameters.map(\.count),
      parameters.indices.allSatisfy({ parameters[$0].array.isView(of: buffer, from: offsets[$0]) })
    {
      return buffer
    }
    let dtype = parameters.first?.dtype ?? .float32
    counts = parameters.map(\.count)
    offsets = []
    for index in counts.indices {
      offsets.append(index == 0 ? 0 : offsets[index - 1] + FlatParameters.padded(counts[index - 1]))
    }
    var packed = NDArray(
      repeating: 0, shape: [FlatParameters.paddedCount(parameters)], dtype)
    for (index, parameter) in parameters.enumerated() where parameter.count > 0 {
      require(
        parameter.dtype == dtype,
        "an optimizer needs parameters of one type: found \(dtype) and \(parameter.dtype)")
      packed.overwrite(0, from: offsets[index], with: parameter.array.reshaped([parameter.count]))
    }
    buffer = packed
    return packed
  }

  private static func padded(_ count: Int) -> Int { (count + 15) / 16 * 16 }

  static func paddedCount(_ parameters: [Tensor]) -> Int {
    parameters.reduce(0) { $0 + padded($1.count) }
  }

  /// The places of the parameters that have a gradient, and those gradients.
  func segments(_ gradients: Gradients) -> [FlatSegment?] {
    require(
      gradients.tensors.count == counts.count,
      "\(gradients.tensors.count) gradients for \(counts.count) parameters")
    return counts.indices.map { index in
      gradients.tensors[index].map {
        FlatSegment(gradient: $0.array, offset: offsets[index], count: counts[index])
      }
    }
  }
}
