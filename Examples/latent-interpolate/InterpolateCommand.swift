// latent-interpolate: walks through the latent space, as pictures, texts or numbers.

import ArgumentParser
import Foundation
import Latent
import LatentCommands

struct InterpolateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latent-interpolate",
    abstract: "Decodes paths between examples, or traversals of single latents.",
    usage: "latent-interpolate <run> [<options>] --out <out>",
    discussion: """
      One row for each pair of examples, or with --traverse one row for each of the
      latents that vary most.

      Data are changed by the run's transform where that is a threshold; what it
      draws at random (binarize) is left out.

      OUTPUT by the ending of --out
        .png   a picture
        .txt   texts, one on a line, an empty line after each row; - prints them
        .npy   the decoded examples [rows, steps, ...]

      EXAMPLE
        latent-interpolate run/ --out strips.png
        latent-interpolate run/ --pairs 3:17,4:5 --path linear --out strips.png
        latent-interpolate run/ --traverse 8 --out traversal.png
      """)

  @OptionGroup var folder: RunArguments
  @Option(help: "Where the examples come from; the run's test data by default.")
  var data: String?
  @Option(help: "Pairs of example numbers, such as 3:17,4:5; neighbours 0:1,2:3,... by default.")
  var pairs: String?
  @Option(
    help: "How many rows where no pairs are given. (default: 8, or as many as the data have)")
  var rows: Int?
  @Option(help: "Points on each path, ends included.") var steps = 10
  @Option(help: "linear or spherical. (default: spherical)") var path: String?
  @Option(help: "Traverse so many latents instead, around example 0.") var traverse: Int?
  @Option(help: "The file to write: .png, .txt or .npy.", transform: pathName) var out: String
  @OptionGroup var overwriting: OverwriteArguments

  func validate() throws {
    if let path, Interpolation(rawValue: path) == nil {
      throw ValidationError("--path '\(path)': expected linear or spherical")
    }
    let given = [("--pairs", pairs != nil), ("--rows", rows != nil), ("--path", path != nil)]
    if traverse != nil, let other = given.first(where: \.1)?.0 {
      throw ValidationError("--traverse and \(other) exclude each other")
    }
    if pairs != nil && rows != nil {
      throw ValidationError("--pairs and --rows exclude each other")
    }
    try checkRange("steps", steps, 2...10_000)
    if let rows { try checkRange("rows", rows, 1...10_000) }
    if let traverse { try checkRange("traverse", traverse, 1...Int.max) }
    if !["png", "npy"].contains((out as NSString).pathExtension) && !Texts.areWritten(to: out) {
      throw ValidationError("--out '\(out)': expected a name that ends in .png, .txt or .npy")
    }
    _ = try ends(count: 2)
  }

  /// Example numbers, two for each row. Only rows that nobody asked for are fitted to the `count`
  /// of examples.
  private func ends(count: Int) throws -> [Int] {
    guard let pairs else { return Array(0..<(2 * (rows ?? max(1, min(8, count / 2))))) }
    return try pairs.split(separator: ",", omittingEmptySubsequences: false).flatMap { pair in
      let ends = pair.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
      guard ends.count == 2, ends.allSatisfy({ $0 >= 0 }) else {
        throw ValidationError("--pairs '\(pairs)': expected numbers such as 3:17,4:5")
      }
      return ends
    }
  }

  func run() throws {
    let opened = try folder.open()
    try opened.checkOutput(out, arrays: [".npy"])
    try folder.checkOutput(
      out, overwriting, reading: opened, data: data ?? opened.configuration.data)
    try walk(opened.model, opened)
  }

  private func finite(_ dataset: any Dataset, _ indices: [Int]) throws -> Batch {
    let batch = try dataset.batch(at: indices)
    try batch.requireFinite(in: dataset)
    return batch
  }

  private func walk(_ model: some LatentVariableModel, _ opened: OpenRun) throws {
    let dataset = try opened.data(data)
    let pictures = Pictures(model: model, inputShape: opened.configuration.model.inputShape)
    let decoded: Tensor
    func checkSize(rows: Int) throws {
      let count = rows * steps
      try opened.checkSize("--steps \(steps)", count: count, grid: count, out: out)
    }
    if let traverse {
      try checkSize(rows: min(traverse, model.latentShape.count))
      let few = Subset(dataset, indices: Array(0..<min(512, dataset.count)))
      try opened.checkRange(of: few)
      let x = Tensor(try finite(few, Array(0..<few.count)).inputs)
      decoded = pictures.traversals(of: x, dimensions: traverse, steps: steps)
    } else {
      if dataset.count < 2 && pairs == nil {
        throw CommandError("\(dataset.name) has 1 example, a path takes two", .dataError)
      }
      let ends = try ends(count: dataset.count)
      try checkSize(rows: ends.count / 2)
      if let outside = ends.first(where: { $0 >= dataset.count }) {
        throw CommandError(
          "example \(outside): \(dataset.name) has \(dataset.count) examples", .dataError)
      }
      try opened.checkRange(of: Subset(dataset, indices: ends))
      let x = Tensor(try finite(dataset, ends).inputs)
      decoded = pictures.interpolations(
        between: x, steps: steps, path: path.flatMap(Interpolation.init) ?? .spherical)
    }
    if out.hasSuffix(".npy") {
      try NPY.write(
        decoded.reshaped([-1, steps] + decoded.shape.dimensions.dropFirst()).array, to: out)
    } else if Texts.areWritten(to: out) {
      try Texts.write(Texts.blocks(Texts.lines(decoded), of: steps), to: out)
    } else {
      try pictures.write(decoded, columns: steps, to: out)
    }
    if out == Texts.standardOutput { return }
    FileMark.set(on: out)
    try printResult(
      "{\"rows\": \(decoded.shape[0] / steps), \"steps\": \(steps), \"out\": \(quoted(out))}\n")
  }
}
