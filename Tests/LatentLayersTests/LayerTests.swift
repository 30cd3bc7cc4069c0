// The small layers: against PyTorch's numbers, and the laws of dropout and composition.

import LatentAutodiff
import LatentLayers
import LatentNumerics
import Testing

@Suite struct LayerTests {
  // PyTorch 2.15, float64. x = ((7 i) mod 11 - 5) / 4 for i < 12, w = ((5 i) mod 7 - 3) / 2.
  static let x = Tensor((0..<12).map { Double($0 * 7 % 11 - 5) / 4 }, shape: [3, 4])
  static let w = Tensor((0..<12).map { Double($0 * 5 % 7 - 3) / 2 }, shape: [3, 4])

  static func layerNorm(epsilon: Double = 1e-5) -> LayerNorm {
    var layer = LayerNorm(4, epsilon: epsilon)
    layer.scale = Tensor([1, 0.5, -2, 1.5] as [Double])
    layer.shift = Tensor([0.25, 0, -0.5, 1] as [Double])
    return layer
  }

  /// `torch.nn.functional.layer_norm(x, (4,), scale, shift)` and the derivatives of `(y w).sum()`.
  @Test func layerNormIsPyTorchs() {
    let layer = LayerTests.layerNorm()
    let value = [
      -1.0630570841643319, 0.2626114168328664, 0.5504456673314655, 2.9695856262464977,
      0.449997440049151, -0.6999910401720284, -3.2999641606881136, 0.7000038399262737,
      -0.47289142635286074, 0.7630520611502419, -0.9819276175685738, -0.5662647570978651,
    ]
    #expect(distance(layer(LayerTests.x), value) < 1e-13)
    let (_, parameters) = valueAndGradient(at: layer) { ($0(LayerTests.x) * LayerTests.w).sum() }
    let scale = [
      1.5466903599673634, -0.17476820650629554, -0.9409548489563153, -2.579325681188471,
    ]
    #expect(parameters.tensors[0].map { distance($0, scale) < 1e-12 } == true)
    #expect(parameters.tensors[1].map { distance($0, [1, 1.5, -1.5, -1]) < 1e-12 } == true)
    let input = gradient(at: LayerTests.x) { (layer($0) * LayerTests.w).sum() }
    #expect(
      distance(
        input,
        [
          -0.8285852971620357, 1.1455295110467, 0.6927504067833645, -1.009694620668029,
          2.0559773699637183, 1.2079587340877445, 0.3920207863054632, -3.655956890356926,
          -1.0032286308542944, -0.416655175408989, 1.0840747265025463, 0.33580907976073693,
        ]) < 1e-12)
  }

  @Test func layerNormTakesItsEpsilon() {
    let value = [
      -0.996111965698067, 0.2492223931396134, 0.49688957255845356, 2.8691679485471004,
      0.4284576525620625, -0.6246017839672184, -2.9984071358688738, 0.7323135211569064,
      -0.41970514660461156, 0.7069109880826455, -0.9464700977364078, -0.45102781764332506,
    ]
    #expect(distance(LayerTests.layerNorm(epsilon: 0.1)(LayerTests.x), value) < 1e-13)
  }

  /// `torch.nn.functional.embedding`; an index that comes twice collects both derivatives.
  @Test func embeddingIsPyTorchs() {
    var random = RandomStream(seed: 1)
    var layer = Embedding(count: 5, size: 2, using: &random)
    layer.weight = Tensor((0..<10).map { Double($0 * 3 % 7 - 3) / 4 }, shape: [5, 2])
    let indices = Tensor([1, 4, 1, 0, 1, 3] as [Int32], shape: [2, 3])
    let looked = layer(indices)
    #expect(looked.shape == [2, 3, 2])
    #expect(
      looked.doubles
        == [0.75, -0.25, 0, 0.75, 0.75, -0.25, -0.75, 0, 0.75, -0.25, 0.25, -0.75])
    let weights = Tensor((1...12).map(Double.init), shape: [2, 3, 2])
    let (_, gradients) = valueAndGradient(at: layer) { ($0(indices) * weights).sum() }
    #expect(gradients.tensors[0]?.doubles == [7, 8, 15, 18, 0, 0, 11, 12, 3, 4])
  }

  @Test func embeddingStartsStandardNormal() {
    var random = RandomStream(seed: 4)
    let values = Embedding(count: 1000, size: 50, using: &random).weight.doubles
    let mean = values.reduce(0, +) / 50_000
    let square = values.reduce(0) { $0 + $1 * $1 } / 50_000
    #expect(abs(mean) < 4 / 50_000.0.squareRoot(), "\(mean)")
    #expect(abs(square - 1) < 4 * (2 / 50_000.0).squareRoot(), "\(square)")
  }

  @Test func compositionOrderAndPaths() {
    var random = RandomStream(seed: 2)
    let (first, second) = (Linear(3, 4, using: &random), Linear(4, 2, using: &random))
    let x = random.normalTensor([5, 3])
    let chain = Sequential(first, Activation.tanh, second)
    #expect(chain(x).array == second(tanh(first(x))).array)
    #expect(
      chain.namedParameters.map(\.path) == ["0.weight", "0.bias", "2.weight", "2.bias"])
    #expect(Sequential()(x).array == x.array)
    #expect(Sequential([chain, Flatten()])(x).array == chain(x).array)
  }

  @Test func residualAddsBodyAndShortcut() {
    var random = RandomStream(seed: 3)
    let (body, shortcut) = (Linear(4, 4, using: &random), Linear(4, 4, using: &random))
    let x = random.normalTensor([2, 4])
    #expect(Residual(body)(x).array == (x + body(x)).array)
    let fitted = Residual(body, shortcut: shortcut)
    #expect(fitted(x).array == (shortcut(x) + body(x)).array)
    #expect(Residual(body).namedParameters.map(\.path) == ["body.weight", "body.bias"])
    #expect(
      fitted.namedParameters.map(\.path)
        == ["body.weight", "body.bias", "shortcut.weight", "shortcut.bias"])
  }

  @Test func flattenKeepsTheBatch() {
    let x = Tensor.zeros([2, 3, 4, 5])
    #expect(Flatten()(x).shape == [2, 60])
    #expect(Flatten()(Tensor.zeros([2, 3])).shape == [2, 3])
    #expect(Flatten()(Tensor.zeros([0, 3, 2])).shape == [0, 6])
  }

  @Test(arguments: Activation.allCases) func activationsAreLayers(activation: Activation) {
    let x = Tensor([-2, -0.5, 0, 0.5, 2] as [Double])
    let layer: any Layer = activation
    #expect(layer(x).array == activation(x).array)
    #expect(layer.parameterCount == 0)
  }

  @Test func summaryShowsShapesAndParameters() {
    var random = RandomStream(seed: 1)
    let layer = Sequential(
      Linear(784, 400, activation: .relu, using: &random), LayerNorm(400),
      Linear(400, 20, bias: false, using: &random))
    #expect(
      layer.summary(inputShape: [1, 784]) == """
        input [1, 784]
        0 Linear: [1, 400], 314000 parameters
        1 LayerNorm: [1, 400], 800 parameters
        2 Linear: [1, 20], 8000 parameters
        parameter  shape       count
        0.weight   [400, 784]  313600
        0.bias     [400]       400
        1.scale    [400]       400
        1.shift    [400]       400
        2.weight   [20, 400]   8000
        322800 parameters, 1291200 bytes
        """)
    #expect(
      Embedding(count: 3, size: 2, using: &random).summary(inputShape: [4], .int32) == """
        input [4]
        0 Embedding: [4, 2], 6 parameters
        parameter  shape   count
        weight     [3, 2]  6
        6 parameters, 24 bytes
        """)
    #expect(Composed().summary.contains("\nrunning (buffer)      [7]"))
  }
}
