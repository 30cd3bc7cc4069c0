// Codes learned after the autoencoder, one index after the other (van den Oord et al. 2017, section 3.2): what is drawn
// are indices, which the model's own code book turns into latents.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Draws the indices of codes by a network that predicts each from those before it, class by class where there are
/// labels.
public struct CodeSampler<Network: AutoregressiveNetwork>: LatentSampler {
  /// What predicts each index. Its condition has a number for each class, and one for none.
  public var network: Network
  /// How often each class was seen, `[classes]`; one number that says nothing where there are none.
  public var classCounts: Tensor
  public let classCount: Int
  /// What logits are divided by in draws: below 1, probable codes come more often.
  public let temperature: Double
  /// How much more codes shall be of their class than the class is, in draws.
  public let guidance: Double

  /// Of so many classes, with a network of one condition more. Traps unless the temperature is positive.
  public init(
    _ network: Network, classes: Int, temperature: Double = 1, guidance: Double = 0,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      temperature > 0, "codes at the temperature \(temperature): expected a positive number",
      file: file, line: line)
    self.network = network
    self.temperature = temperature
    self.guidance = guidance
    classCount = classes
    classCounts = .ones([max(1, classes)])
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&network, "network")
    visitor.visitBuffer(&classCounts, "classCounts")
  }

  /// log p of int32 indices `[batch, index]` in nats, `[batch]`: as the network has learned it, at the temperature 1 and
  /// without guidance. Of a class where labels are given, int32 `[batch]`; of none else.
  public func logProbability(ofIndices indices: Tensor, labels: Tensor? = nil) -> Tensor {
    var context = LayerContext.inference
    let condition =
      labels.map { CodeCondition.of($0, classes: classCount) }
      ?? CodeCondition.none(classes: classCount)
    return AutoregressiveCategorical(network, latents: condition, &context)
      .logProbability(of: indices)
  }

  /// int32 indices `[count, index]`, of classes where labels are given.
  public func indices(
    _ count: Int, labels: Tensor? = nil, using random: inout RandomStream
  ) -> Tensor {
    var context = LayerContext.inference
    let condition =
      labels.map { CodeCondition.of($0, classes: classCount) }
      ?? CodeCondition.none(classes: classCount).broadcast(to: [count, classCount + 1])
    let drawn = TemperedNetwork(
      base: network, temperature: temperature, guidance: labels == nil ? 0 : guidance)
    return AutoregressiveCategorical(drawn, latents: condition, &context).sample(using: &random)
  }

  /// Traps unless the model has codes of as many indices.
  public func latents(
    _ count: Int, of model: some LatentVariableModel, fields: [String: Tensor],
    using random: inout RandomStream
  ) -> Tensor {
    let labels = labels(count, fields, counts: classCounts, using: &random)
    do {
      return try model.codes(at: indices(count, labels: labels, using: &random))
    } catch {
      fatalError("a sampler of codes for a model whose codes are others: \(error)")
    }
  }
}

/// A network whose logits are sharper: `((1 + w) l_c - w l) / temperature`, l_c those of the condition and l those of
/// none, the last one (Ho and Salimans 2021).
struct TemperedNetwork<Base: AutoregressiveNetwork>: AutoregressiveNetwork {
  var base: Base
  let temperature: Double
  /// w
  let guidance: Double

  /// What the network remembers under both conditions.
  struct Progress: Sendable {
    var own: Base.Progress
    var none: Base.Progress?
  }

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    base.visitParameters(&visitor)
  }
  var length: Int { base.length }
  var classCount: Int { base.classCount }

  private func withoutClass(_ z: Tensor) -> Tensor {
    CodeCondition.none(classes: z.shape[1] - 1, z.dtype).broadcast(to: z.shape)
  }

  private func sharper(_ own: Tensor, _ none: @autoclosure () -> Tensor?) -> Tensor {
    let guided = none().map { own + (own - $0) * guidance } ?? own
    return temperature == 1 ? guided : guided / temperature
  }

  func logits(_ z: Tensor, _ x: Tensor, _ context: inout LayerContext) -> Tensor {
    let own = base.logits(z, x, &context)
    return sharper(own, guidance == 0 ? nil : base.logits(withoutClass(z), x, &context))
  }

  func start(_ z: Tensor) -> Progress {
    Progress(own: base.start(z), none: guidance == 0 ? nil : base.start(withoutClass(z)))
  }

  func next(_ previous: Tensor?, _ progress: inout Progress) -> Tensor {
    let own = base.next(previous, &progress.own)
    guard var memory = progress.none else { return sharper(own, nil) }
    let none = base.next(previous, &memory)
    progress.none = memory
    return sharper(own, none)
  }
}

