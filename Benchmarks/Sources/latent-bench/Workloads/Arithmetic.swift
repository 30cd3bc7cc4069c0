// The arithmetic that a workload cannot do without: two operations for each multiply-add of linear,
// convolution and attention layers, taps on padding included. Everything else is not counted.

import Latent

/// Multiply-adds of one example.
struct Arithmetic {
  var encoder = 0
  var decoder = 0
  /// Of the layer that reads the data: its input has no derivative.
  var firstLayer = 0

  /// Draws of the operation `nll` for each example.
  static let likelihoodSamples = 5_000

  /// Floating-point operations of one call.
  func operations(_ operation: Operation, batch: Int) -> Double {
    let multiplyAdds =
      switch operation {
      case .encode, .startup: encoder
      case .decode, .generate: decoder
      case .train: 3 * (encoder + decoder) - firstLayer
      case .nll: encoder + Arithmetic.likelihoodSamples * decoder
      }
    return 2 * Double(multiplyAdds * batch)
  }

  /// A convolution with `side x side` results, or a transposed one with as many inputs.
  static func convolution(side: Int, kernel: Int, _ inputs: Int, _ outputs: Int) -> Int {
    side * side * kernel * kernel * inputs * outputs
  }

  /// A Transformer layer over `length` positions, its hidden layer four times as wide.
  static func transformer(length: Int, width: Int) -> Int {
    length * (12 * width * width + 2 * length * width)
  }
}

extension Workload {
  /// Bytes that a call cannot but move: an update of Adam reads parameter, gradient and two moments and
  /// writes three of them; inference reads the parameters of its half.
  func unavoidableBytes(_ operation: Operation) -> Double {
    func bytes(_ half: String) -> Double {
      4
        * Double(
          model().namedParameters.filter { $0.path.hasPrefix(half) }.map(\.tensor.count).reduce(
            0, +))
    }
    return switch operation {
    case .train: 7 * bytes("")
    case .encode, .startup: bytes("encoder.")
    case .decode, .generate: bytes("decoder.")
    case .nll: bytes("")
    }
  }

  /// The least seconds of a call on a machine of that peak: the arithmetic, and apart from it the
  /// memory traffic.
  func limit(_ operation: Operation, batch: Int, _ peak: Peak) -> Double {
    arithmetic.operations(operation, batch: batch) / peak.flops
      + unavoidableBytes(operation) / peak.bandwidth
  }
}
