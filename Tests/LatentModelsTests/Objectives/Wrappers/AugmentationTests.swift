// Data that are changed at random: where pixels come from, in loops; what stays in range; what the encoder sees and what
// is reconstructed.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite struct AugmentationTests {
  static func lens(
    _ x: Tensor, mask: Tensor? = nil, seed: UInt64 = 3,
    _ change: (inout AugmentationDescription) -> Void
  ) throws -> Lens {
    var description = AugmentationDescription()
    description.shift = 0
    change(&description)
    var random = RandomStream(seed: seed)
    var context = LayerContext(isTraining: true, random: random)
    context.fields["mask"] = mask
    return try #require(
      description.lens(x, of: Tiny.model(NormalHead()), context, using: &random))
  }

  /// All of the shifts and mirror images there are, and no others, each as often.
  @Test func shiftsAndFlips() throws {
    let (height, width) = (3, 4)
    let picture = (1...height * width).map { Double($0) }
    /// As PyTorch would: mirrored, padded by 1, cropped.
    func image(_ flipped: Bool, _ down: Int, _ right: Int) -> [Double] {
      (0..<height * width).map { place in
        let (row, column) = (place / width - down, place % width - right)
        guard (0..<height).contains(row), (0..<width).contains(column) else { return 0 }
        return picture[row * width + (flipped ? width - 1 - column : column)]
      }
    }
    var expected: [[Double]: Int] = [:]
    for flipped in [false, true] {
      for down in -1...1 { for right in -1...1 { expected[image(flipped, down, right)] = 0 } }
    }
    let count = 9000
    let x = Tensor(
      (0..<count).flatMap { _ in picture.flatMap { [$0, -$0] } }, shape: [count, height, width, 2])
    let lens = try AugmentationTests.lens(x) { ($0.flips, $0.shift) = (0.5, 1) }
    let pixels = lens.target.doubles
    for example in 0..<count {
      let found = (0..<height * width).map { pixels[(example * height * width + $0) * 2] }
      let second = (0..<height * width).map { -pixels[(example * height * width + $0) * 2 + 1] }
      #expect(found == second)
      expected[found, default: -count] += 1
    }
    #expect(expected.count == 18)
    for (_, times) in expected { #expect(abs(Double(times) - 500) < 5 * 500.0.squareRoot()) }
    #expect(lens.seen == nil)
  }

  /// Shifts larger than the picture leave none of it.
  @Test func farShifts() throws {
    let lens = try AugmentationTests.lens(Tensor.ones([40, 2, 2, 1])) { $0.shift = 1000 }
    #expect(Set(lens.target.floats).isSubset(of: [0, 1]) && lens.target.floats.contains(0))
  }

  /// One factor for each example, each in its range; the values of the batch are the bounds.
  @Test func brightness() throws {
    let x = Tensor(
      (0..<500).flatMap { _ in [0, 0.25, 0.5, 1.0] }, shape: [500, 2, 2, 1])
    let values = try AugmentationTests.lens(x) { $0.brightness = 0.4 }.target.doubles
    let factors = (0..<500).map { values[4 * $0 + 1] / 0.25 }
    #expect(factors.allSatisfy { $0 >= 0.6 && $0 <= 1.4 })
    #expect(factors.min() ?? 1 < 0.62 && factors.max() ?? 1 > 1.38)
    for (example, factor) in factors.enumerated() {
      #expect(abs(values[4 * example + 2] - factor * 0.5) < 1e-12)
      #expect(abs(values[4 * example + 3] - min(1, factor)) < 1e-12)
    }
  }

  @Test func noise() throws {
    let x = Tensor((0..<20_000).map { Double($0 % 3) / 2 }, shape: [5000, 4])
    let values = try AugmentationTests.lens(x) { $0.noise = 0.1 }.target.doubles
    let shifts = zip(values, x.doubles).filter { $1 == 0.5 }.map { $0 - $1 }
    let variance = shifts.map { $0 * $0 }.reduce(0, +) / Double(shifts.count)
    #expect(abs(variance - 0.01) < 5 * 0.01 * (2 / Double(shifts.count)).squareRoot())
    #expect(values.min() == 0 && values.max() == 1)
    // Numbers that are no pictures keep their range, whatever that is.
    let wide = try AugmentationTests.lens(x * 100 - 50) { $0.noise = 1 }.target.doubles
    #expect(wide.min() == -50 && wide.max() == 50 && wide.contains { $0 > 1 && $0 < 50 })
  }

  /// The encoder sees changed data and the decoder is compared with the data: by hand.
  @Test func denoising() throws {
    let model = Tiny.model(NormalHead(.fixed(0.7)))
    let rule = Augmentation<Tiny.Model<NormalHead>, _>(around: ELBO(beta: 2)) {
      ($0.shift, $0.noise, $0.clean) = (0, 0.3, true)
    }
    let stream = RandomStream(seed: 6)
    var context = LayerContext(isTraining: true, random: stream)
    let found = rule.loss(of: 0, model, NoParts(), Tiny.x, &context)
    var (draws, normal) = (stream.split("lens1.seed"), stream)
    let noisy = (Tiny.x + draws.normalTensor([4, 3], .float64) * 0.3).clamped(to: 0...1)
    let q = model.encode(noisy)
    let z = q.mean + exp(q.logVariance * 0.5) * normal.normalTensor([4, 2], .float64)
    let kl = zip(q.mean.doubles, q.logVariance.doubles).map { normalKL($0, $1) / 4 }.reduce(0, +)
    let expected = kl * 2 - model.decode(z).logProbability(of: Tiny.x).mean().item
    #expect(abs(found.total.item - expected) < 1e-9)
    // Without `clean`, what is compared is what was seen.
    let plain = Augmentation<Tiny.Model<NormalHead>, _>(around: ELBO(beta: 2)) {
      ($0.shift, $0.noise) = (0, 0.3)
    }
    var again = LayerContext(isTraining: true, random: stream)
    let changed = plain.loss(of: 0, model, NoParts(), Tiny.x, &again).total.item
    let other = kl * 2 - model.decode(z).logProbability(of: noisy).mean().item
    #expect(abs(changed - other) < 1e-9)
  }

  /// A mask goes where its pixels go; what a shift brings in is hidden.
  @Test func masks() throws {
    let x = Tensor([1, 2, 3, 4, 5, 6, 7, 8, .nan] as [Double], shape: [1, 3, 3, 1])
    let mask = Tensor([1, 1, 1, 1, 1, 1, 1, 1, 0] as [Double], shape: [1, 3, 3, 1])
    for seed in UInt64(1)..<9 {
      for clean in [false, true] {
        let lens = try AugmentationTests.lens(x, mask: mask, seed: seed) {
          ($0.shift, $0.clean) = (1, clean)
        }
        let (pixels, hidden) = (
          clean ? try #require(lens.seen) : lens.target,
          try #require(clean ? lens.seenMask : lens.mask)
        )
        for (value, observed) in zip(pixels.doubles, hidden.doubles) {
          #expect((observed == 1) == (value > 0), "a pixel is observed where it was")
        }
        if clean { #expect(lens.mask?.doubles == mask.doubles) }
      }
    }
  }

  /// An objective that takes a batch apart gets the parts of both views, and data that it made up are seen as they are.
  @Test(arguments: ["factor", "rws"]) func partsOfABatch(name: String) throws {
    struct Seen: Encoder {
      var base: MLPEncoder
      let isSeen: @Sendable (Tensor) -> Void
      mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
        base.visitParameters(&visitor)
      }
      func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> DiagonalNormal {
        isSeen(x)
        return base(x, &context)
      }
    }
    let tiny = Tiny.model(BernoulliHead())
    let seen = Box()
    let model = VAE(
      encoder: Seen(base: tiny.encoder) { seen.append($0.detached) }, decoder: tiny.decoder,
      prior: tiny.prior)
    var description = AugmentationDescription()
    (description.shift, description.noise, description.clean) = (0, 0.3, true)
    if name == "rws" {
      var sleeping = ReweightedWakeSleepDescription()
      sleeping.phase = .sleep
      description.inside = ObjectiveSettings(sleeping)
    } else {
      description.inside = try ObjectiveSettings(named: name)
    }
    let facts = TrainingFacts(examples: 4, inputShape: [3])
    _ = WrapperTests.step(try description.make(for: model, facts), model, Tiny.x)
    var draws = RandomStream(seed: 3).split(0).split("lens1.seed")
    let noisy = (Tiny.x + draws.normalTensor([4, 3], .float64) * 0.3).clamped(to: 0...1)
    let found = seen.tensors.map(\.doubles)
    let halves = [noisy.sliced(0, 0..<2).doubles, noisy.sliced(0, 2..<4).doubles]
    if name == "factor" {
      #expect(found.allSatisfy(halves.contains) && halves.allSatisfy(found.contains))
    } else {
      #expect(found[0] == noisy.doubles)
      #expect(found[1].allSatisfy { $0 == 0 || $0 == 1 }, "dreams are as they are")
    }
  }
}

/// What was seen, in order.
private final class Box: @unchecked Sendable {
  private let lock = NSLock()
  private var list: [Tensor] = []
  var tensors: [Tensor] { lock.withLock { list } }
  func append(_ tensor: Tensor) { lock.withLock { list.append(tensor) } }
}
