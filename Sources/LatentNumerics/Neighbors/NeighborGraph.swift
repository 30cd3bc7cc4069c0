// Nearest neighbours by a graph of several layers (Malkov and Yashunin 2018, "Efficient and robust approximate nearest
// neighbor search using hierarchical navigable small world graphs"): a walk meets a few hundred of the vectors
// instead of all, and nearly always the nearest.

import CLatentHNSW

/// A graph over a table of vectors in which nearest neighbours are found without looking at all of them.
///
/// Needs hnswlib (`isAvailable`); `ExactNeighbors` needs nothing. The same vectors and
/// numbers make the same graph, and the answers do not depend on the number of threads.
public final class NeighborGraph: NeighborSearch {
  /// Whether the library was built with hnswlib.
  public static var isAvailable: Bool { latent_hnsw_available() }

  public let vectors: NDArray
  /// Candidates that a walk keeps, or as many as are wanted: more of them find more of the nearest, and take longer.
  public let searchWidth: Int
  /// Never changed after `init`; hnswlib's searches lock what they share.
  private nonisolated(unsafe) let graph: UnsafeMutableRawPointer

  /// Over the rows of a table `[vectors, size]` of any floating-point type.
  ///
  /// - Parameters:
  ///   - connections: links of each vector; the paper's M
  ///   - buildWidth: candidates that the links are chosen from; the paper's efConstruction
  ///   - searchWidth: see there; the paper's ef
  /// - Throws: `NumericsError.unavailable` where the library was built without hnswlib or memory does not suffice.
  public init(
    _ vectors: NDArray, connections: Int = 16, buildWidth: Int = 200, searchWidth: Int = 64,
    seed: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) throws {
    require(
      vectors.shape.rank == 2 && vectors.count > 0 && vectors.dtype.isFloatingPoint
        && (2...10_000).contains(connections) && buildWidth > 0 && searchWidth > 0,
      "a graph of \(connections) links over vectors \(vectors.shape) of \(vectors.dtype) by widths of "
        + "\(buildWidth) and \(searchWidth)", file: file, line: line)
    self.vectors = vectors.converted(to: .float32)
    self.searchWidth = searchWidth
    let (count, size) = (vectors.shape[0], vectors.shape[1])
    let made = self.vectors.withUnsafeElements(of: Float.self) {
      latent_hnsw_create($0.baseAddress, count, size, connections, buildWidth, seed)
    }
    guard let made else {
      throw NumericsError.unavailable(
        NeighborGraph.isAvailable
          ? "memory for a graph of \(count) vectors"
          : "hnswlib: install libhnswlib-dev and build with the trait HNSW")
    }
    graph = made
  }

  deinit { latent_hnsw_destroy(graph) }

  public func nearest(_ wanted: Int, to queries: NDArray) -> Neighbors {
    let queries = checked(queries, wanted)
    let (count, size) = (queries.shape[0], queries.shape[1])
    var found = NDArray(repeating: 0, shape: [count, wanted], .int32)
    var isWhole = [Bool](repeating: false, count: count)
    found.withUnsafeMutableBytes { bytes in
      let indices = bytes.bindMemory(to: Int32.self)
      isWhole.withUnsafeMutableBufferPointer { isWhole in
        nonisolated(unsafe) let (indices, isWhole) = (indices, isWhole)
        queries.withUnsafeElements(of: Float.self) { queries in
          guard let query = queries.baseAddress, let index = indices.baseAddress else { return }
          parallelFor(count) { row in
            isWhole[row] = latent_hnsw_search(
              graph, query + row * size, wanted, searchWidth, index + row * wanted)
          }
        }
      }
    }
    // A walk ends early where the graph is not connected, as of many equal vectors.
    let missed = isWhole.indices.filter { !isWhole[$0] }
    if !missed.isEmpty {
      let rows = NDArray(missed.map { Int32($0) })
      let exact = ExactNeighbors(vectors).nearest(wanted, to: queries.taking(rows, axis: 0))
      var list = found.int32s
      for (place, row) in missed.enumerated() {
        let own = exact.indices.rows(place..<place + 1).int32s
        list.replaceSubrange(row * wanted..<(row + 1) * wanted, with: own)
      }
      found = NDArray(list, shape: found.shape)
    }
    return neighbors(wanted, of: queries, among: found)
  }
}
