// latent-generate: new examples from the prior, or from what has learned where codes are.

import ArgumentParser
import Foundation
import Latent
import LatentCommands

struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latent-generate",
    abstract: "Draws latents from the prior or another sampler and decodes them.",
    usage: "latent-generate <run> [<options>] --out <out>",
    discussion: """
      The means of the likelihood are written, or of text the most probable byte
      after byte; --sample draws from it instead.

      SAMPLERS
      \(GenerateCommand.samplers)
      The first is the model's own. The others are fitted to the codes of the
      training data at first use and kept in the run's folder; --refit does it
      again.

      OUTPUT by the ending of --out
        .png   a grid of pictures
        .txt   texts, one on a line; - in place of a name prints them
        .npy   the examples [count, ...]
        .h5    data sets examples and latents

      EXAMPLE
        latent-generate run/ --count 64 --seed 7 --out samples.png
        latent-generate text-run/ --count 10 --sample --out -
        latent-generate run/ --sampler gmm --set sampler.components=20 --out gmm.png
        latent-generate run/ --sampler flow-matching --label 3 --out threes.png
        latent-generate ladder/ --temperature 0.7,1 --out typical.png
      """)

  private static let samplers = SamplerSettings.all.map { type in
    "  " + type.name.padding(toLength: 15, withPad: " ", startingAt: 0) + type.origin.summary
  }.joined(separator: "\n")

  private static let usualColumns = 8

  @OptionGroup var folder: RunArguments
  @Option(help: "How many examples.") var count = 64
  @Option(help: "What the randomness follows from: the same seed, the same examples.")
  var seed: UInt64 = 0
  @Option(help: "Pictures in a row. (default: 8)") var columns: Int?
  @OptionGroup var sampling: SamplerArguments
  @Flag(help: "Draw from the likelihood instead of taking its mean.") var sample = false
  @Option(
    help: ArgumentHelp(
      "What deviations of the prior are multiplied by: a number for each level of a hierarchy, from "
        + "the data up, such as 0.7,1; one number for the standard normal."))
  var temperature: String?
  @Option(help: "The file to write: .png, .txt, .npy or .h5.", transform: pathName)
  var out: String
  @OptionGroup var overwriting: OverwriteArguments

  func validate() throws {
    try checkRange("count", count, 1...10_000_000)
    _ = try temperatures()
    if temperature != nil && sampling.isAsked {
      throw ValidationError("--temperature and --sampler exclude each other")
    }
    if let columns { try checkRange("columns", columns, 1...10_000) }
    if !["png", "npy", "h5"].contains((out as NSString).pathExtension) && !Texts.areWritten(to: out)
    {
      throw ValidationError("--out '\(out)': expected a name that ends in .png, .txt, .npy or .h5")
    }
  }

  /// The numbers of `--temperature`.
  private func temperatures() throws -> [Double]? {
    try temperature?.split(separator: ",", omittingEmptySubsequences: false).map { text in
      guard let number = Double(text), number > 0, number.isFinite else {
        throw ValidationError(
          "--temperature '\(temperature ?? "")': expected positive numbers such as 0.7,1")
      }
      return number
    }
  }

  /// What latents are drawn from.
  private func sampler(
    for model: some LatentVariableModel, _ opened: OpenRun
  ) throws -> any LatentSampler {
    guard let temperatures = try temperatures() else {
      return try sampling.open(opened, seed: seed)
    }
    do {
      _ = try model.prior(temperatures: temperatures)
    } catch let error as ModelRequirementError {
      throw CommandError("--temperature: \(error)", .usage)
    }
    return PriorSampler(temperatures: temperatures)
  }

  func run() throws {
    let opened = try folder.open()
    try opened.checkOutput(out, arrays: [".npy", ".h5"])
    try folder.checkOutput(out, overwriting, reading: opened)
    if let columns, !opened.isPicture {
      throw CommandError(
        "--columns \(columns): examples of shape \(opened.configuration.model.inputShape) are no "
          + "pictures", .usage)
    }
    if let columns, !out.hasSuffix(".png") {
      throw CommandError("--columns \(columns): only a .png file has columns", .usage)
    }
    let columns = columns ?? GenerateCommand.usualColumns
    try opened.checkSize(
      "--count \(count)", count: count, grid: (count + columns - 1) / columns * columns, out: out)
    try generate(opened.model, sampler(for: opened.model, opened), opened)
  }

  private func generate(
    _ model: some LatentVariableModel, _ sampler: any LatentSampler, _ opened: OpenRun
  ) throws {
    var random = RandomStream(seed: seed)
    var latents: [Tensor] = []
    var examples: [Tensor] = []
    for start in stride(from: 0, to: count, by: 512) {
      let rows = min(512, count - start)
      let fields = sampling.fields(rows)
      let z = sampler.latents(rows, of: model, fields: fields, using: &random)
      let likelihood = model.decode(z, fields: fields)
      latents.append(z)
      examples.append(
        try sample ? likelihood.sample(using: &random) : likelihood.point(for: "generating"))
    }
    let decoded = Tensor.concatenate(examples, axis: 0)
    switch (out as NSString).pathExtension {
    case "npy": try NPY.write(decoded.array, to: out)
    case "h5":
      let z = Tensor.concatenate(latents, axis: 0)
      try HDF5File.write(arrays: ["examples": decoded.array, "latents": z.array], to: out)
    case "png":
      try Pictures(model: model, inputShape: opened.configuration.model.inputShape)
        .write(decoded, columns: columns ?? GenerateCommand.usualColumns, to: out)
    default: try Texts.write(Texts.blocks(Texts.lines(decoded)), to: out)
    }
    if out == Texts.standardOutput { return }
    FileMark.set(on: out)
    try printResult("{\"examples\": \(count), \"seed\": \(seed), \"out\": \(quoted(out))}\n")
  }
}
