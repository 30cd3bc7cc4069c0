// The update rules of optimisers as single passes over flat buffers. Parameters are updated in
// place where nobody else holds the buffer, else written to a new one: a copy of a model keeps its
// values either way.

import CLatentKernels

/// A parameter's place in the flat buffers, and its gradient.
package struct FlatSegment: Sendable {
  package let gradient: NDArray
  package let offset: Int
  package let count: Int

  package init(gradient: NDArray, offset: Int, count: Int) {
    self.gradient = gradient
    self.offset = offset
    self.count = count
  }
}

/// The numbers of an Adam step; `step` is 1 at the first update.
package struct AdamNumbers: Sendable {
  package var learningRate, beta1, beta2, epsilon, weightDecay, gradientScale: Double
  package var decoupled: Bool
  package var step: Int

  package init(
    learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double,
    gradientScale: Double, decoupled: Bool, step: Int
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.gradientScale = gradientScale
    self.decoupled = decoupled
    self.step = step
  }

  fileprivate var kernel: latent_adam_options {
    latent_adam_options(
      learning_rate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
      weight_decay: weightDecay, gradient_scale: gradientScale, decoupled: decoupled,
      step: Int64(step))
  }
}

/// The numbers of a step of stochastic gradient descent.
package struct SGDNumbers: Sendable {
  package var learningRate, momentum, dampening, weightDecay, gradientScale: Double
  package var nesterov: Bool
  package var step: Int

  package init(
    learningRate: Double, momentum: Double, dampening: Double, weightDecay: Double,
    gradientScale: Double, nesterov: Bool, step: Int
  ) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.dampening = dampening
    self.weightDecay = weightDecay
    self.gradientScale = gradientScale
    self.nesterov = nesterov
    self.step = step
  }

  fileprivate var kernel: latent_sgd_options {
    latent_sgd_options(
      learning_rate: learningRate, momentum: momentum, dampening: dampening,
      weight_decay: weightDecay, gradient_scale: gradientScale, nesterov: nesterov,
      step: Int64(step))
  }
}

/// The numbers of an RMSprop step.
package struct RMSpropNumbers: Sendable {
  package var learningRate, smoothing, epsilon, momentum, weightDecay, gradientScale: Double
  package var centered: Bool

  package init(
    learningRate: Double, smoothing: Double, epsilon: Double, momentum: Double,
    weightDecay: Double, gradientScale: Double, centered: Bool
  ) {
    self.learningRate = learningRate
    self.smoothing = smoothing
    self.epsilon = epsilon
    self.momentum = momentum
    self.weightDecay = weightDecay
    self.gradientScale = gradientScale
    self.centered = centered
  }

  fileprivate var kernel: latent_rmsprop_options {
    latent_rmsprop_options(
      learning_rate: learningRate, smoothing: smoothing, epsilon: epsilon, momentum: momentum,
      weight_decay: weightDecay, gradient_scale: gradientScale, centered: centered)
  }
}

