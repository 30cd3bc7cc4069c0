// Which latents a model uses. A dimension whose posterior is the prior for every example carries nothing
// (posterior collapse: Bowman et al. 2016; active units: Burda, Grosse and Salakhutdinov 2016).

import LatentAutodiff
import LatentDatasets
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics

/// How many nats each latent dimension carries.
public struct LatentUse: Sendable, Equatable, CustomStringConvertible {
  /// The divergence of the posterior from the prior in each dimension, the mean over the data, in
  /// the order of the elements of a latent.
  public let nats: [Double]

  /// Dimensions below this are not used.
  public static let threshold = 0.01

  /// Of divergences that are known.
  public init(nats: [Double]) { self.nats = nats }

  /// The number of latent dimensions.
  public var count: Int { nats.count }
  /// The number of dimensions that are used.
  public var active: Int { nats.count { $0 >= LatentUse.threshold } }

  /// "3 of 20 latents are used (0.01 nats or more)".
  public var description: String {
    "\(active) of \(count) latents are used (\(LatentUse.threshold) nats or more)"
  }
}

extension LatentVariableModel {
  /// The use of the latents for data; nil where the posterior or the prior is not one of independent
  /// normals, so that dimensions have no divergence of their own in closed form.
  public func latentUse(
    on dataset: some Dataset, batchSize: Int = 512, transform: (any BatchTransform)? = nil,
    seed: UInt64 = 0
  ) throws -> LatentUse? {
    let root = RandomStream(seed: seed).split("latent use")
    let order = BatchOrder(count: dataset.count, batchSize: batchSize, seed: 0, shuffles: false)
    var sums: [Double] = []
    for (number, indices) in order.batches(epoch: 0).enumerated() {
      var random = root.split(UInt64(number))
      var batch = try dataset.batch(at: indices)
      if let transform { batch = transform(batch, using: &random) }
      var context = LayerContext(isTraining: false, random: random, fields: batch.tensors)
      let q = posterior(Tensor(batch.inputs), &context)
      guard let normal = q as? DiagonalNormal,
        let elements = normal.elementKL(to: prior(q.dtype, &context))
      else { return nil }
      let whole = elements.broadcast(to: q.batchShape + q.eventShape)
      let batchAxes = Array(0..<q.batchShape.rank)
      let values = whole.sum(axes: batchAxes).doubles
      sums = sums.isEmpty ? values : zip(sums, values).map { $0 + $1 }
    }
    return dataset.count > 0 ? LatentUse(nats: sums.map { $0 / Double(dataset.count) }) : nil
  }
}
