// Where gradients of gradients are used: Hessian-vector products, gradient penalties, and third
// derivatives.

import LatentNumerics
import Testing

@testable import LatentAutodiff

@Suite struct HigherOrderTests {
  /// A small network and a loss with most of what a model is made of.
  struct Network: Sendable {
    var parameters: [Tensor]
    var input: Tensor

    init(seed: UInt64) {
      var stream = RandomStream(seed: seed)
      let shapes: [Shape] = [[5, 4], [5], [5], [5], [3, 5], [3]]
      parameters = shapes.map { stream.normalTensor($0, .float64) * 0.7 }
      input = stream.normalTensor([6, 4], .float64)
    }

    func outputs(_ x: Tensor, _ p: [Tensor], _ activation: Activation) -> Tensor {
      let hidden = linear(x, weight: p[0], bias: p[1], activation: activation)
      let normal = layerNormalized(hidden, scale: p[2], shift: p[3])
      return linear(normal, weight: p[4], bias: p[5])
    }

    func loss(_ p: [Tensor], _ activation: Activation) -> Tensor {
      -logSoftmax(outputs(input, p, activation)).sliced(1, 0..<1).mean()
        + square(outputs(input, p, activation)).mean() * 0.1
    }
  }

  static let smooth: [Activation] = [.tanh, .sigmoid, .gelu, .silu, .softplus, .elu]

  /// H v, as the derivative of <gradient, v>, against the difference of gradients along v; and H
  /// is symmetric.
  @Test(arguments: smooth) func hessianVectorProducts(activation: Activation) {
    let network = Network(seed: 101)
    var stream = RandomStream(seed: 102)
    let directions = (0..<2).map { _ in
      network.parameters.map { stream.normalTensor($0.shape, .float64) }
    }
    func gradients(_ p: [Tensor]) -> [Tensor] {
      valueAndGradient(at: p) { network.loss($0, activation) }.gradients
    }
    func inner(_ a: [Tensor], _ b: [Tensor]) -> Tensor {
      zip(a, b).reduce(Tensor.scalar(0, .float64)) { $0 + ($1.0 * $1.1).sum() }
    }
    let products = directions.map { v in
      valueAndGradient(at: network.parameters) { inner(gradients($0), v) }.gradients
    }
    for (v, product) in zip(directions, products) {
      let h = 1e-5
      let ahead = gradients(zip(network.parameters, v).map { $0 + $1 * h })
      let behind = gradients(zip(network.parameters, v).map { $0 - $1 * h })
      for (index, exact) in product.enumerated() {
        let difference = (ahead[index] - behind[index]) / (2 * h)
        #expect(
          relativeError(exact.doubles, difference.doubles) < 1e-7, "parameter \(index), seed 101")
      }
    }
    let symmetry = inner(products[0], directions[1]).item - inner(products[1], directions[0]).item
    #expect(Swift.abs(symmetry) < 1e-12)
  }

  /// (|dD/dx| - 1)^2 with respect to the critic's parameters, as in WGAN-GP (Gulrajani et al. 2017).
  @Test(arguments: smooth + [.relu]) func gradientPenalty(activation: Activation) {
    let network = Network(seed: 103)
    let error = gradientError(at: network.parameters) { p in
      let slope = gradient(at: network.input) { network.outputs($0, p, activation).sum() }
      return square(sqrt(square(slope).sum(axes: [1])) - 1).mean()
    }
    #expect(error < 1e-6)
  }

  /// The k-th derivative of e^(2x) is 2^k e^(2x); of x^5 it is a falling factorial; of sin a shift.
  @Test func repeatedDerivatives() {
    typealias Function = (Tensor) -> Tensor
    func derivative(_ function: @escaping Function) -> Function {
      { x in gradient(at: x) { function($0).sum() } }
    }
    let x = Tensor([-0.8, 0.3, 1.2] as [Double])
    var (exponential, power, sine): (Function, Function, Function) = (
      { exp($0 * 2) }, { pow($0, 5) }, { sin($0) }
    )
    var (factor, falling) = (1.0, 1.0)
    let cycle: [Function] = [{ sin($0) }, { cos($0) }, { -sin($0) }, { -cos($0) }]
    for order in 0...4 {
      #expect(relativeError(exponential(x).doubles, (exp(x * 2) * factor).doubles) < 1e-12)
      #expect(
        relativeError(power(x).doubles, (pow(x, Double(5 - order)) * falling).doubles) < 1e-12)
      #expect(relativeError(sine(x).doubles, cycle[order % 4](x).doubles) < 1e-12)
      factor *= 2
      falling *= Double(5 - order)
      (exponential, power, sine) = (derivative(exponential), derivative(power), derivative(sine))
    }
  }

  /// One step of gradient descent inside the function (MAML): the outer derivative sees it.
  @Test func throughAnOptimizerStep() {
    let network = Network(seed: 104)
    let error = gradientError(at: network.parameters) { p in
      let inner = valueAndGradient(at: p) { network.loss($0, .tanh) }
      let stepped = zip(p, inner.gradients).map { $0 - $1 * 0.1 }
      return network.loss(stepped, .tanh) + inner.value
    }
    #expect(error < 1e-6)
  }
}
