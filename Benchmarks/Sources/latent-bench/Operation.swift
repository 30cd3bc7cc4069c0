// What is timed, written once for all workloads, as a user would write it.

import ArgumentParser
import Latent

enum Operation: String, CaseIterable, Codable, Sendable {
  /// Noise, forward, loss, backward, Adam.
  case train
  /// Means and log-variances from inputs in memory.
  case encode
  /// Parameters of the likelihood from latents in memory.
  case decode
  /// Latents from the prior, decoded to means of the likelihood.
  case generate
  /// The log-likelihood of examples in memory, from 5,000 draws each.
  case nll
  /// A fresh process loads a saved model, encodes one example, ends.
  case startup

  var isInference: Bool { self == .encode || self == .decode || self == .generate }

  static let inProcess: [Operation] = [.train, .encode, .decode, .generate]

  /// A comma list, or `all`, which leaves out `startup`.
  static func list(_ text: String) throws -> [Operation] {
    if text == "all" { return inProcess }
    return try text.split(separator: ",").map { name in
      guard let operation = Operation(rawValue: String(name)) else {
        throw ValidationError(
          "op '\(name)': expected \(allCases.map(\.rawValue).joined(separator: ", ")) or all")
      }
      return operation
    }
  }
}

extension Workload {
  /// The call that is timed; `startup` has none, it is a process. Training is always float32.
  func call(
    _ operation: Operation, batch: Int, precision: LowPrecision? = nil
  ) -> () -> Void {
    func model() -> Model {
      let model = self.model()
      return precision.map { model.quantized($0, calibratedOn: inputs(256, stream: 2000)) } ?? model
    }
    switch operation {
    case .train:
      return trainingStep(batch)
    case .encode:
      let (model, x) = (model(), inputs(batch))
      return {
        let posterior = model.encode(x)
        blackHole(posterior.mean, posterior.logVariance)
      }
    case .decode:
      let (model, z, x) = (model(), latents(batch), inputs(batch))
      return { blackHole(self.parameters(of: model.decode(z), at: x)) }
    case .generate:
      let model = model()
      var random = RandomStream(seed: 3)
      return { blackHole(model.generate(batch, using: &random)) }
    case .nll:
      let (model, x) = (model(), inputs(batch))
      var random = RandomStream(seed: 4)
      return {
        let samples = Arithmetic.likelihoodSamples
        blackHole(model.logLikelihood(of: x, importanceSamples: samples, using: &random))
      }
    case .startup:
      fatalError("startup is measured by processes, not by calls")
    }
  }

  /// Eight batches are cycled through.
  private func trainingStep(_ batch: Int) -> () -> Void {
    var model = model()
    var optimizer = Adam(learningRate: 1e-3)
    let objective = ELBO<Model>()
    let root = RandomStream(seed: 1)
    let pool = (0..<8).map { inputs(batch, stream: 1000 + $0) }
    var step = 0
    return {
      var context = LayerContext(isTraining: true, random: root.split(UInt64(step)), step: step)
      let (_, gradients) = valueAndGradient(at: model) { model in
        objective(model, pool[step % pool.count], &context).total
      }
      optimizer.update(&model, along: gradients)
      step += 1
    }
  }
}

/// Keeps results from being optimised away.
@inline(never)
func blackHole(_ values: Tensor...) {}
