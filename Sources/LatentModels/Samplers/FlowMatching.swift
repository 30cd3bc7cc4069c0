// A flow from noise to codes, learned without solving it (Lipman et al. 2023, "Flow matching for generative modeling";
// Liu, Gong and Liu 2023). Points move on straight lines from a normal draw u to a code z,
//
//   z_t = (1 - t) u + t z,   E |v(z_t, t, c) - (z - u)|²  is smallest where v is the mean velocity at a point,
//
// and dz/dt = v(z, t, c) carries N(0, I) at t = 0 to the codes at t = 1.

import Foundation
import LatentAutodiff
import LatentLayers
import LatentNumerics

/// A velocity v(x, t, c) of standardised codes.
///
/// It is that of codes which are N(0, I), `x (2 t - 1) / s²` with `s² = (1 - t)² + t²`, and a network beside it, of
/// inputs and outputs that are scaled by s: both have variance 1 for such codes. The network starts at zero.
public struct VelocityNetwork: Module {
  /// Hidden layers.
  var hidden: [Linear]
  /// To the velocity, `[..., latents]`.
  var output: Linear
  /// What the first layer gets in addition of each class, and in the last row of none; `[classes + 1, width]`.
  var classes: Tensor

  /// Cosines of the time that the network sees.
  private static let timeFeatures = 16

  /// Of codes with so many numbers.
  public init(
    latents: Int, hidden widths: [Int], classes count: Int, using random: inout RandomStream
  ) {
    let sizes = [latents + VelocityNetwork.timeFeatures] + widths
    hidden = zip(sizes, sizes.dropFirst()).map {
      Linear($0, $1, initializer: .heUniform, using: &random)
    }
    output = Linear(
      sizes[sizes.count - 1], latents, initializer: .constant(0), using: &random)
    classes = random.normalTensor([count + 1, widths.first ?? latents]) * (count > 0 ? 0.1 : 0)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&hidden, "hidden")
    visitor.visit(&output, "output")
    visitor.enterArithmetic()
    visitor.visit(&classes, "classes")
    visitor.leaveArithmetic()
  }

  /// Weights and biases of one without classes, in double.
  static func parameterCount(latents: Int, hidden widths: [Int]) -> Double {
    LayerParameters.linear([latents + timeFeatures] + widths + [latents])
      + Double(widths.first ?? latents)
  }

  /// The number of classes.
  public var classCount: Int { classes.shape[0] - 1 }

  /// The velocity at x `[batch, latents]` and times `[batch, 1]` from 0 to 1, of classes int32 `[batch]`;
  /// `classCount` stands for none.
  public func callAsFunction(_ x: Tensor, at time: Tensor, of labels: Tensor) -> Tensor {
    let square = LatentAutodiff.square(1 - time) + LatentAutodiff.square(time)
    let scale = reciprocalSqrt(square)
    return x * ((time * 2 - 1) / square) + correction(x * scale, at: time, of: labels) * scale
  }

  /// The velocity of all points at one time, of no class where there are no labels.
  func callAsFunction(_ x: Tensor, at time: Double, of labels: Tensor?) -> Tensor {
    let (times, labels) = conditions(x, time, labels)
    return self(x, at: times, of: labels)
  }

  /// The velocity of points y = x / s, which is what the network says over s²: zero where codes are N(0, I). At both
  /// ends y is x.
  func scaled(_ y: Tensor, at time: Double, of labels: Tensor?) -> Tensor {
    let (times, labels) = conditions(y, time, labels)
    return correction(y, at: times, of: labels) / ((1 - time) * (1 - time) + time * time)
  }

  private func conditions(
    _ x: Tensor, _ time: Double, _ labels: Tensor?
  ) -> (times: Tensor, labels: Tensor) {
    let none = Tensor([Int32](repeating: Int32(classCount), count: x.shape[0]))
    return (Tensor(repeating: time, shape: [x.shape[0], 1], x.dtype), labels ?? none)
  }

  /// What the network says.
  private func correction(_ x: Tensor, at time: Tensor, of labels: Tensor) -> Tensor {
    let frequencies = Tensor.range(VelocityNetwork.timeFeatures, x.dtype) * Double.pi
    var h = Tensor.concatenate([x, cos(time * frequencies)], axis: -1)
    for (index, layer) in hidden.enumerated() {
      h = layer(h)
      if index == 0 && classCount > 0 { h = h + classes.gathering(labels, axis: 0) }
      h = silu(h)
    }
    return output(h)
  }
}

