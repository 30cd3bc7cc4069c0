// Matrix products against three nested loops in double, over odd shapes, transposes and batches.

import Foundation
import LatentNumerics
import Testing

@Suite struct GemmTests {
  /// C = op(A) op(B) for matrices given as flat lists.
  static func oracle(
    _ a: [Double], _ b: [Double], _ m: Int, _ n: Int, _ k: Int, _ transpose: GemmTranspose
  ) -> [Double] {
    var c = [Double](repeating: 0, count: m * n)
    let (aRow, aInner) = transpose.contains(.left) ? (1, m) : (k, 1)
    let (bInner, bColumn) = transpose.contains(.right) ? (1, k) : (n, 1)
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        for row in 0..<m {
          for column in 0..<n {
            var sum = 0.0
            for inner in 0..<k {
              sum += a[row * aRow + inner * aInner] * b[inner * bInner + column * bColumn]
            }
            c[row * n + column] = sum
          }
        }
      }
    }
    return c
  }

  static let transposes: [GemmTranspose] = [[], .left, .right, [.left, .right]]
  static let sizes: [[Int]] = [
    [1, 1, 1], [1, 7, 5], [7, 1, 5], [5, 7, 1], [3, 4, 0], [0, 4, 3], [4, 0, 3], [17, 33, 65],
    [128, 20, 40], [1, 600, 30], [600, 1, 30], [513, 31, 17], [31, 520, 70], [64, 64, 520],
    [160, 130, 140],
  ]

  @Test(arguments: sizes) func plain(size: [Int]) {
    var cases = Cases(seed: 50)
    let (m, n, k) = (size[0], size[1], size[2])
    for dtype in [DType.float32, .float64] {
      for transpose in Self.transposes {
        let a = cases.array(transpose.contains(.left) ? [k, m] : [m, k], dtype)
        let b = cases.array(transpose.contains(.right) ? [n, k] : [k, n], dtype)
        let result = a.matmul(b, transpose: transpose)
        let oracle = Self.oracle(a.doubles, b.doubles, m, n, k, transpose)
        #expect(result.shape == [m, n])
        #expect(
          distance(result, oracle) < (dtype == .float32 ? 5e-5 : 1e-12),
          "\(dtype) \(size) \(transpose), seed \(cases.seed)")
      }
    }
  }

  /// Pieces of a product that is split over threads meet at the right places.
  @Test func largeEnoughToBeSplit() {
    var cases = Cases(seed: 51)
    for (m, n, k) in [
      (200, 131, 42), (130, 1100, 16), (2000, 33, 33), (33, 2001, 35), (40, 300, 500),
    ] {
      for transpose in Self.transposes {
        let a = cases.array(transpose.contains(.left) ? [k, m] : [m, k], .float64)
        let b = cases.array(transpose.contains(.right) ? [n, k] : [k, n], .float64)
        let oracle = Self.oracle(a.doubles, b.doubles, m, n, k, transpose)
        #expect(
          distance(a.matmul(b, transpose: transpose), oracle) < 1e-12, "\(m) \(n) \(k) \(transpose)"
        )
        #expect(
          distance(
            a.converted(to: .float32).matmul(b.converted(to: .float32), transpose: transpose),
            oracle)
            < 1e-4, "\(m) \(n) \(k) \(transpose)")
      }
    }
  }

  /// Rows, columns and inner sizes around the tiles of the kernels for linear layers.
  @Test(arguments: [1, 4, 5, 16, 17, 32, 33, 100, 255, 256])
  func linearLayer(rows: Int) {
    var cases = Cases(seed: 53)
    for (columns, inner) in [(64, 64), (40, 400), (131, 42), (7, 600), (600, 7), (1037, 33)] {
      let x = cases.array([rows, inner], .float32)
      let weight = cases.array([columns, inner], .float32)
      let bias = cases.array([columns], .float32)
      let product = Self.oracle(x.doubles, weight.doubles, rows, columns, inner, .right)
      let sums = zip(product, 0...).map { $0 + bias.doubles[$1 % columns] }
      let expected: [(Activation, NDArray?, [Double])] = [
        (.none, nil, product), (.none, bias, sums), (.relu, bias, sums.map { max($0, 0) }),
        (.relu, nil, product.map { max($0, 0) }), (.tanh, bias, sums.map { tanh($0) }),
      ]
      for (activation, bias, values) in expected {
        for changes in [true, false] {
          let (output, _) = x.linear(
            weight, bias: bias, activation: activation, savingPre: false, changes: changes)
          #expect(
            distance(output, values) < 5e-5,
            "\(rows) \(columns) \(inner) \(activation) \(bias == nil) \(changes)")
        }
      }
    }
  }

  /// Not-a-number stays in its row, past the rectifier as well.
  @Test func notANumberInALinearLayer() {
    var cases = Cases(seed: 54)
    var values = cases.array([40, 100], .float32).doubles
    values[33 * 100 + 7] = .nan
    let x = NDArray(values, shape: [40, 100]).converted(to: .float32)
    let weight = cases.array([50, 100], .float32)
    let (output, _) = x.linear(
      weight, bias: cases.array([50], .float32), activation: .relu, savingPre: false, changes: true)
    #expect(zip(output.doubles, 0...).allSatisfy { $0.isNaN == ($1 / 50 == 33) })
  }

  static let batches: [(Shape, Shape)] = [
    ([2], [2]), ([2], []), ([], [2]), ([2, 3], [3]), ([3], [2, 3]), ([2, 1], [1, 3]), ([1], [1]),
    ([1, 1], []), ([], [1, 1]), ([0], []), ([2, 0], [1, 1]), ([4], [1]), ([1], [4]),
    ([2, 2, 2], [2, 1, 2]),
  ]

  @Test(arguments: batches) func batched(left: Shape, right: Shape) throws {
    var cases = Cases(seed: 52)
    let batch = try #require(left.broadcast(with: right))
    for (m, n, k) in [(3, 4, 5), (1, 6, 2), (6, 1, 2), (2, 2, 0)] {
      for transpose in Self.transposes {
        let a = cases.array(left + (transpose.contains(.left) ? [k, m] : [m, k]), .float64)
        let b = cases.array(right + (transpose.contains(.right) ? [n, k] : [k, n]), .float64)
        let result = a.matmul(b, transpose: transpose)
        let (x, y) = (
          a.broadcast(to: batch + a.shape.suffix(2)).doubles,
          b.broadcast(to: batch + b.shape.suffix(2)).doubles
        )
        var oracle: [Double] = []
        for index in 0..<batch.count {
          let left = Array(x[(index * m * k)..<((index + 1) * m * k)])
          let right = Array(y[(index * k * n)..<((index + 1) * k * n)])
          oracle += Self.oracle(left, right, m, n, k, transpose)
        }
        let name: Comment = "\(a.shape) x \(b.shape) \(transpose), seed \(cases.seed)"
        #expect(result.shape == batch + [m, n], name)
        #expect(distance(result, oracle) < 1e-12, name)
      }
    }
  }
}

