// One small thing that is timed, with the work it cannot do without: the arithmetic and the memory
// traffic that put a limit on its time.

import Latent

struct MicroBenchmark {
  enum Group: String, CaseIterable, Codable {
    case elementwise, reductions, movement, products, convolutions, random, optimizers, layers
    case distributions
  }

  var group: Group
  var name: String
  /// Two for each multiply-add of products; other arithmetic is not counted.
  var operations = 0.0
  /// Every input read once, every output written once.
  var bytes: Double
  /// Makes the inputs and returns what is timed.
  var prepare: () -> () -> Void

  /// More than caches hold.
  private static let uncachedBytes = 128.0 * 1_048_576

  /// The kernel that load slows as it slows this one: what stays in the caches never meets memory.
  var reference: Reference.Kind {
    operations == 0 && bytes > MicroBenchmark.uncachedBytes ? .memory : .product
  }

  static var all: [MicroBenchmark] { kernels + layers + distributions }
}

extension MicroBenchmark {
  /// float32 in (0, 1), always the same.
  static func uniform(_ shape: Shape) -> NDArray {
    var random = RandomStream(seed: 5)
    return random.uniform(shape)
  }

  static func uniformTensor(_ shape: Shape) -> Tensor { Tensor(uniform(shape)) }

  /// Bytes of float32 arrays of these shapes together.
  static func bytes(_ shapes: Shape...) -> Double {
    4 * Double(shapes.reduce(0) { $0 + $1.count })
  }

  /// What layers without arithmetic worth counting do.
  static func name(_ what: String, _ shape: Shape) -> String {
    "\(what) \(shape.dimensions.map { "\($0)" }.joined(separator: "x"))"
  }
}
