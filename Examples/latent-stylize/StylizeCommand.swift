// latent-stylize: the content of one picture in the style of another, as the layers of a trained encoder see both.

import ArgumentParser
import Foundation
import Latent
import LatentCommands

struct StylizeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latent-stylize",
    abstract: "Paints the content of one picture in the style of another.",
    usage: "latent-stylize --content <a> --style <b> --features <run> --out <out>",
    discussion: """
      The picture that is made has the activations of the content in some layers of
      the run's encoder, and the textures of the style (their Gram matrices) in
      others (Gatys, Ecker and Bethge 2015). Nothing of the run is changed.

      Pictures are PNG files. They become gray where the run knows gray pictures,
      and keep their sizes unless --size says another. Convolutions take any size,
      fully connected encoders that of their run only.

      LAYERS
        --style-layers convolutions.0,convolutions.1=0.5 names some, each with a
        weight of 1 unless one is said. Without it the style is that of all
        convolutions, the content that of the last. An unknown name is answered
        with the list of them.

      OUTPUT
        --out is a picture (.png). Figures at the end are of the picture as it is
        written, each a sum over layers without --content-weight, --style-weight.

      EXAMPLE
        latent-stylize --content a.png --style b.png --features run/ --out c.png
      """)

  @Option(help: "The picture whose content is kept.", transform: pathName) var content: String
  @Option(help: "The picture whose style is taken.", transform: pathName) var style: String
  @Option(help: "The run whose encoder looks at the pictures.", transform: folderName)
  var features: String
  @Option(help: "The picture to write, a name that ends in .png.", transform: pathName)
  var out: String
  @Option(help: "adam or lbfgs.") var optimizer = OptimizerName.lbfgs
  @Option(help: "Iterations.") var steps = 200
  @Option(help: "The step size of adam.") var learningRate = 0.02
  @Option(help: "What the content counts.") var contentWeight = 1.0
  @Option(help: "What the style counts.") var styleWeight = StyleTransfer.standardStyleWeight
  @Option(help: "NAME[=WEIGHT],... (default: the last convolution)") var contentLayers: String?
  @Option(help: "NAME[=WEIGHT],... (default: all convolutions)") var styleLayers: String?
  @Option(help: "The side of the square that pictures become. (default: their own sizes)")
  var size: Int?
  @Option(help: "What the picture is to begin with: content or noise.") var start = Start.content
  @Option(help: "What noise follows from.") var seed: UInt64 = 0
  @Option(help: "Threads; 0 takes every CPU. Results are the same for any number.")
  var threads = 0
  @OptionGroup var overwriting: OverwriteArguments
  @Flag(help: "No progress on standard error.") var quiet = false

  enum OptimizerName: String, ExpressibleByArgument, CaseIterable { case adam, lbfgs }
  enum Start: String, ExpressibleByArgument, CaseIterable { case content, noise }

  /// The longest side of a picture: activations of all layers lie in memory at once.
  static let longestSide = 2048

  func validate() throws {
    try checkRange("steps", steps, 1...1_000_000)
    try checkRange("threads", threads, 0...256)
    if let size { try checkRange("size", size, 8...StylizeCommand.longestSide) }
    for (option, value) in [("content-weight", contentWeight), ("style-weight", styleWeight)]
    where !(value >= 0 && value.isFinite) {
      throw ValidationError("--\(option) \(value): expected 0 or more")
    }
    if !(learningRate > 0 && learningRate.isFinite) {
      throw ValidationError("--learning-rate \(learningRate): expected more than 0")
    }
    _ = (try layers("content-layers", contentLayers), try layers("style-layers", styleLayers))
    if !out.hasSuffix(".png") {
      throw ValidationError("--out '\(out)': expected a name that ends in .png")
    }
  }

  private func layers(_ option: String, _ text: String?) throws -> [LayerWeight] {
    try text?.split(separator: ",", omittingEmptySubsequences: false).map { item in
      guard let layer = LayerWeight(parsing: String(item)) else {
        throw ValidationError("--\(option) '\(item)': expected NAME or NAME=WEIGHT, 0 or more")
      }
      return layer
    } ?? []
  }

  func run() throws {
    Threads.count = threads
    let opened = try OpenRun(folder: features)
    try overwriting.check(
      out, needed: [opened.path, content, style] + RunFolder.ownFiles(of: features))
    let source = try opened.run.features(named: features)
    guard opened.isPicture else {
      throw CommandError(
        "--features \(features): the run is on data of shape \(source.inputShape), expected pictures "
          + "of 1 or 3 channels", .dataError)
    }
    let channels = source.inputShape[2]
    let (content, style) = (
      try picture("content", content, channels), try picture("style", style, channels)
    )
    for (option, image) in [("content", content), ("style", style)]
    where source.network.features(of: image).isEmpty {
      throw CommandError(
        "--\(option): a picture of \(sides(image.shape.suffix(3))), but the encoder of \(features) is fully "
          + "connected and takes \(sides(source.inputShape)) only: say --size \(source.inputShape[0])",
        .dataError)
    }
    let transfer: StyleTransfer
    do {
      transfer = try StyleTransfer(
        through: source.network, content: content, style: style,
        contentLayers: try layers("content-layers", contentLayers),
        styleLayers: try layers("style-layers", styleLayers), contentWeight: contentWeight,
        styleWeight: styleWeight)
    } catch let error as UnknownLayer {
      throw CommandError(
        "--features \(features): \(error) that suit both pictures", .usage)
    }
    try paint(Painting(transfer: transfer, start: first(content)))
  }

  /// Where the search begins.
  private func first(_ content: Tensor) -> Tensor {
    if start == .content { return content }
    var random = RandomStream(seed: seed)
    return Tensor(random.uniform(content.shape))
  }

  private func sides(_ shape: Shape) -> String { "\(shape[0]) x \(shape[1])" }

  /// A picture file as `[1, height, width, channels]`.
  private func picture(_ option: String, _ path: String, _ channels: Int) throws -> Tensor {
    let image = Tensor(
      try ImageFolder.picture(contentsOf: path, side: size, channels: channels))
    if max(image.shape[0], image.shape[1]) > StylizeCommand.longestSide {
      throw CommandError(
        "--\(option) \(path): \(sides(image.shape)) pixels, expected at most "
          + "\(StylizeCommand.longestSide) a side; make it smaller with --size", .dataError)
    }
    return image.expandingDimension(at: 0)
  }

  private func paint(_ painting: Painting) throws {
    let before = painting.figures(of: painting.start)
    func show(_ step: Int, _ picture: Tensor) -> Bool {
      if !quiet && (step % 10 == 0 || step == steps) {
        StandardStream.error.show("step \(step) of \(steps): \(painting.figures(of: picture))\n")
      }
      return true
    }
    let (made, done) =
      switch optimizer {
      case .adam: try painting.byAdam(steps, learningRate, show)
      case .lbfgs: painting.byLBFGS(steps, show)
      }
    let picture = made.clamped(to: 0...1)
    let after = painting.figures(of: picture)
    try PNG.write(ImageGrid.tile(picture.array, columns: 1, gap: 0), to: out)
    FileMark.set(on: out)
    try printResult(
      "{\"steps\": \(done), \"contentBefore\": \(before.content), \"content\": \(after.content), "
        + "\"styleBefore\": \(before.style), \"style\": \(after.style), \"out\": \(quoted(out))}\n")
  }
}
