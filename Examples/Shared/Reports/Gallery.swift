// What a trained model makes, as sections of its report. Pictures are files of their own as well.

import Foundation
import Latent

/// Pictures, texts and maps of a trained model.
public struct Gallery<Model: LatentVariableModel> {
  private let model: Model
  private let configuration: RunConfiguration
  private let dataset: any Dataset
  private let use: LatentUse?
  private let pictures: Pictures<Model>

  /// Of a model and the data to be shown, which it knows as they are; `use` is the order of traversals.
  public init(
    _ model: Model, _ configuration: RunConfiguration, on dataset: any Dataset, use: LatentUse?
  ) {
    self.model = model
    self.configuration = configuration
    self.dataset = dataset
    self.use = use
    pictures = Pictures(model: model, inputShape: configuration.model.inputShape)
  }

  /// Examples on a map.
  private static var mapped: Int { 5000 }

  /// All sections; what is a file of its own is written below `folder`, where there is one.
  public func sections(writingTo folder: String?) throws -> [Page.Section] {
    var sections: [Page.Section] = []
    if configuration.isText {
      sections.append(try texts(folder))
    } else if pictures.isPicture && dataset.count > 1 {
      sections.append(try examples(folder))
    }
    sections += try latents(folder)
    return sections
  }

  // MARK: Pictures

  /// A grid that is a file and a figure.
  private func figure(
    _ images: Tensor, columns: Int, _ name: String, _ folder: String?, _ caption: String
  ) throws -> Page.Figure {
    let grid = try pictures.grid(images, columns: columns)
    if let folder { try AtomicFile.write(grid.png, to: "\(folder)/pictures/\(name).png") }
    return Page.Figure(
      .picture(grid, alternative: "\(images.shape[0]) pictures, \(columns) in a row. \(caption)"),
      caption: caption)
  }

  private func examples(_ folder: String?) throws -> Page.Section {
    if let folder { try Folder.create("\(folder)/pictures") }
    let few = Tensor(try dataset.batch(0..<min(40, dataset.count)).inputs)
    let ends = few.sliced(0, 0..<min(16, few.shape[0] / 2 * 2))
    var random = RandomStream(seed: configuration.seed).split("pictures")
    let paths = pictures.interpolations(between: ends, steps: 10)
    return Page.Section(
      "What the model makes",
      [
        .figures([
          try figure(
            pictures.reconstructions(of: few), columns: 10, "reconstructions", folder,
            "Data (odd rows) and reconstructions (even rows)."),
          try figure(
            model.generate(100, using: &random), columns: 10, "samples", folder,
            "Samples: decoded latents from the prior."),
          try figure(
            paths, columns: 10, "interpolation", folder,
            "Interpolations between pairs of examples, a pair a row."),
          Page.Figure(
            .animation(
              try pictures.animation(
                pictures.interpolations(between: ends, steps: 16), steps: 16, columns: 4),
              alternative:
                "\(ends.shape[0] / 2) pictures that change from one example into another and back."),
            caption: "The same pairs on their way."),
        ])
      ])
  }

  private func latents(_ folder: String?) throws -> [Page.Section] {
    var charts = use.map { [$0.figure] } ?? []
    var blocks: [Page.Block] = []
    do {
      let shown = Subset(dataset, indices: Array(0..<min(Gallery.mapped, dataset.count)))
      let map = try LatentMap(of: model, on: shown, maximumLatents: 1024)
      let share = Numeral.text(100 * map.explained, decimals: 0)
      let caption =
        "\(shown.count) examples in the plane in which their \(map.latents) latents vary most: "
        + "it holds \(share) % of the variance."
      charts += map.charts().enumerated().map { index, chart in
        Page.Figure(.chart(chart), caption: index == 0 ? caption : "")
      }
    } catch let error
      where error is CommandError || error is ModelRequirementError || error is NumericsError
    {
      blocks.append(.text("There is no map of latents: \(error)."))
    }
    if !charts.isEmpty { blocks.insert(.figures(charts), at: 0) }
    if pictures.isPicture && dataset.count > 1 {
      blocks.append(.figures(try traversals(folder)))
    }
    return blocks.isEmpty ? [] : [Page.Section("Latents", blocks)]
  }

  private func traversals(_ folder: String?) throws -> [Page.Figure] {
    let many = Tensor(try dataset.batch(0..<min(512, dataset.count)).inputs)
    let order = pictures.order(of: many, use: use)
    let names = order.map(String.init).joined(separator: ", ")
    let sorting = use?.names.isEmpty == true ? "carries most" : "varies most"
    let steps = 17
    return [
      try figure(
        pictures.traversals(of: many, dimensions: order), columns: 11, "traversals", folder,
        "Traversals: one latent a row, from −2.5 to 2.5, the one that \(sorting) on top (\(names))."
      ),
      Page.Figure(
        .animation(
          try pictures.animation(
            pictures.traversals(of: many, dimensions: order, steps: steps), steps: steps, columns: 5
          ),
          alternative: "\(order.count) pictures, each of which changes with one latent."),
        caption: "The same latents in motion, row by row."),
    ]
  }

  // MARK: Texts

  private func texts(_ folder: String?) throws -> Page.Section {
    if let folder { try Folder.create("\(folder)/texts") }
    let few = Tensor(try dataset.batch(0..<min(20, dataset.count)).inputs)
    let ends = few.sliced(0, 0..<min(8, few.shape[0] / 2 * 2))
    let steps = 7
    var random = RandomStream(seed: configuration.seed).split("texts")
    let samples = model.decode(model.samplePrior(20, using: &random)).sample(using: &random)
    var list: [(caption: String, name: String, text: String)] = [
      (
        "Data and, below each, its reconstruction", "reconstructions",
        Texts.blocks(Texts.pairs(few, model.reconstruct(few)), of: 2)
      ),
      (
        "Samples: drawn, as are their latents from the prior", "samples",
        Texts.blocks(Texts.lines(samples))
      ),
    ]
    if ends.shape[0] > 0 {
      let paths = pictures.interpolations(between: ends, steps: steps)
      list.append(
        (
          "Interpolations between pairs of examples", "interpolation",
          Texts.blocks(Texts.lines(paths), of: steps)
        ))
    }
    return Page.Section(
      "What the model makes",
      try list.map { caption, name, text in
        if let folder { try Texts.write(text, to: "\(folder)/texts/\(name)\(Texts.ending)") }
        return .code(text, caption: caption)
      })
  }
}
