// Averaged weights: evaluate and generate with a smoothed copy of the model
// (Polyak and Juditsky 1992; Karras et al. 2018 for generators).

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// A copy of a model whose parameters follow those of the original slowly.
public struct ExponentialMovingAverage<Model: Module>: Sendable {
  /// The model with the averaged parameters.
  public private(set) var model: Model
  /// What is kept of the average at each update, from 0 to 1.
  public let decay: Double

  /// Starts at the parameters of `model`.
  public init(_ model: Model, decay: Double = 0.999) {
    self.model = model
    self.decay = decay
  }

  /// `average += (1 - decay) (value - average)` for every parameter; buffers are taken over.
  public mutating func update(_ current: Model) {
    var averages = model.parameters.map(\.array)
    // The old averages have no other holder now and are updated in place.
    model = current
    for (index, value) in zip(averages.indices, current.parameters) {
      averages[index].average(with: value.array, decay: decay)
    }
    model.setParameters(averages.map { Tensor($0) })
  }

  /// Continues from saved averages.
  public mutating func restore(_ model: Model) { self.model = model }
}
