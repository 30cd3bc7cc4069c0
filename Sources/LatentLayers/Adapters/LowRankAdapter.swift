// The correction of one weight as a product of two narrow matrices (Hu et al. 2021, section 4.1,
// equation 3). A weight of more axes is the matrix of its outputs and of all that one output sums over.

import LatentAutodiff
import LatentNumerics

/// `up down`, to be added to the weight at a path: B and A of the paper.
public struct LowRankAdapter: Module {
  /// Of the weight that is corrected, such as `decoder.output.weight`.
  public let path: String
  /// A, `[rank, inputs]`.
  public var down: Tensor
  /// B, `[outputs, rank]`, zeros to begin with.
  public var up: Tensor
  /// Where the weight stands among the trained parameters of its module.
  let position: Int
  /// Whether outputs are the last axis of the weight, as of transposed convolutions.
  let outputsAreLast: Bool

  /// `up` starts at zero, so that nothing changes; `down` as in the authors' program, uniform with limit
  /// 1 / sqrt(inputs).
  init(_ weight: AdaptableWeight, rank: Int, using random: inout RandomStream) {
    path = weight.path
    position = weight.position
    outputsAreLast = weight.outputsAreLast
    let first = Initializer.pyTorch
    down = first([rank, weight.inputs], fanIn: weight.inputs, weight.dtype, using: &random)
    up = .zeros([weight.outputs, rank], weight.dtype)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&down, "down")
    visitor.visit(&up, "up")
  }

  /// `weight + scale up down`, in the form of the weight.
  func corrected(_ weight: Tensor, scale: Double) -> Tensor {
    // The narrow factor is scaled, not the product.
    let up = scale == 1 ? up : up * scale
    let product =
      outputsAreLast ? matmul(down, up, transpose: [.left, .right]) : matmul(up, down)
    return weight + product.reshaped(weight.shape)
  }
}

/// A weight that an adapter can correct.
struct AdaptableWeight {
  let path: String
  /// Its place among the trained parameters, in visiting order.
  let position: Int
  let shape: Shape
  let dtype: DType
  let outputsAreLast: Bool

  /// Channels of the output; of those of a group where the outputs are last.
  var outputs: Int { outputsAreLast ? shape[-1] : shape[0] }
  /// What is summed over, and channels of other groups.
  var inputs: Int { shape.count / max(1, outputs) }
  /// The largest rank that its matrix can have.
  var maximumRank: Int { min(outputs, inputs) }
}

/// Finds the weights of products, and parameters of two and more axes that no arithmetic reads.
struct AdaptableWeights: ParameterVisitor {
  private(set) var found: [AdaptableWeight] = []
  private var prefix: [String] = []
  private var position = 0
  private var arithmetic = 0

  init(of module: some Module) {
    var copy = module
    copy.visitParameters(&self)
  }

  mutating func visit(_ parameter: inout Tensor, _ name: String) {
    note(parameter, name, isFactor: arithmetic == 0, outputsAreLast: false)
  }
  mutating func visitFactor(
    _ weight: inout Tensor, _ name: String, _ channels: ObservedWeight.Channels
  ) {
    note(weight, name, isFactor: true, outputsAreLast: channels != .outputsFirst)
  }
  mutating func enterArithmetic() { arithmetic += 1 }
  mutating func leaveArithmetic() { arithmetic -= 1 }
  mutating func enter(_ name: String) { prefix.append(name) }
  mutating func leave() { prefix.removeLast() }

  private mutating func note(
    _ weight: Tensor, _ name: String, isFactor: Bool, outputsAreLast: Bool
  ) {
    if isFactor && weight.rank >= 2 && weight.count > 0 {
      found.append(
        AdaptableWeight(
          path: (prefix + [name]).joined(separator: "."), position: position, shape: weight.shape,
          dtype: weight.dtype, outputsAreLast: outputsAreLast))
    }
    position += 1
  }
}
