// Student's t distribution of vectors: a normal whose variance is drawn, so that far values are not as improbable
// (Kotz and Nadarajah 2004, equation 1.1; the posterior and prior of t3VAE, Kim et al. 2024).
//
//   log p(x) = log Gamma((nu + n)/2) - log Gamma(nu/2) - n/2 log(nu pi) - sum s
//              - (nu + n)/2 log(1 + |(x - location) e^-s|^2 / nu),   s = log scale

import Foundation
import LatentAutodiff
import LatentNumerics

/// Student's t distribution over a vector: elements are uncorrelated but not independent, because one variance is drawn
/// for all of them.
///
/// Normal in the limit of many degrees of freedom. There is no mean for 1 and fewer, and so none is offered; the
/// location is the mode.
public struct MultivariateStudent: ReparameterizedDistribution, EvaluableDistribution,
  DistributionWithMode
{
  /// The centre, `[batch, n]`.
  public let location: Tensor
  /// Nats, as given: broadcasts to `[batch, n]`.
  public let logScale: Tensor
  /// nu, above 0.
  public let degreesOfFreedom: Double
  public let batchShape: Shape
  public let eventShape: Shape

  /// From location and log-scale, which broadcast against each other.
  ///
  /// - Parameters:
  ///   - location: `[batch, n]`
  ///   - logScale: `[batch, n]` or what broadcasts with it
  ///   - degreesOfFreedom: above 0; the fewer, the heavier are the tails
  public init(
    location: Tensor, logScale: Tensor, degreesOfFreedom: Double, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    require(
      degreesOfFreedom > 0 && degreesOfFreedom.isFinite,
      "MultivariateStudent with \(degreesOfFreedom) degrees of freedom", file: file, line: line)
    (batchShape, eventShape) = parameterShapes(
      "MultivariateStudent", [location, logScale], eventRank: 1, file: file, line: line)
    self.location = location.broadcast(to: batchShape + eventShape)
    self.logScale = logScale
    self.degreesOfFreedom = degreesOfFreedom
  }

  public var dtype: DType { location.dtype }
  /// The location.
  public var mode: Tensor { location }

  private var size: Double { Double(eventShape.count) }

  /// log of the density at the centre, but for the scales.
  private var logPeak: Double {
    SpecialFunctions.polygammaDifference(-1, degreesOfFreedom / 2, size / 2)
      - size / 2 * Foundation.log(degreesOfFreedom * .pi)
  }

  public func logProbability(of value: Tensor) -> Tensor {
    requireEvent(value)
    let squares = square((value - location) * exp(-logScale)).sum(axes: [-1])
    return log(onePlus: squares / degreesOfFreedom) * (-(degreesOfFreedom + size) / 2)
      - logScale.summedParameter(over: eventShape) + logPeak
  }

  /// A normal draw over the root of a chi-squared one.
  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    let shape = sampleShape + batchShape
    let gamma = LogGammaVariable(shape: degreesOfFreedom / 2)
    let stretches = random.independentDraws(shape.count) { _, random in
      Foundation.exp((Foundation.log(gamma.shape) - gamma.draw(using: &random)) / 2)
    }
    let stretch = Tensor(stretches, shape: shape.appending(1)).converted(to: dtype)
    return location + exp(logScale) * random.normalTensor(shape + eventShape, dtype) * stretch
  }

  public var entropy: Tensor? {
    let difference = SpecialFunctions.polygammaDifference(0, degreesOfFreedom / 2, size / 2)
    return
      (logScale.summedParameter(over: eventShape)
      + ((degreesOfFreedom + size) / 2 * difference - logPeak)).broadcast(to: batchShape)
  }
}

extension MultivariateStudent: DetachableDistribution {
  public var detached: MultivariateStudent {
    MultivariateStudent(
      location: location.detached, logScale: logScale.detached, degreesOfFreedom: degreesOfFreedom)
  }
}

/// The logarithm of a gamma variable, whose density e^(a y - e^y) / Gamma(a) is log-concave whatever its shape a is.
struct LogGammaVariable: LineFamily {
  let shape: Double

  func draw(using random: inout RandomStream) -> Double {
    draw(shape, logNormalizer: SpecialFunctions.logGamma(shape), using: &random)
  }

  func logBase(_ y: Double) -> Double { -Foundation.exp(y) }
  func statistic(_ y: Double) -> Double { y }
  func mode(_ k: Double) -> Double { Foundation.log(k) }
  func interval(around s: Double, _ k: Double) -> (low: Double, high: Double) {
    (s - 60 / min(k, 1), max(s, mode(k)) + 60)
  }
}
