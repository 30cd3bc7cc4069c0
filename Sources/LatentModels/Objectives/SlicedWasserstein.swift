// The Wasserstein distance between two samples along random lines, where sorting solves the transport
// (Kolouri et al. 2019, "Sliced-Wasserstein autoencoder", algorithm 1).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// SW_2²: the mean over directions of the mean squared difference of sorted projections.
///
/// Directions are uniform on the sphere and new at every call. Which code goes with which is a constant to
/// the derivative.
public struct SlicedWasserstein: CodeDistance {
  /// The lines that codes are projected onto.
  public let directions: Int

  /// Traps unless there are directions.
  public init(directions: Int = 50, file: StaticString = #fileID, line: UInt = #line) {
    require(directions > 0, "\(directions) directions", file: file, line: line)
    self.directions = directions
  }

  public var term: String { "sliced" }

  public func callAsFunction(
    from z: Tensor, to y: Tensor, using random: inout RandomStream
  ) -> Tensor {
    let normal = random.normalTensor([z.flattened(from: 1).shape[1], directions], z.dtype)
    let lengths = sqrt(square(normal).sum(axes: [0]))
    return SlicedWasserstein.distance(from: z, to: y, along: normal / lengths)
  }

  /// The distance of codes z from constant codes y, each `[n, ...]`, along unit directions `[d, lines]`, `[]`.
  public static func distance(from z: Tensor, to y: Tensor, along directions: Tensor) -> Tensor {
    require(
      z.shape == y.shape && z.rank > 1,
      "the sliced distance of codes \(z.shape) and \(y.shape): expected two samples of the same shape"
    )
    let projected = matmul(z.flattened(from: 1), directions)
    let target = matmul(y.detached.flattened(from: 1), directions)
    return square(projected - arranged(target, like: projected)).mean()
  }

  /// Each column of `values` `[n, lines]` in the order of the same column of `order`.
  private static func arranged(_ values: Tensor, like order: Tensor) -> Tensor {
    let (count, lines) = (values.shape[0], values.shape[1])
    let (values, keys) = (values.doubles, order.doubles)
    var result = [Double](repeating: 0, count: values.count)
    for line in 0..<lines {
      let sorted = (0..<count).map { values[$0 * lines + line] }.sorted()
      let ranked = (0..<count).sorted { keys[$0 * lines + line] < keys[$1 * lines + line] }
      for (rank, position) in ranked.enumerated() { result[position * lines + line] = sorted[rank] }
    }
    return Tensor(NDArray(result, shape: [count, lines]).converted(to: order.dtype))
  }
}
