// How heavy the tail of importance weights is: the shape of a generalised Pareto distribution fitted to the largest of
// them (Vehtari et al. 2024, "Pareto smoothed importance sampling", section 3), with the estimator of Zhang and
// Stephens (2009), "A new and efficient estimation method for the generalized Pareto distribution".
//
// Weights have as many finite moments as 1 / shape: above 1/2 their variance is infinite, above 0.7 no number of draws
// that one can afford gives a mean to rely on.

import Foundation

enum ParetoTail {
  /// Fewer exceedances than this are no sample to fit.
  static let fewest = 5
  /// What log-weights differ by, relative to the largest, where they differ by rounding only.
  private static let rounding = 1e-9

  /// k-hat of weights by their logarithms in nats, in any order: the largest min(K / 5, 3 sqrt K), rounded up, above
  /// the next one.
  ///
  /// -infinity where weights are constant, which have no tail; infinity where there are too few of them to tell.
  static func shape(ofLogWeights logWeights: [Double]) -> Double {
    let count = Double(logWeights.count)
    let length = Int(min(count / 5, 3 * count.squareRoot()).rounded(.up))
    let sorted = logWeights.sorted(by: >)
    guard let top = sorted.first, let bottom = sorted.last, top.isFinite else { return .infinity }
    if top - bottom <= rounding * max(1, abs(top)) { return -.infinity }
    guard length < sorted.count else { return .infinity }
    // Below the smallest normal number exceedances would be rounded away.
    let threshold = max(sorted[length] - top, log(Double.leastNormalMagnitude))
    let above = sorted.prefix(length).filter { $0 - top > threshold }
    guard above.count >= fewest else { return .infinity }
    let base = exp(threshold)
    return fit(above.reversed().map { exp($0 - top) - base }).shape
  }

  /// Shape and scale of exceedances above 0, ascending.
  static func fit(_ exceedances: [Double]) -> (shape: Double, scale: Double) {
    let count = exceedances.count
    let (size, largest) = (Double(count), exceedances[count - 1])
    let quartile = exceedances[Int((size / 4 + 0.5).rounded(.down)) - 1]
    // theta = -shape / scale, at candidates that cover where its likelihood lies.
    let candidates = 30 + Int(size.squareRoot())
    let thetas = (1...candidates).map { index in
      let place = Double(candidates) / (Double(index) - 0.5)
      return 1 / largest + (1 - place.squareRoot()) / (3 * quartile)
    }
    func shape(_ theta: Double) -> Double {
      exceedances.reduce(0) { $0 + log1p(-theta * $1) } / size
    }
    let profile = thetas.map { theta in
      let shape = shape(theta)
      return size * (log(-theta / shape) - shape - 1)
    }
    let best = profile.max() ?? 0
    let weights = profile.map { exp($0 - best) }
    let total = weights.reduce(0, +)
    let theta = zip(weights, thetas).reduce(0) { $0 + $1.0 * $1.1 } / total
    let raw = shape(theta)
    // A weak prior towards 1/2 with the weight of ten exceedances.
    return ((size * raw + 5) / (size + 10), -raw / theta)
  }
}
