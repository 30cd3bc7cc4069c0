// Networks to look through: what their layers are called, that these are the layers of the forward pass, and which
// of them take other data.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite struct FeatureNetworkTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let network: any FeatureNetwork
    let shape: [Int]
    /// Layers and their shapes without the batch.
    let layers: [(String, Shape)]
    /// Another shape of data, and how many layers take it.
    let others: [([Int], Int)]
    var testDescription: String { name }
  }

  static let rows: [Row] = {
    var random = RandomStream(seed: 1)
    return [
      Row(
        name: "conv",
        network: ConvEncoder<DiagonalHead>(
          inputShape: [8, 8, 2], channels: [3, 4], hidden: 5, latentSize: 1, using: &random),
        shape: [8, 8, 2],
        layers: [("convolutions.0", [4, 4, 3]), ("convolutions.1", [2, 2, 4]), ("hidden", [5])],
        others: [([16, 12, 2], 2), ([9, 7, 2], 2), ([2, 8, 2], 1), ([8, 8, 1], 0), ([128], 0)]),
      Row(
        name: "mlp",
        network: MLPEncoder(inputShape: [6, 6, 1], hidden: [5, 4], latentSize: 2, using: &random),
        shape: [6, 6, 1], layers: [("hidden.0", [5]), ("hidden.1", [4])],
        others: [([36], 2), ([6, 6, 2], 0), ([8, 8, 1], 0)]),
      Row(
        name: "gated-mlp",
        network: GatedMLPEncoder(inputShape: [7], hidden: [5], latentSize: 2, using: &random),
        shape: [7], layers: [("hidden.0", [5])], others: [([8], 0)]),
      Row(
        name: "resnet",
        network: ResidualEncoder<DiagonalHead>(
          inputShape: [8, 8, 1],
          network: ResidualNetwork(channels: [4, 8], groups: 2, latentChannels: 2), using: &random),
        shape: [8, 8, 1],
        layers: [
          ("input", [8, 8, 4]), ("levels.0", [8, 8, 4]), ("levels.1", [4, 4, 8]),
          ("middle", [4, 4, 8]),
        ], others: [([12, 10, 1], 4), ([8, 8, 3], 0), ([64], 0)]),
      Row(
        name: "critic of pictures",
        network: PictureCritic([16, 16, 1], channels: [3, 4], hidden: [5], using: &random),
        shape: [16, 16, 1],
        layers: [("convolutions.0", [8, 8, 3]), ("convolutions.1", [4, 4, 4])],
        others: [([32, 20, 1], 2), ([16, 16, 3], 0)]),
      Row(
        name: "critic of numbers",
        network: PictureCritic([9], channels: [3], hidden: [5, 4], using: &random), shape: [9],
        layers: [("dense.layers.0", [5]), ("dense.layers.1", [4])], others: [([8], 0)]),
      Row(
        name: "function",
        network: FeatureFunction(Linear(3, 2, using: &random)) { linear, x in
          x.shape[-1] == linear.inputSize ? [Feature("all", linear(x))] : []
        }, shape: [3], layers: [("all", [2])], others: [([4], 0)]),
    ]
  }()

  @Test(arguments: rows) func layers(row: Row) {
    let x = waves([2] + Shape(row.shape), 1).converted(to: .float32)
    let found = row.network.features(of: x)
    #expect(found.map(\.name) == row.layers.map(\.0))
    #expect(
      found.map { Array($0.values.shape.dimensions.dropFirst()) }
        == row.layers.map { $0.1.dimensions })
    #expect(found.map(\.hasPlaces) == row.layers.map { $0.1.rank == 3 })
    for (shape, count) in row.others {
      #expect(row.network.features(of: .zeros([2] + Shape(shape))).count == count, "\(shape)")
    }
    // Names are the beginnings of paths, but for a function's.
    let paths = row.network.namedParameters.map(\.path)
    if row.name != "function" {
      for (name, _) in row.layers {
        #expect(paths.contains { $0.hasPrefix("\(name).") }, "\(name)")
      }
    }
    let frozen = FrozenFeatures(row.network)
    #expect(frozen.parameters.isEmpty && frozen.unvisitedTensors.isEmpty)
    #expect(frozen.namedParameters.map(\.path) == paths)
    #expect(
      frozen.converted(to: .float64).namedParameters.allSatisfy { $0.tensor.dtype == .float64 })
  }

  /// The layers are those that the encoder itself goes through.
  @Test func forwardPasses() throws {
    var context = LayerContext.inference
    func same<Network: Encoder & FeatureNetwork>(
      _ network: any FeatureNetwork, as type: Network.Type, _ shape: Shape,
      _ head: (Network, Tensor) -> Tensor
    ) throws where Network.Posterior == DiagonalNormal {
      let network = try #require(network as? Network)
      let x = waves([2] + shape, 1).converted(to: .float32)
      let last = try #require(network.features(of: x).last).values
      let raw = head(network, last).split(into: 2, axis: -1)
      let q = network(x, &context)
      #expect(distance(q.mean, raw[0]) < 1e-6 && distance(q.logVariance, raw[1]) < 1e-6)
    }
    let rows = FeatureNetworkTests.rows
    try same(rows[0].network, as: ConvEncoder<DiagonalHead>.self, [8, 8, 2]) { $0.head($1) }
    try same(rows[1].network, as: MLPEncoder.self, [6, 6, 1]) { $0.head($1) }
    try same(rows[2].network, as: GatedMLPEncoder.self, [7]) { $0.head($1) }
    try same(rows[3].network, as: ResidualEncoder<DiagonalHead>.self, [8, 8, 1]) {
      $0.head($0.norm($1))
    }
  }

  @Test(arguments: [
    ("a", "a", 1.0), ("convolutions.0=0.5", "convolutions.0", 0.5), ("a=0", "a", 0),
    ("a=1", "a", 1),
  ]) func layerWeights(text: String, name: String, weight: Double) throws {
    let layer = try #require(LayerWeight(parsing: text))
    #expect(layer == LayerWeight(name, weight))
    #expect(LayerWeight(parsing: layer.description) == layer)
  }

  @Test(arguments: ["", "=1", "a=", "a=-1", "a=nan", "a=1=2", "a=x"])
  func noLayerWeights(text: String) { #expect(LayerWeight(parsing: text) == nil) }

  @Test func choice() throws {
    let places = Feature("conv", .zeros([1, 2, 2, 3]))
    let features = [places, Feature("hidden", .zeros([1, 4]))]
    #expect(try features.chosen([]).map(\.feature.name) == ["conv"])
    #expect(try [features[1]].chosen([]).map(\.feature.name) == ["hidden"])
    #expect(try features.chosen([LayerWeight("hidden", 2)]).map(\.weight) == [2])
    #expect(throws: UnknownLayer(name: "x", names: ["conv", "hidden"])) {
      try features.chosen([LayerWeight("x")])
    }
  }
}
