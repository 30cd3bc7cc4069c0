import LatentNumerics

/// What depends on the order of numbers alone.
public enum Ranks {
  /// The rank of each value from 1; equal values share the mean of their ranks.
  public static func averaged(_ values: [Double]) -> [Double] {
    let order = values.indices.sorted { values[$0] < values[$1] }
    var ranks = [Double](repeating: 0, count: values.count)
    var first = 0
    while first < order.count {
      var last = first
      while last + 1 < order.count && values[order[last + 1]] == values[order[first]] { last += 1 }
      for place in first...last { ranks[order[place]] = Double(first + last) / 2 + 1 }
      first = last + 1
    }
    return ranks
  }

  /// The area under the receiver operating characteristic: the share of pairs of a positive and a negative example in
  /// which the positive one has the higher score, ties counting 1/2; nil where either kind is missing.
  public static func areaUnderCurve(_ scores: [Double], isPositive: [Bool]) -> Double? {
    require(
      scores.count == isPositive.count, "\(scores.count) scores of \(isPositive.count) examples")
    let positives = isPositive.count(where: { $0 })
    let negatives = scores.count - positives
    guard positives > 0 && negatives > 0 else { return nil }
    let sum = zip(averaged(scores), isPositive).reduce(0) { $1.1 ? $0 + $1.0 : $0 }
    let least = Double(positives) * Double(positives + 1) / 2
    return (sum - least) / (Double(positives) * Double(negatives))
  }
}
