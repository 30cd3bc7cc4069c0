// The autoencoder without noise whose decoder is kept smooth by the norm of its weights (Ghosh et al. 2020; the
// norm as of Miyato et al. 2018, "Spectral normalization for generative adversarial networks", algorithm 1).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// `reconstruction + embedding * |z|²/2` of a decoder whose weights are divided by their largest singular
/// values, where z is the mean of the posterior.
///
/// The weights are those of the fully connected and convolutional layers below `decoder`, as matrices
/// `[outputs, rest]`; the last layer is one of them. In each step of training one step of power iteration
/// estimates the singular vectors, which are constants in derivatives and saved with the run. After the
/// step the weights themselves are divided, which changes no loss: so the model as it stands is always
/// the one that is trained. Only frozen weights keep their norm, and count in training as if they had not.
public struct SpectralAutoencoder<Model: LatentVariableModel>: DescribedObjective {
  public let settings: RegularizedSpectralDescription

  public init(_ settings: RegularizedSpectralDescription) { self.settings = settings }

  /// Where the power iterations stand.
  public struct Parts: Module {
    /// The right singular vector of each weight, `[rest]`, in visiting order.
    public var directions: [Tensor]

    public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      visitor.enter("directions")
      for index in directions.indices { visitor.visitBuffer(&directions[index], "\(index)") }
      visitor.leave()
    }
  }

  /// Random vectors after fifteen steps, as of `SpectralNorm`.
  public func makeParts(for model: Model, using random: inout RandomStream) -> Parts {
    var parts = Parts(directions: [])
    _ = model.mappingDecoderFactors { _, matrix in
      var right = random.normalTensor([matrix.shape[1]], matrix.dtype).unit()
      for _ in 0..<15 { right = matrix.detached.singularVectors(near: right).right }
      parts.directions.append(right)
      return nil
    }
    return parts
  }

  public func loss(
    of turn: Int, _ model: Model, _ parts: Parts, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    var seen = model
    if context.isTraining {
      seen = model.mappingDecoderFactors { index, matrix in
        let direction = parts.directions[index]
        let (left, right) = matrix.detached.singularVectors(near: context.current(direction))
        context.update(direction) { _ in right }
        return matrix.stretch(left, right)
      }
    }
    return RegularizedAutoencoder<Model, Settings>(settings)(seen, x, &context)
  }

  public var settlesParameters: Bool { true }

  /// Divides the weights by what the next step of training will find to be their norm.
  public func settle(_ model: inout Model, _ parts: Parts, except frozen: [PathPattern]) {
    model = model.mappingDecoderFactors(except: frozen) { index, matrix in
      let (left, right) = matrix.singularVectors(near: parts.directions[index])
      return matrix.stretch(left, right)
    }
  }
}

extension Module {
  /// This module with the weights below `decoder` that go whole into products divided by what `norm` says of
  /// each, by its number and as a matrix `[outputs, rest]`; a weight stays where it says nothing.
  fileprivate func mappingDecoderFactors(
    except frozen: [PathPattern] = [], _ norm: (Int, Tensor) -> Tensor?
  ) -> Self {
    var copy = self
    withoutActuallyEscaping(norm) { norm in
      var visitor = FactorDivider(frozen: frozen, norm: norm)
      copy.visitParameters(&visitor)
    }
    return copy
  }
}

private struct FactorDivider: ParameterVisitor {
  let frozen: [PathPattern]
  let norm: (Int, Tensor) -> Tensor?
  var count = 0
  var path: [String] = []

  mutating func visit(_ parameter: inout Tensor, _ name: String) {}
  mutating func visitFactor(
    _ weight: inout Tensor, _ name: String, _ channels: ObservedWeight.Channels
  ) {
    guard path.first == "decoder" else { return }
    defer { count += 1 }
    if frozen.match((path + [name]).joined(separator: ".")) { return }
    let outputsAreLast = if case .outputsLast = channels { true } else { false }
    if let norm = norm(count, weight.matrix(outputsAreLast: outputsAreLast)) {
      weight = weight / norm
    }
  }
  mutating func enter(_ name: String) { path.append(name) }
  mutating func leave() { path.removeLast() }
}

/// The autoencoder with spectral normalisation of its decoder, in words.
public struct RegularizedSpectralDescription: RegularizedAutoencoderDescription {
  public static let name = "rae-sn"
  public static let origin = Origin(
    "an autoencoder with short codes and a decoder of weights of norm 1",
    paper: "Ghosh et al. 2020; Miyato et al. 2018", equation: "L_RAE with SN; algorithm 1",
    test: "LatentModelsTests/SpectralAutoencoderTests.swift")

  public var embedding: WeightSchedule = 9e-3
  public var cost = ReconstructionCost.squared

  public init() {}

  public func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requireParts(of: model)
    var random = RandomStream(seed: 0)
    let rule = SpectralAutoencoder<Model>(self)
    if rule.makeParts(for: model, using: &random).directions.isEmpty {
      throw ModelRequirementError(
        purpose: Self.purpose, found: "none in \(Model.self)",
        expected: "fully connected or convolutional layers below 'decoder'")
    }
    return rule
  }
}
