// Dropout: how many elements go, what the others become, and where the numbers come from.

import LatentAutodiff
import LatentLayers
import LatentNumerics
import Testing

@Suite struct DropoutTests {
  static func training(_ seed: UInt64) -> LayerContext {
    LayerContext(isTraining: true, random: RandomStream(seed: seed))
  }

  @Test(arguments: [0.1, 0.25, 0.5, 0.9], [DType.float32, .float64])
  func zerosAndScale(rate: Double, dtype: DType) {
    let count = 200_000
    let x = Tensor(repeating: 3, shape: [400, 500], dtype)
    var context = DropoutTests.training(7)
    let values = Dropout(rate: rate)(x, &context).doubles
    let dropped = Double(values.count { $0 == 0 })
    let deviation = (Double(count) * rate * (1 - rate)).squareRoot()
    #expect(abs(dropped - Double(count) * rate) < 4 * deviation, "\(dropped) of \(count)")
    let kept = 3 / (1 - rate)
    #expect(values.allSatisfy { $0 == 0 || abs($0 - kept) < 1e-5 * kept }, "rate \(rate)")
  }

  @Test func inferenceAndRateZeroAreTheIdentity() {
    var random = RandomStream(seed: 5)
    let x = random.normalTensor([6, 7])
    #expect(Dropout(rate: 0.5)(x).array == x.array)
    var context = DropoutTests.training(1)
    #expect(Dropout(rate: 0)(x, &context).array == x.array)
    #expect(context.random == RandomStream(seed: 1), "nothing is drawn")
  }

  /// The mask is a function of the stream: the same again, another at the next call.
  @Test func masksFollowTheStream() {
    let x = Tensor.ones([64])
    let layer = Dropout(rate: 0.5)
    var (first, again, other) = (
      DropoutTests.training(1), DropoutTests.training(1), DropoutTests.training(2)
    )
    let mask = layer(x, &first).array
    #expect(layer(x, &again).array == mask)
    #expect(layer(x, &again).array != mask)
    #expect(layer(x, &other).array != mask)
    var chained = DropoutTests.training(1)
    let twice = Sequential(layer, layer)(x, &chained).floats
    #expect(twice.contains(2) == false && twice.contains(4), "two layers, two masks")
    #expect(twice.count { $0 == 4 } < 32)
  }

  @Test func derivativePassesWhereValuesPass() {
    let x = Tensor((1...50).map(Double.init))
    var context = DropoutTests.training(3)
    let mask = Dropout(rate: 0.3)(x.onesLike, &context)
    let slope = gradient(at: x) { x in
      var context = DropoutTests.training(3)
      return Dropout(rate: 0.3)(x, &context).sum()
    }
    #expect(slope.array == mask.array)
  }
}
