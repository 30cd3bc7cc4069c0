// A workload is one value: how its model is made and what it is fed with. What is done with it, and
// how that is timed, is written once for all of them (`Operation`). The numbers are those of the peers'
// WORKLOADS.md; first weights are the layers' own, which are drawn as PyTorch's, inputs follow a rule
// that is exact in any language.

import ArgumentParser
import Latent

/// A network that is timed.
protocol Workload: Sendable {
  associatedtype Model: LatentVariableModel where Model.Posterior == DiagonalNormal

  var name: String { get }
  /// Examples of a training step.
  var batch: Int { get }
  /// A factor of all hidden widths; 1 is what the peers run.
  var width: Double { get set }

  var arithmetic: Arithmetic { get }

  func makeModel(using random: inout RandomStream) -> Model
  /// `count` examples, `[count, ...]`; another stream, other examples.
  func inputs(_ count: Int, stream: Int) -> Tensor
  /// `count` latents of standard normal numbers, `[count, ...]`.
  func latents(_ count: Int) -> Tensor
  /// What a decoder is asked for: the parameters of the likelihood, which may depend on data x.
  func parameters(of likelihood: Model.Likelihood, at x: Tensor) -> Tensor
}

extension Workload {
  func model() -> Model {
    var random = RandomStream(seed: 0)
    return makeModel(using: &random)
  }

  func inputs(_ count: Int) -> Tensor { inputs(count, stream: 1000) }

  /// A hidden width times the factor, rounded to a multiple.
  func widened(_ size: Int, multipleOf unit: Int = 1) -> Int {
    max(1, Int((Double(size) * width / Double(unit)).rounded())) * unit
  }

  /// The sizes of batches that `WORKLOADS.md` asks for.
  func batches(_ operation: Operation) -> [Int] {
    switch operation {
    case .train: [batch]
    case .encode, .decode: [1, 64, 512]
    case .generate, .nll: [64]
    case .startup: [1]
    }
  }
}

/// Every workload, in the order of the tables.
enum Workloads {
  static let all: [any Workload] = [
    MLPWorkload(), ConvolutionalWorkload.conv28, ConvolutionalWorkload.conv64, ResidualWorkload(),
    TextWorkload(),
  ]

  /// A comma list of names, or `all`.
  static func list(_ text: String, width: Double = 1) throws -> [any Workload] {
    if text == "all" { return all.map { widened($0, width) } }
    return try text.split(separator: ",").map { name in
      guard let workload = all.first(where: { $0.name == name }) else {
        let names = all.map(\.name).joined(separator: ", ")
        throw ValidationError("workload '\(name)': expected \(names) or all")
      }
      return widened(workload, width)
    }
  }

  private static func widened(_ workload: any Workload, _ width: Double) -> any Workload {
    var workload = workload
    workload.width = width
    return workload
  }
}
