// The kernels that everything else is made of.

import Latent

extension MicroBenchmark {
  static var kernels: [MicroBenchmark] {
    elementwise + reductions + movement + products + convolutions + random + optimizers
  }

  /// A hidden layer of a batch (in the caches), and an array that no cache holds.
  private static let small: Shape = [128, 400]
  private static let large: Shape = [1 << 25]

  private static var elementwise: [MicroBenchmark] {
    let functions: [UnaryKernel] = [
      .relu, .sqrt, .exp, .log, .tanh, .sigmoid, .softplus, .gelu, .silu, .erf, .logGamma,
    ]
    func unary(_ op: UnaryKernel, _ shape: Shape) -> MicroBenchmark {
      MicroBenchmark(group: .elementwise, name: name("\(op)", shape), bytes: bytes(shape, shape)) {
        let x = uniform(shape)
        return { blackHole(Tensor(x.unary(op))) }
      }
    }
    func binary(_ op: BinaryKernel, _ shape: Shape) -> MicroBenchmark {
      MicroBenchmark(
        group: .elementwise, name: name("\(op)", shape), bytes: bytes(shape, shape, shape)
      ) {
        let x = uniform(shape)
        return { blackHole(Tensor(x.binary(op, x))) }
      }
    }
    let broadcast = MicroBenchmark(
      group: .elementwise, name: name("add a row to", small), bytes: bytes(small, small)
    ) {
      let (x, row) = (uniform(small), uniform([small[1]]))
      return { blackHole(Tensor(x.binary(.add, row))) }
    }
    return functions.map { unary($0, small) } + [unary(.exp, large), unary(.relu, large)]
      + [binary(.add, small), binary(.power, small), binary(.add, large), broadcast]
  }

  private static var reductions: [MicroBenchmark] {
    let shape: Shape = [4096, 256]
    func reduction(
      _ op: ReductionKernel, _ axes: [Int]?, _ shape: Shape, _ words: String
    ) -> MicroBenchmark {
      MicroBenchmark(
        group: .reductions, name: name("\(op) of \(words)", shape), bytes: bytes(shape)
      ) {
        let x = uniform(shape)
        return { blackHole(Tensor(x.reduced(op, axes: axes, keepingDimensions: false))) }
      }
    }
    func softmax(_ logarithm: Bool) -> MicroBenchmark {
      MicroBenchmark(
        group: .reductions, name: name(logarithm ? "logSoftmax" : "softmax", shape),
        bytes: bytes(shape, shape)
      ) {
        let x = uniform(shape)
        return { blackHole(Tensor(x.softmax(logarithm: logarithm))) }
      }
    }
    return [
      reduction(.sum, nil, shape, "all"), reduction(.sum, nil, large, "all"),
      reduction(.sum, [1], shape, "rows"), reduction(.sum, [0], shape, "columns"),
      reduction(.max, [1], shape, "rows"), reduction(.logSumExp, [1], shape, "rows"),
      reduction(.logSumExp, [0], shape, "columns"),
      softmax(false), softmax(true),
      MicroBenchmark(
        group: .reductions, name: name("argMax of rows", shape), bytes: bytes(shape)
      ) {
        let x = uniform(shape)
        return { blackHole(Tensor(x.argExtreme(largest: true, axis: 1))) }
      },
    ]
  }

  private static var movement: [MicroBenchmark] {
    let (matrix, images): (Shape, Shape) = ([2048, 2048], [64, 64, 64, 3])
    let rows = 128
    return [
      MicroBenchmark(
        group: .movement, name: name("transpose", matrix), bytes: bytes(matrix, matrix)
      ) {
        let x = uniform(matrix)
        return { blackHole(Tensor(x.transposed)) }
      },
      MicroBenchmark(
        group: .movement, name: name("channels first", images), bytes: bytes(images, images)
      ) {
        let x = uniform(images)
        return { blackHole(Tensor(x.permuted([0, 3, 1, 2]))) }
      },
      MicroBenchmark(
        group: .movement, name: name("take \(rows) rows of", matrix),
        bytes: bytes([rows, matrix[1]], [rows, matrix[1]])
      ) {
        let x = uniform(matrix)
        let indices = NDArray((0..<rows).map { Int32($0 * 997 % matrix[0]) })
        return { blackHole(Tensor(x.taking(indices, axis: 0))) }
      },
      MicroBenchmark(
        group: .movement, name: name("concatenate", matrix), bytes: bytes(matrix, matrix)
      ) {
        let half = uniform([matrix[0], matrix[1] / 2])
        return { blackHole(Tensor(NDArray.concatenate([half, half], axis: 1))) }
      },
    ]
  }

