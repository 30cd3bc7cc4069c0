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

/// An update rule with the numbers that only it has.
package enum UpdateRule: Sendable {
  /// Adam (Kingma and Ba 2015) or AdamW; moments of the gradient and of its square.
  case adam(beta1: Double, beta2: Double, epsilon: Double, isDecoupled: Bool)
  /// Adamax (Kingma and Ba 2015, section 7.1); a moment of the gradient and its norm.
  case adamax(beta1: Double, beta2: Double, epsilon: Double)
  /// Gradient descent with momentum; the velocity.
  case sgd(momentum: Double, dampening: Double, isNesterov: Bool)
  /// RMSprop (Tieleman and Hinton 2012); the mean square, the mean gradient, the velocity.
  case rmsprop(smoothing: Double, epsilon: Double, momentum: Double, isCentered: Bool)

  /// How many arrays of state there are; those that the numbers make no use of may be empty.
  var stateCount: Int {
    switch self {
    case .adam, .adamax: 2
    case .sgd: 1
    case .rmsprop: 3
    }
  }
}

/// One step of a rule, with the numbers that every rule has.
package struct UpdateStep: Sendable {
  package let rule: UpdateRule
  package let learningRate, weightDecay, gradientScale: Double
  /// 1 at a parameter's first update.
  package var number = 1

  package init(
    _ rule: UpdateRule, learningRate: Double, weightDecay: Double, gradientScale: Double
  ) {
    self.rule = rule
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    self.gradientScale = gradientScale
  }

  /// Whether everything that was written is finite.
  fileprivate func run(
    _ type: latent_dtype, _ list: UnsafeBufferPointer<latent_segment>, _ old: UnsafeRawPointer,
    _ new: UnsafeMutableRawPointer, _ state: [UnsafeMutableRawPointer]
  ) -> Bool {
    let (count, first) = (Int32(list.count), list.baseAddress)
    func adamOptions(
      _ beta1: Double, _ beta2: Double, _ epsilon: Double, _ isDecoupled: Bool
    ) -> latent_adam_options {
      latent_adam_options(
        learning_rate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
        weight_decay: weightDecay, gradient_scale: gradientScale, decoupled: isDecoupled,
        step: Int64(number))
    }
    switch rule {
    case .adam(let beta1, let beta2, let epsilon, let isDecoupled):
      var options = adamOptions(beta1, beta2, epsilon, isDecoupled)
      return latent_adam(type, count, first, old, new, state[0], state[1], &options)
    case .adamax(let beta1, let beta2, let epsilon):
      var options = adamOptions(beta1, beta2, epsilon, false)
      return latent_adamax(type, count, first, old, new, state[0], state[1], &options)
    case .sgd(let momentum, let dampening, let isNesterov):
      var options = latent_sgd_options(
        learning_rate: learningRate, momentum: momentum, dampening: dampening,
        weight_decay: weightDecay, gradient_scale: gradientScale, nesterov: isNesterov,
        step: Int64(number))
      return latent_sgd(type, count, first, old, new, state[0], &options)
    case .rmsprop(let smoothing, let epsilon, let momentum, let isCentered):
      var options = latent_rmsprop_options(
        learning_rate: learningRate, smoothing: smoothing, epsilon: epsilon, momentum: momentum,
        weight_decay: weightDecay, gradient_scale: gradientScale, centered: isCentered)
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
    _ segments: [FlatSegment], state: inout [NDArray], by step: UpdateStep, isWhole: Bool = false
  ) -> Bool {
    require(
      state.count == step.rule.stateCount,
      "\(state.count) arrays of state for the rule \(step.rule)")
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
      step.run(dtype.kernel, $0, pointer, result.freshPointer, state.map(\.freshPointer))
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
