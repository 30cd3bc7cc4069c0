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
        .h5    data sets mean, logVariance and, where known, labels and factors; of
               codes mean (the codes) and indices, int32 [examples, index]
        .npy   the means [examples, latent], or [examples, height, width, channels]
        .csv   a line for each example: mean0, mean1, ..., label where known
        --indices writes indices in place of means to .npy and .csv, and no codes to
        .h5. --packed writes them without bits that they do not need, as packed,
        uint8 [examples, byte], beside codeCounts (.h5), or alone (.npy): of an index
        of K codes ceil(log2 K) bits, the least first, indices one after the other
        from the least bit of the first byte on; each example begins with a byte.

      EXAMPLE
        latent-encode run/ --out latents.csv
        latent-encode run/ --data npy:new.npy --out latents.h5
        latent-encode vq/ --packed --out codes.npy
      """)

  @OptionGroup var folder: RunArguments
  @Option(help: "What to encode (as latent-train's --data); the run's test data by default.")
  var data: String?
  @Option(help: "The file to write: .h5, .npy or .csv.", transform: pathName) var out: String
  @OptionGroup var overwriting: OverwriteArguments
  @Flag(help: "Indices of codes in place of the codes.") var indices = false
  @Flag(help: "Indices of codes, packed into bytes.") var packed = false
  @Option(help: "Examples at a time.") var batch = 512
  @Option(help: "Only the first so many examples.") var limit: Int?

  func validate() throws {
    if !["h5", "npy", "csv"].contains(ending) {
      throw ValidationError("--out '\(out)': expected a name that ends in .h5, .npy or .csv")
    }
    if packed && ending == "csv" {
      throw ValidationError("--packed writes bytes: expected --out with .h5 or .npy")
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
    let (model, wantsIndices) = (opened.model, indices || packed)
    if wantsIndices { _ = try model.latentCodes() }
    var arrays = try encode(model, dataset)
    let mean = arrays["mean"]?.shape ?? []
    if wantsIndices { arrays["mean"] = nil }
    if packed, let indices = arrays.removeValue(forKey: "indices") {
      let counts = try model.latentCodes().counts
      arrays["packed"] = try IndexPacking(counts: counts).packed(indices)
      arrays["codeCounts"] = NDArray(counts.map(Int32.init))
    }
    let main = packed ? "packed" : indices ? "indices" : "mean"
    switch ending {
    case "npy": try NPY.write(arrays[main] ?? NDArray([Float]()), to: out)
    case "csv": try writeTable(arrays, of: main)
    default: try HDF5File.write(arrays: arrays, to: out)
    }
    FileMark.set(on: out)
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
      if let point = posterior as? CodePoint {
        parts["indices", default: []].append(point.indices.array)
      }
      if let labels = rows.labels { parts["labels", default: []].append(labels) }
      if let factors = rows.factors { parts["factors", default: []].append(factors) }
    }
    if parts.isEmpty { throw CommandError("\(dataset.name) has no examples", .dataError) }
    return parts.mapValues { NDArray.concatenate($0, axis: 0) }
  }

  /// A column for each number of the array of this name.
  private func writeTable(_ arrays: [String: NDArray], of main: String) throws {
    guard let array = arrays[main] else { return }
    let rows = array.reshaped([array.shape[0], array.count / array.shape[0]])
    let name = main == "indices" ? "index" : main
    var names = (0..<rows.shape[1]).map { "\(name)\($0)" }
    var columns = [rows.converted(to: .float64)]
    if let labels = arrays["labels"] {
      names.append("label")
      columns.append(labels.reshaped([labels.count, 1]).converted(to: .float64))
    }
    try CSV.write(NDArray.concatenate(columns, axis: 1), columns: names, to: out)
  }
}
