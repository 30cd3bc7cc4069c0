// What each part measures. What a model cannot be asked is a note, never a number.

import Foundation
import Latent
import LatentCommands

extension EvaluationSubject {
  typealias Found = (measurements: [MetricValue], notes: [String])

  /// The stream of a part: none depends on which others are asked for.
  private func random(_ name: String) -> RandomStream {
    RandomStream(seed: options.seed).split("evaluation").split(name)
  }

  // MARK: Likelihood

  func likelihood<Model: LatentVariableModel>(_ model: Model) throws -> Found {
    var measurements: [MetricValue] = []
    var notes: [String] = []
    do {
      let parts = try model.boundParts(on: data, seed: options.seed)
      measurements += parts.measurements
      let sampling = ImportanceSampling(samples: options.draws, seed: options.seed)
      let name = model.fingerprint
      var run = LikelihoodRun(sampling, of: name, on: data)
      if let begun = try? LikelihoodRun(contentsOf: likelihoodState, of: name),
        begun.sampling == sampling, begun.data == run.data, begun.count == run.count
      {
        run = begun
      }
      let shown = progress("likelihood")
      var saved = Date()
      while !run.isComplete {
        try run.advance(model, on: data) { done, count in
          shown(done, count)
          return Date().timeIntervalSince(saved) < 20
        }
        // A kill loses no more than this.
        if !run.isComplete { try run.write(to: likelihoodState) }
        saved = Date()
      }
      measurements += run.measurements
      measurements += try inBits(run.measurements.first)
      let unreliable = run.estimates.count { !$0.isReliable }
      if unreliable * 20 > run.estimates.count {
        notes.append(
          "the likelihood of \(unreliable) of \(run.estimates.count) examples rests on few draws (Pareto k above 0.7): "
            + "give more --draws, or --parts annealing")
      }
    } catch let error as Unmeasurable {
      notes.append("\(error)")
    } catch let error as ModelRequirementError {
      notes.append("\(error)")
    }
    return (measurements, notes)
  }

  /// Whether the first examples are zeros and ones.
  private func isBinary() throws -> Bool {
    try data.batch(0..<min(100, data.count)).inputs.floats.allSatisfy { $0 == 0 || $0 == 1 }
  }

  /// Of pictures and other examples of numbers.
  private func inBits(_ nll: MetricValue?) throws -> [MetricValue] {
    guard let nll, !opened.configuration.isText else { return [] }
    let dimensions = opened.configuration.model.inputShape.reduce(1, *)
    if opened.configuration.model.likelihood == .bernoulli {
      // Of grays it is no density of the data at all.
      return try isBinary() ? [nll.inBitsPerDimension(dimensions: dimensions, .discrete)] : []
    }
    // Bytes in [0, 1] that no noise was added to; other numbers are as they are.
    let source = try DataSource(parsing: opened.configuration.data)
    let isDrawn = if case .sprites = source.kind { true } else { false }
    let levels = data.byteScale == .pictures || isDrawn ? 256 : 1
    return [nll.inBitsPerDimension(dimensions: dimensions, .none(levels: levels))]
  }

  func annealing<Model: LatentVariableModel>(_ model: Model) throws -> Found {
    let sampling = AnnealedImportanceSampling(.sigmoid(options.temperatures), seed: options.seed)
    do {
      let batch = try data.batch(0..<min(options.annealed, data.count))
      let estimates = try model.annealedEstimates(
        of: Tensor(batch.inputs), sampling, fields: batch.tensors, progress: progress("annealing"))
      let bounds = try model.bidirectionalBounds(
        simulations: min(options.annealed, data.count), sampling,
        progress: progress("annealing back"))
      return (
        [annealedMeasurement(estimates, sampling), bounds.measurement].compactMap { $0 }, []
      )
    } catch let error as Unmeasurable {
      return ([], ["\(error)"])
    } catch let error as ModelRequirementError {
      return ([], ["\(error)"])
    }
  }

  // MARK: Structure

  func structure<Model: LatentVariableModel>(_ model: Model) throws -> Found {
    var measurements: [MetricValue] = []
    var notes: [String] = []
    let encoded = try model.encoded(data)
    switch encoded.activeUnits {
    case .found(let units): measurements += units.measurements
    case .missing(let reason): notes.append("\(reason)")
    }
    var random = random("structure")
    var context = LayerContext.inference
    let prior = model.prior(encoded.posteriors[0].dtype, &context)
    let divergences = encoded.aggregateDivergences(from: prior, using: &random)
    measurements += divergences.measurements
    notes += divergences.missing.map { "\($0)" }.filter { !notes.contains($0) }
    do {
      let collapse = try model.collapse(of: encoded)
      measurements += collapse.measurements
      for verdict in CollapseVerdict.allCases where verdict != .used {
        let count = collapse.count(verdict)
        if count > 0 {
          notes.append(
            "\(count) of \(collapse.verdicts.count) latents: \(verdict.description)")
        }
      }
    } catch let error as Unmeasurable {
      if !notes.contains("\(error)") { notes.append("\(error)") }
    } catch let error as ModelRequirementError {
      notes.append("\(error)")
    }
    do {
      measurements += try probes(model)
    } catch let error as ModelRequirementError {
      notes.append("\(error)")
    } catch let error as FactoredCodesError {
      notes.append("\(error)")
    }
    return (measurements, notes)
  }

