// Quantisers made of others.

import Foundation
import LatentAutodiff
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite struct CompositeQuantizerTests {
  static func residual(
    _ inside: any CodesDescription, stages: Int, dimension: Int, dropout: Double = 0
  ) throws -> ResidualQuantizer {
    var settings = ResidualCodes()
    (settings.stages, settings.dropout) = (stages, dropout)
    settings.inside = CodesSettings(inside)
    try settings.validate()
    try settings.validate(dimension: dimension)
    var random = RandomStream(seed: 3)
    let made = settings.makeQuantizer(dimension: dimension, using: &random)
    return try #require(made as? ResidualQuantizer).converted(to: .float64)
  }

  /// What is left gets no longer where zero is a code, and with all codes makes the vector.
  @Test func whatIsLeft() throws {
    var book = VectorCodes()
    (book.codes, book.kmeans, book.learning) = (8, 0, .loss)
    var quantizer = try Self.residual(book, stages: 5, dimension: 3)
    for index in quantizer.stages.indices {
      var stage = try #require(quantizer.stages[index] as? VectorQuantizer)
      let codes = CodesCase.waves(7, 3, Double(index)) / Double(index + 1)
      stage.book = Tensor.concatenate([.zeros([1, 3], .float64), codes], axis: 0)
      quantizer.stages[index] = stage
    }
    let z = CodesCase.waves(30, 3, 0.4, 1.5)
    var context = LayerContext.inference
    let indices = quantizer(z, &context).indices
    #expect(indices.shape == [30, 5])
    var (sum, last) = (z.zerosLike, square(z).sum(axes: [1]).doubles)
    for stage in 0..<5 {
      let column = indices.sliced(1, stage..<stage + 1)
      sum = sum + quantizer.stages[stage].codes(at: column, .float64)
      let left = square(z - sum).sum(axes: [1]).doubles
      #expect(zip(left, last).allSatisfy { $0 <= $1 + 1e-15 })
      last = left
    }
    #expect(distance(quantizer.codes(at: indices, .float64), sum) < 1e-14)
  }

  /// A stage of levels cuts each part of the one before into levels: the error falls by their number.
  @Test(arguments: ["fsq", "fsp", "lfq"]) func stagesRefine(name: String) throws {
    var description = try CodesSettings(named: name).description
    if var levels = description as? FiniteScalarCodes {
      levels.levels = [5, 7]
      description = levels
    } else if var levels = description as? ScalarPerturbationCodes {
      levels.levels = [5, 7]
      description = levels
    }
    let quantizer = try Self.residual(description, stages: 4, dimension: 2)
    let z = CodesCase.waves(200, 2, 0.4, 0.9)
    var context = LayerContext.inference
    let indices = quantizer(z, &context).indices
    let place = quantizer.prepared(z)
    let errors = (1...4).map { depth -> Double in
      let kept = Tensor.concatenate(
        [
          indices.sliced(1, 0..<depth),
          Tensor(repeating: -1, shape: [200, 4 - depth], .int32),
        ], axis: 1)
      return abs(quantizer.codes(at: kept, .float64) - place).max().item
    }
    let factor = name == "lfq" ? 0.51 : 0.34
    for (error, next) in zip(errors, errors.dropFirst()) { #expect(next <= error * factor + 1e-12) }
  }

  /// Truncated batches have no index and no code of later stages, at every depth alike.
  @Test func dropout() throws {
    var book = VectorCodes()
    (book.codes, book.kmeans) = (4, 0)
    let quantizer = try Self.residual(book, stages: 3, dimension: 2, dropout: 1)
    let z = CodesCase.waves(6, 2, 0)
    var depths: [Int: Int] = [:]
    for step in 0..<300 {
      let random = RandomStream(seed: 1).split(UInt64(step))
      var context = LayerContext(isTraining: true, random: random)
      let found = quantizer(z, &context)
      let rows = found.indices.array.int32s
      let depth = rows.prefix(3).count { $0 >= 0 }
      #expect(rows.count { $0 >= 0 } == 6 * depth && rows.prefix(depth).allSatisfy { $0 >= 0 })
      #expect(distance(found.value, quantizer.codes(at: found.indices, .float64)) < 1e-14)
      depths[depth, default: 0] += 1
    }
    for depth in 1...3 { #expect(abs(Double(depths[depth] ?? 0) - 100) < 33) }
    var after = LayerContext.inference
    #expect(quantizer(z, &after).indices.array.int32s.allSatisfy { $0 >= 0 })
  }

  /// Each part is quantised as if it were alone.
  @Test func groups() throws {
    var random = RandomStream(seed: 5)
    let made = try CodesSettings(chain: ["grouped", "residual", "bsq"]).description
      .makeQuantizer(dimension: 6, using: &random)
    let quantizer = try #require(made as? GroupedQuantizer)
    #expect(quantizer.codeCounts == Array(repeating: 8, count: 8))
    let z = CodesCase.waves(5, 6, 1)
    var context = LayerContext.inference
    let whole = quantizer(z, &context)
    for (part, group) in quantizer.groups.enumerated() {
      func check(_ group: some Quantizer) {
        let own = group(z.sliced(1, part * 3..<part * 3 + 3), &context)
        #expect(whole.value.sliced(1, part * 3..<part * 3 + 3).array == own.value.array)
        #expect(whole.indices.sliced(1, part * 4..<part * 4 + 4).array == own.indices.array)
      }
      check(group)
    }
  }
}
