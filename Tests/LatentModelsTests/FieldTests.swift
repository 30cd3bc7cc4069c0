// The other fields of a batch reach encoder, decoder and prior in every tool as in training, and what a
// mask hides reaches none of them.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct FieldTests {
  /// Adds the number `shift` of each example to what it is given.
  struct ShiftingEncoder: Encoder {
    var base: MLPEncoder
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      visitor.visit(&base, "base")
    }
    func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> DiagonalNormal {
      base(x + context.shift, &context)
    }
  }

  struct ShiftingDecoder: Decoder {
    var base: MLPDecoder<BernoulliHead>
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      visitor.visit(&base, "base")
    }
    func callAsFunction(_ z: Tensor, _ context: inout LayerContext) -> Bernoulli {
      base(z + context.shift, &context)
    }
  }

  /// Normals around the shift of each example.
  struct ShiftingPrior: Prior {
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
    func callAsFunction(
      encoder: some Encoder, dtype: DType, _ context: inout LayerContext
    ) -> any Distribution {
      DiagonalNormal(
        mean: context.shift.broadcast(to: [context.shift.shape[0], 2]),
        logVariance: .zeros([], dtype))
    }
  }

  static let plain = Tiny.model(BernoulliHead())
  static let model = VAE(
    encoder: ShiftingEncoder(base: plain.encoder), decoder: ShiftingDecoder(base: plain.decoder),
    prior: ShiftingPrior())
  /// One number for each example.
  static let shifts = Tensor([0.5, -1.0, 0.25, 2.0], shape: [4, 1]).converted(to: .float64)
  static let fields = ["shift": shifts]

  @Test func encodingAndDecoding() {
    let (model, plain, fields) = (Self.model, Self.plain, Self.fields)
    let z = plain.encode(Tiny.x + Self.shifts).mean
    #expect(model.encode(Tiny.x, fields: fields).mean.array == z.array)
    #expect(model.codes(of: Tiny.x, fields: fields).array == z.array)
    let expected = plain.decode(z + Self.shifts).mean.array
    #expect(model.decode(z, fields: fields).mean.array == expected)
    #expect(model.reconstruct(Tiny.x, fields: fields).array == expected)
  }

  @Test func generatingTakesALatentForEachRow() {
    var (random, again) = (RandomStream(seed: 3), RandomStream(seed: 3))
    let z = again.normalTensor([4, 2], .float64) + Self.shifts
    let generated = Self.model.generate(4, fields: Self.fields, using: &random)
    #expect(generated.array == Self.plain.decode(z + Self.shifts).mean.array)
    #expect(Self.model.latentShape(fields: Self.fields) == [2])
  }

  @Test func walksRepeatTheFieldsOfOneExample() {
    let one = ["shift": Self.shifts.sliced(0, 1..<2)]
    let (start, end) = (numbers([2], 1), numbers([2], 2))
    let path = interpolated(from: start, to: end, steps: 3, .linear)
    let strip = Self.model.interpolate(from: start, to: end, steps: 3, .linear, fields: one)
    #expect(strip.array == Self.plain.decode(path - 1).mean.array)
    let walk = Self.model.traverse(start, dimension: 1, values: [-2, 0], fields: one)
    let points = traversal(of: start, dimension: 1, values: [-2, 0])
    #expect(walk.array == Self.plain.decode(points - 1).mean.array)
    // Pairs of a batch: a row for each of them, the same along the path.
    let (a, b) = (numbers([4, 2], 3), numbers([4, 2], 4))
    let strips = Self.model.interpolate(from: a, to: b, steps: 3, .linear, fields: Self.fields)
    let middle = Self.plain.decode((a + b) * 0.5 + Self.shifts).mean
    #expect(strips.selecting(1).isClose(to: middle, 1e-15))
  }

  @Test func densityIsThatOfTheShiftedModel() {
    // A shift of data, latents and prior together is no shift at all.
    var (random, again) = (RandomStream(seed: 4), RandomStream(seed: 4))
    let fields = ["shift": Self.shifts.zerosLike]
    let shifted = Self.model.logLikelihood(
      of: Tiny.x, importanceSamples: 7, samplesAtOnce: 3, fields: fields, using: &random)
    let plain = Self.plain.logLikelihood(
      of: Tiny.x, importanceSamples: 7, samplesAtOnce: 3, using: &again)
    #expect(shifted.isClose(to: plain, 1e-12))
    let moved = Self.model.logLikelihood(
      of: Tiny.x, importanceSamples: 7, fields: Self.fields, using: &random)
    #expect(!moved.isClose(to: plain, 1e-3))
  }

  // MARK: Masks

  /// What a mask hides may be anything.
  static let mask = Tensor([1.0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 1] as [Double], shape: [4, 3])
    .converted(to: .float64)

  private static func holes(_ filling: Double) -> Tensor {
    Tensor.where(mask, Tiny.x, Tiny.x.zerosLike + filling)
  }

  @Test(arguments: [0, -3, Double.nan, .infinity]) func hiddenEntriesAreSeenByNobody(hidden: Double)
  {
    let model = Self.plain
    let fields = ["mask": Self.mask]
    let x = Self.holes(hidden)
    let codes = model.codes(of: x, fields: fields)
    #expect(codes.array == model.codes(of: Self.holes(0)).array)
    func loss(_ x: Tensor) -> (Double, [Double]) {
      var context = Tiny.training(3)
      context.fields = fields
      let result = valueAndGradient(at: model) { ELBO()($0, x, &context).total }
      return (result.value.item, result.gradients.tensors.flatMap { $0?.doubles ?? [] })
    }
    #expect(loss(x).0 == loss(Tiny.x).0 && loss(x).0.isFinite)
    #expect(loss(x).1 == loss(Tiny.x).1 && loss(x).1.allSatisfy(\.isFinite))
    var (random, again) = (RandomStream(seed: 4), RandomStream(seed: 4))
    let density = model.logLikelihood(of: x, importanceSamples: 3, fields: fields, using: &random)
    let same = model.logLikelihood(
      of: Tiny.x, importanceSamples: 3, fields: fields, using: &again)
    #expect(density.array == same.array && density.array.nonFiniteCount == 0)
  }

  @Test func fillingAndMaskAsTheModelSays() {
    var model = Self.plain
    model.masking = Masking(filling: 0.5)
    #expect(
      model.codes(of: Tiny.x, fields: ["mask": Self.mask]).array
        == Self.plain.codes(of: Self.holes(0.5)).array)
    // The mask beside the data, for an encoder that takes twice as many numbers.
    let shown = Masking(showsMask: true)
    let seen = shown(Tiny.x, mask: Self.mask)
    #expect(seen.array == Tensor.concatenate([Self.holes(0), Self.mask], axis: -1).array)
    let complete = shown(Tiny.x, mask: nil)
    #expect(complete.array == Tensor.concatenate([Tiny.x, Tiny.x.onesLike], axis: -1).array)
    // A row of the mask for all examples, of another type.
    let row = Tensor([Int32(1), 0, 1])
    #expect(
      Masking()(Tiny.x, mask: row).array
        == Masking()(Tiny.x, mask: row.converted(to: .float64).broadcast(to: [4, 3])).array)
  }
}

extension LayerContext {
  /// `[batch, 1]`.
  fileprivate var shift: Tensor { fields["shift"] ?? .zeros([1, 1], .float64) }
}

extension Tensor {
  fileprivate func isClose(to other: Tensor, _ tolerance: Double) -> Bool {
    shape == other.shape && zip(doubles, other.doubles).allSatisfy { abs($0 - $1) <= tolerance }
  }
}
