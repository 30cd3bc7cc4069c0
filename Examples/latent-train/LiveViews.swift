// What can be watched of a run while it goes on: its report, written anew after every epoch, and pictures for
// TensorBoard.

import Foundation
import Latent
import LatentCommands

/// A run that is being watched.
struct LiveViews: Sendable {
  let configuration: RunConfiguration
  /// The run folder.
  let folder: String
  /// What is shown, as the model knows it.
  let shown: any Dataset
  /// What is minimised, in words.
  let objective: String

  /// Reconstructions and samples, where examples are pictures.
  func drawings(of module: any Module) throws -> [(tag: String, value: EventValue)] {
    func open<Model: LatentVariableModel>(
      _ model: Model
    ) throws -> [(tag: String, value: EventValue)] {
      let pictures = Pictures(model: model, inputShape: configuration.model.inputShape)
      guard pictures.isPicture, shown.count > 1 else { return [] }
      let few = Tensor(try shown.batch(0..<min(20, shown.count)).inputs)
      // The same latents after each epoch.
      var random = RandomStream(seed: configuration.seed).split("pictures")
      let scale = PictureScale.of(inputShape: configuration.model.inputShape)
      let views = [
        ("reconstructions", pictures.reconstructions(of: few)),
        ("samples", model.generate(40, using: &random)),
      ]
      return views.map { name, images in
        let flat = images.reshaped([-1] + images.shape.suffix(3).dimensions)
        return (name, .picture(ImageGrid.tile(flat.array, columns: 10, scale: scale)))
      }
    }
    guard let model = module as? any LatentVariableModel else { return [] }
    return try open(model)
  }

  /// The settings as rows for people.
  func settings() -> [(name: String, value: String)] {
    [
      ("data", configuration.data), ("model", "\(configuration.model)"), ("objective", objective),
      ("optimizer", configuration.optimizer.name),
      ("learningRate", "\(configuration.optimizer.learningRate)"),
      ("batchSize", "\(configuration.batchSize)"), ("epochs", "\(configuration.epochs)"),
      ("seed", "\(configuration.seed)"),
    ]
  }

  /// The page of a run that has not ended.
  func writeReport(of module: any Module, _ state: TrainingState) throws {
    func open(_ model: some LatentVariableModel) throws -> (LatentUse?, [Page.Section]) {
      let use = try model.latentUse(on: shown, seed: configuration.seed)
      let gallery = Gallery(model, configuration, on: shown, use: use)
      return (use, try gallery.sections(writingTo: nil))
    }
    guard let model = module as? any LatentVariableModel else { return }
    let (use, sections) = try open(model)
    let isLast = state.epoch == state.epochs
    try Report(
      title: "Latent run on \(configuration.data)",
      facts: settings() + [("done", "\(state.epoch) of \(state.epochs) epochs")],
      notes: isLast ? [] : ["This run is going on: the page is written anew after every epoch."],
      objective: objective, epochs: MetricsLog.epochs(in: folder), use: use, sections: sections
    ).write(to: "\(folder)/report.html")
  }
}

/// Writes the report of a run after every epoch.
struct LiveReport: TrainingEvent {
  let views: LiveViews

  mutating func epochSettled(_ state: TrainingState, _ metrics: EpochMetrics) throws {
    if let model = state.model { try views.writeReport(of: model, state) }
  }
}
