// The update rules of optimisers as single passes over flat buffers. Parameters are updated in
// place where nobody else holds the buffer, else written to a new one: a copy of a model keeps its
// values either way.

import CLatentKernels

/// A parameter's place in the flat buffers, and its gradient (nil: zero).
public struct FlatSegment: Sendable {
  public let gradient: NDArray?
  public let offset: Int
  public let count: Int

  public init(gradient: NDArray?, offset: Int, count: Int) {
    self.gradient = gradient
    self.offset = offset
    self.count = count
  }
}

/// The numbers of an Adam step; `step` is 1 at the first update.
public struct AdamNumbers: Sendable {
  public var learningRate, beta1, beta2, epsilon, weightDecay, gradientScale: Double
  public var decoupled: Bool
  public var step: Int

  public init(
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
public struct SGDNumbers: Sendable {
  public var learningRate, momentum, dampening, weightDecay, gradientScale: Double
  public var nesterov: Bool
  public var step: Int

  public init(
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
}

/// The numbers of an RMSprop step.
public struct RMSpropNumbers: Sendable {
  public var learningRate, smoothing, epsilon, momentum, weightDecay, gradientScale: Double
  public var centered: Bool

  public init(
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
}

extension NDArray {
  /// Updates these parameters by Adam (Kingma and Ba 2015) or AdamW, and the moments.
  public mutating func adamUpdate(
    _ segments: [FlatSegment], moment1: inout NDArray, moment2: inout NDArray,
    _ numbers: AdamNumbers
  ) {
    let type = dtype.kernel
    flatUpdate(segments, &moment1, &moment2) { list, old, new, m, v in
      var options = numbers.kernel
      latent_adam(
        type, Int32(segments.count), list, old, new, m, v, &options)
    }
  }

  /// Updates these parameters by Adamax (Kingma and Ba 2015, section 7.1).
  public mutating func adamaxUpdate(
    _ segments: [FlatSegment], moment: inout NDArray, norm: inout NDArray, _ numbers: AdamNumbers
  ) {
    let type = dtype.kernel
    flatUpdate(segments, &moment, &norm) { list, old, new, m, u in
      var options = numbers.kernel
      latent_adamax(
        type, Int32(segments.count), list, old, new, m, u, &options)
    }
  }

  /// Updates these parameters by gradient descent with momentum.
  public mutating func sgdUpdate(
    _ segments: [FlatSegment], velocity: inout NDArray, _ numbers: SGDNumbers
  ) {
    var unused = NDArray(uninitialized: [0], dtype)
    let type = dtype.kernel
    flatUpdate(segments, &velocity, &unused) { list, old, new, velocity, _ in
      var options = latent_sgd_options(
        learning_rate: numbers.learningRate, momentum: numbers.momentum,
        dampening: numbers.dampening, weight_decay: numbers.weightDecay,
        gradient_scale: numbers.gradientScale, nesterov: numbers.nesterov,
        step: Int64(numbers.step))
      latent_sgd(type, Int32(segments.count), list, old, new, velocity, &options)
    }
  }

  /// Updates these parameters by RMSprop (Tieleman and Hinton 2012).
  public mutating func rmspropUpdate(
    _ segments: [FlatSegment], square: inout NDArray, meanGradient: inout NDArray,
    velocity: inout NDArray, _ numbers: RMSpropNumbers
  ) {
    velocity.makeUnique()
    let third = velocity.freshPointer
    defer { keepAlive(velocity.storage) }
    let type = dtype.kernel
    flatUpdate(segments, &square, &meanGradient) { list, old, new, square, mean in
      var options = latent_rmsprop_options(
        learning_rate: numbers.learningRate, smoothing: numbers.smoothing,
        epsilon: numbers.epsilon, momentum: numbers.momentum, weight_decay: numbers.weightDecay,
        gradient_scale: numbers.gradientScale, centered: numbers.centered)
      latent_rmsprop(
        type, Int32(segments.count), list, old, new, square, mean, third, &options)
    }
  }

  /// `self += (1 - decay) (value - self)`, in place.
  public mutating func average(with value: NDArray, decay: Double) {
    require(
      value.shape == shape && value.dtype == dtype,
      "average of \(shape) \(dtype) with \(value.shape) \(value.dtype)")
    makeUnique()
    latent_ema(dtype.kernel, Int64(count), decay, value.pointer, freshPointer)
    keepAlive(value.storage)
    keepAlive(storage)
  }

  /// Whether this array is the memory of `other` from element `start`.
  public func isView(of other: NDArray, from start: Int) -> Bool {
    storage === other.storage && offset == other.offset + start * dtype.size
  }

  /// Where the elements of an array lie. Means something only as long as an array that lies there
  /// lives.
  public struct Place: Sendable, Hashable {
    fileprivate let storage: ObjectIdentifier
    fileprivate let offset: Int
  }

  /// Equal for arrays that begin at the same byte of the same memory: copies of one value.
  public var place: Place { Place(storage: ObjectIdentifier(storage), offset: offset) }

  /// Whether some element lies in memory where one of `other` lies.
  public func overlaps(_ other: NDArray) -> Bool {
    storage === other.storage && offset < other.offset + other.byteCount
      && other.offset < offset + byteCount
  }

  private mutating func flatUpdate(
    _ segments: [FlatSegment], _ first: inout NDArray, _ second: inout NDArray,
    _ body: (
      UnsafePointer<latent_segment>?, UnsafeRawPointer, UnsafeMutableRawPointer,
      UnsafeMutableRawPointer, UnsafeMutableRawPointer
    ) -> Void
  ) {
    let isInPlace = isKnownUniquelyReferenced(&storage)
    if isInPlace { storage.forgetDerived() }
    let result = isInPlace ? self : NDArray(uninitialized: shape, dtype)
    first.makeUnique()
    second.makeUnique()
    let list = segments.map { segment in
      if let gradient = segment.gradient {
        require(
          gradient.count == segment.count && gradient.dtype == dtype,
          "a gradient of \(gradient.shape) \(gradient.dtype) for \(segment.count) parameters of \(dtype)"
        )
      }
      return latent_segment(
        gradient: segment.gradient?.pointer, offset: Int64(segment.offset),
        count: Int64(segment.count))
    }
    list.withUnsafeBufferPointer {
      body(
        $0.baseAddress, pointer, result.freshPointer, first.freshPointer, second.freshPointer)
    }
    keepAlive(segments)
    keepAlive(storage)
    keepAlive(first.storage)
    keepAlive(second.storage)
    self = result
  }
}