@Suite struct LoadingOfLibrariesTests {
  /// OpenBLAS is loaded at the first product of a process, with settings of ours in the environment;
  /// those of the process are its own before, meanwhile and after, also for threads that read them.
  @Test func theEnvironmentIsLeftAlone() async {
    await #expect(processExitsWith: .success) {
      setenv("OPENBLAS_NUM_THREADS", "3", 1)
      unsetenv("OPENBLAS_CORETYPE")
      setenv("LATENT_TEST", "here", 1)
      let place = UInt(bitPattern: getenv("LATENT_TEST"))
      let reader = Thread {
        while true { precondition(UInt(bitPattern: getenv("LATENT_TEST")) == place) }
      }
      reader.start()
      let x = NDArray(repeating: 1, shape: [64, 64], .float64)
      precondition(x.matmul(x).doubles.allSatisfy { $0 == 64 })
      precondition(getenv("OPENBLAS_NUM_THREADS").map { String(cString: $0) } == "3")
      precondition(getenv("OPENBLAS_CORETYPE") == nil)
      exit(0)
    }
  }
}

extension GemmTranspose: CustomTestStringConvertible {
  public var testDescription: String {
    "transposing \(contains(.left) ? "left" : "") \(contains(.right) ? "right" : "")"
  }
}
