// Nearest neighbours: exact ones against a loop, the graph against exact ones, and the largest elements of rows.

import Foundation
import LatentNumerics
import Testing

@Suite struct NeighborTests {
  static func table(_ count: Int, _ size: Int, seed: UInt64 = 1, shift: Double = 0) -> NDArray {
    var random = RandomStream(seed: seed)
    return random.normal([count, size]).binary(
      .add, NDArray(repeating: shift, shape: [], .float32))
  }

  /// Everything compared with everything, in double.
  static func byLoop(_ wanted: Int, _ table: NDArray, _ queries: NDArray) -> [Int32] {
    let (size, rows, others) = (table.shape[1], table.doubles, queries.doubles)
    return (0..<queries.shape[0]).flatMap { query -> [Int32] in
      let squares = (0..<table.shape[0]).map { row -> Double in
        (0..<size).reduce(0) { sum, i in
          let difference = rows[row * size + i] - others[query * size + i]
          return sum + difference * difference
        }
      }
      return squares.indices.sorted { (squares[$0], $0) < (squares[$1], $1) }.prefix(wanted).map {
        Int32($0)
      }
    }
  }

  @Test(arguments: [(1, 1, 1), (7, 3, 7), (300, 5, 10), (300, 1, 4)], [0, 1000] as [Double])
  func exact(size: (count: Int, size: Int, wanted: Int), shift: Double) {
    let table = Self.table(size.count, size.size, shift: shift)
    let queries = Self.table(5, size.size, seed: 2, shift: shift)
    let found = ExactNeighbors(table).nearest(size.wanted, to: queries)
    #expect(found.indices.shape == [5, size.wanted])
    #expect(found.indices.int32s == Self.byLoop(size.wanted, table, queries))
    // Each is its own nearest.
    let own = ExactNeighbors(table).nearest(1, to: table)
    #expect(own.indices.int32s == (0..<Int32(size.count)).map { $0 })
    #expect(own.distances.floats.allSatisfy { $0 == 0 })
  }

  @Test func distancesAreEuclidean() {
    let table = NDArray([0, 0, 3, 4, 0, 1] as [Float], shape: [3, 2])
    let found = ExactNeighbors(table).nearest(3, to: NDArray([0, 0] as [Double], shape: [1, 2]))
    #expect(found.indices.int32s == [0, 2, 1])
    #expect(found.distances.floats == [0, 1, 5])
  }

  @Test func equalDistancesComeInOrder() {
    let table = NDArray([1, 1, -1, 1, 1] as [Float], shape: [5, 1])
    let found = ExactNeighbors(table).nearest(5, to: NDArray([0] as [Float], shape: [1, 1]))
    #expect(found.indices.int32s == [0, 1, 2, 3, 4])
  }

  @Test func noQueries() {
    let found = ExactNeighbors(Self.table(4, 2)).nearest(2, to: Self.table(0, 2))
    #expect(found.indices.shape == [0, 2] && found.distances.shape == [0, 2])
  }

  @Test(.enabled(if: NeighborGraph.isAvailable)) func graph() throws {
    let table = Self.table(3000, 16)
    let queries = Self.table(200, 16, seed: 3)
    let exact = ExactNeighbors(table).nearest(10, to: queries)
    let graph = try NeighborGraph(table, searchWidth: 100)
    let found = graph.nearest(10, to: queries)
    #expect(found.recall(of: exact) >= 0.95)
    // Those that are found have their true distances, in order.
    for row in 0..<200 {
      let lengths = Array(found.distances.floats[row * 10..<row * 10 + 10])
      #expect(lengths == lengths.sorted())
    }
    #expect(exact.recall(of: exact) == 1)
    // The same graph again, on any number of threads.
    let before = Threads.count
    defer { Threads.count = before }
    Threads.count = 1
    #expect(
      try NeighborGraph(table, searchWidth: 100).nearest(10, to: queries).indices == found.indices)
  }

  static let isCampaign = ProcessInfo.processInfo.environment["LATENT_CAMPAIGNS"] != nil

  /// As many vectors as MNIST has examples: the graph finds nearly all, ten times as fast.
  @Test(.enabled(if: NeighborGraph.isAvailable && isCampaign)) func graphOfManyVectors() throws {
    // Codes of data lie near few dimensions: eight of sixteen carry most.
    let scales = NDArray((0..<16).map { Float($0 < 8 ? 1 : 0.2) })
    let table = Self.table(60_000, 16).binary(.multiply, scales)
    let queries = Self.table(2000, 16, seed: 3).binary(.multiply, scales)
    func timed<Result>(_ body: () throws -> Result) rethrows -> (Result, Duration) {
      let clock = ContinuousClock()
      var result: Result?
      let time = try clock.measure { result = try body() }
      guard let result else { fatalError("no result") }
      return (result, time)
    }
    let all = ExactNeighbors(table)
    _ = all.nearest(10, to: queries)
    let (exact, exactTime) = timed { all.nearest(10, to: queries) }
    let (graph, buildTime) = try timed { try NeighborGraph(table) }
    let (found, graphTime) = timed { graph.nearest(10, to: queries) }
    let recall = found.recall(of: exact)
    print("exact \(exactTime), graph \(graphTime) after \(buildTime), recall \(recall)")
    #expect(recall >= 0.95)
    #expect(graphTime * 10 < exactTime)
  }

  /// Where many vectors are equal a walk may end among them: what it misses is found by comparing.
  @Test(.enabled(if: NeighborGraph.isAvailable)) func graphOfEqualVectors() throws {
    let table = NDArray(repeating: 1, shape: [500, 3], .float32)
    let found = try NeighborGraph(table, connections: 2, buildWidth: 4, searchWidth: 1)
      .nearest(500, to: NDArray(repeating: 0, shape: [2, 3], .float32))
    #expect(Set(found.indices.int32s.prefix(500)).count == 500)
  }

  @Test(arguments: [1, 2, 5, 64, 1000]) func largest(width: Int) {
    var random = RandomStream(seed: 4)
    // Few different values: ties everywhere.
    let values = random.normal([6, width]).unary(.round)
    for wanted in Set([0, 1, width / 3, width]) {
      let found = values.largest(wanted).int32s
      let expected = (0..<6).flatMap { row -> ArraySlice<Int32> in
        let list = Array(values.floats[row * width..<(row + 1) * width])
        return list.indices.sorted { (-list[$0], $0) < (-list[$1], $1) }.map { Int32($0) }
          .prefix(wanted)
      }
      #expect(found == expected)
    }
    #expect(NDArray([.nan, -1, .infinity] as [Double]).largest(3).int32s == [2, 1, 0])
  }
}
