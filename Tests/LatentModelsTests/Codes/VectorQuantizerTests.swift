// Code books: exact numbers of their averages, and identities that published implementations fail.

import Foundation
import LatentAutodiff
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite struct VectorQuantizerTests {
  /// A code book with these codes, float64.
  static func quantizer(
    _ codes: Tensor, started: Bool = true, _ change: (inout VectorCodes) -> Void = { _ in }
  ) throws -> VectorQuantizer {
    var settings = VectorCodes()
    (settings.codes, settings.kmeans) = (codes.shape[0], started ? 0 : 10)
    change(&settings)
    try settings.validate()
    var random = RandomStream(seed: 1)
    var quantizer = VectorQuantizer(settings, dimension: codes.shape[1], using: &random)
      .converted(to: .float64)
    quantizer.book = codes
    if quantizer.sums != nil { quantizer.sums = Tensor(codes.array.copy()) }
    return quantizer
  }

  static func training(_ seed: UInt64 = 1) -> LayerContext {
    LayerContext(isTraining: true, random: RandomStream(seed: seed))
  }

  static func column(_ values: [Double]) -> Tensor { Tensor(values, shape: [values.count, 1]) }

  /// One step of training on z.
  static func step(_ quantizer: inout VectorQuantizer, _ z: Tensor, seed: UInt64 = 1) {
    var context = training(seed)
    _ = quantizer(z, &context)
    quantizer.apply(context.bufferUpdates)
  }

  /// What is averaged is N, not the smoothed one.
  @Test func averages() throws {
    var quantizer = try Self.quantizer(Self.column([2, 9]))
    quantizer.counts = .zeros([2], .float64)
    quantizer.sums = .zeros([2, 1], .float64)
    let z = Self.column([1, 3, 10])
    Self.step(&quantizer, z)
    let counts = try #require(quantizer.counts)
    #expect(distance(counts.doubles, [0.02, 0.01]) < 1e-15)
    let sums = try #require(quantizer.sums)
    #expect(distance(sums.doubles, [0.04, 0.1]) < 1e-15)
    #expect(distance(quantizer.book.doubles, [2.0003331667, 9.9966699967]) < 1e-10)
    Self.step(&quantizer, z)
    let twice = try #require(quantizer.counts)
    #expect(distance(twice.doubles, [0.0398, 0.0199]) < 1e-15)
  }

  @Test func averagesBecomeCentres() throws {
    var quantizer = try Self.quantizer(Self.column([2, 9])) { $0.decay = 0.5 }
    for _ in 0..<200 { Self.step(&quantizer, Self.column([1, 2, 6, 10, 11])) }
    #expect(distance(quantizer.book.doubles, [1.5, 9]) < 1e-4)
  }

  /// Vectors that are codes have no error, and use their codes evenly.
  @Test func codesAreKept() throws {
    let codes = CodesCase.waves(9, 3, 0.2)
    let quantizer = try Self.quantizer(codes) { $0.learning = .loss }
    var context = Self.training()
    let z = codes.gathering(Tensor([4, 0, 8, 4, 0, 8] as [Int32]))
    let found = quantizer(z, &context)
    #expect(found.value.array == z.array)
    #expect(found.indices.array.int32s == [4, 0, 8, 4, 0, 8])
    let figures = Dictionary(
      uniqueKeysWithValues: context.takeLosses().map { ($0.name, $0.value.item) })
    #expect(figures["commitment"] == 0 && figures["codebook"] == 0)
    #expect(abs((figures["perplexity"] ?? 0) - 3) < 1e-12)
    #expect(abs((figures["usage"] ?? 0) - 1.0 / 3) < 1e-12)
  }

  /// The first of equal codes, at any of their places.
  @Test(arguments: [DType.float32, .float64], [7, 33, 64]) func ties(dtype: DType, size: Int) {
    for (first, second) in [(0, 1), (3, 40), (17, 511), (510, 511), (100, 256)] {
      var random = RandomStream(seed: 3)
      let codes = random.normalTensor([512, size], dtype)
      let rows = (0..<512).map { Int32($0 == second ? first : $0) }
      let doubled = codes.gathering(Tensor(rows))
      let found = nearestCodes(to: doubled, among: doubled).array.int32s
      #expect(found == rows, "\(first) and \(second)")
    }
  }

  @Test func nearestByAllDistances() {
    var random = RandomStream(seed: 5)
    let (z, codes) = (
      random.normalTensor([300, 5], .float64) * 3, random.normalTensor([40, 5], .float64)
    )
    let all = square(z.expandingDimension(at: 1) - codes).sum(axes: [2]).argMin(axis: 1)
    #expect(nearestCodes(to: z, among: codes).array == all.array)
  }

  /// Gradients of `sum(value * g)` and the terms with respect to z and the codes.
  private func gradients(
    _ quantizer: VectorQuantizer, _ z: Tensor, _ g: Tensor, terms: Bool
  ) -> (z: Tensor?, codes: Tensor?) {
    let probe = QuantizerProbe(z: z, quantizer: quantizer)
    let result = valueAndGradient(
      at: probe,
      withAuxiliary: { probe in
        var context = Self.training()
        let value = probe.quantizer(probe.z, &context).value
        let losses = terms ? context.takeLosses() : []
        return (losses.reduce((value * g).sum()) { $0 + $1.value * $1.weight }, ())
      })
    let found = result.gradients.tensors
    return (found[0], found.count > 1 ? found[1] : nil)
  }

  @Test func straightThrough() throws {
    let quantizer = try Self.quantizer(CodesCase.waves(9, 3, 0.2)) { $0.learning = .loss }
    let (z, g) = (CodesCase.waves(7, 3, 1), CodesCase.waves(7, 3, 2))
    let found = gradients(quantizer, z, g, terms: false)
    #expect(found.z?.array == g.array)
    #expect(found.codes.map { $0.doubles.allSatisfy { $0 == 0 } } ?? true)
  }

  /// The weight is that of the commitment: without it codes move as before, and vectors do not.
  @Test func commitmentIsOfVectors() throws {
    let codes = CodesCase.waves(9, 3, 0.2)
    let (z, g) = (CodesCase.waves(7, 3, 1), Tensor.zeros([7, 3], .float64))
    func found(_ commitment: Double) throws -> (z: Tensor?, codes: Tensor?) {
      let quantizer = try Self.quantizer(codes) {
        ($0.learning, $0.commitment) = (.loss, commitment)
      }
      return gradients(quantizer, z, g, terms: true)
    }
    let (with, without) = (try found(0.25), try found(0))
    #expect(with.codes?.array == without.codes?.array)
    let moved = (try #require(without.codes), try #require(with.z))
    #expect(moved.0.doubles.contains { $0 != 0 } && moved.1.doubles.contains { $0 != 0 })
    #expect(without.z.map { $0.doubles.allSatisfy { $0 == 0 } } ?? true)
  }

  /// Means over vectors: a batch twice is as one.
  @Test(arguments: ["vq", "simvq", "lfq", "bsq", "residual", "grouped:lfq"])
  func batchesOfAnySize(name: String) throws {
    var random = RandomStream(seed: 2)
    let codes = try CodesSettings(chain: name.split(separator: ":").map(String.init))
    func losses(_ quantizer: some Quantizer, _ z: Tensor) -> [Double] {
      var context = LayerContext.inference
      _ = quantizer(z, &context)
      return context.takeLosses().map(\.value.item)
    }
    func check(_ made: some Quantizer) {
      let quantizer = made.converted(to: .float64)
      let z = CodesCase.waves(6, 4, 0.1)
      let twice = losses(quantizer, Tensor.concatenate([z, z], axis: 0))
      #expect(distance(losses(quantizer, z), twice) < 1e-14)
    }
    check(codes.description.makeQuantizer(dimension: 4, using: &random))
  }

  @Test func firstBatch() throws {
    // Two clusters, far apart.
    let z = Tensor.concatenate(
      [CodesCase.waves(20, 2, 0) * 0.1 + 5, CodesCase.waves(30, 2, 1) * 0.1 - 5], axis: 0)
    for learning in [VectorCodes.Learning.ema, .loss] {
      var quantizer = try Self.quantizer(.zeros([2, 2], .float64), started: false) {
        $0.learning = learning
      }
      let before = quantizer.namedParameters.map(\.tensor.array)
      var context = LayerContext.inference
      _ = quantizer(z, &context)
      #expect(context.bufferUpdates.isEmpty, "only training changes codes")
      context = Self.training()
      let found = quantizer(z, &context)
      #expect(quantizer.namedParameters.map(\.tensor.array) == before)
      quantizer.apply(context.bufferUpdates)
      let means = [z.sliced(0, 0..<20), z.sliced(0, 20..<50)].map { $0.mean(axes: [0]) }
      let codes = (0..<2).map { quantizer.codes.selecting($0) }
      let isSwapped = codes[0].doubles[0] < 0
      let ordered = isSwapped ? codes.reversed() : codes
      for (code, mean) in zip(ordered, means) { #expect(distance(code, mean) < 1e-12) }
      // The first batch is already told its code.
      let indices = found.indices.array.int32s
      #expect(Set(indices.prefix(20)).count == 1 && Set(indices.suffix(30)).count == 1)
      let counts = quantizer.counts?.doubles.sorted() ?? [20, 30]
      #expect(counts == [20, 30])
      let codesBefore = quantizer.codes.array
      Self.step(&quantizer, z + 0.001)
      #expect((quantizer.codes.array == codesBefore) == (learning == .loss), "started once")
    }
  }

  /// Fewer vectors than codes, and one alone.
  @Test(arguments: [1, 3]) func fewVectors(count: Int) throws {
    for gradient in [CodeGradient.straightThrough, .rotation, .diveq] {
      var quantizer = try Self.quantizer(CodesCase.waves(8, 3, 0), started: false) {
        ($0.gradient, $0.restart) = (gradient, 0.5)
      }
      let z = CodesCase.waves(count, 3, 1)
      for _ in 0..<3 { Self.step(&quantizer, z) }
      #expect(quantizer.codes.array.nonFiniteCount == 0)
      let g = gradients(quantizer, z, z.onesLike, terms: true)
      let slopes = [try #require(g.z)] + (g.codes.map { [$0] } ?? [])
      #expect(slopes.allSatisfy { $0.array.nonFiniteCount == 0 }, "\(gradient) at a code")
    }
  }

  @Test func restarts() throws {
    let codes = Self.column([0, 1, 100, 200])
    for learning in [VectorCodes.Learning.ema, .loss] {
      var quantizer = try Self.quantizer(codes) {
        ($0.learning, $0.restart, $0.decay) = (learning, 0.6, 0.5)
      }
      let z = Self.column([0.1, 0.9, 0.2, 0.8])
      Self.step(&quantizer, z)
      // N of the codes that nothing is near to is 0.5.
      let found = quantizer.codes.doubles
      let isDrawn = found[2...].allSatisfy { code in
        z.doubles.contains { abs($0 - code) < 1e-12 }
      }
      #expect(isDrawn, "\(found)")
      let counts = try #require(quantizer.counts).doubles
      #expect(distance(counts, [1.5, 1.5, 0.6, 0.6]) < 1e-14)
      if let sums = quantizer.sums {
        #expect(distance(Array(sums.doubles[2...]), found[2...].map { 0.6 * $0 }) < 1e-14)
      } else {
        #expect(found[..<2] == [0, 1])
        #expect(quantizer.book.array == codes.array, "what is trained is the gradient's alone")
      }
    }
  }

  // MARK: Gradients

  /// The derivative at one z is a rotation times |e| / |z|, and the value the code to the bit.
  @Test func rotations() throws {
    var random = RandomStream(seed: 7)
    for size in [2, 3, 8] {
      let (z, e) = (
        random.normalTensor([40, size], .float64), random.normalTensor([40, size], .float64)
      )
      let lengths = (square(e).sum(axes: [1]) / square(z).sum(axes: [1])).doubles.map {
        $0.squareRoot()
      }
      // Rows of the Jacobian, one output at a time.
      let columns = (0..<size).map { output -> [Double] in
        let result = valueAndGradient(
          at: [z],
          withAuxiliary: { inputs in
            let value = rotated(from: inputs[0], to: e)
            return (value.selecting(output, axis: 1).sum(), value)
          })
        #expect(result.auxiliary.array == e.array)
        return result.gradients[0]?.doubles ?? []
      }
      for row in 0..<40 {
        let matrix = columns.map { $0[row * size..<(row + 1) * size].map { $0 / lengths[row] } }
        for first in 0..<size {
          for second in 0..<size {
            let dot = zip(matrix[first], matrix[second]).reduce(0) { $0 + $1.0 * $1.1 }
            #expect(abs(dot - (first == second ? 1 : 0)) < 1e-12)
          }
        }
      }
    }
  }

  /// Parallel vectors are scaled; opposite ones and zeros, which have no rotation, pass straight through.
  @Test func rotationsOfSpecialVectors() {
    let z = Tensor([3, 4, 3, 4, 0, 0, 3, 4] as [Double], shape: [4, 2])
    let e = Tensor([6, 8, -6, -8, 1, 1, 0, 0] as [Double], shape: [4, 2])
    let g = CodesCase.waves(4, 2, 1)
    let result = valueAndGradient(
      at: [z], withAuxiliary: { ((rotated(from: $0[0], to: e) * g).sum(), ()) })
    let factors = [2.0, 2, 1, 1, 1, 1, 1, 1]
    let expected = zip(g.doubles, factors).map { $0 * $1 }
    #expect(distance(result.gradients[0]?.doubles ?? [], expected) < 1e-14)
  }

  /// As far from z as the code, near its direction, and the code itself after training.
  @Test func diversions() throws {
    var random = RandomStream(seed: 9)
    let (z, e) = (random.normalTensor([50, 6], .float64), random.normalTensor([50, 6], .float64))
    let passed = diverted(from: z, to: e, variance: 5e-3, using: &random)
    func lengths(_ x: Tensor) -> [Double] { sqrt(square(x).sum(axes: [1])).doubles }
    #expect(distance(lengths(passed - z), lengths(e - z)) < 1e-12)
    let offset = lengths(passed - e)
    #expect(zip(offset, lengths(e - z)).allSatisfy { $0 > 0 && $0 < 0.5 * $1 + 0.5 })
    let quantizer = try Self.quantizer(CodesCase.waves(9, 3, 0.2)) {
      ($0.gradient, $0.restart) = (.diveq, 0.1)
    }
    #expect(quantizer.parameterCount == 27, "codes are trained by what follows")
    var context = LayerContext.inference
    let found = quantizer(CodesCase.waves(7, 3, 1), &context)
    #expect(found.value.array == quantizer.codes(at: found.indices, .float64).array)
  }

  /// All codes move with a gradient at one of them.
  @Test func linearCodesMoveTogether() throws {
    var random = RandomStream(seed: 4)
    let made = LinearCodes().makeQuantizer(dimension: 4, using: &random)
    let quantizer = try #require(made as? LinearQuantizer).converted(to: .float64)
    #expect(quantizer.codes.array == quantizer.fixed.array, "the map is the identity at first")
    let deviation = square(quantizer.fixed).mean().item.squareRoot()
    #expect(abs(deviation - 0.5) < 0.03)
    let probe = QuantizerProbe(z: CodesCase.waves(1, 4, 1), quantizer: quantizer)
    let result = valueAndGradient(
      at: probe,
      withAuxiliary: { probe in
        var context = Self.training()
        _ = probe.quantizer(probe.z, &context)
        return (
          context.takeLosses().reduce(Tensor.scalar(0, .float64)) { $0 + $1.value * $1.weight }, ()
        )
      })
    var moved = quantizer
    let slope = try #require(result.gradients.tensors[1])
    moved.weight = quantizer.weight - slope * 0.1
    let change = square(moved.codes - quantizer.codes).sum(axes: [1]).doubles
    #expect(change.allSatisfy { $0 > 0 })
    #expect(moved.fixed.array == quantizer.fixed.array)
  }
}
