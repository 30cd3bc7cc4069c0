// Latents as the volume of a metric has them, which is large where codes are (Chadebec, Mantoux and Allassonniere 2020,
// section 4.1; Chadebec and Allassonniere 2022, section 4):
//
//   p(z) ~ sqrt det M(z),   M(z) = sum_i L_i L_i^T exp(-|z - c_i|^2 / T^2) + lambda I
//
// M is the inverse metric of the model where the posterior has one. Of normals c_i are means of training examples and
// L_i L_i^T the inverses of their covariances, and T is the largest distance of a center from the next one.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A posterior that knows a metric of latent space.
public protocol MetricDistribution: Distribution {
  /// The inverse of the metric.
  var metric: InverseMetric { get }
}

extension RiemannianPosterior: MetricDistribution {}

/// Hamiltonian Monte Carlo of the volume of a metric.
///
/// Far from all centers the density is lambda^(latents / 2) everywhere, so that it has no finite integral: chains start at
/// centers, and are as long as the settings say.
public struct RiemannianSampler: LatentSampler {
  /// The shape of one latent.
  public let latentShape: Shape
  /// How it is drawn from; the rest of these settings is not looked at.
  public let settings: RiemannianSamplerDescription
  /// c_i, `[points, latents]`.
  public var centers: Tensor
  /// L_i, `[points, latents, latents]`.
  public var factors: Tensor
  /// How much each of them counts, `[points]`.
  public var weights: Tensor
  /// T and lambda, `[2]`.
  public var reachAndFloor: Tensor

  /// The flat metric, with room for so many centers.
  public init(_ latentShape: Shape, _ settings: RiemannianSamplerDescription, points: Int) {
    self.latentShape = latentShape
    self.settings = settings
    let size = latentShape.count
    centers = .zeros([points, size])
    factors = .zeros([points, size, size])
    weights = .zeros([points])
    reachAndFloor = .ones([2])
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visitBuffer(&centers, "centers")
    visitor.visitBuffer(&factors, "factors")
    visitor.visitBuffer(&weights, "weights")
    visitor.visitBuffer(&reachAndFloor, "reachAndFloor")
  }

  /// M.
  public var metric: InverseMetric {
    let numbers = reachAndFloor.doubles
    return InverseMetric(
      centers: centers, factors: factors, weights: weights, reach: numbers[0], floor: numbers[1])
  }

  /// What chains come from after all their steps, and the share of their proposals that was taken.
  ///
  /// Each starts at a center with a weight. A proposal is `settings.leapfrog` leapfrog steps from a standard normal
  /// momentum; it is taken where log u < H_before - H_after, which no energy overflows.
  public func chains(
    _ count: Int, using random: inout RandomStream
  ) -> (latents: Tensor, acceptance: Double) {
    let metric = metric
    let flow = HamiltonianFlow(
      latents: latentShape.count, steps: settings.leapfrog, stepSize: settings.stepSize,
      temperature: 1)
    func potential(_ z: Tensor) -> Tensor { -metric.halfLogDeterminant(z) }
    func kinetic(_ momentum: Tensor) -> Tensor { square(momentum).sum(axes: [1]) * 0.5 }
    let starts = Categorical(logits: log(weights)).sample([count], using: &random)
    var z = centers.gathering(starts, axis: 0)
    var energy = potential(z)
    var taken = 0.0
    for _ in 0..<settings.chain {
      let momentum = random.normalTensor(z.shape, z.dtype)
      let end = flow(z, momentum) { gradient(at: $0) { potential($0).sum() } }
      let after = potential(end.place)
      let uniform = log(random.uniformTensor([count], z.dtype))
      let isTaken =
        uniform .< energy + kinetic(momentum) - after - kinetic(end.momentum)
      z = Tensor.where(isTaken.expandingDimension(at: 1), end.place, z).detached
      energy = Tensor.where(isTaken, after, energy).detached
      taken += isTaken.mean().item
    }
    return (z, settings.chain > 0 ? taken / Double(settings.chain) : 1)
  }

  public func latents(
    _ count: Int, of model: some LatentVariableModel, fields: [String: Tensor],
    using random: inout RandomStream
  ) -> Tensor { chains(count, using: &random).latents.reshaped([count] + latentShape) }
}

/// The volume of a metric, in words.
public struct RiemannianSamplerDescription: SamplerDescription {
  public static let name = "riemannian"
  public static let origin = Origin(
    "where a metric of latent space has its volume", paper: "Chadebec and Allassonniere 2022",
    equation: "section 4", test: "LatentModelsTests/Samplers/RiemannianSamplerTests.swift")

  /// The centers, examples at equal distances among all; all where there are fewer.
  public var points = 200
  /// T, how far the influence of a center reaches; where it is 0, the largest distance of a center from the next one. A
  /// model with a metric has its own.
  public var reach = 0.0
  /// lambda, what is left far from all centers. A model with a metric has its own.
  public var floor = 0.01
  /// Proposals of a chain.
  public var chain = 100
  /// Leapfrog steps of a proposal.
  public var leapfrog = 15
  /// The size of these, below 0.5.
  public var stepSize = 0.03

