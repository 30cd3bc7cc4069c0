// What people do with a trained model: encode, decode, reconstruct, generate, walk through the
// latent space, and ask how probable data are.
//
// Every tool takes the other fields of the batch (`fields`: labels, conditions, masks, one row for each
// example), which encoder, decoder and prior find in their context as they did in training: a model
// that is conditional on a label needs no tools of its own.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

extension LatentVariableModel {
  /// The type of the model's numbers.
  var numberType: DType { parameters.map(\.dtype).first(where: \.isFloatingPoint) ?? .float32 }

  private func inference(_ fields: [String: Tensor]) -> LayerContext {
    var context = LayerContext.inference
    context.fields = fields
    return context
  }

  /// The posterior q(z | x) of data `[batch, ...]`. Entries that the field `mask` hides are filled in as
  /// `masking` says.
  public func encode(
    _ x: Tensor, fields: [String: Tensor] = [:], file: StaticString = #fileID, line: UInt = #line
  ) -> Posterior {
    Evaluation.of(self, file, line) {
      var context = inference(fields)
      return checkedPosterior(of: x, &context, file: file, line: line)
    }
  }

  /// What stands for the posterior of each example of data `[batch, ...]`, `[batch, latent]`: its mean, or
  /// its mode where there is no mean. Traps where there is neither.
  public func codes(
    of x: Tensor, fields: [String: Tensor] = [:], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    requirePoint(of: encode(x, fields: fields, file: file, line: line), file, line)
  }

  /// The likelihood p(x | z) of latents `[batch, latent]`, or `[sample, batch, latent]`.
  public func decode(
    _ z: Tensor, fields: [String: Tensor] = [:], file: StaticString = #fileID, line: UInt = #line
  ) -> Likelihood {
    Evaluation.of(self, file, line) {
      var context = inference(fields)
      return likelihood(z, &context)
    }
  }

  /// What the likelihood expects at what the posterior expects, `[batch, ...]`: the means, or the modes
  /// of distributions without one (`Distribution.pointEstimate`). Traps where there is neither.
  public func reconstruct(
    _ x: Tensor, fields: [String: Tensor] = [:], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    decoded(codes(of: x, fields: fields, file: file, line: line), fields, file, line)
  }

  /// What the likelihood expects at `count` latents from the prior: `[count, ...]`. `fields` have
  /// `count` rows.
  public func generate(
    _ count: Int, fields: [String: Tensor] = [:], using random: inout RandomStream,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let z = samplePrior(count, fields: fields, using: &random, file: file, line: line)
    return decoded(z, fields, file, line)
  }

  /// The shape of one latent: `[latent]`, or `[height, width, channels]` where latents keep a place.
  public var latentShape: Shape { latentShape() }

  /// The same of a model whose prior needs the fields of a batch.
  public func latentShape(fields: [String: Tensor] = [:]) -> Shape {
    var context = inference(fields)
    return prior(numberType, &context).eventShape
  }

  /// Latents from the prior: `[count, latent]`. A prior that depends on `fields` takes one latent for
  /// each of their `count` rows.
  public func samplePrior(
    _ count: Int, fields: [String: Tensor] = [:], using random: inout RandomStream,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    var context = inference(fields)
    let p = Evaluation.of(self, file, line) { prior(numberType, &context) }
    if p.batchShape.rank == 0 { return p.sample([count], using: &random) }
    require(
      p.batchShape == [count],
      "\(count) latents from a prior of batch shape \(p.batchShape): give fields of \(count) rows",
      file: file, line: line)
    return p.sample(using: &random)
  }

  /// What the likelihood expects along the path from `start` to `end` `[latent]` or `[batch, latent]`,
  /// ends included: `[steps, ...]` or `[steps, batch, ...]`. `fields` have one row, or `batch`; the path is
  /// that of ``path(from:to:steps:_:fields:file:line:)``.
  public func interpolate(
    from start: Tensor, to end: Tensor, steps: Int, _ path: Interpolation = .spherical,
    fields: [String: Tensor] = [:], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let z = self.path(
      from: start, to: end, steps: steps, path, fields: fields, file: file, line: line)
    let isOne = start.rank == latentShape(fields: fields).rank
    return decoded(z, isOne ? repeated(fields, steps) : fields, file, line)
  }

  /// Latents on the path from `start` to `end` `[latent]` or `[batch, latent]`, ends included:
  /// `[steps] + start.shape`. Where the prior knows the shortest paths of its space
  /// (`GeodesicDistribution`), these take the place of great circles.
  public func path(
    from start: Tensor, to end: Tensor, steps: Int, _ path: Interpolation = .spherical,
    fields: [String: Tensor] = [:], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    // The path is one of whole latents, also where they have several axes.
    let rank = latentShape(fields: fields).rank
    func vectors(_ z: Tensor) -> Tensor { z.rank < rank ? z : z.flattened(from: z.rank - rank) }
    var context = inference(fields)
    let curved = path == .linear ? nil : prior(numberType, &context) as? any GeodesicDistribution
    let z =
      curved?.path(from: start, to: end, steps: steps)
      ?? interpolated(
        from: vectors(start), to: vectors(end), steps: steps, path, file: file, line: line)
    return z.reshaped([steps] + start.shape)
  }

  /// What the likelihood expects as latent `dimension` of `z` `[latent]` takes each of `values`:
  /// `[values, ...]`. Latents of several axes are counted in the order of their elements. `fields`
  /// have one row.
  public func traverse(
    _ z: Tensor, dimension: Int, values: [Double], fields: [String: Tensor] = [:],
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let shape = latentShape(fields: fields)
    let vectors = traversal(
      of: z.shape == shape ? z.flattened() : z, dimension: dimension, values: values, file: file,
      line: line)
    return decoded(
      vectors.reshaped([values.count] + shape), repeated(fields, values.count), file, line)
  }

  private func decoded(
    _ z: Tensor, _ fields: [String: Tensor], _ file: StaticString, _ line: UInt
  ) -> Tensor {
    requirePoint(of: decode(z, fields: fields, file: file, line: line), file, line)
  }

  private func requirePoint(
    of distribution: some Distribution, _ file: StaticString, _ line: UInt
  ) -> Tensor {
    guard let point = distribution.pointEstimate else {
      trap(
        "\(type(of: distribution)) has neither a mean nor a mode: take samples of encode and decode",
        file: file, line: line)
    }
    return point
  }

  /// The fields of one example, once for each of `count`.
  func repeated(_ fields: [String: Tensor], _ count: Int) -> [String: Tensor] {
    fields.mapValues { field in
      guard field.rank > 0, field.shape[0] == 1 else { return field }
      return field.broadcast(to: field.shape.replacing(0, with: count))
    }
  }
}