  /// Squares, the three products of a fully connected layer in training, and those of single examples.
  private static var products: [MicroBenchmark] {
    func product(
      _ m: Int, _ n: Int, _ k: Int, _ transpose: GemmTranspose = [], _ dtype: DType = .float32
    ) -> MicroBenchmark {
      let marks =
        (transpose.contains(.left) ? ", left transposed" : "")
        + (transpose.contains(.right) ? ", right transposed" : "")
        + (dtype == .float32 ? "" : ", \(dtype)")
      return MicroBenchmark(
        group: .products, name: "\(m)x\(n)x\(k)\(marks)", operations: 2 * Double(m * n * k),
        bytes: Double(dtype.size * (m * k + k * n + m * n))
      ) {
        let a = uniform(transpose.contains(.left) ? [k, m] : [m, k]).converted(to: dtype)
        let b = uniform(transpose.contains(.right) ? [n, k] : [k, n]).converted(to: dtype)
        return { blackHole(Tensor(a.matmul(b, transpose: transpose))) }
      }
    }
    return [128, 256, 512, 1024, 2048].map { product($0, $0, $0) } + [
      product(128, 400, 784, .right), product(128, 784, 400), product(784, 400, 128, .left),
      product(512, 400, 784, .right), product(128, 40, 400, .right), product(128, 400, 20, .right),
      product(64, 3136, 256, .right), product(2048, 384, 128, .right),
      product(1, 400, 784, .right), product(4, 400, 784, .right), product(16, 400, 784, .right),
      product(512, 512, 512, [], .float64),
    ]
  }

  /// The layers of `conv28`, `conv64` and `resnet64`, each forward and with its two derivatives.
  private static var convolutions: [MicroBenchmark] {
    func layer(
      _ batch: Int, _ side: Int, _ channels: Int, _ outputs: Int, kernel: Int, stride: Int,
      _ dtype: DType = .float32
    ) -> [MicroBenchmark] {
      let geometry = ConvolutionGeometry(
        rank: 2, kernel: .same(kernel), stride: .same(stride), before: 1)
      let input: Shape = [batch, side, side, channels]
      let sizes = geometry.sizes(of: input)
      let outputSizes = geometry.outputSize(of: sizes)
      let output: Shape = [batch, outputSizes[1], outputSizes[2], outputs]
      let weight: Shape = [outputs, kernel, kernel, channels]
      let title =
        "\(channels) to \(outputs) at \(side), k\(kernel) s\(stride), batch \(batch)"
        + (dtype == .float32 ? "" : ", \(dtype)")
      func pass(
        _ words: String, _ prepare: @escaping (NDArray, NDArray, NDArray) -> () -> Void
      ) -> MicroBenchmark {
        MicroBenchmark(
          group: .convolutions, name: "\(title): \(words)",
          operations: 2 * Double(output.count * weight.count / outputs),
          bytes: Double(dtype.size) / 4 * bytes(input, weight, output)
        ) {
          prepare(
            uniform(input).converted(to: dtype), uniform(weight).converted(to: dtype),
            uniform(output).converted(to: dtype))
        }
      }
      return [
        pass("forward") { x, w, _ in { blackHole(Tensor(x.convolved(with: w, geometry).output)) } },
        pass("input") { _, w, g in
          {
            blackHole(
              Tensor(g.convolutionInputGradient(weight: w, geometry, inputSize: sizes)))
          }
        },
        pass("weights") { x, _, g in
          { blackHole(Tensor(g.convolutionWeightGradient(input: x, geometry))) }
        },
      ]
    }
    return layer(128, 28, 1, 32, kernel: 4, stride: 2)
      + layer(128, 14, 32, 64, kernel: 4, stride: 2)
      + layer(64, 64, 3, 32, kernel: 4, stride: 2) + layer(64, 32, 32, 32, kernel: 4, stride: 2)
      + layer(64, 8, 64, 64, kernel: 4, stride: 2) + layer(16, 64, 32, 32, kernel: 3, stride: 1)
      + layer(16, 16, 128, 128, kernel: 3, stride: 1)
      // In float64 always by copying patches and one product (im2col).
      + layer(32, 14, 32, 64, kernel: 4, stride: 2, .float64)
  }

  private static var random: [MicroBenchmark] {
    let shape: Shape = [1 << 20]
    func draw(
      _ words: String, _ make: @escaping (inout RandomStream) -> NDArray
    ) -> MicroBenchmark {
      MicroBenchmark(group: .random, name: name(words, shape), bytes: bytes(shape)) {
        var random = RandomStream(seed: 9)
        return { blackHole(Tensor(make(&random))) }
      }
    }
    return [
      draw("uniform") { $0.uniform(shape) }, draw("normal") { $0.normal(shape) },
      MicroBenchmark(
        group: .random, name: name("permutation", shape), bytes: 8 * Double(shape.count)
      ) {
        var random = RandomStream(seed: 9)
        return { _ = random.permutation(shape.count) }
      },
    ]
  }

  /// One update of as many parameters as no cache holds.
  private static var optimizers: [MicroBenchmark] {
    let side = 4096
    func update<Rule: Optimizer>(_ words: String, arrays: Int, _ rule: Rule) -> MicroBenchmark {
      MicroBenchmark(
        group: .optimizers, name: name(words, [side, side]),
        bytes: Double(arrays) * bytes([side, side])
      ) {
        var random = RandomStream(seed: 9)
        var model = Linear(side, side, bias: false, using: &random)
        var rule = rule
        let gradients = Gradients(model.parameters.map { $0 * 0.01 })
        return { rule.update(&model, along: gradients) }
      }
    }
    // Read gradient, parameters and moments; write parameters and moments.
    return [
      update("Adam", arrays: 7, Adam(learningRate: 1e-3)),
      update("SGD with momentum", arrays: 5, SGD(learningRate: 1e-3, momentum: 0.9)),
    ]
  }
}
