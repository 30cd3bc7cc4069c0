// Random streams: the published vectors, the promised independence of everything but the
// counters, and the distributions.

import CLatentKernels
import Foundation
import Testing

@testable import LatentNumerics

@Suite struct RandomTests {
  /// Known answers of Random123's `philox4x32-10` (file kat_vectors).
  @Test func knownAnswers() {
    let ones = UInt32.max
    #expect(
      RandomStream.block(counter: (0, 0, 0, 0), key: 0)
        == (0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      RandomStream.block(counter: (ones, ones, ones, ones), key: .max)
        == (0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      RandomStream.block(
        counter: (0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), key: 0x299f_31d0_a409_3822)
        == (0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  /// Word w of draw d is word w % 4 of block w / 4, and the numbers are made from the words as the
  /// header says.
  @Test func numbersComeFromTheBlocks() {
    let key: UInt64 = 0x1234_5678_9abc_def0
    let draw: UInt64 = 1 << 33 | 5
    var words: [UInt32] = []
    for block in 0..<UInt32(300) {
      let (a, b, c, d) = RandomStream.block(counter: (block, 0, 5, 2), key: key)
      words += [a, b, c, d]
    }
    var bits = [UInt32](repeating: 0, count: 1001)
    latent_random_bits(key, draw, 3, 1001, &bits)
    #expect(bits == Array(words[3..<1004]))
    var floats = [Float](repeating: 0, count: 1001)
    latent_random_uniform(LATENT_F32, key, draw, 3, 1001, &floats)
    #expect(floats == words[3..<1004].map { (Float($0 >> 9) + 0.5) * 0x1p-23 })
    var doubles = [Double](repeating: 0, count: 501)
    latent_random_uniform(LATENT_F64, key, draw, 3, 501, &doubles)
    let pairs = (3..<504).map { UInt64(words[2 * $0]) << 32 | UInt64(words[2 * $0 + 1]) }
    #expect(doubles == pairs.map { (Double($0 >> 12) + 0.5) * 0x1p-52 })
    latent_random_uniform(LATENT_F64, key, draw, 0, 500, &doubles)
    var normals = [Double](repeating: 0, count: 500)
    latent_random_normal(LATENT_F64, key, draw, 0, 500, &normals)
    for pair in 0..<250 {
      let radius = (-2 * log(doubles[2 * pair])).squareRoot()
      let angle = 2 * Double.pi * doubles[2 * pair + 1]
      #expect(distance(normals[2 * pair], radius * cos(angle)) < 1e-13)
      #expect(distance(normals[2 * pair + 1], radius * sin(angle)) < 1e-13)
    }
  }

  /// Element i is the same, however a draw is cut.
  @Test(arguments: [DType.float32, .float64]) func anySplitOfADraw(dtype: DType) {
    let whole = 70_003
    typealias Fill = (UInt64, Int64, UnsafeMutableRawPointer) -> Void
    let fills: [(String, Fill)] = [
      ("uniform", { latent_random_uniform(dtype.kernel, 9, 4, $0, $1, $2) }),
      ("normal", { latent_random_normal(dtype.kernel, 9, 4, $0, $1, $2) }),
    ]
    for (name, fill) in fills {
      let all = NDArray(shape: [whole], dtype) { fill(0, Int64(whole), $0.baseAddress!) }
      for cuts in [[1, 2, 3, 4, 5, 7], [1000, 4097, 50_001], [32_768]] {
        var parts: [NDArray] = []
        for (begin, end) in zip([0] + cuts, cuts + [whole]) {
          parts.append(
            NDArray(shape: [end - begin], dtype) {
              fill(UInt64(begin), Int64(end - begin), $0.baseAddress!)
            })
        }
        #expect(NDArray.concatenate(parts, axis: 0) == all, "\(name) \(dtype) cut at \(cuts)")
      }
    }
    var (flat, square) = (RandomStream(seed: 1), RandomStream(seed: 1))
    #expect(flat.normal([60], dtype).reshaped([3, 4, 5]) == square.normal([3, 4, 5], dtype))
    #expect(flat == square)
  }

  @Test func splitsDoNotMeet() {
    let root = RandomStream(seed: 7)
    var keys: Set<UInt64> = [root.key]
    var expected = 1
    for index in 0..<UInt64(1000) {
      let child = root.split(index)
      keys.insert(child.key)
      keys.insert(child.split(index).key)
      keys.insert(root.split("name \(index)").key)
      keys.insert(root.split(index << 32).split(1).key)
      expected += 4
    }
    // Names are not numbers in disguise.
    for letter in UInt8(97)..<123 {
      keys.insert(root.split(String(UnicodeScalar(letter))).key)
      keys.insert(root.split(1).split(UInt64(letter)).key)
      expected += 2
    }
    #expect(keys.count == expected)
    #expect(root.split("ab") != root.split("ba") && root.split("") != root.split(0))
    // Independent of what was drawn; 10^3 streams, 10^3 words each, no word pair twice.
    var drawn = root
    _ = drawn.normal([5])
    #expect(drawn.split(3) == root.split(3) && drawn.draw == 1 && drawn.key == root.key)
    var seen: Set<UInt64> = []
    for index in 0..<UInt64(1000) {
      var stream = root.split(index)
      for _ in 0..<200 { seen.insert(stream.next()) }
    }
    #expect(seen.count == 200_000)
  }

  @Test func streamsAreValues() throws {
    var stream = RandomStream(seed: 3)
    _ = stream.uniform([3])
    var copy = stream
    #expect(copy.normal([9]) == stream.normal([9]))
    let decoded = try JSONDecoder().decode(
      RandomStream.self, from: JSONEncoder().encode(stream))
    #expect(decoded == stream)
    for count in [0, 1, 2, 17, 1000] {
      #expect(stream.permutation(count).sorted() == Array(0..<count))
    }
    // Each of the six orders of three in a sixth of the cases: chi-squared, 5 degrees of freedom.
    var counts: [[Int]: Int] = [:]
    for _ in 0..<60_000 { counts[stream.permutation(3), default: 0] += 1 }
    let chiSquared = counts.values.reduce(0.0) {
      $0 + Double(($1 - 10_000) * ($1 - 10_000)) / 10_000
    }
    #expect(counts.count == 6 && chiSquared < 35, "p below 1e-6: \(counts)")
  }

  /// Moments within five standard errors, Kolmogorov-Smirnov below the level of p = 1e-6.
  @Test(arguments: [DType.float32, .float64], [11, 12] as [UInt64])
  func distributions(dtype: DType, seed: UInt64) {
    let count = 1_000_000
    var stream = RandomStream(seed: seed)
    let limit = 2.69 / Double(count).squareRoot()  // 2 exp(-2 * 2.69^2) = 1e-6
    let uniform = stream.uniform([count], dtype).converted(to: .float64)
    #expect(uniform.reduced(.min, axes: nil, keepingDimensions: false).item > 0)
    #expect(uniform.reduced(.max, axes: nil, keepingDimensions: false).item < 1)
    #expect(kolmogorovSmirnov(uniform) < limit)
    checkMoments(uniform, [0.5, 1 / 3.0, 0.25, 0.2], [1 / 12.0, 4 / 45.0, 9 / 112.0, 16 / 225.0])
    let normal = stream.normal([count], dtype).converted(to: .float64)
    let cumulative = normal.binary(.multiply, scalar: -0.5.squareRoot()).unary(.erfc)
    #expect(kolmogorovSmirnov(cumulative.binary(.multiply, scalar: 0.5)) < limit)
    checkMoments(normal, [0, 1, 0, 3], [1, 2, 15, 96])
    let neighbours = normal.rows(0..<(count - 1)).binary(.multiply, normal.rows(1..<count))
    checkMoments(neighbours, [0], [1])
  }

  private func checkMoments(_ values: NDArray, _ means: [Double], _ variances: [Double]) {
    var power = values
    for order in means.indices {
      let sum = power.reduced(.sum, axes: nil, keepingDimensions: false).item
      let error = (variances[order] / Double(values.count)).squareRoot()
      #expect(abs(sum / Double(values.count) - means[order]) < 5 * error, "moment \(order + 1)")
      power = power.binary(.multiply, values)
    }
  }

  /// The largest distance of the counts of 2^16 equal bins from a straight line, which is within
  /// 2^-16 of that of the sorted values.
  private func kolmogorovSmirnov(_ values: NDArray) -> Double {
    let bins = 1 << 16
    var counts = [Int](repeating: 0, count: bins)
    let places = values.binary(.multiply, scalar: Double(bins)).converted(to: .int32)
    places.withUnsafeElements(of: Int32.self) { places in
      counts.withUnsafeMutableBufferPointer { counts in
        for place in places { counts[Int(place)] += 1 }
      }
    }
    var (worst, below) = (0.0, 0)
    for (bin, count) in counts.enumerated() {
      below += count
      let expected = Double(bin + 1) / Double(bins)
      worst = max(worst, abs(Double(below) / Double(values.count) - expected))
    }
    return worst
  }
}
