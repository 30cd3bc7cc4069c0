// Operations that only move elements, against index arithmetic over random shapes.

import LatentNumerics
import Testing

@Suite struct MovementTests {
  @Test(arguments: DType.arithmetic) func permute(dtype: DType) {
    var cases = Cases(seed: 20)
    for _ in 0..<80 {
      let array = cases.array(cases.shape(), dtype)
      let order = cases.order(array.shape.rank)
      let oracle = array.picked(Shape(order.map { array.shape[$0] })) { index in
        order.indices.map { axis in index[order.firstIndex(of: axis)!] }
      }
      #expect(array.permuted(order) == oracle, "\(array.shape) by \(order), seed \(cases.seed)")
    }
  }

  @Test(arguments: DType.arithmetic) func sliceReversePad(dtype: DType) {
    var cases = Cases(seed: 21)
    for _ in 0..<120 {
      let array = cases.array(cases.shape(rank: 1...5), dtype)
      let axis = cases.integer(0...(array.shape.rank - 1))
      let length = array.shape[axis]
      let lower = cases.integer(0...length)
      let upper = cases.integer(lower...length)
      let step = cases.integer(1...3)
      let name: Comment = "\(array.shape) axis \(axis), \(lower)..<\(upper) by \(step)"
      let count = stride(from: lower, to: upper, by: step).reduce(0) { sum, _ in sum + 1 }
      let slice = array.sliced(axis - array.shape.rank, lower..<upper, step: step)
      let oracle = array.picked(array.shape.replacing(axis, with: count)) { index in
        var source = index
        source[axis] = lower + index[axis] * step
        return source
      }
      #expect(slice == oracle, name)
      // Overwriting with what was taken changes nothing; with something else exactly that.
      var same = array
      if count > 0 { same.overwrite(axis, from: lower, step: step, with: slice) }
      #expect(same == array, name)
      var zeroed = array
      let zeros = NDArray(repeating: 0, shape: slice.shape, dtype)
      if count > 0 { zeroed.overwrite(axis, from: lower, step: step, with: zeros) }
      let rest = array.picked(array.shape) { index in
        let inside =
          index[axis] >= lower && index[axis] < upper && (index[axis] - lower) % step == 0
        return inside ? nil : index
      }
      #expect(zeroed == rest, name)

      let reversed = array.picked(array.shape) { index in
        var source = index
        source[axis] = length - 1 - index[axis]
        return source
      }
      #expect(array.reversed(axis) == reversed, name)
      let padded = array.picked(array.shape.replacing(axis, with: length + 3), otherwise: 9) {
        var source = $0
        source[axis] -= 2
        return source[axis] >= 0 && source[axis] < length ? source : nil
      }
      #expect(array.padded(axis, before: 2, after: 1, value: 9) == padded, name)
    }
  }

  /// Parts made on several threads stand where their ranges are.
  @Test func joined() {
    let array = NDArray((0..<77).map { Float($0) }).reshaped([11, 7])
    for parts in 1...11 {
      let whole = NDArray.joined(rows: 11, parts: parts) { array.sliced(0, $0).unary(.negate) }
      #expect(whole == array.unary(.negate), "\(parts)")
    }
  }

  /// Cutting and joining are inverse.
  @Test(arguments: DType.arithmetic) func concatenate(dtype: DType) {
    var cases = Cases(seed: 22)
    for _ in 0..<80 {
      let array = cases.array(cases.shape(rank: 1...5), dtype)
      let axis = cases.integer(0...(array.shape.rank - 1))
      let cuts = [0, cases.integer(0...array.shape[axis]), array.shape[axis]]
      let parts = [0, 1].map { array.sliced(axis, cuts[$0]..<cuts[$0 + 1]) }
      #expect(NDArray.concatenate(parts, axis: axis) == array, "\(array.shape) at \(cuts)")
      #expect(NDArray.concatenate(parts, axis: axis - array.shape.rank) == array)
    }
  }

  @Test(arguments: DType.arithmetic) func takeByIndex(dtype: DType) {
    var cases = Cases(seed: 23)
    for _ in 0..<120 {
      let array = cases.array(cases.shape(rank: 1...4), dtype)
      let axis = cases.integer(0...(array.shape.rank - 1))
      let length = array.shape[axis]
      let indexShape = length == 0 ? [0] : cases.shape(rank: 0...2)
      let indices = (0..<indexShape.count).map { _ in Int32(cases.integer(0...(length - 1))) }
      let list = NDArray(indices, shape: indexShape)
      let name: Comment = "\(array.shape) axis \(axis) at \(indices), seed \(cases.seed)"
      let shape =
        array.shape.prefix(axis) + indexShape
        + array.shape.suffix(array.shape.rank - axis - 1)
      let taken = array.taking(list, axis: axis)
      let oracle = array.picked(shape) { index in
        let place = indexShape.position(Array(index[axis..<(axis + indexShape.rank)]))
        return Array(index[..<axis]) + [Int(indices[place])]
          + Array(index[(axis + indexShape.rank)...])
      }
      #expect(taken == oracle, name)

      let alongShape = array.shape.replacing(axis, with: length == 0 ? 0 : 2)
      let along = (0..<alongShape.count).map { _ in Int32(cases.integer(0...(length - 1))) }
      let alongArray = NDArray(along, shape: alongShape)
      let alongOracle = array.picked(alongShape) { index in
        var source = index
        source[axis] = Int(along[alongShape.position(index)])
        return source
      }
      #expect(array.takingAlong(alongArray, axis: axis) == alongOracle, name)
      guard dtype.isFloatingPoint else { continue }
      // <scatter(u), x> = <u, take(x)>: each is the other's transpose.
      let cotangent = cases.array(shape, dtype)
      let scattered = cotangent.scatterAdded(list, axis: axis, length: length)
      #expect(scattered.shape == array.shape, name)
      #expect(distance(inner(scattered, array), inner(cotangent, taken)) < 1e-4, name)
      let alongCotangent = cases.array(alongShape, dtype)
      let alongScattered = alongCotangent.scatterAddedAlong(alongArray, axis: axis, length: length)
      #expect(
        distance(inner(alongScattered, array), inner(alongCotangent, alongOracle)) < 1e-4, name)
    }
  }

  private func inner(_ a: NDArray, _ b: NDArray) -> Double {
    zip(a.doubles, b.doubles).reduce(0) { $0 + $1.0 * $1.1 }
  }

  @Test func broadcastAndSelect() {
    var cases = Cases(seed: 24)
    for _ in 0..<200 {
      let shapes = [cases.shape(), cases.shape(), cases.shape()]
      guard let target = shapes[0].broadcast(with: shapes[1])?.broadcast(with: shapes[2]),
        shapes[1].broadcast(with: shapes[2]) != nil
      else { continue }
      let arrays = shapes.map { cases.array($0, .float64) }
      let full = arrays.map { array in
        array.picked(target) { index in
          zip(index.suffix(array.shape.rank), array.shape.dimensions).map { $1 == 1 ? 0 : $0 }
        }
      }
      for (array, oracle) in zip(arrays, full) {
        #expect(array.broadcast(to: target) == oracle, "\(array.shape) to \(target)")
      }
      let sign = arrays[0].binary(.greater, scalar: 0)
      let oracle = zip(full[0].doubles, zip(full[1].doubles, full[2].doubles)).map {
        $0 > 0 ? $1.0 : $1.1
      }
      #expect(
        NDArray.select(sign, arrays[1], arrays[2]) == NDArray(oracle, shape: target), "\(shapes)")
    }
  }
}
