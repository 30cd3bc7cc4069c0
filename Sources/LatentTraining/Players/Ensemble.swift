// Everything that is trained, as one module: the model and what its objective brings along. A player
// sees the part of it that it moves.

import LatentAutodiff
import LatentLayers
import LatentModels

struct Ensemble<Model: Module, Parts: Module>: Module {
  var model: Model
  var parts: Parts
  /// Which of the trained parameters are visited, in their order; nil: all of them.
  var chosen: [Bool]?

  /// The model's parameters have the paths that they have in the model.
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    guard let chosen else { return visitAll(&visitor) }
    var sieve = Sieve(visitor, chosen)
    visitAll(&sieve)
    visitor = sieve.base
  }

  private mutating func visitAll(_ visitor: inout some ParameterVisitor) {
    model.visitParameters(&visitor)
    visitor.visit(&parts, Turn.partsName)
  }
}