/// How a flow is followed.
public enum FlowSolver: String, SettingWord {
  /// One evaluation a step, of order 1.
  case euler
  /// Two evaluations a step, of order 2 (Heun 1900).
  case heun
}

/// A flow from N(0, I) to codes.
public struct FlowMatching: Module {
  /// Of standardised codes.
  public var velocity: VelocityNetwork
  var scale: CodeScale

  /// Labels are left out with this probability in training, so that there is a velocity without them (Ho and Salimans
  /// 2021).
  private static let labelDropout = 0.1

  /// N(0, I): the network has still to learn what is different.
  public init(
    latents: Int, hidden: [Int], classes: Int = 0, using random: inout RandomStream
  ) {
    velocity = VelocityNetwork(
      latents: latents, hidden: hidden, classes: classes, using: &random)
    scale = CodeScale(latents)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&velocity, "velocity")
    visitor.visit(&scale, "scale")
  }

  /// The squared distance from the straight line's velocity, summed over numbers, mean over standardised codes
  /// `[batch, latents]`. Each draws a start and a time of its own. Of codes that are N(0, I) it cannot fall below pi/2
  /// for each number.
  ///
  /// - Parameter labels: int32 `[batch]`; nil where the flow has no classes.
  public static func loss(
    _ velocity: VelocityNetwork, _ codes: Tensor, labels: Tensor?,
    using random: inout RandomStream
  ) -> Tensor {
    let batch = codes.shape[0]
    let start = random.normalTensor(codes.shape, codes.dtype)
    let time = random.uniformTensor([batch, 1], codes.dtype)
    let dropped = random.uniformTensor([batch], .float32) .< labelDropout
    let none = Tensor(repeating: Double(velocity.classCount), shape: [batch], .float32)
    let seen = labels.map { Tensor.where(dropped, none, $0.converted(to: .float32)) } ?? none
    let found = velocity(
      start * (1 - time) + codes * time, at: time, of: seen.converted(to: .int32))
    return square(found - (codes - start)).sum(axes: [1]).mean()
  }

  /// The velocity of all points at one time: `v_c + w (v_c - v)` with guidance w where labels are given.
  private func guided(
    _ x: Tensor, _ time: Double, labels: Tensor?, guidance: Double
  ) -> Tensor {
    let own = velocity(x, at: time, of: labels)
    guard labels != nil, guidance != 0 else { return own }
    return own + (own - velocity(x, at: time, of: nil)) * guidance
  }

  /// Codes `[count, latents]` from N(0, I) in so many steps of equal length.
  ///
  /// - Parameters:
  ///   - labels: int32 `[count]`; nil for codes of all classes
  ///   - guidance: how much more a code shall be of its class than the class is
  public func codes(
    _ count: Int, labels: Tensor? = nil, guidance: Double = 0, steps: Int = 50,
    solver: FlowSolver = .heun, using random: inout RandomStream
  ) -> Tensor {
    let start = random.normalTensor([count, scale.mean.count], scale.mean.dtype)
    return codes(
      from: start, labels: labels, guidance: guidance, steps: steps, solver: solver)
  }

  /// The codes that points `[count, latents]` of the normal are carried to.
  func codes(
    from start: Tensor, labels: Tensor?, guidance: Double, steps: Int, solver: FlowSolver
  ) -> Tensor {
    var x = start
    let length = 1 / Double(steps)
    for step in 0..<steps {
      let time = Double(step) * length
      let first = guided(x, time, labels: labels, guidance: guidance)
      let next = x + first * length
      if solver == .euler {
        x = next
      } else {
        let second = guided(next, time + length, labels: labels, guidance: guidance)
        x = x + (first + second) * (length / 2)
      }
    }
    return scale.restored(x)
  }

  // MARK: Density

  /// log p(z) of codes `[batch, latents]` in nats, `[batch]`: the flow is followed back by Heun's rule,
  /// `log p(z) = log N(z_0) - integral of tr dv/dz` (Chen et al. 2018, equation 8). Of more than 32 numbers the trace is
  /// that of one random probe for each code (Hutchinson 1990), unbiased. Without derivative.
  public func logProbability(
    of codes: Tensor, labels: Tensor? = nil, steps: Int = 50, using random: inout RandomStream
  ) -> Tensor {
    let x = scale.standardized(codes.detached)
    let isExact = x.shape[1] <= ProbabilityFlow.mostExact
    let flow = ProbabilityFlow(
      velocity, labels: labels, steps: steps,
      probe: isExact ? nil : ProbabilityFlow.probe(x.shape, x.dtype, using: &random))
    return flow.logProbability(of: x) - log(scale.deviation).sum()
  }
}
