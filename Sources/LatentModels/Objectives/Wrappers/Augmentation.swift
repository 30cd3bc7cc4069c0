// The same examples, seen a little otherwise each time: what a model should not care about is changed at random. Where
// the change is hidden from the decoder's side, the model learns to take it away (Vincent et al. 2008, "Extracting and
// composing robust features with denoising autoencoders").

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Any objective on data that are changed at random, in words.
///
/// Each example of a training batch is, in this order, mirrored left to right with probability `flips`, moved by up to
/// `shift` pixels along each side with zeros where nothing comes from, multiplied by a number from `1 - brightness` to
/// `1 + brightness`, and joined by normal noise of deviation `noise`. What the last two make stays between the smallest
/// and the largest value of the batch, so that pictures in [0, 1] stay there. All are what torchvision's
/// `RandomHorizontalFlip`, `RandomCrop` with padding, `ColorJitter` and `GaussianNoise` do, but drawn for each example.
///
/// The changed data are what is reconstructed; with `clean` they are what the encoder sees and the data themselves
/// what is reconstructed, which is a denoising autoencoder. A mask moves with its pixels, and what a shift brings in is
/// hidden then. Other fields of the batch stay as they are. Outside of training nothing is changed.
public struct AugmentationDescription: LensDescription {
  public static let name = "augmented"
  public static let origin = Origin(
    "a wrapper: data that are mirrored, moved, brightened and noisy, in training",
    paper: "Simard et al. 2003; Vincent et al. 2008", equation: "-; section 2.3",
    test: "LatentModelsTests/AugmentationTests.swift")

  public static let requirement = "pictures (but for noise), and what the objective inside needs"

  /// The probability of being mirrored left to right.
  public var flips = 0.0
  /// The most pixels that a picture moves along each side.
  public var shift = 2
  /// How much brighter or darker a picture becomes, as a part of 1.
  public var brightness = 0.0
  /// The standard deviation of the noise.
  public var noise = 0.0
  /// Whether the data themselves are to be reconstructed.
  public var clean = false
  /// What is wrapped.
  public var inside = ObjectiveSettings()

  public init() {}

  public func validate() throws {
    try check(share: flips, "flips")
    try check((0...1_000_000).contains(shift), "shift", shift, "0 to 1000000")
    try check(share: brightness, "brightness")
    try check(weight: noise, "noise")
    try validateInside()
  }

  /// The encoder is asked about changed data.
  public var asksOnlyAboutTheBatch: Bool { false }

  private var movesPixels: Bool { flips > 0 || shift > 0 }
  private var changesValues: Bool { brightness > 0 || noise > 0 }

  public func facts<Model: LatentVariableModel>(
    inside facts: TrainingFacts, for model: Model
  ) throws -> TrainingFacts {
    let form = InputForm(of: model)
    guard form.dtype.isFloatingPoint else {
      throw ModelRequirementError(
        purpose: Self.purpose, found: "data of \(form.dtype)", expected: "floating-point data")
    }
    if facts.inputShape.rank != 3 && (movesPixels || brightness > 0) {
      throw ModelRequirementError(
        purpose: Self.purpose, found: "data of shape \(facts.inputShape)",
        expected: "pictures [height, width, channels], or flips, shift and brightness 0")
    }
    return facts
  }

  public func lens<Model: LatentVariableModel>(
    _ x: Tensor, of model: Model, _ context: LayerContext, using random: inout RandomStream
  ) -> Lens? {
    guard context.isTraining && (movesPixels || changesValues) else { return nil }
    var lens = Lens(x, context)
    var (changed, mask) = (x, lens.mask)
    if movesPixels {
      let places = places(x.shape, using: &random)
      changed = changed.taking(places)
      mask = mask.map { $0.broadcast(to: x.shape).taking(places) }
    }
    if changesValues { changed = revalued(changed, x, mask: lens.mask, using: &random) }
    (lens.seen, lens.seenMask) = clean ? (changed, mask) : (nil, nil)
    if !clean { (lens.target, lens.mask) = (changed, mask) }
    return lens
  }

  /// Where each pixel of a batch `[batch, height, width, channels]` comes from, counted through the batch; one more
  /// than there are stands for none: `[batch * height * width]`.
  func places(_ shape: Shape, using random: inout RandomStream) -> Tensor {
    let (count, height, width) = (shape[0], shape[1], shape[2])
    let draws = random.uniform([count, 3], .float64).doubles
    func offset(_ draw: Double) -> Int { Int(draw * Double(2 * shift + 1)) - shift }
    var places = [Int32](repeating: Int32(count * height * width), count: count * height * width)
    for example in 0..<count {
      let isMirrored = draws[3 * example] < flips
      let (down, right) = (offset(draws[3 * example + 1]), offset(draws[3 * example + 2]))
      for row in max(0, down)..<max(0, down, min(height, height + down)) {
        for column in max(0, right)..<max(0, right, min(width, width + right)) {
          let source = isMirrored ? width - 1 - (column - right) : column - right
          places[(example * height + row) * width + column] = Int32(
            (example * height + row - down) * width + source)
        }
      }
    }
    return Tensor(places, shape: [places.count])
  }

  /// Brightened and noisy, within the range of the data before; hidden entries count as 0 in it, as they may hold
  /// anything.
  private func revalued(
    _ changed: Tensor, _ x: Tensor, mask: Tensor?, using random: inout RandomStream
  ) -> Tensor {
    var result = changed
    if brightness > 0 {
      let factors = random.uniformTensor([x.shape[0], 1, 1, 1], x.dtype)
      result = result * ((factors * 2 - 1) * brightness + 1)
    }
    if noise > 0 { result = result + random.normalTensor(x.shape, x.dtype) * noise }
    let known =
      mask.map { mask in
        let observed = mask.detached.converted(to: x.dtype) .!= 0
        return Tensor.where(observed.broadcast(to: x.shape), x, x.zerosLike)
      } ?? x
    let (lowest, highest) = (known.min().item, known.max().item)
    return lowest <= highest ? result.clamped(to: lowest...highest) : result
  }
}

extension Tensor {
  /// The pixels at `places`, zeros for one more than there are.
  fileprivate func taking(_ places: Tensor) -> Tensor {
    let pixels = reshaped([places.count, shape[-1]])
    return Tensor.concatenate([pixels, .zeros([1, shape[-1]], dtype)], axis: 0)
      .gathering(places).reshaped(shape)
  }
}

/// An objective on data that are changed at random: ``AugmentationDescription``.
public typealias Augmentation<
  Model: LatentVariableModel, Inner: TrainingObjective
> = Wrapped<AugmentationDescription, Model, Inner> where Inner.Model == LensedModel<Model>
