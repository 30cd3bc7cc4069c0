// What a look at data sees: their range, example by example, and the mean and variance of every element.
// The range is compared with a likelihood's support; from the moments a decoder starts where the data
// are.

import Foundation
import LatentAutodiff
import LatentNumerics

/// The range and the moments of some examples, gathered batch by batch.
///
/// Elements that are masked do not count, nor do NaN and infinities.
public struct DataStatistics: Sendable {
  /// The numbers of one example.
  public struct Example: Sendable {
    /// Its position in the data set.
    public let index: Int
    /// Its smallest number; infinity where none was seen.
    public fileprivate(set) var smallest = Double.infinity
    /// Its largest number; minus infinity where none was seen.
    public fileprivate(set) var largest = -Double.infinity
    /// The first number that is not whole.
    public fileprivate(set) var fraction: Double?
  }

  /// The shape of one example.
  public let shape: Shape
  /// One entry for each example, in the order they were taken in.
  public private(set) var examples: [Example] = []
  /// The inputs themselves, float32, batch by batch; what a mask hides is NaN.
  private var inputs: [NDArray] = []
  /// How often each whole number from 0 was seen, of integers.
  public private(set) var occurrences: [Int] = []
  /// Element by element: a number near the others, and the sums of distances from it. Sums of the
  /// numbers themselves would lose the variance of data far from zero.
  private var origins: [Double]
  private var counts: [Double]
  private var sums: [Double]
  private var squares: [Double]

  /// Whole numbers up to this one are counted.
  private static let largestCounted = 1 << 16

  /// Of nothing yet; `shape` is that of one example.
  public init(shape: Shape) {
    self.shape = shape
    origins = Array(repeating: 0, count: shape.count)
    counts = origins
    sums = origins
    squares = origins
  }

  /// Takes in `inputs` `[batch, ...]`, which are the examples `indices` of a data set. Of a mask of the
  /// same shape, or one that broadcasts to it, elements at 0 are left out.
  ///
  /// Traps where the shapes do not fit.
  public mutating func add(_ inputs: NDArray, indices: [Int], mask: NDArray? = nil) {
    require(
      inputs.shape == Shape([indices.count]) + shape,
      "statistics of examples \(shape): found inputs \(inputs.shape) for \(indices.count) examples")
    let observed = mask.map {
      Tensor($0.converted(to: .float32)).broadcast(to: inputs.shape).array.floats
    }
    keep(inputs, mask)
    let isInteger = !inputs.dtype.isFloatingPoint
    let values = inputs.doubles
    for (row, index) in indices.enumerated() {
      var example = Example(index: index)
      for element in 0..<shape.count {
        let position = row * shape.count + element
        let value = values[position]
        if !value.isFinite || observed.map({ $0[position] == 0 }) == true { continue }
        add(value, to: element)
        if value < example.smallest { example.smallest = value }
        if value > example.largest { example.largest = value }
        if example.fraction == nil && value != value.rounded(.towardZero) {
          example.fraction = value
        }
        if isInteger { count(value) }
      }
      examples.append(example)
    }
  }

  private mutating func keep(_ inputs: NDArray, _ mask: NDArray?) {
    var kept = Tensor(inputs.converted(to: .float32))
    if let mask {
      let isSeen = Tensor(mask.converted(to: .float32)).broadcast(to: inputs.shape) .!= 0
      kept = Tensor.where(isSeen, kept, kept.zerosLike + .nan)
    }
    self.inputs.append(kept.array)
  }

  /// So many of the examples that were seen, at equal distances, or some of them twice where there are fewer: float32
  /// `[count, ...]`. Elements that were hidden or no numbers are the mean of the others in their place. Traps where
  /// nothing was seen.
  public func examples(_ count: Int) -> Tensor {
    let all = Tensor(NDArray.concatenate(inputs, axis: 0))
    let total = all.shape[0]
    require(total > 0, "examples of statistics that saw none")
    let chosen = (0..<count).map { Int32($0 * total / count) }
    let examples = all.gathering(Tensor(chosen), axis: 0)
    let means = moments.mean.converted(to: .float32).broadcast(to: examples.shape)
    return Tensor.where(isFinite(examples), examples, means)
  }