/// A sampler of codes in words.
protocol CodeSamplerDescription: SamplerDescription {
  associatedtype Size: CodeNetworkSize
  var size: Size { get }
  /// Updates, each of a batch of codes.
  var steps: Int { get }
  /// Examples of an update.
  var batchSize: Int { get }
  /// Of Adam, at the beginning.
  var learningRate: Double { get }
  /// What logits are divided by in draws.
  var temperature: Double { get set }
  /// How much more codes shall be of their class than the class is.
  var guidance: Double { get set }
}

/// Labels are left out with this probability in training, so that there are codes of no class.
private let labelDropout = 0.1

extension CodeSamplerDescription {
  public static func draws(on space: LatentSpace) -> Bool { space == .codes }

  public var ofFit: Self {
    var settings = self
    (settings.temperature, settings.guidance) = (Self().temperature, Self().guidance)
    return settings
  }

  public func validate() throws {
    try size.validate { try check($0, $1, $2, $3) }
    try checkTraining([], steps: steps, batchSize: batchSize, learningRate: learningRate)
    try check(
      temperature > 0 && temperature.isFinite, "temperature", temperature, "a positive number")
    try check(guidance.isFinite, "guidance", guidance, "a number")
  }

  public func validate(for model: some LatentVariableModel) throws {
    let codes = try model.latentCodes()
    _ = try CodeMap(latentShape: codes.shape, counts: codes.counts, for: Self.purpose)
  }

  private func unfitted(
    _ facts: SamplerFacts, using random: inout RandomStream
  ) throws -> CodeSampler<Size.Network> {
    let map = try CodeMap(
      latentShape: Shape(facts.latentShape), counts: facts.codeCounts ?? [], for: Self.purpose)
    let network = size.makeNetwork(map, conditions: facts.classes + 1, using: &random)
    return CodeSampler(
      network, classes: facts.classes, temperature: temperature, guidance: guidance)
  }

  /// Traps where the facts are of latents that are no codes.
  public func makeSampler(
    _ facts: SamplerFacts, using random: inout RandomStream
  ) -> any LatentSampler {
    do {
      return try unfitted(facts, using: &random)
    } catch {
      fatalError("\(error)")
    }
  }

  /// - Throws: `ModelRequirementError` where posteriors are none of codes.
  public func fit(
    _ data: EncodedData, using random: inout RandomStream, progress: (String) -> Void
  ) throws -> any LatentSampler {
    guard let indices = data.indices else {
      throw ModelRequirementError(
        purpose: Self.purpose,
        found: data.posteriors.first.map { "\(type(of: $0))" } ?? "no examples",
        expected: "codes (the posterior 'codes')")
    }
    let (facts, labels) = (data.facts, data.labels?.converted(to: .int32))
    var sampler = try unfitted(facts, using: &random)
    if let labels {
      sampler.classCounts = Tensor.oneHot(labels, classes: facts.classes).sum(axes: [0])
    }
    let training = CodeTraining(steps: steps, batchSize: batchSize, learningRate: learningRate)
    sampler.network = training.train(
      sampler.network, examples: data.count, using: &random, progress: progress
    ) { network, rows, context in
      let none = Tensor(Array(repeating: Int32(facts.classes), count: rows.count))
      let dropped = context.random.uniformTensor([rows.count]) .< labelDropout
      let seen = labels.map {
        Tensor.where(dropped.converted(to: .int32), none, $0.gathering(rows, axis: 0))
      }
      let codes = AutoregressiveCategorical(
        network, latents: CodeCondition.of(seen ?? none, classes: facts.classes), &context)
      return -codes.logProbability(of: indices.gathering(rows, axis: 0)).mean()
    }
    return sampler
  }
}
