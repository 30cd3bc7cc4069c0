// Where a velocity carries points, and what becomes of their density (Chen et al. 2018, "Neural ordinary differential
// equations", equation 8; Grathwohl et al. 2019, FFJORD, equation 8 for the probe).
//
//   dx/dt = v(x, t),   d log p(x)/dt = -tr dv/dx,   E[e^T dv/dx e] = tr dv/dx for random signs e
//
// Points are followed as y = x / s with s² = (1 - t)² + t², which takes the velocity of normal codes out: y is x at both
// ends, and of a network of zeros nothing moves, in however few steps.

import Foundation
import LatentAutodiff
import LatentLayers
import LatentNumerics

/// The flow of a velocity v between N(0, I) at time 0 and codes at time 1, by Heun's rule in steps of equal length.
///
/// Derivatives pass to points and to the velocity's parameters where these are recorded.
struct ProbabilityFlow: Sendable {
  let velocity: VelocityNetwork
  /// int32 `[batch]`, or none.
  let labels: Tensor?
  let steps: Int
  /// Random signs `[batch, latents]`, of which the trace is estimated; nil where it is computed, by a derivative for
  /// each number.
  let probe: Tensor?

  /// Latents up to this number have an exact trace.
  static let mostExact = 32

  init(_ velocity: VelocityNetwork, labels: Tensor? = nil, steps: Int, probe: Tensor? = nil) {
    (self.velocity, self.labels, self.steps, self.probe) = (velocity, labels, steps, probe)
  }

  /// Random signs.
  static func probe(
    _ shape: Shape, _ dtype: DType, using random: inout RandomStream
  ) -> Tensor {
    let ones = Tensor.ones(shape, dtype)
    return Tensor.where(random.uniformTensor(shape, dtype) .< 0.5, -ones, ones)
  }

  /// Codes of points `[batch, latents]` of the normal.
  func codes(from start: Tensor) -> Tensor {
    var x = start
    let length = 1 / Double(steps)
    for step in 0..<steps {
      let time = Double(step) * length
      let first = velocity.scaled(x, at: time, of: labels)
      let second = velocity.scaled(x + first * length, at: time + length, of: labels)
      x = x + (first + second) * (length / 2)
    }
    return x
  }

  /// The points of the normal that codes `[batch, latents]` come from, without derivative.
  func start(of codes: Tensor) -> Tensor {
    var x = codes.detached
    let length = 1 / Double(steps)
    for step in 0..<steps {
      let time = 1 - Double(step) * length
      let first = velocity.scaled(x, at: time, of: labels)
      let second = velocity.scaled(x - first * length, at: time - length, of: labels)
      x = (x - (first + second) * (length / 2)).detached
    }
    return x
  }

  /// log p of codes `[batch, latents]` in nats, `[batch]`.
  func logProbability(of codes: Tensor) -> Tensor {
    var x = codes
    var traces = Tensor.zeros([x.shape[0]], x.dtype)
    let length = 1 / Double(steps)
    for step in 0..<steps {
      let time = 1 - Double(step) * length
      let first = slope(x, time)
      let second = slope(x - first.velocity * length, time - length)
      x = x - (first.velocity + second.velocity) * (length / 2)
      traces = traces + (first.trace + second.trace) * (length / 2)
    }
    let constant = Double(x.shape[1]) / 2 * Foundation.log(2 * Double.pi)
    return square(x).sum(axes: [1]) * -0.5 - constant - traces
  }

  /// The velocity and the trace of its derivative.
  private func slope(_ x: Tensor, _ time: Double) -> (velocity: Tensor, trace: Tensor) {
    if let probe { return pulled(x, time, labels, probe) }
    let (batch, size) = (x.shape[0], x.shape[1])
    // Every code once for each number: the probe of copy i is the i-th axis.
    let axes = Tensor.identity(size, x.dtype).expandingDimension(at: 1)
      .broadcast(to: [size, batch, size]).reshaped([size * batch, size])
    func copies(_ rows: Tensor) -> Tensor {
      Tensor.concatenate(Array(repeating: rows, count: size), axis: 0)
    }
    let (v, traces) = pulled(copies(x), time, labels.map(copies), axes)
    return (v.sliced(0, 0..<batch), traces.reshaped([size, batch]).sum(axes: [0]))
  }

  /// The velocity, and e^T dv/dx e for each row.
  private func pulled(
    _ x: Tensor, _ time: Double, _ labels: Tensor?, _ probe: Tensor
  ) -> (Tensor, Tensor) {
    let isRecorded = x.isRecorded || velocity.output.weight.isRecorded
    let result = valueAndGradient(
      at: [x],
      withAuxiliary: {
        let v = velocity.scaled($0[0], at: time, of: labels)
        // Without an enclosing derivative nothing of a step is remembered in the next one.
        return ((v * probe).sum(), isRecorded ? v : v.detached)
      })
    let derivatives = result.gradients[0] ?? x.zerosLike
    return (result.auxiliary, (derivatives * probe).sum(axes: [1]))
  }
}
