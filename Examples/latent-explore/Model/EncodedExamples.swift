// What is found out once about the latents of a run's data: where they are, which of them carry something, and the plane
// in which they vary most.

import Latent
import LatentCommands

/// The latents of examples, and what follows from them.
struct EncodedExamples: Sendable {
  /// A latent as something to be moved.
  struct Slider: Sendable, Encodable {
    /// Its place in the vector.
    let index: Int
    /// Mean divergence from the prior in nats, where it is known for single latents.
    let divergence: Double?
    /// Variance of the examples' latents.
    let variance: Double
    /// Over the examples.
    let mean: Double
    /// The range of examples and of draws of the prior.
    let low: Double, high: Double
  }

  /// `[examples, latents]`, latents of several axes in the order of their elements.
  let vectors: Tensor
  let labels: [Int]?
  /// Those that carry most first: by divergence, or where it is not known by variance.
  let sliders: [Slider]
  let plane: PrincipalComponents
  /// The smallest and the largest number of the examples themselves.
  let range: [Float]
  let neighbors: ExactNeighbors

  /// - Parameters:
  ///   - classes: labels from 0 to one less are the prior's conditions
  ///   - draws: latents of the prior, `[draws, latents]`
  /// - Throws: `ModelRequirementError` where nothing stands for the posterior of an example, `CommandError` of fewer
  ///   than two examples, what reading data throws.
  init(
    of dataset: any Dataset, by model: some LatentVariableModel, classes: Int, draws: Tensor
  ) throws {
    if dataset.count < 2 {
      throw CommandError(
        "\(dataset.name) has \(dataset.count) examples, a map takes two", .dataError)
    }
    var (points, labels, divergences) = ([Tensor](), [Int]?([]), [Tensor]?([]))
    var (least, most) = (Double.infinity, -Double.infinity)
    for start in stride(from: 0, to: dataset.count, by: 512) {
      let rows = try dataset.batch(start..<min(start + 512, dataset.count))
      try rows.requireFinite(in: dataset)
      let inputs = rows.inputs.doubles
      (least, most) = (min(least, inputs.min() ?? least), max(most, inputs.max() ?? most))
      let posterior = model.encode(Tensor(rows.inputs), fields: rows.tensors)
      points.append(try posterior.point(for: "exploring").detached.flattened(from: 1))
      let seen = rows.labels.map { $0.int32s.map(Int.init) }
      labels = seen.flatMap { seen in labels.map { $0 + seen } }
      var context = LayerContext.inference
      if let seen, let field = rows.labels, seen.allSatisfy({ (0..<classes).contains($0) }) {
        context.fields[Field.labels] = Tensor(field)
      }
      let own = (posterior as? DiagonalNormal)?.elementKL(
        to: model.prior(points[0].dtype, &context))
      divergences = own.flatMap { own in divergences.map { $0 + [own.flattened(from: 1)] } }
    }
    vectors = Tensor.concatenate(points, axis: 0)
    self.labels = labels
    range = [Float(least), Float(most)]
    plane = try PrincipalComponents(of: vectors, components: min(2, vectors.shape[1]))
    neighbors = ExactNeighbors(vectors.array)
    let means = vectors.mean(axes: [0]).doubles
    let variances = vectors.variance(axes: [0]).doubles
    let nats = divergences.map { Tensor.concatenate($0, axis: 0).mean(axes: [0]).doubles }
    let all = Tensor.concatenate([vectors, draws.flattened(from: 1)], axis: 0)
    let (low, high) = (all.min(axes: [0]).doubles, all.max(axes: [0]).doubles)
    let weights = nats ?? variances
    let order = weights.indices.sorted {
      weights[$0] == weights[$1] ? $0 < $1 : weights[$0] > weights[$1]
    }
    sliders = order.map { index in
      // A latent that never moves still has something to its left and right.
      let margin = low[index] == high[index] ? 1.0 : 0
      return Slider(
        index: index, divergence: nats?[index], variance: variances[index], mean: means[index],
        low: low[index] - margin, high: high[index] + margin)
    }
  }

  /// Places of the examples in the plane, `[examples, 2]`; where there is one latent the second is 0.
  var places: Tensor {
    let places = plane(vectors)
    return places.shape[1] == 2 ? places : places.padded(axis: 1, before: 0, after: 1)
  }
}
