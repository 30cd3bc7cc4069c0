// Three steps of Adam on the factors of one adapted layer, against PyTorch in float64
// (scripts/references/adapters.py).

import Foundation
import LatentAutodiff
import LatentLayers
import LatentNumerics
import LatentOptimizers
import Testing

@Suite struct AdapterStepTests {
  struct Reference: Decodable {
    let losses, downGradient, upGradient, down, up: [Double]
  }

  static func references() throws -> [String: Reference] {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appending(path: "Resources/adapters.json")
    return try JSONDecoder().decode([String: Reference].self, from: Data(contentsOf: file))
  }

  /// What the script calls `waves`.
  private func waves(_ shape: Shape, _ start: Double, _ scale: Double = 1) -> Tensor {
    Tensor((0..<shape.count).map { scale * sin(1.7 * Double($0) + start) }, shape: shape)
  }

  @Test(arguments: ["linear", "convolution", "transposed"]) func followsPyTorch(name: String) throws
  {
    var random = RandomStream(seed: 1)
    switch name {
    case "linear": try check(name, Linear(4, 3, using: &random), [5, 4], outputs: 3)
    case "convolution":
      let layer = Conv2D(3, 4, kernel: 3, stride: 2, padding: 1, using: &random)
      try check(name, layer, [2, 4, 4, 3], outputs: 4)
    default:
      let layer = ConvTranspose2D(3, 2, kernel: 4, stride: 2, padding: 1, using: &random)
      try check(name, layer, [2, 3, 3, 3], outputs: 2)
    }
  }

  private func check(
    _ name: String, _ layer: some WeightedLayer, _ input: Shape, outputs: Int
  ) throws {
    let reference = try #require(AdapterStepTests.references()[name])
    var base = layer.converted(to: .float64)
    base.setParameters([waves(base.weight.shape, 2, 0.4), waves([outputs], 3, 0.2)])
    var random = RandomStream(seed: 1)
    var adapted = try Adapted(base, weights: ["weight"], rank: 2, scale: 1.5, using: &random)
    let shapes = adapted.parameters.map(\.shape)
    adapted.setParameters([waves(shapes[0], 4, 0.5), waves(shapes[1], 5, 0.3)])
    let x = waves(input, 1)
    var adam = Adam(learningRate: 0.01)
    for step in 0..<3 {
      let (loss, gradients) = valueAndGradient(at: adapted) { square($0.merged(x)).mean() }
      #expect(abs(loss.item - reference.losses[step]) < 1e-12, "step \(step)")
      if step == 0 {
        for (found, expected) in zip(
          gradients.tensors, [reference.downGradient, reference.upGradient])
        {
          expectNear(found?.doubles ?? [], expected)
        }
      }
      adam.update(&adapted, along: gradients)
    }
    for (found, expected) in zip(adapted.parameters, [reference.down, reference.up]) {
      expectNear(found.doubles, expected)
    }
    #expect(adapted.base.namedArrays == base.namedArrays)
  }

  private func expectNear(_ found: [Double], _ expected: [Double]) {
    let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? .infinity
    #expect(found.count == expected.count && worst < 1e-12, "\(worst)")
  }
}
