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
        .svg   a chart with the names of labels
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
  @Option(help: "The file to write: .png, .svg or .csv.", transform: pathName) var out: String
  @OptionGroup var overwriting: OverwriteArguments

  func validate() throws {
    if let limit { try checkRange("limit", limit, 2...Int.max) }
    if let size { try checkRange("size", size, 64...8192) }
    if !["png", "svg", "csv"].contains((out as NSString).pathExtension) {
      throw ValidationError("--out '\(out)': expected a name that ends in .png, .svg or .csv")
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
    let map = try LatentMap(of: model, on: dataset)
    if out.hasSuffix(".csv") {
      let columns = map.labels.map { Tensor($0.map(Double.init)).expandingDimension(at: 1) }
      let table = Tensor.concatenate([map.places] + (columns.map { [$0] } ?? []), axis: 1)
      try CSV.write(
        table.array, columns: ["x", "y"] + (map.labels == nil ? [] : ["label"]), to: out)
    } else if out.hasSuffix(".svg") {
      try AtomicFile.write(Array(map.charts(maximum: 1)[0].svgFile.utf8), to: out)
    } else {
      let picture = ScatterPicture(map.places.array, labels: map.labels)
      try PNG.write(picture.image(side: size ?? 640), to: out)
    }
    FileMark.set(on: out)
    try printResult(
      "{\"examples\": \(dataset.count), \"latents\": \(map.latents), "
        + "\"explained\": \(map.explained), \"out\": \(quoted(out))}\n")
  }
}
