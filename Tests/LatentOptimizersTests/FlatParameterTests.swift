// How parameters live in one buffer: updated in place, and packed again where the model changed.

import LatentAutodiff
import LatentLayers
import LatentNumerics
import LatentOptimizers
import Testing

@Suite struct FlatParameterTests {
  func address(_ tensor: Tensor) -> UInt {
    tensor.array.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
  }

  @Test func updatesHappenInPlace() {
    var model = Pair()
    var optimizer = Adam()
    optimizer.run(&model, 0..<1)
    let places = (address(model.a), address(model.b))
    #expect(places.0 % 64 == 0 && places.1 % 64 == 0, "parameters start at cache lines")
    optimizer.run(&model, 1..<4)
    #expect(address(model.a) == places.0 && address(model.b) == places.1)
  }

  @Test func aCopyOfTheModelCostsOneBuffer() {
    var model = Pair()
    var optimizer = SGD(learningRate: 0.1)
    optimizer.run(&model, 0..<1)
    let copy = model
    let place = address(model.a)
    optimizer.run(&model, 1..<2)
    #expect(address(model.a) != place && address(copy.a) == place)
    let next = address(model.a)
    optimizer.run(&model, 2..<3)
    #expect(address(model.a) == next, "in place again")
  }

  /// Loading, conversion or an own assignment between updates is seen.
  @Test func replacedParametersArePackedAgain() {
    var model = Pair()
    var optimizer = SGD(learningRate: 0.5)
    optimizer.run(&model, 0..<1)
    model.b = .zeros([4], .float64)
    let a = model.a.doubles
    let gradients = model.gradients(step: 1)
    optimizer.update(&model, along: gradients)
    #expect(model.b.doubles == gradients.tensors[1]?.doubles.map { 0 - 0.5 * $0 })
    #expect(model.a.doubles == zip(a, gradients.tensors[0]?.doubles ?? []).map { $0 - 0.5 * $1 })
  }

  /// A part of a parameter is a view that starts where the parameter did.
  @Test func aShortenedParameterIsPackedAgain() {
    var model = Pair()
    var optimizer = SGD(learningRate: 0.5)
    optimizer.run(&model, 0..<1)
    model.a = model.a.sliced(0, 0..<1)
    let a = model.a.doubles
    let gradients = model.gradients(step: 1)
    optimizer.update(&model, along: gradients)
    #expect(model.a.shape == [1, 3])
    #expect(model.a.doubles == zip(a, gradients.tensors[0]?.doubles ?? []).map { $0 - 0.5 * $1 })
  }

  @Test func modelsWithoutParametersOrElements() {
    var nothing = Dropout(rate: 0.5)
    var optimizer = Adam()
    optimizer.update(&nothing, along: Gradients([]))
    #expect(optimizer.step == 1)
    var empty = Pair(sizes: ([0, 3], [4]))
    let before = empty.b.doubles
    var second = SGD(learningRate: 1)
    second.run(&empty, 0..<3)
    #expect(empty.a.shape == [0, 3] && empty.b.doubles != before)
  }

  /// A buffer is not touched, and a model of one type of layer keeps its own structure.
  @Test func buffersStay() {
    var model = Pair()
    model.count = Tensor([42.0] as [Double])
    var optimizer = Adamax()
    optimizer.run(&model, 0..<3)
    #expect(model.count.doubles == [42])
  }

  @Test func gradientsMayOutliveTheUpdate() {
    var model = Pair()
    var optimizer = RMSprop(learningRate: 0.1, momentum: 0.5)
    let gradients = model.gradients(step: 0)
    let before = gradients.tensors.map { $0?.doubles }
    optimizer.update(&model, along: gradients)
    #expect(gradients.tensors.map { $0?.doubles } == before)
  }
}
