// What objectives promise of the usual model holds of the others: posteriors that are moved by the model itself,
// discrete ones and their relaxations, hierarchies. They train downhill, resume to the same bits, and threads change
// none.

import Foundation
import Latent
import Testing

@Suite(.serialized) struct ModelLawTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let network: any NetworkDescription
    var posterior: any PosteriorDescription = DiagonalPosterior()
    var objective = "elbo"
    var testDescription: String {
      "\(type(of: network).architecture), \(type(of: posterior).name), \(objective)"
    }
  }

  static let mlp = MLPNetwork(hidden: [24], latentSize: 8, activation: .softplus)
  static let conv = ConvNetwork(channels: [4, 6], hidden: 16, latentSize: 4)

  static func row(
    _ name: String, _ objective: String, in network: any NetworkDescription = ModelLawTests.mlp
  ) -> Row {
    guard let settings = try? PosteriorSettings(named: name) else {
      fatalError("no posterior \(name)")
    }
    return Row(network: network, posterior: settings.description, objective: objective)
  }

  static let rows: [Row] = {
    var rows: [Row] = []
    for objective in ["elbo", "iwae"] {
      for network in [mlp, conv] as [any NetworkDescription] {
        for name in [
          "hamiltonian", "riemannian-hamiltonian", "relaxed-categorical", "relaxed-binary",
        ] {
          rows.append(row(name, objective, in: network))
        }
      }
      for path in HierarchyPath.allCases {
        for merging in HierarchyMerging.allCases {
          let dense = LadderMLPNetwork(
            hidden: [20], widths: [16, 12], latents: [4, 3], path: path, merging: merging)
          let convolutional = LadderConvNetwork(
            channels: [4, 6], hidden: 16, widths: [16, 12, 8], latents: [4, 3, 2], path: path,
            merging: merging)
          rows.append(Row(network: dense, objective: objective))
          rows.append(Row(network: convolutional, objective: objective))
        }
      }
    }
    for objective in ["elbo", "iwae", "vimco", "rws"] {
      rows += [row("straight-through", objective), row("binary", objective)]
    }
    return rows
  }()

  @Test(arguments: rows) func trainsAndResumes(_ row: Row) throws {
    var random = RandomStream(seed: 1)
    let description = ModelDescription(
      row.network, inputShape: ObjectiveLawTests.shape, posterior: row.posterior)
    func check(_ model: some LatentVariableModel) throws {
      try ObjectiveLawTests().check(model, ObjectiveSettings(named: row.objective))
    }
    try check(try description.makeModel(using: &random))
  }

  /// A batch of one trains, and sample axes pass through every tool.
  @Test(arguments: rows.filter { $0.objective == "elbo" }) func single(_ row: Row) throws {
    var random = RandomStream(seed: 1)
    let description = ModelDescription(
      row.network, inputShape: ObjectiveLawTests.shape, posterior: row.posterior)
    func check(_ model: some ReparameterizedModel) throws {
      let x = Tensor(try ObjectiveLawTests.data.batch(at: [3]).inputs)
      var context = LayerContext(isTraining: true, random: random)
      let q = model.checkedPosterior(of: x, &context)
      #expect(q.batchShape == [1])
      let (z, density) = q.sampleAndLogProbability([2, 3], using: &random)
      #expect(z.shape == [2, 3, 1] + q.eventShape && density.shape == [2, 3, 1])
      #expect(model.decode(z).batchShape == [2, 3, 1])
      #expect(model.reconstruct(x).shape == x.shape)
    }
    try check(try description.makeModel(using: &random).reparameterized(for: "the test"))
  }
}
