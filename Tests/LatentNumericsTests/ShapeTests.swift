// Laws of shapes over a table of random ones.

import Foundation
import Testing

@testable import LatentNumerics

@Suite struct ShapeTests {
  @Test func stridesNumberTheElements() {
    var cases = Cases(seed: 1)
    for _ in 0..<300 {
      let shape = cases.shape()
      let strides = shape.strides
      for (position, index) in shape.indices.enumerated() {
        let found = index.indices.reduce(0) { $0 + index[$1] * strides[$1] }
        #expect(found == position, "\(shape) at \(index), seed \(cases.seed)")
      }
      #expect(shape.count == shape.indices.count, "\(shape)")
    }
  }

  /// Commutative, idempotent, the scalar is neutral, and strides repeat where an axis does.
  @Test func broadcasting() {
    var cases = Cases(seed: 2)
    var fitting = 0
    for _ in 0..<2000 {
      let (a, b) = (cases.shape(), cases.shape())
      let both = a.broadcast(with: b)
      #expect(both == b.broadcast(with: a), "\(a) and \(b)")
      #expect(a.broadcast(with: a) == a && a.broadcast(with: .scalar) == a, "\(a)")
      let fits = zip(a.dimensions.reversed(), b.dimensions.reversed()).allSatisfy {
        $0 == $1 || $0 == 1 || $1 == 1
      }
      #expect((both != nil) == fits, "\(a) and \(b)")
      guard let both else { continue }
      fitting += 1
      #expect(both.rank == max(a.rank, b.rank) && a.broadcast(with: both) == both, "\(a) and \(b)")
      let steps = a.broadcastStrides(to: both)
      for index in both.indices {
        let own = zip(index.suffix(a.rank), a.dimensions).map { $1 == 1 ? 0 : $0 }
        let position = index.indices.reduce(0) { $0 + index[$1] * steps[$1] }
        #expect(position == a.position(own), "\(a) as \(both) at \(index)")
      }
    }
    #expect(fitting > 200)
  }

  @Test func editing() {
    var cases = Cases(seed: 3)
    for _ in 0..<300 {
      let shape = cases.shape(rank: 1...5)
      for axis in -shape.rank..<shape.rank {
        #expect(shape.removing(axis).inserting(shape[axis], at: shape.checked(axis)) == shape)
        #expect(shape.replacing(axis, with: 9).replacing(axis, with: shape[axis]) == shape)
      }
      for split in 0...shape.rank {
        #expect(shape.prefix(split) + shape.suffix(shape.rank - split) == shape)
      }
      #expect(shape.inserting(7, at: -1) == shape.appending(7))
      #expect(
        Shape(shape.dimensions) == shape && Shape(shape.dimensions).hashValue == shape.hashValue)
      #expect(shape.description == "\(shape.dimensions)")
    }
  }

  @Test func codingRoundTrips() throws {
    var cases = Cases(seed: 4)
    for _ in 0..<100 {
      let shape = cases.shape()
      let text = try JSONEncoder().encode(shape)
      #expect(String(decoding: text, as: UTF8.self) == shape.description.filter { $0 != " " })
      #expect(try JSONDecoder().decode(Shape.self, from: text) == shape)
    }
  }

  @Test(arguments: ["[-1]", "[1,1,1,1,1,1,1,1,1]", "[0.5]", "{}", "[99999999999999999999]"])
  func decodingRefuses(text: String) {
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(Shape.self, from: Data(text.utf8))
    }
  }
}
