// Posteriors of flows: what they start at, what they count, what they refuse, and their bounds.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct FlowPosteriorTests {
  struct Settings: Sendable, CustomTestStringConvertible {
    let description: any PosteriorDescription
    var testDescription: String { "\(description)" }
    init(_ description: any PosteriorDescription) { self.description = description }
  }

  static func of<Description: PosteriorDescription>(
    _ change: (inout Description) -> Void
  ) -> Settings {
    var description = Description()
    change(&description)
    return Settings(description)
  }

  static let settings: [Settings] = [
    of { (_: inout FullCovariancePosterior) in },
    of { (p: inout PlanarPosterior) in p.depth = 3 },
    of { (p: inout RadialPosterior) in p.depth = 2 },
    of { (p: inout HouseholderPosterior) in p.depth = 1 },
    of { (p: inout SylvesterPosterior) in (p.columns, p.depth) = (2, 3) },
    of { (p: inout SylvesterPosterior) in (p.variant, p.reflections) = (.householder, 2) },
    of { (p: inout SylvesterPosterior) in p.variant = .triangular },
    of { (p: inout InverseAutoregressivePosterior) in (p.hidden, p.context) = ([5, 4], 0) },
    of { (p: inout InverseAutoregressivePosterior) in (p.hidden, p.depth) = ([], 3) },
    of { (p: inout MaskedAutoregressivePosterior) in (p.hidden, p.context) = ([5], 2) },
    of { (p: inout CouplingPosterior) in (p.hidden, p.depth, p.context) = ([5], 3, 0) },
    of { (p: inout SplinePosterior) in (p.hidden, p.depth, p.bins) = ([5, 6], 1, 3) },
  ]

  /// Counts of the words are those of the model, and the model is trained as a whole.
  @Test(arguments: settings) func counts(_ settings: Settings) throws {
    let description = ModelDescription(
      MLPNetwork(hidden: [6], latentSize: 5), inputShape: [4], posterior: settings.description)
    try description.validate()
    var random = RandomStream(seed: 1)
    let model = try description.makeModel(using: &random).reparameterized(for: "the bound")
    #expect(Double(model.parameterCount) == description.parameterCount)
    let head = settings.description.makeHead(latentShape: [5], using: &random)
    #expect(Double(head.outputCount(latents: 5)) == settings.description.outputCount(latents: 5))
    #expect(model.unvisitedTensors == [] && model.repeatedPaths == [])
    let x = random.uniformTensor([3, 4])
    func step<Model: ReparameterizedModel>(_ model: Model) -> (Double, Gradients, LossTerms) {
      var context = LayerContext(isTraining: true, random: random)
      var terms: LossTerms?
      let result = valueAndGradient(at: model) { model in
        let all = ELBO<Model>(samples: 2)(model, x, &context)
        terms = all
        return all.total
      }
      return (result.value.item, result.gradients, terms ?? LossTerms(total: .scalar(0), terms: []))
    }
    let (value, gradients, terms) = step(model)
    #expect(value.isFinite && gradients.norm.isFinite)
    #expect(gradients.tensors.allSatisfy { $0 != nil })
    let isNormal = settings.description is FullCovariancePosterior
    #expect(terms.klMethod == (isNormal ? .closedForm : .monteCarlo(samples: 2)))
  }

  /// At the raw outputs where they start: a normal of log-variance -2 through the identity, or nearly.
  @Test(arguments: settings) func start(_ settings: Settings) throws {
    var random = RandomStream(seed: 1)
    let head = settings.description.makeHead(latentShape: [5], using: &random)
    func posterior(_ head: some PosteriorHead) -> any Distribution {
      let raw = Tensor(
        head.outputs(latents: 5).flatMap { part in
          Array(repeating: part.start ?? 0, count: part.count)
        }, shape: [1, head.outputCount(latents: 5)])
      var context = LayerContext.inference
      return head.converted(to: .float64)(raw, eventRank: 1, &context)
    }
    let q = posterior(head)
    #expect(q.batchShape == [1] && q.eventShape == [5])
    let point = try #require(q.pointEstimate)
    #expect(distance(point, point.zerosLike) < 1e-12)
    let (z, density) = q.sampleAndLogProbability([500], using: &random)
    let base = DiagonalNormal(
      mean: .zeros([1, 5], .float64), logVariance: Tensor(repeating: -2, shape: [1, 5], .float64))
    if settings.description is InverseAutoregressivePosterior {
      // Each step leaves sigmoid(2) of a latent.
      let depth = settings.description as? InverseAutoregressivePosterior
      let logGate = -log1p(exp(-2.0)) * Double(depth?.depth ?? 0)
      let narrow = DiagonalNormal(
        mean: base.mean,
        logVariance: Tensor(repeating: -2 + 2 * logGate, shape: [1, 5], .float64))
      #expect(distance(narrow.logProbability(of: z), density) < 1e-10)
    } else {
      #expect(distance(base.logProbability(of: z), density) < 1e-10)
    }
  }

  /// Where the density can be asked, it is that of the draws; with latents of several axes too.
  @Test(arguments: settings.dropFirst()) func places(_ settings: Settings) {
    var random = RandomStream(seed: 1)
    let head = settings.description.makeHead(latentShape: [2, 3, 4], using: &random)
    func check(_ head: some PosteriorHead) {
      let raw = random.normalTensor([2, 2, 3, head.outputCount(latents: 4)], .float64)
      var context = LayerContext.inference
      let q = head.converted(to: .float64)(raw, eventRank: 3, &context)
      #expect(q.batchShape == [2] && q.eventShape == [2, 3, 4])
      let (z, density) = q.sampleAndLogProbability([3], using: &random)
      #expect(z.shape == [3, 2, 2, 3, 4] && density.shape == [3, 2])
      if let q = q as? any EvaluableDistribution {
        #expect(distance(q.logProbability(of: z), density) < 1e-9)
      }
    }
    check(head)
  }

  @Test func evaluable() {
    let known = ["full", "householder", "iaf", "maf", "coupling", "spline"]
    for settings in FlowPosteriorTests.settings {
      var random = RandomStream(seed: 1)
      func density(_ head: some PosteriorHead) -> Bool {
        var context = LayerContext.inference
        let raw = Tensor.ones([1, head.outputCount(latents: 2)])
        return head(raw, eventRank: 1, &context) is any EvaluableDistribution
      }
      let head = settings.description.makeHead(latentShape: [2], using: &random)
      #expect(density(head) == known.contains(type(of: settings.description).name))
    }
  }

  /// A triangle that is diagonal is the diagonal normal.
  @Test func fullOfADiagonal() {
    let logVariance = Tensor([-2, 0.5, 1] as [Double], shape: [1, 3])
    let deviation = exp(logVariance * 0.5).doubles
    func raw(_ deviation: Double) -> Double { log(expm1(deviation)) }
    let mean = [0.3, -0.2, 1]
    let triangle = [raw(deviation[0]), 0, raw(deviation[1]), 0, 0, raw(deviation[2])]
    var context = LayerContext.inference
    let full = FullCovarianceHead()(
      Tensor(mean + triangle, shape: [1, 9]), eventRank: 1, &context)
    let diagonal = DiagonalNormal(
      mean: Tensor(mean, shape: [1, 3]), logVariance: logVariance)
    let prior = StandardNormal(eventShape: [3], dtype: .float64)
    let (found, expected) = (full.closedFormKL(to: prior), diagonal.closedFormKL(to: prior))
    #expect(abs((found?.item ?? .nan) - (expected?.item ?? .infinity)) < 1e-12)
    let z = scattered([4, 1, 3])
    #expect(distance(full.logProbability(of: z), diagonal.logProbability(of: z)) < 1e-12)
  }

  /// The bound of a flow is the divergence by its densities: at a flow that is the identity, in expectation the
  /// closed form of the normal.
  @Test func expectationOfTheIdentity() {
    let base = DiagonalNormal(
      mean: Tensor([0.5, -1] as [Double], shape: [1, 2]),
      logVariance: Tensor([-1, 0.3] as [Double], shape: [1, 2]))
    let q = TransformedDistribution(base, IdentityBijection())
    let p = StandardNormal(eventShape: [2], dtype: .float64)
    var random = RandomStream(seed: 2)
    let estimate = klDivergence(from: q, to: p, samples: 100_000, using: &random)
    #expect(estimate.method == .monteCarlo(samples: 100_000))
    let exact = base.closedFormKL(to: p)?.item ?? .nan
    #expect(abs(estimate.value.item - exact) < 0.02)
  }

  struct Refusal: Sendable {
    let settings: Settings
    let latents: Int
    let words: [String]
  }

  static let refusals = [
    Refusal(
      settings: of { (p: inout PlanarPosterior) in p.depth = 0 }, latents: 3,
      words: ["model.posterior.depth", "0", "1 to 10000"]),
    Refusal(
      settings: of { (p: inout InverseAutoregressivePosterior) in p.hidden = [4, 0] }, latents: 3,
      words: ["model.posterior.hidden", "0"]),
    Refusal(
      settings: of { (p: inout MaskedAutoregressivePosterior) in p.context = -1 }, latents: 3,
      words: ["model.posterior.context", "-1"]),
    Refusal(
      settings: of { (p: inout InverseAutoregressivePosterior) in p.forgetBias = .infinity },
      latents: 3, words: ["model.posterior.forgetBias", "inf"]),
    Refusal(
      settings: of { (p: inout SplinePosterior) in p.bins = 1 }, latents: 3,
      words: ["model.posterior.bins", "1", "2 to 999"]),
    Refusal(
      settings: of { (p: inout SplinePosterior) in p.bound = 0 }, latents: 3,
      words: ["model.posterior.bound", "0"]),
    Refusal(
      settings: of { (p: inout SylvesterPosterior) in p.columns = 0 }, latents: 3,
      words: ["model.posterior.columns"]),
    Refusal(
      settings: of { (_: inout CouplingPosterior) in }, latents: 1,
      words: ["posterior.name", "'coupling' for latents [1]", "two numbers or more"]),
    Refusal(
      settings: of { (_: inout SplinePosterior) in }, latents: 1,
      words: ["posterior.name", "'spline' for latents [1]"]),
  ]

  @Test(arguments: refusals) func refused(_ refusal: Refusal) {
    let description = ModelDescription(
      MLPNetwork(hidden: [6], latentSize: refusal.latents), inputShape: [4],
      posterior: refusal.settings.description)
    do {
      try description.validate()
      Issue.record("accepted: \(refusal.settings)")
    } catch {
      for word in refusal.words { #expect("\(error)".contains(word), "\(error)") }
    }
  }

  /// Bits are free for each latent or not at all: what does not factorise is refused before training.
  @Test func freeBits() throws {
    var objective = ELBODescription()
    objective.freeBits = 0.5
    func error(_ description: ModelDescription) throws -> String {
      var random = RandomStream(seed: 1)
      let model = try description.makeModel(using: &random).reparameterized(for: "the bound")
      func make<Model: ReparameterizedModel>(_ model: Model) -> String {
        do {
          _ = try objective.makeReparameterized(
            for: model, TrainingFacts(examples: 10, inputShape: [3]))
          return ""
        } catch { return "\(error)" }
      }
      return make(model)
    }
    let network = MLPNetwork(hidden: [4], latentSize: 2)
    #expect(try error(ModelDescription(network, inputShape: [3])) == "")
    let planar = try error(
      ModelDescription(network, inputShape: [3], posterior: PlanarPosterior()))
    #expect(planar.contains("a number of free bits needs a posterior and a prior that factorise"))
    #expect(planar.contains("TransformedDistribution<DiagonalNormal, BijectionChain<Planar"))
    let flow = try error(
      ModelDescription(network, inputShape: [3], prior: FlowPriorDescription()))
    #expect(flow.contains("TransformedDistribution<StandardNormal"))
  }

  /// A full covariance is of vectors.
  @Test func fullOfPlaces() {
    let description = ModelDescription(
      ResidualNetwork(channels: [4], groups: 2, latentChannels: 2), inputShape: [4, 4, 1],
      posterior: FullCovariancePosterior())
    #expect(throws: ModelDescriptionError.self) { try description.validate() }
  }
}
