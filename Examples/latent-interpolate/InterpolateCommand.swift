// latent-interpolate: walks through the latent space, as pictures, texts or numbers.

import ArgumentParser
import Foundation
import Latent
import LatentCommands

struct InterpolateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latent-interpolate",
    abstract: "Decodes paths between examples, traversals of latents, and attributes.",
    usage: "latent-interpolate <run> [<options>] --out <out>",
    discussion: """
      One row for each pair of examples, or with --traverse one row for each of the
      latents that vary most. With --attribute one row for each of the first
      examples, from its latent less the attribute to its latent with it: the mean
      latent of the examples of that label less the mean of all others.

      PATHS
        linear          straight
        spherical       along the great circle, weighing latents by sines
        spherical-norm  the same directions, with norms that change evenly
        geodesic        the shortest as far as the decoder's output moves; takes
                        some hundred passes of the decoder for each row
        flow            straight where a flow comes from: that of the prior, or of
                        the sampler maf, iaf or flow-matching (--sampler)

      Data are changed by the run's transform where that is a threshold; what it
      draws at random (binarize) is left out.

      OUTPUT by the ending of --out
        .png   a picture
        .txt   texts, one on a line, an empty line after each row; - prints them
        .npy   the decoded examples [rows, steps, ...]

      EXAMPLE
        latent-interpolate run/ --out strips.png
        latent-interpolate run/ --pairs 3:17,4:5 --path linear --out strips.png
        latent-interpolate run/ --path geodesic --out geodesics.png
        latent-interpolate run/ --path flow --sampler maf --out strips.png
        latent-interpolate run/ --traverse 8 --out traversal.png
        latent-interpolate run/ --attribute 7 --rows 5 --out sevens.png
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
  @Option(help: "linear, spherical, spherical-norm, geodesic or flow. (default: spherical)")
  var path: Path?
  @Option(help: "Traverse so many latents instead, around example 0.") var traverse: Int?
  @Option(help: "The file to write: .png, .txt or .npy.", transform: pathName) var out: String
  @Option(help: "Add and take away what is common to the examples of this label instead.")
  var attribute: Int?
  @OptionGroup var sampling: SamplerArguments
  @OptionGroup var overwriting: OverwriteArguments

  enum Path: String, CaseIterable, ExpressibleByArgument {
    case linear, spherical
    case sphericalNorm = "spherical-norm"
    case geodesic, flow
  }

  func validate() throws {
    let given = [
      ("--attribute", attribute != nil), ("--pairs", pairs != nil), ("--path", path != nil),
      ("--rows", rows != nil),
    ]
    if traverse != nil, let other = given.first(where: \.1)?.0 {
      throw ValidationError("--traverse and \(other) exclude each other")
    }
    if attribute != nil, let other = given[1...2].first(where: \.1)?.0 {
      throw ValidationError("--attribute and \(other) exclude each other")
    }
    if pairs != nil && rows != nil {
      throw ValidationError("--pairs and --rows exclude each other")
    }
    if path != .flow && sampling.isAsked {
      throw ValidationError("--sampler goes with --path flow")
    }
    if sampling.label != nil {
      throw ValidationError("--label: a path is along the flow of no class")
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
    func checkSize(rows: Int) throws {
      let count = rows * steps
      try opened.checkSize("--steps \(steps)", count: count, grid: count, out: out)
    }
    let (decoded, figures): (Tensor, String)
    if let traverse {
      try checkSize(rows: min(traverse, model.latentShape.count))
      let few = Subset(dataset, indices: Array(0..<min(512, dataset.count)))
      try opened.checkRange(of: few)
      let x = Tensor(try finite(few, Array(0..<few.count)).inputs)
      decoded = pictures.traversals(
        of: x, dimensions: pictures.order(of: x, use: nil, count: traverse), steps: steps)
      figures = ""
    } else if let attribute {
      let rows = min(rows ?? 8, dataset.count)
      try checkSize(rows: rows)
      try opened.checkRange(of: dataset)
      let (codes, vector) = try vector(attribute, model, dataset)
      decoded = pictures.attributes(of: codes[..<rows], along: vector, steps: steps)
      figures =
        "\"norm\": \(vector.norm), \"shrinkage\": \(vector.shrinkage), \"with\": \(vector.with), "
        + "\"without\": \(vector.without), "
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
      (decoded, figures) = try paths(between: x, pictures, opened)
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
      "{\"rows\": \(decoded.shape[0] / steps), \"steps\": \(steps), \(figures)\"out\": \(quoted(out))}\n"
    )
  }

  /// Strips between neighbours of `x`, and of geodesics how long they are beside straight ones.
  private func paths(
    between x: Tensor, _ pictures: Pictures<some LatentVariableModel>, _ opened: OpenRun
  ) throws -> (decoded: Tensor, figures: String) {
    let path = path ?? .spherical
    if path == .flow {
      let flow = try flow(of: pictures.model, opened)
      return (try pictures.interpolations(between: x, steps: steps, through: flow), "")
    }
    guard path == .geodesic else {
      let plain = Interpolation(rawValue: path.rawValue) ?? .spherical
      return (pictures.interpolations(between: x, steps: steps, path: plain), "")
    }
    let (decoded, geodesics) = try pictures.geodesics(between: x, steps: steps)
    func sum(_ length: (Geodesic) -> Double) -> Double { geodesics.reduce(0) { $0 + length($1) } }
    return (
      decoded,
      "\"length\": \(sum(\.length)), \"straightLength\": \(sum(\.straight.length)), "
    )
  }

  /// The flow of the prior, or of the sampler that is asked for.
  private func flow(
    of model: some LatentVariableModel, _ opened: OpenRun
  ) throws -> any BaseSpace {
    let sampler = try sampling.open(opened, seed: 0)
    if let flow = sampler as? any BaseSpace { return flow }
    let flows = "--sampler maf, iaf and flow-matching are flows"
    if !(sampler is PriorSampler) {
      throw CommandError(
        "--path flow: the sampler '\(sampling.sampler)' is none; \(flows)", .usage)
    }
    do {
      return try model.priorFlow()
    } catch let error as ModelRequirementError {
      throw CommandError("--path flow: \(error); \(flows)", .usage)
    }
  }

  /// Latents of all examples, and what those of the label have in common.
  private func vector(
    _ label: Int, _ model: some LatentVariableModel, _ dataset: any Dataset
  ) throws -> (codes: Tensor, vector: AttributeVector) {
    let (codes, labels) = try model.codes(of: dataset)
    guard let labels else {
      throw CommandError("--attribute \(label): \(dataset.name) has no labels", .dataError)
    }
    let isWith = labels.map { $0 == label }
    if Set(isWith).count < 2 {
      let known = Set(labels).sorted().prefix(20).map { "\($0)" }.joined(separator: ", ")
      throw CommandError(
        "--attribute \(label): expected one of several labels of \(dataset.name): \(known)",
        .dataError)
    }
    return (codes, AttributeVector(codes.flattened(from: 1), isWith: isWith))
  }
}
