// latent-encode: data to latents.

import ArgumentParser
import Foundation
import Latent
import LatentCommands

struct EncodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latent-encode",
    abstract: "Encodes data with a trained model: means and log-variances of the posterior.",
    usage: "latent-encode <run> [<options>] --out <out>",
    discussion: """
      Data are changed by the run's transform where that is a threshold; what it
      draws at random (binarize) is left out.

      OUTPUT by the ending of --out
        .h5    data sets mean, logVariance and, where known, labels and factors
        .npy   the means [examples, latent], or [examples, height, width, channels]
        .csv   a line for each example: mean0, mean1, ..., label where known

      EXAMPLE
        latent-encode run/ --out latents.csv
        latent-encode run/ --data npy:new.npy --out latents.h5
      """)

  @OptionGroup var folder: RunArguments
  @Option(help: "What to encode (as latent-train's --data); the run's test data by default.")
  var data: String?
  @Option(help: "The file to write: .h5, .npy or .csv.", transform: pathName) var out: String
  @OptionGroup var overwriting: OverwriteArguments
  @Option(help: "Examples at a time.") var batch = 512
  @Option(help: "Only the first so many examples.") var limit: Int?

  func validate() throws {
    if !["h5", "npy", "csv"].contains(ending) {
      throw ValidationError("--out '\(out)': expected a name that ends in .h5, .npy or .csv")
    }
    try checkRange("batch", batch, 1...1_000_000)
    if let limit { try checkRange("limit", limit, 1...Int.max) }
  }

  private var ending: String { (out as NSString).pathExtension }

  func run() throws {
    let opened = try folder.open()
    try folder.checkOutput(
      out, overwriting, reading: opened, data: data ?? opened.configuration.data)
    let dataset = try opened.data(data)
    try opened.checkRange(of: dataset)
    let arrays = try encode(opened.model, dataset)
    switch ending {
    case "npy": try NPY.write(arrays["mean"] ?? NDArray([Float]()), to: out)
    case "csv": try writeTable(arrays)
    default: try HDF5File.write(arrays: arrays, to: out)
    }
    FileMark.set(on: out)
    let mean = arrays["mean"]?.shape ?? []
    try printResult(
      "{\"examples\": \(mean[0]), \"latents\": \(mean.count / mean[0]), "
        + "\"checkpoint\": \(quoted(opened.path)), "
        + "\"out\": \(quoted(out))}\n")
  }

  private func encode(
    _ model: some LatentVariableModel, _ dataset: any Dataset
  ) throws -> [String: NDArray] {
    let count = min(limit ?? dataset.count, dataset.count)
    var parts: [String: [NDArray]] = [:]
    for start in stride(from: 0, to: count, by: batch) {
      let rows = try dataset.batch(start..<min(start + batch, count))
      try rows.requireFinite(in: dataset)
      let posterior = model.encode(Tensor(rows.inputs), fields: rows.tensors)
      parts["mean", default: []].append(try posterior.point(for: "encoding").array)
      if let normal = posterior as? DiagonalNormal {
        parts["logVariance", default: []].append(normal.logVariance.array)
      }
      if let labels = rows.labels { parts["labels", default: []].append(labels) }
      if let factors = rows.factors { parts["factors", default: []].append(factors) }
    }
    if parts.isEmpty { throw CommandError("\(dataset.name) has no examples", .dataError) }
    return parts.mapValues { NDArray.concatenate($0, axis: 0) }
  }

  private func writeTable(_ arrays: [String: NDArray]) throws {
    guard let means = arrays["mean"] else { return }
    let mean = means.reshaped([means.shape[0], means.count / means.shape[0]])
    var names = (0..<mean.shape[1]).map { "mean\($0)" }
    var columns = [mean.converted(to: .float64)]
    if let labels = arrays["labels"] {
      names.append("label")
      columns.append(labels.reshaped([labels.count, 1]).converted(to: .float64))
    }
    try CSV.write(NDArray.concatenate(columns, axis: 1), columns: names, to: out)
  }
}
