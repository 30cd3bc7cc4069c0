// Mutual information of a continuous and a discrete variable by nearest neighbours (Ross 2014), in one dimension, where
// sorting finds the neighbours.

import LatentNumerics

/// Mutual information with classes, estimated for one continuous variable.
struct NeighborInformation: Sendable {
  private let sorted: [Double]
  /// The numbers of the examples in the order of their values.
  private let order: [Int]
  /// digamma(1), digamma(2), ...
  private let digamma: [Double]

  init(_ values: [Double]) {
    order = values.indices.sorted { values[$0] < values[$1] }
    sorted = order.map { values[$0] }
    var digamma = [SpecialFunctions.polygamma(0, 1)]
    for n in 1...max(1, values.count) { digamma.append(digamma[n - 1] + 1 / Double(n)) }
    self.digamma = digamma
  }

  /// I(values; labels) in nats, 0 at least: psi(n) + <psi(k)> - <psi(n_class)> - <psi(m)>, m the examples nearer than
  /// the k-th neighbour of the same class (with the example itself), as scikit-learn has it for values that all differ.
  ///
  /// Values that repeat have neighbours at distance 0. There both k and m count what lies at that very value (Gao et
  /// al. 2017), so that a code of few levels has its information and no noise need be added. Classes of one example are
  /// left out.
  func information(labels: [Int], classes: Int, neighbors: Int) -> Double {
    var members = [[Int]](repeating: [], count: classes)
    for (place, example) in order.enumerated() { members[labels[example]].append(place) }
    members.removeAll { $0.count < 2 }
    let pool = members.joined().sorted().map { sorted[$0] }
    guard !pool.isEmpty else { return 0 }
    var sum = 0.0
    for places in members {
      let own = places.map { sorted[$0] }
      let wanted = min(neighbors, own.count - 1)
      for place in own.indices {
        let radius = NeighborInformation.distance(own, place, wanted)
        let inClass = NeighborInformation.count(own, own[place], radius)
        let inAll = NeighborInformation.count(pool, own[place], radius)
        sum += digamma[inClass - 1] - digamma[inAll - 1] - digamma[own.count - 1]
      }
    }
    return max(0, digamma[pool.count - 1] + sum / Double(pool.count))
  }

  /// The distance of the `wanted`-th neighbour of one of some ascending values.
  private static func distance(_ values: [Double], _ place: Int, _ wanted: Int) -> Double {
    values.withUnsafeBufferPointer { values in
      var (low, high) = (place, place)
      var distance = 0.0
      for _ in 0..<wanted {
        let below = low > 0 ? values[place] - values[low - 1] : .infinity
        let above = high + 1 < values.count ? values[high + 1] - values[place] : .infinity
        if below <= above { low -= 1 } else { high += 1 }
        distance = min(below, above)
      }
      return distance
    }
  }

  /// How many of some ascending values are nearer to `center`, which is one of them, than `radius`; equal to it where
  /// the radius is 0.
  private static func count(_ values: [Double], _ center: Double, _ radius: Double) -> Int {
    if radius == 0 {
      return first(values) { $0 > center } - first(values) { $0 >= center }
    }
    return first(values) { $0 - center >= radius } - first(values) { center - $0 < radius }
  }

  /// The first place from which on `holds`.
  private static func first(_ values: [Double], _ holds: (Double) -> Bool) -> Int {
    values.withUnsafeBufferPointer { values in
      var (low, high) = (0, values.count)
      while low < high {
        let middle = (low + high) / 2
        if holds(values[middle]) { high = middle } else { low = middle + 1 }
      }
      return low
    }
  }
}