/// An update rule and the numbers of one step of it.
package enum UpdateRule: Sendable {
  /// Adam (Kingma and Ba 2015) or AdamW; moments of the gradient and of its square.
  case adam(AdamNumbers)
  /// Adamax (Kingma and Ba 2015, section 7.1); a moment of the gradient and its norm.
  case adamax(AdamNumbers)
  /// Gradient descent with momentum; the velocity.
  case sgd(SGDNumbers)
  /// RMSprop (Tieleman and Hinton 2012); the mean square, the mean gradient, the velocity.
  case rmsprop(RMSpropNumbers)

  /// The same rule at a parameter's n-th update, n from 1.
  package func at(step: Int) -> UpdateRule {
    switch self {
    case .adam(var numbers):
      numbers.step = step
      return .adam(numbers)
    case .adamax(var numbers):
      numbers.step = step
      return .adamax(numbers)
    case .sgd(var numbers):
      numbers.step = step
      return .sgd(numbers)
    case .rmsprop: return self
    }
  }

  /// How many arrays of state there are; those that the numbers make no use of may be empty.
  var stateCount: Int {
    switch self {
    case .adam, .adamax: 2
    case .sgd: 1
    case .rmsprop: 3
    }
  }

  /// Whether everything that was written is finite.
  fileprivate func run(
    _ type: latent_dtype, _ list: UnsafeBufferPointer<latent_segment>, _ old: UnsafeRawPointer,
    _ new: UnsafeMutableRawPointer, _ state: [UnsafeMutableRawPointer]
  ) -> Bool {
    let (count, first) = (Int32(list.count), list.baseAddress)
    switch self {
    case .adam(let numbers):
      var options = numbers.kernel
      return latent_adam(type, count, first, old, new, state[0], state[1], &options)
    case .adamax(let numbers):
      var options = numbers.kernel
      return latent_adamax(type, count, first, old, new, state[0], state[1], &options)
    case .sgd(let numbers):
      var options = numbers.kernel
      return latent_sgd(type, count, first, old, new, state[0], &options)
    case .rmsprop(let numbers):
      var options = numbers.kernel
      return latent_rmsprop(type, count, first, old, new, state[0], state[1], state[2], &options)
    }
  }
}

extension NDArray {
  /// Updates these parameters, which are a flat buffer, and the rule's state beside them. Parameters
  /// without a segment stay as they are, and so does their state; where there are none, `isWhole` saves
  /// a copy.
  ///
  /// - Returns: Whether every number that was written is finite: looking costs nothing in this pass.
  package mutating func update(
    _ segments: [FlatSegment], state: inout [NDArray], by rule: UpdateRule, isWhole: Bool = false
  ) -> Bool {
    require(
      state.count == rule.stateCount, "\(state.count) arrays of state for the rule \(rule)")
    if segments.isEmpty { return true }
    let isInPlace = isKnownUniquelyReferenced(&storage)
    if isInPlace { storage.forgetDerived() }
    let result = isInPlace ? self : isWhole ? NDArray(uninitialized: shape, dtype) : copy()
    for index in state.indices { state[index].makeUnique() }
    let list = segments.map { segment in
      require(
        segment.gradient.count == segment.count && segment.gradient.dtype == dtype,
        "a gradient of \(segment.gradient.shape) \(segment.gradient.dtype) for \(segment.count) "
          + "parameters of \(dtype)")
      return latent_segment(
        gradient: segment.gradient.pointer, offset: Int64(segment.offset),
        count: Int64(segment.count))
    }
    let isFinite = list.withUnsafeBufferPointer {
      rule.run(dtype.kernel, $0, pointer, result.freshPointer, state.map(\.freshPointer))
    }
    keepAlive(segments)
    keepAlive(storage)
    keepAlive(state)
    self = result
    return isFinite
  }

  /// `self += (1 - decay) (value - self)`, in place.
  package mutating func average(with value: NDArray, decay: Double) {
    require(
      value.shape == shape && value.dtype == dtype,
      "average of \(shape) \(dtype) with \(value.shape) \(value.dtype)")
    makeUnique()
    latent_ema(dtype.kernel, Int64(count), decay, value.pointer, freshPointer)
    keepAlive(value.storage)
    keepAlive(storage)
  }

  /// Whether this array is the memory of `other` from element `start`.
  package func isView(of other: NDArray, from start: Int) -> Bool {
    storage === other.storage && offset == other.offset + start * dtype.size
  }

  /// Where the elements of an array lie. Means something only as long as an array that lies there
  /// lives.
  package struct Place: Sendable, Hashable {
    fileprivate let storage: ObjectIdentifier
    fileprivate let offset: Int
  }

  /// Equal for arrays that begin at the same byte of the same memory: copies of one value.
  package var place: Place { Place(storage: ObjectIdentifier(storage), offset: offset) }

  /// Whether some element lies in memory where one of `other` lies.
  package func overlaps(_ other: NDArray) -> Bool {
    storage === other.storage && offset < other.offset + other.byteCount
      && other.offset < offset + byteCount
  }
}
