// Adam and its relatives: steps scaled by running moments of the gradient.

import LatentLayers
import LatentNumerics

/// Adam (Kingma and Ba 2015, algorithm 1), and AdamW where the weight decay is decoupled
/// (Loshchilov and Hutter 2019). Formulas and defaults are PyTorch's.
public struct Adam: FlatOptimizer {
  public var learningRate: Double
  /// Decay of the two moments, what keeps the division safe, and the weight decay.
  public let beta1, beta2, epsilon, weightDecay: Double
  /// Whether the weight decay acts on the weights and not on the gradient (AdamW).
  public let isDecoupled: Bool
  var memory = FlatRule(["moment1", "moment2"])

  /// With PyTorch's defaults, and weight decay as a part of the gradient.
  public init(
    learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, weightDecay: Double = 0
  ) {
    self.init(
      learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
      weightDecay: weightDecay, isDecoupled: false)
  }

  private init(
    learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double,
    isDecoupled: Bool
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.isDecoupled = isDecoupled
  }

  /// Adam with decoupled weight decay.
  public static func adamW(
    learningRate: Double = 1e-3, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, weightDecay: Double = 1e-2
  ) -> Adam {
    Adam(
      learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
      weightDecay: weightDecay, isDecoupled: true)
  }

  public var summary: String {
    "\(isDecoupled ? "AdamW" : "Adam")(learningRate: \(learningRate), beta1: \(beta1), "
      + "beta2: \(beta2), epsilon: \(epsilon), weightDecay: \(weightDecay))"
  }

  var rule: UpdateRule {
    .adam(beta1: beta1, beta2: beta2, epsilon: epsilon, isDecoupled: isDecoupled)
  }
}

/// Adamax (Kingma and Ba 2015, section 7.1): Adam with the infinity norm.
public struct Adamax: FlatOptimizer {
  public var learningRate: Double
  /// Decay of the moment and of the norm, what keeps the division safe, and the weight decay.
  public let beta1, beta2, epsilon, weightDecay: Double
  var memory = FlatRule(["moment", "norm"])

  /// With PyTorch's defaults.
  public init(
    learningRate: Double = 2e-3, beta1: Double = 0.9, beta2: Double = 0.999,
    epsilon: Double = 1e-8, weightDecay: Double = 0
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
  }

  public var summary: String {
    "Adamax(learningRate: \(learningRate), beta1: \(beta1), beta2: \(beta2), "
      + "epsilon: \(epsilon), weightDecay: \(weightDecay))"
  }

  var rule: UpdateRule { .adamax(beta1: beta1, beta2: beta2, epsilon: epsilon) }
}
