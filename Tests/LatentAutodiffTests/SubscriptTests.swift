// Brackets read what slices read, and derivatives find their way back.

import LatentAutodiff
import LatentNumerics
import TestSupport
import Testing

@Suite struct SubscriptTests {
  static let x = Tensor((0..<24).map { Double($0) }, shape: [2, 3, 4])

  @Test func positions() {
    let x = SubscriptTests.x
    #expect(x[1].shape == [3, 4] && x[1].doubles == (12..<24).map { Double($0) })
    #expect(x[1, 2].doubles == [20, 21, 22, 23] && x[0, 1].shape == [4])
    #expect(x[1, 0, 3].shape == [] && x[1, 0, 3].item == 15)
    for (tensor, array) in [
      (x[0], x.array[0]), (x[1, 2], x.array[1, 2]), (x[1, 0, 3], x.array[1, 0, 3]),
      (x[1..<2], x.array[1..<2]), (x[0...], x.array[0...]),
    ] { #expect(tensor.array == array) }
  }

  @Test func ranges() {
    let x = SubscriptTests.x.reshaped([6, 4])
    #expect(x[1..<3].shape == [2, 4] && x[1..<3].doubles == (4..<12).map { Double($0) })
    #expect(x[4...].doubles == (16..<24).map { Double($0) })
    #expect(x[..<1].doubles == [0, 1, 2, 3] && x[...0].doubles == [0, 1, 2, 3])
    #expect(x[2..<2].shape == [0, 4])
  }

  @Test func derivatives() {
    func slope(_ function: (Tensor) -> Tensor) -> [Double] {
      gradient(at: SubscriptTests.x) { (function($0) * 2).sum() }.doubles
    }
    func at(_ places: some Sequence<Int>) -> [Double] {
      let places = Set(places)
      return (0..<24).map { places.contains($0) ? 2 : 0 }
    }
    #expect(slope { $0[1] } == at(12..<24))
    #expect(slope { $0[0, 2] } == at(8..<12))
    #expect(slope { $0[1, 2, 3] } == at([23]))
    #expect(slope { $0[..<1] } == at(0..<12))
  }

  @Test func oneHot() {
    let labels = Tensor([2, 0, 1, 2] as [Int32], shape: [2, 2])
    let ones = Tensor.oneHot(labels, classes: 3)
    #expect(ones.shape == [2, 2, 3] && ones.dtype == .float32)
    #expect(ones.doubles == [0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1])
    #expect(Tensor.oneHot(labels, classes: 4, .float64).dtype == .float64)
    #expect(Tensor.oneHot(Tensor([] as [Int32]), classes: 3).shape == [0, 3])
  }

  @Test func assignment() {
    let y = Tensor([2.0, 4] as [Double])
    var x = Tensor([8.0, 8] as [Double])
    x /= y
    #expect(x.doubles == [4, 2])
    x -= 1
    x /= 2
    #expect(x.doubles == [1.5, 0.5])
    let slope = gradient(at: y) { y in
      var z = y * 1
      z /= y
      z -= y
      z /= 4
      return z.sum()
    }
    #expect(slope.doubles == [-0.25, -0.25])
  }

  @Test(arguments: [
    Mistake(name: "position", words: ["position [1, 3] of an array of shape [2, 3, 4]"]),
    Mistake(name: "below", words: ["position [-1] of an array of shape [2, 3, 4]"]),
    Mistake(name: "axes", words: ["position [0, 0, 0, 0] of an array of shape [2, 3, 4]"]),
    Mistake(name: "range", words: ["slice 1..<3"]),
    Mistake(name: "label", words: ["oneHot: label 3 of 3 classes"]),
    Mistake(name: "type", words: ["oneHot of labels of float32"]),
    Mistake(name: "input", words: ["linear: input [2, 3] of int32"]),
    Mistake(name: "wide", words: ["linear: input [2, 3] of float64 and weight [1, 3] of float32"]),
  ]) func traps(mistake: Mistake) async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [mistake] in
      let x = SubscriptTests.x
      switch mistake.name {
      case "position": _ = x[1, 3]
      case "below": _ = x.array[-1]
      case "axes": _ = x[0, 0, 0, 0]
      case "range": _ = x[1..<3]
      case "label": _ = Tensor.oneHot(Tensor([0, 3] as [Int32]), classes: 3)
      case "type": _ = Tensor.oneHot(Tensor([0, 3] as [Float]), classes: 3)
      case "input":
        _ = linear(Tensor.zeros([2, 3], .int32), weight: .zeros([1, 3]), bias: .zeros([1]))
      default: _ = linear(Tensor.zeros([2, 3], .float64), weight: .zeros([1, 3]), bias: nil)
      }
    }
    #expect(mistake.missing(in: result?.standardErrorContent) == nil)
  }
}
