// The look at the data before training: they are compared with the likelihood once, and a new model may
// start where they are.

import LatentAutodiff
import LatentDatasets
import LatentDistributions
import LatentEvaluation
import LatentLayers
import LatentModels
import LatentNumerics

/// What was seen of data that a model can be trained on.
public struct DataLook: Sendable {
  /// Range and moments of the sample.
  public let statistics: DataStatistics
  /// The likelihood that they were compared with; nil where it is not about the inputs.
  public let likelihood: LikelihoodSupport?
  /// What is odd about them.
  public let notes: [DataNote]
}

/// Where the values of a model's likelihood lie.
public struct LikelihoodSupport: Sendable, Equatable {
  /// Such as `Bernoulli`.
  public let name: String
  /// Where its values lie.
  public let support: Support

  /// Refuses a batch, such as one whose loss cannot be.
  /// - Throws: `DataMisfit`.
  func check(_ batch: Batch, of dataset: some Dataset) throws {
    var statistics = DataStatistics(shape: batch.inputs.shape.removing(0))
    statistics.add(batch.inputs, indices: batch.indices, mask: batch.mask)
    try statistics.check(support, of: .likelihood(name)) { dataset.origin(of: $0) }
  }
}

extension LatentVariableModel {
  /// Looks at a sample of the data (`Dataset.statistics`) and compares its range with the support of this
  /// model's likelihood.
  /// - Throws: `DataMisfit` where a number lies outside, and what the data set throws.
  public func look(
    at dataset: some Dataset, through transform: (any BatchTransform)? = nil, seed: UInt64 = 0
  ) throws -> DataLook {
    let statistics = try dataset.statistics(through: transform, seed: seed)
    guard dataset.count > 0 else {
      return DataLook(statistics: statistics, likelihood: nil, notes: [])
    }
    if transform is DynamicBinarization {
      // Numbers outside would be drawn as 0 or 1 for certain.
      try dataset.statistics().check(.unitInterval, of: .transform("\(DynamicBinarization())")) {
        dataset.origin(of: $0)
      }
    }
    var first = try dataset.batch(at: [0])
    var random = RandomStream(seed: seed).split("look")
    if let transform { first = transform(first, using: &random) }
    guard let found = likelihood(of: first, using: &random) else {
      return DataLook(statistics: statistics, likelihood: nil, notes: [])
    }
    let name = "\(type(of: found))".prefix { $0 != "<" }
    let likelihood = LikelihoodSupport(name: String(name), support: found.support)
    try statistics.check(likelihood.support, of: .likelihood(likelihood.name)) {
      dataset.origin(of: $0)
    }
    let deviation = (found as? DiagonalNormal).map { $0.variance.mean().item.squareRoot() }
    // How small bytes are, the data set has said itself (`Dataset.notes`).
    let notes = statistics.notes(for: likelihood, deviation: deviation)
      .filter { $0.kind != .smallPart || dataset.byteScale == nil }
    return DataLook(statistics: statistics, likelihood: likelihood, notes: notes)
  }

  /// The likelihood that this model has for the latents of an example; nil where its values have
  /// another shape than the inputs.
  private func likelihood(of batch: Batch, using random: inout RandomStream) -> Likelihood? {
    let x = Tensor(batch.inputs)
    var context = LayerContext(isTraining: false, random: random, fields: batch.tensors)
    let z = checkedPosterior(of: x, &context).sample(using: &random)
    let likelihood = likelihood(z, &context)
    let event = likelihood.eventShape
    return event.rank < x.rank && x.shape.suffix(event.rank) == event ? likelihood : nil
  }

  /// Starts a new model where the data are: at their mean and scale, as far as its parts make use of
  /// them (`DataInitializable`). Call it before the trainer is made; a model that is trained already would
  /// lose what its last layer has learned.
  /// - Returns: whether this model makes use of them at all.
  @discardableResult
  public mutating func initialize(from look: DataLook) -> Bool {
    guard var informed = self as? any DataInitializable else { return false }
    informed.initialize(from: look.statistics)
    guard let informed = informed as? Self else { return false }
    self = informed
    return true
  }

  /// Looks at the data and starts there, in one call.
  @discardableResult
  public mutating func initialize(
    on dataset: some Dataset, through transform: (any BatchTransform)? = nil, seed: UInt64 = 0
  ) throws -> Bool {
    initialize(from: try look(at: dataset, through: transform, seed: seed))
  }
}
