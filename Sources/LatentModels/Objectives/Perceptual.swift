// Perceptual losses: reconstructions are compared by what the layers of a network make of them (Johnson, Alahi
// and Fei-Fei 2016; for variational autoencoders Hou et al. 2017, "Deep feature consistent variational
// autoencoder").

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// `reconstruction * R + weight * sum_l w_l |F_l(x) - F_l(x')|² / (C_l H_l W_l) + beta * KL`, with the activations F_l
/// of layer l of a frozen network (the feature reconstruction loss of Johnson et al. 2016), in nats per example. With
/// `reconstruction` 0 it is the loss of Hou et al.
public typealias Perceptual<Model: LatentVariableModel> = FeatureObjective<
  Model, PerceptualDescription
>
where Model.Posterior: ReparameterizedDistribution

/// Perceptual losses in words.
public struct PerceptualDescription: FeatureObjectiveDescription {
  public static let name = "perceptual"
  public static let origin = Origin(
    "reconstructions compared by the layers of another run's encoder, or of a random network",
    paper: "Johnson et al. 2016; Hou et al. 2017", equation: "feature reconstruction loss",
    test: "LatentModelsTests/FeatureObjectiveTests.swift")

  public var features = FeatureSource.randomName
  public var layers: [LayerWeight] = []
  public var weight: WeightSchedule = 1000
  public var reconstruction = 1.0
  public var beta: WeightSchedule = 1

  public init() {}

  public static var difference: @Sendable (Tensor, Tensor) -> Tensor { meanSquareDifference }
}
