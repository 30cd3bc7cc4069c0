// latent-quantize: a trained run to one whose weights take half or a quarter of the memory.

import ArgumentParser
import Foundation
import Latent
import LatentCommands

extension LowPrecision: ExpressibleByArgument {}

struct QuantizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latent-quantize",
    abstract: "Stores the weights of a trained model in 16 or 8 bits, for faster inference.",
    usage: "latent-quantize <run> --to <to> --out <out> [<options>]",
    discussion: """
      The other tools read the new run as any other; it cannot be trained on.
      Examples of the run's data show how large the numbers become that meet
      the weights; --data takes others. Either are changed by the run's transform
      where that is a threshold; what it draws (binarize) is drawn for the loss
      alone. The loss before and after is printed.

      PRECISION
        bfloat16   half the memory, about twice as fast; two decimal digits
        int8       a quarter, about three times as fast; a scale per channel
      The speed needs a CPU with the instructions (AVX-512 BF16, VNNI).

      EXAMPLE
        latent-quantize run/ --to int8 --out run-int8/
        latent-encode run-int8/ --out latents.csv
      """)

  @OptionGroup var folder: RunArguments
  @Option(help: "bfloat16 or int8.") var to: LowPrecision
  @Option(help: "The folder to write; it must not hold a run yet.", transform: folderName)
  var out: String
  @Option(help: "Typical data (as latent-train's --data); the run's test data by default.")
  var data: String?
  @Option(help: "How many examples the ranges are taken from.") var examples = 512
  @Option(help: "How many examples the loss is measured on.") var evaluate = 10_000
  @Option(help: "Path of a weight that stays float32, such as decoder.output.weight; repeatable.")
  var keep: [String] = []

  func validate() throws {
    try checkRange("examples", examples, 1...1_000_000)
    try checkRange("evaluate", evaluate, 1...Int.max)
  }

  func run() throws {
    let opened = try folder.open()
    try quantize(try opened.model.reparameterized(for: "the loss before and after"), opened)
  }

  private func quantize<Model: ReparameterizedModel>(_ model: Model, _ opened: OpenRun) throws {
    guard model.lowPrecisionPaths.isEmpty else {
      throw CommandError(
        "\(opened.path) holds weights of low precision already: quantize the run it was made from",
        .dataError)
    }
    if model is any DecoderDifferentiatingModel {
      throw CommandError(
        "low precision needs a posterior that takes no derivatives of the decoder: found "
          + "\(Model.Posterior.self)", .configuration)
    }
    let paths = Set(model.namedParameters.map(\.path))
    if let unknown = keep.first(where: { !paths.contains($0) }) {
      throw ValidationError("--keep '\(unknown)': the model has no parameter of this path")
    }
    let dataset = try opened.data(data)
    if dataset.count == 0 { throw CommandError("\(dataset.name) has no examples", .dataError) }
    try opened.checkRange(of: dataset)
    let folder = try NewRunFolder(out)
    defer { withExtendedLifetime(folder) {} }
    let target = "\(out)/\(RunFolder.best)"
    let typical = try dataset.batch(0..<min(examples, dataset.count))
    try typical.requireFinite(in: dataset)
    let quantized = model.quantized(
      to, calibratedOn: Tensor(typical.inputs), fields: typical.tensors,
      keeping: { keep.contains($0) })
    let checkpoint = try opened.checkpoint(of: quantized)
    let transform = try opened.randomTransform()
    let before = try loss(of: model, dataset, transform)
    let after = try loss(of: quantized, dataset, transform)
    func bytes(_ model: Model) -> Int { model.namedArrays.values.reduce(0) { $0 + $1.byteCount } }
    try folder.lock.verify()
    try checkpoint.write(to: target)
    try printResult(
      "{\"precision\": \(quoted(to.rawValue)), \"weights\": \(quantized.lowPrecisionPaths.count), "
        + "\"bytesBefore\": \(bytes(model)), \"bytes\": \(bytes(quantized)), "
        + "\"lossBefore\": \(before), \"loss\": \(after), \"out\": \(quoted(target))}\n")
  }

  /// The negative evidence lower bound in nats per example, with the same noise for every model.
  private func loss<Model: ReparameterizedModel>(
    of model: Model, _ dataset: any Dataset, _ transform: (any BatchTransform)?
  ) throws -> Double {
    let count = min(evaluate, dataset.count)
    let objective = ELBO<Model>()
    var sum = 0.0
    for start in stride(from: 0, to: count, by: 512) {
      var random = RandomStream(seed: 0).split(UInt64(start))
      let range = start..<min(start + 512, count)
      var batch = try dataset.batch(range)
      try batch.requireFinite(in: dataset)
      if let transform { batch = transform(batch, using: &random) }
      var context = LayerContext(isTraining: false, random: random, fields: batch.tensors)
      sum += objective(model, Tensor(batch.inputs), &context).total.item * Double(range.count)
    }
    return sum / Double(count)
  }
}