  /// How well labels can be read from codes, where the data have labels.
  private func probes(_ model: some LatentVariableModel) throws -> [MetricValue] {
    let (codes, labels) = try model.codes(of: data)
    guard let labels, Set(labels).count > 1 else { return [] }
    var random = random("probes")
    let factors = Tensor(labels.map { Float($0) }, shape: [labels.count, 1])
    let data = try FactoredCodes(
      codes.flattened(from: 1), factors: factors, names: ["label"], using: &random)
    let probes: [any DisentanglementMetric] = [LinearReadout(), NeighborReadout()]
    return try probes.flatMap { try $0(data, using: &random) }
  }

  // MARK: Disentanglement

  func disentanglement<Model: LatentVariableModel>(_ model: Model) throws -> Found {
    guard data.fieldShapes[Field.factors] != nil else {
      return ([], ["the data have no factors that are known"])
    }
    do {
      var factors: [NDArray] = []
      var codes: [Tensor] = []
      for start in stride(from: 0, to: data.count, by: 512) {
        let batch = try data.batch(start..<min(start + 512, data.count))
        factors.append(batch[Field.factors])
        codes.append(
          try model.encode(Tensor(batch.inputs), fields: batch.tensors).point(
            for: "disentanglement"
          )
          .flattened(from: 1))
      }
      var random = random("disentanglement")
      let names = data.factorNames.isEmpty ? nil : data.factorNames
      let known = try FactoredCodes(
        Tensor.concatenate(codes, axis: 0),
        factors: Tensor(NDArray.concatenate(factors, axis: 0)), names: names, using: &random)
      let measurements = try Disentanglement.measure(known, using: random) { name in
        say("disentanglement: \(name)")
      }
      return (measurements, [])
    } catch let error as FactoredCodesError {
      return ([], ["\(error)"])
    } catch let error as ModelRequirementError {
      return ([], ["\(error)"])
    }
  }

  // MARK: Samples

  func samples<Model: LatentVariableModel>(_ model: Model) throws -> Found {
    if opened.configuration.isText { return ([], ["texts have no features here"]) }
    let count = data.count
    var random = random("samples")
    let view = try SampleView(opened)
    var fake: [Tensor] = []
    for start in stride(from: 0, to: count, by: 500) {
      fake.append(try view(model.generate(min(500, count - start), using: &random)))
    }
    let generated = Tensor.concatenate(fake, axis: 0)
    let real = try view.features(of: data, first: count)
    // Copies are looked for among as many training examples.
    let seen = try view.features(of: training, first: min(training.count, options.examples))
    var notes: [String] = []
    var measurements: [MetricValue] = []
    let root = self.random("comparisons")
    for metric in TwoSampleMetrics.all {
      do {
        measurements += try TwoSampleMetrics.measure(
          real: real, fake: generated, [metric], settings: view.settings, using: root)
      } catch let error as SampleError { notes.append("\(error)") }
    }
    for metric in CopyingMetrics.all {
      do {
        measurements += try CopyingMetrics.measure(
          training: seen, heldOut: real, generated: generated, [metric], settings: view.settings,
          using: root)
      } catch let error as SampleError { notes.append("\(error)") }
    }
    if let features = view.network {
      measurements += try pathLength(model, features, &random).map { $0.adding(features.settings) }
    }
    return (measurements, notes)
  }

  /// Of paths between draws of a prior that lies in a flat space.
  private func pathLength<Model: LatentVariableModel>(
    _ model: Model, _ features: PictureFeatures, _ random: inout RandomStream
  ) throws -> [MetricValue] {
    guard opened.configuration.model.posterior.description.space == .vectors else { return [] }
    // Steps of 1e-4 are lost in single precision.
    let wide = model.converted(to: .float64)
    let pairs = min(1000, data.count)
    let ends = (0..<2).map { _ in wide.samplePrior(pairs, using: &random) }
    return [
      try PathLength()(from: ends[0], to: ends[1], using: &random) { z in
        try wide.decode(z).point(for: "path length")
      } features: {
        try features($0, inEightBits: false)
      }
    ]
  }

  // MARK: Outliers

  func outliers<Model: LatentVariableModel>(_ model: Model) throws -> Found {
    guard let against = options.against else { return ([], []) }
    let strange = try EvaluationSubject.drawing(opened, options)(try opened.data(against))
    let scores: OutlierScores
    do {
      scores = try OutlierScores(model, opened, training: training, options, say: say)
    } catch let error as Unmeasurable {
      return ([], ["\(error)"])
    }
    let inliers = try scores(data, "outliers: own data")
    let outliers = try scores(strange, "outliers: \(strange.name)")
    return (
      OutlierScore.measure(
        inliers: inliers, outliers: outliers, settings: ["against": strange.name]), scores.notes
    )
  }
}

/// How examples are compared with generated ones: as pictures through the feature network, else as they are.
struct SampleView {
  let network: PictureFeatures?

  init(_ opened: OpenRun) throws { network = opened.isPicture ? try PictureFeatures() : nil }

  var settings: [String: String] { network?.settings ?? ["features": "the examples' own numbers"] }

  func callAsFunction(_ x: Tensor) throws -> Tensor {
    try network.map { try $0(x) } ?? x.flattened(from: 1).converted(to: .float64)
  }

  func features(of data: any Dataset, first count: Int) throws -> Tensor {
    let parts = try stride(from: 0, to: count, by: 500).map { start in
      try self(Tensor(try data.batch(start..<min(start + 500, count)).inputs))
    }
    return Tensor.concatenate(parts, axis: 0)
  }
}
