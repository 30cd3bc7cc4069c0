// Pooling, interpolation and padding do the same along every spatial axis: each output is a weighted
// sum of a few inputs. An axis map is that as a sparse matrix; its transpose is the derivative.

import CLatentKernels

/// A linear map along one axis, as the sparse rows of a matrix `[outputSize, inputSize]`.
package struct AxisMap: Sendable {
  package let inputSize: Int
  package let outputSize: Int
  /// Row o holds the entries `starts[o]..<starts[o + 1]`.
  private let starts: NDArray
  private let indices: NDArray
  private let weights: NDArray

  private init(inputSize: Int, starts: [Int32], indices: [Int32], weights: [Double]) {
    self.inputSize = inputSize
    outputSize = starts.count - 1
    self.starts = NDArray(starts)
    self.indices = NDArray(indices)
    self.weights = NDArray(weights)
  }

  /// `row` is called for each output in turn and adds its entries: rising positions of inputs with
  /// their weights.
  init(from inputSize: Int, to outputSize: Int, row: (Int, (Int, Double) -> Void) -> Void) {
    require(
      inputSize <= Int32.max && outputSize < Int32.max,
      "a spatial axis of \(inputSize) or \(outputSize): at most \(Int32.max - 1)")
    var starts: [Int32] = [0]
    var indices: [Int32] = []
    var weights: [Double] = []
    starts.reserveCapacity(outputSize + 1)
    for output in 0..<outputSize {
      row(output) { input, weight in
        indices.append(Int32(input))
        weights.append(weight)
      }
      starts.append(Int32(indices.count))
    }
    self.init(inputSize: inputSize, starts: starts, indices: indices, weights: weights)
  }

  /// Leaves an axis as it is.
  static func identity(_ size: Int) -> AxisMap {
    AxisMap(from: size, to: size) { $1($0, 1) }
  }

  /// The transposed matrix: the derivative of the map.
  package var transposed: AxisMap {
    let (starts, indices, weights) = (starts.int32s, indices.int32s, weights.doubles)
    var counts = [Int32](repeating: 0, count: inputSize + 1)
    for input in indices { counts[Int(input) + 1] += 1 }
    for input in 0..<inputSize { counts[input + 1] += counts[input] }
    var next = counts
    var outputs = [Int32](repeating: 0, count: indices.count)
    var transposedWeights = [Double](repeating: 0, count: indices.count)
    for output in 0..<outputSize {
      for entry in Int(starts[output])..<Int(starts[output + 1]) {
        let place = Int(next[Int(indices[entry])])
        next[Int(indices[entry])] += 1
        outputs[place] = Int32(output)
        transposedWeights[place] = weights[entry]
      }
    }
    return AxisMap(
      inputSize: outputSize, starts: counts, indices: outputs, weights: transposedWeights)
  }

  /// Valid as long as this map lives.
  var kernel: latent_axis_map {
    latent_axis_map(
      inputs: Int64(inputSize), outputs: Int64(outputSize),
      starts: starts.pointer.assumingMemoryBound(to: Int32.self),
      indices: indices.pointer.assumingMemoryBound(to: Int32.self),
      weights: weights.pointer.assumingMemoryBound(to: Double.self))
  }
}
