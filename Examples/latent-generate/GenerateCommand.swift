// latent-generate: new examples from the prior.

import ArgumentParser
import Foundation
import Latent
import LatentCommands

struct GenerateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latent-generate",
    abstract: "Draws latents from the prior and decodes them.",
    usage: "latent-generate <run> [<options>] --out <out>",
    discussion: """
      The means of the likelihood are written; --sample draws from it instead.

      OUTPUT by the ending of --out
        .png   a grid of pictures
        .npy   the examples [count, ...]
        .h5    data sets examples and latents

      EXAMPLE
        latent-generate run/ --count 64 --seed 7 --out samples.png
      """)

  @OptionGroup var folder: RunArguments
  @Option(help: "How many examples.") var count = 64
  @Option(help: "What the randomness follows from: the same seed, the same examples.")
  var seed: UInt64 = 0
  @Option(help: "Pictures in a row.") var columns = 8
  @Flag(help: "Draw from the likelihood instead of taking its mean.") var sample = false
  @Option(help: "The file to write: .png, .npy or .h5.") var out: String

  func validate() throws {
    try checkRange("count", count, 1...10_000_000)
    try checkRange("columns", columns, 1...10_000)
    if !["png", "npy", "h5"].contains((out as NSString).pathExtension) {
      throw ValidationError("--out '\(out)': expected a name that ends in .png, .npy or .h5")
    }
  }

  func run() throws {
    let opened = try folder.open()
    try generate(opened.model, opened)
  }

  private func generate(_ model: some LatentVariableModel, _ opened: OpenRun) throws {
    var random = RandomStream(seed: seed)
    var latents: [Tensor] = []
    var examples: [Tensor] = []
    for start in stride(from: 0, to: count, by: 512) {
      let z = model.samplePrior(min(512, count - start), using: &random)
      let likelihood = model.decode(z)
      latents.append(z)
      examples.append(sample ? likelihood.sample(using: &random) : likelihood.mean)
    }
    let decoded = Tensor.concatenate(examples, axis: 0)
    let pictures = Pictures(model: model, inputShape: opened.configuration.model.inputShape)
    switch (out as NSString).pathExtension {
    case "npy": try NPY.write(decoded.array, to: out)
    case "h5":
      let z = Tensor.concatenate(latents, axis: 0)
      try HDF5File.write(arrays: ["examples": decoded.array, "latents": z.array], to: out)
    default:
      guard pictures.isPicture else {
        throw CommandError(
          "examples of shape \(opened.configuration.model.inputShape) are no "
            + "pictures: write a .npy or .h5 file", .usage)
      }
      try pictures.write(decoded, columns: columns, to: out)
    }
    print("{\"examples\": \(count), \"seed\": \(seed), \"out\": \(quoted(out))}")
  }
}