  /// The most numbers of a latent: a center has as many as their square.
  public static let largestLatent = 256

  public init() {}

  public var ofFit: RiemannianSamplerDescription {
    let standard = RiemannianSamplerDescription()
    var settings = self
    (settings.chain, settings.leapfrog) = (standard.chain, standard.leapfrog)
    settings.stepSize = standard.stepSize
    return settings
  }

  public func validate() throws {
    try check(size: points, "points", most: 100_000)
    try check(reach >= 0 && reach.isFinite, "reach", reach, "0 or a positive number")
    try check(floor > 0 && floor.isFinite, "floor", floor, "a positive number")
    try check((0...100_000).contains(chain), "chain", chain, "0 to 100000")
    try check(size: leapfrog, "leapfrog", most: 10_000)
    let limit = HamiltonianFlow.largestStep
    try check(
      stepSize > 0 && stepSize < limit, "stepSize", stepSize, "above 0 and below \(limit)")
  }

  public func validate(for model: some LatentVariableModel) throws {
    func posterior<Model: LatentVariableModel>(of model: Model) -> any Distribution.Type {
      Model.Posterior.self
    }
    try check(posterior: posterior(of: model))
    try check(latents: model.latentShape.count, most: Self.largestLatent)
  }

  private func check(posterior found: any Distribution.Type) throws {
    if found != DiagonalNormal.self && !(found is any MetricDistribution.Type) {
      throw ModelRequirementError(
        purpose: Self.purpose, found: "\(found)",
        expected: "a diagonal normal as posterior, or one with a metric")
    }
  }

  public func makeSampler(
    _ facts: SamplerFacts, using random: inout RandomStream
  ) -> any LatentSampler {
    RiemannianSampler(Shape(facts.latentShape), self, points: min(points, facts.examples))
  }

  /// Takes the metric around codes of the data.
  /// - Throws: `ModelRequirementError` where posteriors are neither normals nor have a metric.
  public func fit(
    _ data: EncodedData, using random: inout RandomStream, progress: (String) -> Void
  ) throws -> any LatentSampler {
    let facts = data.facts
    var sampler = RiemannianSampler(
      Shape(facts.latentShape), self, points: min(points, facts.examples))
    let metric: InverseMetric
    if let posterior = data.posteriors.first as? any MetricDistribution {
      metric = posterior.metric.first(sampler.weights.count)
    } else {
      for posterior in data.posteriors { try check(posterior: type(of: posterior)) }
      metric = self.metric(
        of: data.posteriors.compactMap { $0 as? DiagonalNormal }, facts, sampler.weights.count)
    }
    (sampler.centers, sampler.factors) = (metric.centers, metric.factors)
    sampler.weights = metric.weights
    sampler.reachAndFloor = Tensor([metric.reach, metric.floor])
      .converted(to: metric.centers.dtype)
    return sampler
  }

  private func metric(
    of normals: [DiagonalNormal], _ facts: SamplerFacts, _ count: Int
  ) -> InverseMetric {
    let chosen = Tensor((0..<count).map { Int32($0 * facts.examples / count) })
    func rows(_ parameter: (DiagonalNormal) -> Tensor) -> Tensor {
      Tensor.concatenate(
        normals.map { parameter($0).reshaped([$0.batchShape[0], facts.latents]) }, axis: 0
      ).gathering(chosen, axis: 0).detached
    }
    let centers = rows(\.mean)
    let deviations = rows {
      $0.standardDeviation.broadcast(to: $0.batchShape + $0.eventShape)
    }
    let axes = Tensor.identity(facts.latents, centers.dtype)
    let widest = reach > 0 ? reach : RiemannianSamplerDescription.largestGap(centers)
    return InverseMetric(
      centers: centers, factors: axes / deviations.expandingDimension(at: 2),
      weights: .ones([count], centers.dtype), reach: widest, floor: floor)
  }

  /// The largest distance of a center from the one next to it; 1 where all are at one place.
  private static func largestGap(_ centers: Tensor) -> Double {
    let (count, size) = (centers.shape[0], centers.shape[1])
    let values = centers.doubles
    var largest = 0.0
    for i in 0..<count {
      var least = Double.infinity
      for j in 0..<count where j != i {
        var sum = 0.0
        for k in 0..<size {
          let difference = values[i * size + k] - values[j * size + k]
          sum += difference * difference
        }
        least = min(least, sum)
      }
      if least.isFinite { largest = max(largest, least) }
    }
    return largest > 0 ? largest.squareRoot() : 1
  }
}

extension InverseMetric {
  /// The metric of the first centers alone; where there are fewer, with others that do not count.
  fileprivate func first(_ count: Int) -> InverseMetric {
    func fitted(_ rows: Tensor) -> Tensor {
      let missing = max(0, count - rows.shape[0])
      return rows.detached.padded(axis: 0, before: 0, after: missing).sliced(0, 0..<count)
    }
    return InverseMetric(
      centers: fitted(centers), factors: fitted(factors), weights: fitted(weights), reach: reach,
      floor: floor)
  }
}
