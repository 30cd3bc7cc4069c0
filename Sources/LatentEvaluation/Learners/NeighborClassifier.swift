import LatentAutodiff
import LatentNumerics

/// The class that most of the nearest examples have; of classes with as many, the one whose first example is nearest.
public struct NeighborClassifier: Classifier {
  /// How many neighbours vote.
  public let neighbors: Int
  private let search: ExactNeighbors
  private let labels: [Int]

  /// Remembers `features` `[examples, dimensions]` and their labels. Traps where they do not fit, or there are fewer
  /// examples than neighbours.
  public init(
    _ features: Tensor, labels: [Int], neighbors: Int = 5, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    requireExamples(
      features, labels, classes: (labels.max() ?? 0) + 1, "nearest neighbours", file: file,
      line: line)
    require(
      (1...labels.count).contains(neighbors),
      "\(neighbors) nearest neighbours of \(labels.count) examples", file: file, line: line)
    self.neighbors = neighbors
    self.labels = labels
    search = ExactNeighbors(features.array, file: file, line: line)
  }

  public func classes(of features: Tensor) -> [Int] {
    NeighborClassifier.votes(of: search.nearest(neighbors, to: features.array), labels: labels)
  }

  /// The class that most neighbours of each query have, by the labels of the examples that were searched.
  static func votes(of nearest: Neighbors, labels: [Int]) -> [Int] {
    let (indices, width) = (nearest.indices.int32s, nearest.indices.shape[1])
    return stride(from: 0, to: indices.count, by: width).map { start in
      let votes = indices[start..<start + width].map { labels[Int($0)] }
      var best = (label: votes[0], count: 0)
      for label in votes {
        let count = votes.count(where: { $0 == label })
        if count > best.count { best = (label, count) }
      }
      return best.label
    }
  }
}
