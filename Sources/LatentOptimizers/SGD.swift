// Gradient descent, plain and scaled by a running mean square.

import LatentLayers
import LatentNumerics

/// Stochastic gradient descent with momentum, optionally Nesterov's (Sutskever et al. 2013).
/// Formulas are PyTorch's: the velocity starts as the first gradient.
public struct SGD: FlatOptimizer {
  public var learningRate: Double
  /// The share of the velocity that is kept, what the gradient's share is lowered by, and the
  /// weight decay.
  public let momentum, dampening, weightDecay: Double
  /// Whether the step looks ahead along the velocity.
  public let nesterov: Bool
  var memory = FlatRule(["velocity"])

  /// Plain gradient descent unless told otherwise. Traps where Nesterov's rule lacks a momentum.
  public init(
    learningRate: Double, momentum: Double = 0, dampening: Double = 0, weightDecay: Double = 0,
    nesterov: Bool = false
  ) {
    require(
      !nesterov || (momentum > 0 && dampening == 0),
      "Nesterov momentum needs momentum > 0 and no dampening: found \(momentum), \(dampening)")
    self.learningRate = learningRate
    self.momentum = momentum
    self.dampening = dampening
    self.weightDecay = weightDecay
    self.nesterov = nesterov
  }

  public var summary: String {
    "SGD(learningRate: \(learningRate), momentum: \(momentum), dampening: \(dampening), "
      + "weightDecay: \(weightDecay), nesterov: \(nesterov))"
  }

  var rule: UpdateRule { .sgd(momentum: momentum, dampening: dampening, isNesterov: nesterov) }
}

/// RMSprop (Tieleman and Hinton 2012), centered after Graves (2013). Formulas are PyTorch's.
public struct RMSprop: FlatOptimizer {
  public var learningRate: Double
  /// Decay of the mean square, what keeps the division safe, the share of the velocity that is
  /// kept, and the weight decay.
  public let smoothing, epsilon, momentum, weightDecay: Double
  /// Whether the variance takes the place of the mean square.
  public let isCentered: Bool
  var memory: FlatRule

  /// With PyTorch's defaults.
  public init(
    learningRate: Double = 1e-2, smoothing: Double = 0.99, epsilon: Double = 1e-8,
    momentum: Double = 0, weightDecay: Double = 0, isCentered: Bool = false
  ) {
    self.learningRate = learningRate
    self.smoothing = smoothing
    self.epsilon = epsilon
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.isCentered = isCentered
    memory = FlatRule(
      ["square", "meanGradient", "velocity"], used: [true, isCentered, momentum > 0])
  }

  public var summary: String {
    "RMSprop(learningRate: \(learningRate), smoothing: \(smoothing), epsilon: \(epsilon), "
      + "momentum: \(momentum), weightDecay: \(weightDecay), isCentered: \(isCentered))"
  }

  var rule: UpdateRule {
    .rmsprop(
      smoothing: smoothing, epsilon: epsilon, momentum: momentum, isCentered: isCentered)
  }
}
