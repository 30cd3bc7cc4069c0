// What is measured of a trained arm.

import Foundation
import Latent
import LatentCommands

/// A number that is taken of a trained model on test data.
enum Figure: String, Sendable, Hashable, CustomStringConvertible {
  /// -log p(x) in nats, by importance sampling with `draws` draws for each of `examples` examples.
  case nll
  /// Latents whose posterior mean varies by more than 0.01 over the data (Burda et al. 2016, section 5).
  case activeUnits
  /// The maximum mean discrepancy, squared, between `compared` codes and draws of the prior: a kernel
  /// C / (C + d²) with C twice the number of latents, so that 0 is the same and 1 is as far apart as can be.
  case discrepancy
  /// The total correlation, in nats, of a normal with the covariance that the codes have.
  case totalCorrelation
  /// Digits that a classifier finds in at least one of a hundred samples.
  case classes
  /// Numbers that were trained, of all that the model has.
  case trainedShare
  /// The style loss of a picture of 128 pixels after 200 iterations of L-BFGS, of that of its beginning: a test
  /// picture that gets the style of stripes, as the layers of the encoder see them (`latent-stylize`).
  case styleLeft

  /// exp of the entropy of how often each code is chosen over the test data.
  case perplexity
  /// Codes that are chosen at least once over the test data, of all.
  case usage

  /// The mutual information gap of codes and known factors (Chen et al. 2018, section 4.1).
  case mig
  /// How much each code is about one factor only (Eastwood and Williams 2018, equation 2).
  case disentanglement
  /// Levels of a hierarchy that carry at least `LatentUse.threshold` nats.
  case activeLevels
  /// The sliced Wasserstein distance, squared, of draws of a mixture of ten normals that was fitted to codes of the
  /// training data, from codes of the test data.
  case mixtureDistance
  /// The same of draws of a flow-matching sampler.
  case flowDistance
  /// The share of the ten nearest of the training data's codes that a graph finds, for codes of the test data.
  case graphRecall
  /// How many times faster than comparing with all it is.
  case graphSpeed

  var description: String { rawValue }

  static let draws = 500
  static let examples = 1000
  /// Codes of which every pair is compared.
  static let compared = 2000
}

/// Where figures are taken.
struct Measurement {
  let training: any Dataset
  let test: any Dataset
  let transform: (any BatchTransform)?
  /// Where classes are counted.
  let classifier: DigitClassifier?
  /// Numbers that were trained, of all.
  let trainedShare: Double
  let seed: UInt64

  func callAsFunction(_ figure: Figure, of model: some LatentVariableModel) throws -> Double {
    var random = RandomStream(seed: seed).split("figure \(figure)")
    switch figure {
    case .nll: return try negativeLogLikelihood(model, using: &random)
    case .activeUnits:
      let means = try codes(model) { posterior, _ in try posterior.point(for: "active units") }
      let deviations = means - means.mean(axes: [0])
      return Double(square(deviations).mean(axes: [0]).doubles.count { $0 > 0.01 })
    case .discrepancy:
      let all = try codes(model) { $0.sample(using: &$1) }
      let z = all.sliced(0, 0..<min(Figure.compared, all.shape[0]))
      let distance = MaximumMeanDiscrepancy(.imq, scales: [1])
      return distance(z, model.samplePrior(z.shape[0], using: &random).flattened(from: 1)).item
    case .totalCorrelation:
      let z = try codes(model) { $0.sample(using: &$1) }.converted(to: .float64)
      let centered = z - z.mean(axes: [0])
      let covariance = matmul(centered, centered, transpose: .left) / Double(z.shape[0])
      let variances = log(covariance.diagonal).sum()
      return ((variances - (try logDeterminant(covariance))) * 0.5).item
    case .classes:
      guard let classifier else { fatalError("no classifier for \(figure)") }
      let found = classifier.classes(of: model.generate(Figure.examples, using: &random))
      return Double((0..<10).count { digit in found.count { $0 == digit } * 100 >= found.count })
    case .trainedShare: return trainedShare
    case .styleLeft: return try styleLeft(model)
    case .perplexity:
      let shares = try codeShares(model).filter { $0 > 0 }
      return exp(-shares.reduce(0) { $0 + $1 * log($1) })
    case .usage:
      let shares = try codeShares(model)
      return Double(shares.count { $0 > 0 }) / Double(shares.count)
    case .mig: return try score(MutualInformationGap(), .mutualInformationGap, of: model)
    case .disentanglement: return try score(ImportanceScores(), .disentanglementByTrees, of: model)
    case .activeLevels:
      let use = try model.latentUse(on: test, transform: transform, seed: seed)
      return use.map { Double($0.active) } ?? .nan
    case .mixtureDistance:
      return try distance(of: GaussianMixtureDescription.name, from: model, using: &random)
    case .flowDistance:
      return try distance(of: FlowMatchingDescription.name, from: model, using: &random)
    case .graphRecall: return try search(model).recall
    case .graphSpeed: return try search(model).speed
    }
  }

