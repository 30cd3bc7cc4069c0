// latent-map: the latents of many examples as points of a plane.

import ArgumentParser
import Foundation
import Latent
import LatentCommands

struct MapCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latent-map",
    abstract: "Draws the latents of data as points of a plane.",
    usage: "latent-map <run> [<options>] --out <out>",
    discussion: """
      The plane is that of the two principal components, the directions in which
      the latents vary most; where there are two latents it shows these, turned.
      Points have the colour of their label where the data have labels.

      Data are changed by the run's transform where that is a threshold; what it
      draws at random (binarize) is left out.

      OUTPUT by the ending of --out
        .png   a picture
        .csv   a line for each example: x, y, label where known

      EXAMPLE
        latent-map run/ --out map.png
        latent-map run/ --data npy:new.npy:labels.npy --out map.csv
      """)

  @OptionGroup var folder: RunArguments
  @Option(help: "What to encode (as latent-train's --data); the run's test data by default.")
  var data: String?
  @Option(help: "Only the first so many examples.") var limit: Int?
  @Option(help: "The side of the picture in pixels. (default: 640)") var size: Int?
  @Option(help: "The file to write: .png or .csv.", transform: pathName) var out: String
  @OptionGroup var overwriting: OverwriteArguments

  func validate() throws {
    if let limit { try checkRange("limit", limit, 2...Int.max) }
    if let size { try checkRange("size", size, 64...8192) }
    if !["png", "csv"].contains((out as NSString).pathExtension) {
      throw ValidationError("--out '\(out)': expected a name that ends in .png or .csv")
    }
    if size != nil && !out.hasSuffix(".png") {
      throw ValidationError("--size: only a .png file is a picture")
    }
  }

  func run() throws {
    let opened = try folder.open()
    try folder.checkOutput(
      out, overwriting, reading: opened, data: data ?? opened.configuration.data)
    let whole = try opened.data(data)
    let dataset: any Dataset =
      limit.map { Subset(whole, indices: Array(0..<min($0, whole.count))) } ?? whole
    try opened.checkRange(of: dataset)
    try map(opened.model, dataset)
  }

  private func map(_ model: some LatentVariableModel, _ dataset: any Dataset) throws {
    if dataset.count < 2 {
      throw CommandError("\(dataset.name) has 1 example, a map takes two", .dataError)
    }
    let (codes, labels) = try model.codes(of: dataset)
    let vectors = codes.flattened(from: 1)
    let components = try PrincipalComponents(of: vectors, components: min(2, vectors.shape[1]))
    var places = components(vectors)
    // A single latent has no second direction.
    if places.shape[1] == 1 { places = places.padded(axis: 1, before: 0, after: 1) }
    if out.hasSuffix(".csv") {
      let columns = labels.map { Tensor($0.map(Double.init)).expandingDimension(at: 1) }
      let table = Tensor.concatenate(
        [places.converted(to: .float64)] + (columns.map { [$0] } ?? []), axis: 1)
      try CSV.write(
        table.array, columns: ["x", "y"] + (labels == nil ? [] : ["label"]), to: out)
    } else {
      try PNG.write(ScatterPlot(places, labels: labels).image(side: size ?? 640), to: out)
    }
    FileMark.set(on: out)
    try printResult(
      "{\"examples\": \(dataset.count), \"latents\": \(vectors.shape[1]), "
        + "\"explained\": \(components.explained), \"out\": \(quoted(out))}\n")
  }
}
