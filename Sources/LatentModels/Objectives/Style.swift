// Style: which activations of a network's layers go together, wherever in the picture (Gatys, Ecker and Bethge
// 2015, "A neural algorithm of artistic style"; "Texture synthesis using convolutional neural networks").

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// `reconstruction * R + weight * sum_l w_l |G_l(x) - G_l(x')|² + beta * KL`, with the Gram matrices
/// `G_l = F_l F_l^T / (C_l H_l W_l)` of the activations of layer l of a frozen network and the squared Frobenius norm
/// (the style reconstruction loss of Johnson et al. 2016; a quarter of it is equation 4 of Gatys et al.).
///
/// Reconstructions have the textures of the data, but no reason to have them in their places beside R.
public typealias Style<Model: LatentVariableModel> = FeatureObjective<Model, StyleDescription>
where Model.Posterior: ReparameterizedDistribution

/// Style losses in words.
public struct StyleDescription: FeatureObjectiveDescription {
  public static let name = "style"
  public static let origin = Origin(
    "textures of reconstructions compared: Gram matrices of the layers of another network",
    paper: "Gatys et al. 2015; Johnson et al. 2016",
    equation: "3, 4 (Gatys); style reconstruction loss (Johnson)",
    test: "LatentModelsTests/FeatureObjectiveTests.swift")

  public var features = FeatureSource.randomName
  public var layers: [LayerWeight] = []
  public var weight: WeightSchedule = 1000
  public var reconstruction = 1.0
  public var beta: WeightSchedule = 1

  public init() {}

  public static var difference: @Sendable (Tensor, Tensor) -> Tensor { gramDifference }
}
