// Which latents a model uses. A dimension whose posterior is the prior for every example carries nothing
// (posterior collapse: Bowman et al. 2016; active units: Burda, Grosse and Salakhutdinov 2016).

import LatentAutodiff
import LatentDatasets
import LatentDistributions
import LatentEvaluation
import LatentLayers
import LatentModels
import LatentNumerics

/// How many nats each latent dimension carries, or each level of latents of a hierarchy.
public struct LatentUse: Sendable, Equatable, CustomStringConvertible {
  /// The divergence of the posterior from the prior in each dimension, the mean over the data, in
  /// the order of the elements of a latent; in each part of it, where there are names.
  public let nats: [Double]
  /// The names of the parts of the divergence that a posterior has which knows it part by part; empty of
  /// dimensions.
  public let names: [String]

  /// Dimensions below this are not used.
  public static let threshold = 0.01

  /// Of divergences that are known, of dimensions or of parts with names.
  public init(nats: [Double], names: [String] = []) {
    self.nats = nats
    self.names = names
  }

  /// The number of latent dimensions, or of parts.
  public var count: Int { nats.count }
  /// The number of them that are used.
  public var active: Int { nats.count { $0 >= LatentUse.threshold } }
  /// The names of the parts that are not.
  public var unused: [String] { zip(names, nats).filter { $1 < LatentUse.threshold }.map(\.0) }

  /// "3 of 20 latents are used (0.01 nats or more)", "1 of 2 levels are used (0.01 nats or more): not kl_2".
  public var description: String {
    let what = names.isEmpty ? "latents" : "levels"
    let missing = unused.isEmpty ? "" : ": not \(unused.joined(separator: ", "))"
    return "\(active) of \(count) \(what) are used (\(LatentUse.threshold) nats or more)\(missing)"
  }
}

extension LatentVariableModel {
  /// The use of the latents for data: of dimensions, where the posterior and the prior are independent normals, of
  /// parts, where the posterior knows its divergence part by part, else nil.
  public func latentUse(
    on dataset: some Dataset, batchSize: Int = 512, transform: (any BatchTransform)? = nil,
    seed: UInt64 = 0
  ) throws -> LatentUse? {
    let root = RandomStream(seed: seed).split("latent use")
    let order = BatchOrder(count: dataset.count, batchSize: batchSize, seed: 0, shuffles: false)
    var sums: [Double] = []
    var names: [String] = []
    for (number, indices) in order.batches(epoch: 0).enumerated() {
      var random = root.split(UInt64(number))
      var batch = try dataset.batch(at: indices)
      if let transform { batch = transform(batch, using: &random) }
      var context = LayerContext(isTraining: false, random: random, fields: batch.tensors)
      let q = posterior(Tensor(batch.inputs), &context)
      let p = prior(q.dtype, &context)
      let values: [Double]
      if let elements = (q as? DiagonalNormal)?.elementKL(to: p) {
        let whole = elements.broadcast(to: q.batchShape + q.eventShape)
        values = whole.sum(axes: Array(0..<q.batchShape.rank)).doubles
      } else if let parts = (q as? any DivergenceEstimatingDistribution)?
        .sampleAndDivergence(from: p, [], using: &context.random)?.parts, !parts.isEmpty
      {
        values = parts.map { $0.value.sum().item }
        names = parts.map(\.name)
      } else {
        return nil
      }
      sums = sums.isEmpty ? values : zip(sums, values).map { $0 + $1 }
    }
    return dataset.count > 0
      ? LatentUse(nats: sums.map { $0 / Double(dataset.count) }, names: names) : nil
  }
}
