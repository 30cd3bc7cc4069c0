// How much better a posterior made for one example explains it than the one that the encoder gives (Xiao, Yan and Amit
// 2020, "Likelihood regret"). The encoder has been trained to be good for data; for strange ones it is not, whatever
// their likelihood.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import LatentOptimizers

/// max_q ELBO(x; q) - ELBO(x; q(z | x)) in nats, over diagonal normals q, by Adam from the encoder's.
///
/// Never negative: the search keeps the best posterior that it has seen, and the first is the encoder's. All are
/// measured with the same draws, others than those the search goes by, so that it cannot please by fitting these.
public struct LikelihoodRegret: Sendable {
  /// Steps of Adam.
  public let steps: Int
  /// The step size, in standard deviations of the encoder's posterior.
  public let learningRate: Double
  /// Draws of a step.
  public let samples: Int
  /// Draws that posteriors are measured with.
  public let measuringSamples: Int
  /// Steps from one measurement to the next.
  public let interval: Int

  /// Traps unless all are positive and the numbers of draws even.
  public init(
    steps: Int = 100, learningRate: Double = 0.1, samples: Int = 8, measuringSamples: Int = 64,
    interval: Int = 10, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      steps > 0 && learningRate > 0 && interval > 0 && samples > 0 && measuringSamples > 0
        && samples % 2 == 0 && measuringSamples % 2 == 0,
      "a search of \(steps) steps of \(learningRate), measured every \(interval), by \(samples) and "
        + "\(measuringSamples) draws: expected positive numbers, of draws even ones",
      file: file, line: line)
    self.steps = steps
    self.learningRate = learningRate
    self.samples = samples
    self.measuringSamples = measuringSamples
    self.interval = interval
  }

  /// The regret of each example of x `[batch, ...]`: float64 `[batch]`, the same in any batch. Takes one draw. Traps
  /// where the prior has neither a closed-form divergence from a diagonal normal nor a density.
  public func callAsFunction<Model: DiagonalNormalModel>(
    _ model: Model, _ x: Tensor, fields: [String: Tensor] = [:], using random: inout RandomStream
  ) -> Tensor {
    let root = random
    _ = random.next()
    let start = model.encode(x, fields: fields)
    let bound = Bound(model: model, x: x, fields: fields, start: start)
    var noise = root.split("measuring")
    let measuring = balancedNoise(
      measuringSamples, start.eventShape, start.dtype, using: &noise)
    let first = bound(Adjustment(start), measuring).doubles
    var best = first
    var search = Adjustment(start)
    var optimizer = Adam(learningRate: learningRate)
    for step in 1...steps {
      var draws = root.split(UInt64(step))
      let noise = balancedNoise(samples, start.eventShape, start.dtype, using: &draws)
      let (_, gradients) = valueAndGradient(at: search) { -(bound($0, noise).sum()) }
      optimizer.update(&search, along: gradients)
      if step % interval == 0 || step == steps {
        // A bound that is NaN is no better.
        for (index, value) in bound(search, measuring).doubles.enumerated()
        where value > best[index] { best[index] = value }
      }
    }
    return Tensor(zip(best, first).map { $0 - $1 })
  }
}

/// What the search changes: means in standard deviations of the encoder's posterior, and log-variances.
private struct Adjustment: Module {
  var mean, logVariance: Tensor

  /// No change.
  init(_ start: DiagonalNormal) {
    mean = start.mean.zerosLike
    logVariance = mean
  }

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&mean, "mean")
    visitor.visit(&logVariance, "logVariance")
  }
}

/// The evidence lower bound of posteriors near the encoder's.
private struct Bound<Model: DiagonalNormalModel> {
  let model: Model
  let x: Tensor
  let fields: [String: Tensor]
  let start: DiagonalNormal

  /// `[batch]`, by standard normal noise `[samples, 1, latent]`, which all examples share: what one is worth does not
  /// depend on the others.
  func callAsFunction(_ change: Adjustment, _ noise: Tensor) -> Tensor {
    var context = LayerContext.inference
    context.fields = fields
    let q = DiagonalNormal(
      mean: start.mean + change.mean * start.standardDeviation,
      logVariance: start.logVariance + change.logVariance, eventRank: start.eventShape.rank)
    let samples = noise.shape[0]
    let z = q.mean + q.standardDeviation * noise
    let p = model.prior(q.dtype, &context)
    let likelihood = model.checkedLikelihood(
      of: z, leading: [samples] + q.batchShape, &context)
    let reconstruction = likelihood.logProbability(of: x, observedIn: context).mean(axes: [0])
    let divergence =
      q.closedFormKL(to: p) ?? p.closedFormKL(from: q)
      ?? (q.logProbability(of: z) - p.evaluable.logProbability(of: z)).mean(axes: [0])
    return reconstruction - divergence
  }
}

/// Draws of N(0, I) `[samples, 1] + shape` that come in pairs of opposite sign along orthogonal directions, all of the
/// length √d that draws have on average. Their mean is 0, and with a multiple of 2 d samples their second moments are
/// those of N(0, I) exactly: expectations of quadratic functions have no error then, and others less than by independent
/// draws.
func balancedNoise(
  _ samples: Int, _ shape: Shape, _ dtype: DType, using random: inout RandomStream
) -> Tensor {
  let (size, half) = (shape.count, samples / 2)
  var parts: [NDArray] = []
  for start in stride(from: 0, to: half, by: size) {
    let rotation = random.normal([size, size], .float64).orthonormalColumns()
    parts.append(rotation.rows(0..<min(size, half - start)))
  }
  let length = NDArray(repeating: Double(size).squareRoot(), shape: [], .float64)
  let directions = NDArray.concatenate(parts, axis: 0).binary(.multiply, length)
  let all = NDArray.concatenate([directions, directions.unary(.negate)], axis: 0)
  return Tensor(all.converted(to: dtype)).reshaped([samples, 1] + shape)
}