  private mutating func add(_ value: Double, to element: Int) {
    if counts[element] == 0 { origins[element] = value }
    let distance = value - origins[element]
    counts[element] += 1
    sums[element] += distance
    squares[element] += distance * distance
  }

  private mutating func count(_ value: Double) {
    guard value >= 0 && value < Double(DataStatistics.largestCounted) else { return }
    let number = Int(value)
    if number >= occurrences.count {
      occurrences += Array(repeating: 0, count: number + 1 - occurrences.count)
    }
    occurrences[number] += 1
  }

  /// The numbers that were seen.
  public var count: Int { Int(counts.reduce(0, +)) }
  /// The smallest number, infinity where none was seen.
  public var smallest: Double { examples.map(\.smallest).min() ?? .infinity }
  /// The largest number, minus infinity where none was seen.
  public var largest: Double { examples.map(\.largest).max() ?? -.infinity }
  /// Whether every number was whole.
  public var isWhole: Bool { examples.allSatisfy { $0.fraction == nil } }

  /// Mean and variance of every element, of the examples' shape. Elements never seen have those of all
  /// numbers together.
  public var moments: DataMoments { moments(groups: shape.count, shape: shape) }

  /// Mean and variance over all elements at the same place of the last axis, `[channels]`.
  public var channelMoments: DataMoments {
    let channels = shape.rank > 0 ? shape[-1] : 1
    return moments(groups: channels, shape: [channels])
  }

  /// Mean and variance of all numbers together, `[1]`.
  public var totalMoments: DataMoments { moments(groups: 1, shape: [1]) }

  /// Element e belongs to the group e modulo their number.
  private func moments(groups: Int, shape: Shape) -> DataMoments {
    let (mean, variance, seen) = groupMoments(groups)
    guard seen.contains(0), groups > 1 else {
      return DataMoments(mean: Tensor(mean, shape: shape), variance: Tensor(variance, shape: shape))
    }
    let (allMean, allVariance, _) = groupMoments(1)
    func filled(_ values: [Double], _ other: Double) -> Tensor {
      Tensor(zip(values, seen).map { $1 == 0 ? other : $0 }, shape: shape)
    }
    return DataMoments(
      mean: filled(mean, allMean[0]), variance: filled(variance, allVariance[0]))
  }

  /// In two passes over the elements: the variance of a group is that within its elements and that of
  /// their means.
  private func groupMoments(
    _ groups: Int
  ) -> (mean: [Double], variance: [Double], seen: [Double]) {
    var (mean, variance, seen) = (
      [Double](repeating: 0, count: groups), [Double](repeating: 0, count: groups),
      [Double](repeating: 0, count: groups)
    )
    for element in counts.indices where counts[element] > 0 {
      let group = element % groups
      let own = origins[element] + sums[element] / counts[element]
      seen[group] += counts[element]
      mean[group] += (own - mean[group]) * counts[element] / seen[group]
    }
    for element in counts.indices where counts[element] > 0 {
      let group = element % groups
      let shift = sums[element] / counts[element]
      let distance = origins[element] + shift - mean[group]
      let within = max(0, squares[element] - shift * sums[element])
      variance[group] += (within + counts[element] * distance * distance) / seen[group]
    }
    return (mean, variance, seen)
  }
}

/// Mean and variance of data, float64, of the same shape; the last axis is that of the data.
public struct DataMoments: Sendable {
  /// Of each element or group of elements, float64.
  public var mean: Tensor
  /// Of each element or group of elements, float64; biased.
  public var variance: Tensor

  /// Both of one shape.
  public init(mean: Tensor, variance: Tensor) {
    self.mean = mean
    self.variance = variance
  }

  /// The standard deviation of all elements together around their own means; nil where nothing varies.
  public var deviation: Double? {
    let variance = variance.mean().item
    return variance > 0 && variance.isFinite ? variance.squareRoot() : nil
  }
}