  /// A score of codes and the factors that the test data were made with.
  private func score(
    _ metric: some DisentanglementMetric, _ number: Metric, of model: some LatentVariableModel
  ) throws -> Double {
    let codes = try codes(model) { posterior, _ in try posterior.point(for: "\(number.name)") }
    var factors: [NDArray] = []
    for start in stride(from: 0, to: test.count, by: 500) {
      factors.append(
        try test.batch(start..<min(start + 500, test.count))[Field.factors])
    }
    var random = RandomStream(seed: seed).split("scores")
    let data = try FactoredCodes(
      codes, factors: Tensor(NDArray.concatenate(factors, axis: 0)), names: test.factorNames,
      using: &random)
    let found = try metric(data, using: &random).first { $0.metric == number && $0.part == nil }
    return found?.value ?? .nan
  }

  /// How far draws of a sampler that learns codes of the training data are from codes of the test data.
  private func distance(
    of sampler: String, from model: some LatentVariableModel, using random: inout RandomStream
  ) throws -> Double {
    let saved = try SavedSampler(
      fitting: try SamplerSettings(named: sampler), to: model, on: training, seed: seed)
    let codes = try codes(model) { $0.sample(using: &$1) }
    let drawn = try saved.sampler(for: model, path: sampler)
      .latents(codes.shape[0], of: model, fields: [:], using: &random).flattened(from: 1)
    let found = try SlicedWassersteinDistance()(real: codes, fake: drawn, using: &random)
    return found.first { $0.part == nil }?.value ?? .nan
  }

  /// Neighbours of test codes among the training codes, by a graph and by comparing with all.
  private func search(
    _ model: some LatentVariableModel
  ) throws -> (recall: Double, speed: Double) {
    var random = RandomStream(seed: seed).split("search")
    let table = try model.encoded(training).codes(using: &random).array
    let queries = try codes(model) { $0.sample(using: &$1) }.array
    func timed(_ search: some NeighborSearch) -> (found: Neighbors, seconds: Double) {
      let start = Date()
      let found = search.nearest(10, to: queries)
      return (found, Date().timeIntervalSince(start))
    }
    let exact = timed(ExactNeighbors(table))
    let graph = timed(try NeighborGraph(table))
    return (graph.found.recall(of: exact.found), exact.seconds / graph.seconds)
  }

  /// How often each code is chosen, of all; of models with one kind of code.
  private func codeShares(_ model: some LatentVariableModel) throws -> [Double] {
    var counts = Array(repeating: 0.0, count: try model.latentCodes().counts[0])
    try each(500, of: test.count) { x in
      for index in try model.indices(of: x).array.doubles { counts[Int(index)] += 1 }
    }
    let all = counts.reduce(0, +)
    return counts.map { $0 / all }
  }

  private func styleLeft(_ model: some LatentVariableModel) throws -> Double {
    guard let network = (model as? any FeatureModel)?.featureNetwork else {
      throw CommandError("styleLeft needs an encoder to look through", .configuration)
    }
    let side = 128
    let content = Tensor(
      try DataSource(.sprites(side: side)).open().training.batch(0..<1).inputs)
    let channels = content.shape[3]
    let stripes = (0..<side * side * channels).map { index in
      let (row, column) = (index / channels / side, index / channels % side)
      return Float(0.5 + 0.5 * sin(0.5 * Double(row) + 0.25 * Double(column)))
    }
    let transfer = try StyleTransfer(
      through: network, content: content, style: Tensor(stripes, shape: content.shape))
    let painting = Painting(transfer: transfer, start: content)
    let made = painting.byLBFGS(200) { _, _ in true }.picture
    return painting.figures(of: made.clamped(to: 0...1)).style / painting.figures(of: content).style
  }

  private func negativeLogLikelihood(
    _ model: some LatentVariableModel, using random: inout RandomStream
  ) throws -> Double {
    let count = min(Figure.examples, test.count)
    var sum = 0.0
    try each(50, of: count) { x in
      sum -= model.logLikelihood(of: x, importanceSamples: Figure.draws, using: &random).sum().item
    }
    return sum / Double(count)
  }

  /// `[examples, latents]`, one code for each test example.
  private func codes<Model: LatentVariableModel>(
    _ model: Model, _ code: (Model.Posterior, inout RandomStream) throws -> Tensor
  ) throws -> Tensor {
    var random = RandomStream(seed: seed).split("codes")
    var parts: [Tensor] = []
    try each(500, of: test.count) { parts.append(try code(model.encode($0), &random)) }
    return Tensor.concatenate(parts, axis: 0).flattened(from: 1)
  }

  /// Test examples as the model knows them: what is drawn of them is the same for all arms and seeds.
  private func each(_ batch: Int, of count: Int, _ body: (Tensor) throws -> Void) throws {
    for start in stride(from: 0, to: count, by: batch) {
      let rows = try test.batch(start..<min(start + batch, count))
      var noise = RandomStream(seed: 0).split("test").split(UInt64(start))
      try body(Tensor((transform?(rows, using: &noise) ?? rows).inputs))
    }
  }
}

func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }

/// The standard deviation over seeds; 0 of one.
func spread(_ values: [Double]) -> Double {
  guard values.count > 1 else { return 0 }
  let middle = mean(values)
  let squares = values.reduce(0) { $0 + ($1 - middle) * ($1 - middle) }
  return (squares / Double(values.count - 1)).squareRoot()
}

func rounded(_ value: Double) -> String {
  abs(value) < 1 && value != 0 ? String(format: "%.4f", value) : String(format: "%.2f", value)
}
