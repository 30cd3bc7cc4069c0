// Opening a run folder: the newest (or best) checkpoint, its settings, its model.

import ArgumentParser
import Foundation
import Latent

/// The argument that all tools but latent-train share.
public struct RunArguments: ParsableArguments {
  @Argument(help: "The folder of a run, as latent-train leaves it.", transform: folderName)
  public var run: String

  @Option(
    help: "Which checkpoint: best (lowest validation loss), latest, or the path of a file.",
    transform: pathName)
  public var checkpoint = "best"

  @Option(
    help: "A file of adapters for the run's model, such as the adapters.h5 of a run --from it.",
    transform: pathName)
  public var adapters: String?

  @Option(help: "Threads; 0 takes every CPU. Results are the same for any number.")
  public var threads = 0

  public init() {}

  public func validate() throws {
    try checkRange("threads", threads, 0...256)
  }

  /// Reads the checkpoint and makes the model.
  public func open() throws -> OpenRun {
    Threads.count = threads
    return try OpenRun(folder: run, checkpoint: checkpoint, adapters: adapters)
  }
}

/// A run as the tools use it: with its data, and checks of what is asked of it.
public struct OpenRun: Sendable {
  public let run: Run
  /// Where the run lies; of a checkpoint that is asked for as a run, the folder that it lies in.
  public let folder: String
  public var path: String { run.checkpointPath }
  public var configuration: RunConfiguration { run.configuration }
  public var model: any LatentVariableModel { run.model }

  /// Opens a run folder. `checkpoint` is `best`, `latest` or the path of a file; `adapters` the path of a
  /// file of adapters to be put on the model.
  public init(folder: String, checkpoint: String = "best", adapters: String? = nil) throws {
    let choice: Run.Choice =
      switch checkpoint {
      case "best": .best
      case "latest": .latest
      default: .file(checkpoint)
      }
    run = try Run(path: folder, checkpoint: choice, adapters: adapters)
    self.folder = run.checkpointPath == folder ? parts(ofPath: folder).folder : folder
  }

  /// The checkpoint of an ordinary run with this model in place of the run's: there is nothing to be
  /// resumed, and no adapter.
  public func checkpoint(of model: some Module) throws -> Checkpoint {
    var checkpoint = try Checkpoint(contentsOf: path)
    checkpoint.texts["trainer"] = nil
    checkpoint.texts[SavedAdapters.textName] = nil
    checkpoint.arrays = [:]
    checkpoint.store(model, as: "model")
    return checkpoint
  }

  /// The run's own data, or others of the same shape: the test set, or everything where there is none;
  /// changed by the run's transform as the model knows them, but by nothing that is random. Bytes stand for
  /// what they stood for in training.
  public func data(_ spec: String?) throws -> any Dataset {
    let source = try DataSource(parsing: spec ?? configuration.data)
    let (training, test) = try source.open(bytes: configuration.bytes)
    let dataset = test ?? training
    dataset.printNotes()
    if source.isText != configuration.isText {
      throw CommandError(
        "data \(source): \(source.isText ? "text" : "no text"), but the model was trained on "
          + configuration.data, .dataError)
    }
    if dataset.inputShape != Shape(configuration.model.inputShape) {
      throw CommandError(
        "data \(source): examples of shape \(dataset.inputShape), "
          + "but the model was trained on \(configuration.model.inputShape)", .dataError)
    }
    return dataset.seen(through: try run.transform)
  }

  /// What `data` leaves out of the run's transform: all of it where it is random, nothing else.
  public func randomTransform() throws -> (any BatchTransform)? {
    let transform = try run.transform
    return transform?.isRandom == true ? transform : nil
  }

  /// Refuses pictures of examples that are none, and texts of examples that are none, before
  /// anything is computed. `arrays` are the endings of names that suit all examples.
  public func checkOutput(_ out: String, arrays: [String]) throws {
    let wanted = (isText: Texts.areWritten(to: out), isPicture: out.hasSuffix(".png"))
    if (!wanted.isText || configuration.isText) && (!wanted.isPicture || isPicture) { return }
    let own = configuration.isText ? [Texts.ending] : isPicture ? [".png"] : []
    let endings = own + arrays
    let list = [endings.dropLast().joined(separator: ", "), endings.last ?? ""]
    throw CommandError(
      "--out '\(out)': examples of shape \(configuration.model.inputShape) are no "
        + "\(wanted.isText ? "texts" : "pictures"): write a "
        + "\(list.filter { !$0.isEmpty }.joined(separator: " or ")) file", .usage)
  }

  /// The most bytes of examples that are made at once; writing them takes as much several times.
  public static let outputBytes = 1 << 30

  /// Refuses more examples than memory should be taken for, before anything is computed. `grid` are
  /// the cells of the picture where `out` is one.
  public func checkSize(_ option: String, count: Int, grid: Int, out: String) throws {
    let shape = configuration.model.inputShape
    // In double: the product may overflow.
    var bytes = Double(count) * 4 * Double(shape.reduce(1, *) + model.latentShape.count)
    if out.hasSuffix(".png") && isPicture {
      bytes += Double(grid) * pictureBytes
    }
    let limit = OpenRun.outputBytes
    if bytes <= Double(limit) { return }
    let size = String(format: "%.1f", bytes / Double(1 << 30))
    throw CommandError(
      "\(option): \(count) examples of shape \(shape) and their latents take \(size) GiB, expected "
        + "at most \(limit >> 30) GiB; make fewer at a time", .usage)
  }

  /// The bytes of an example in a grid, enlarged and with its edge.
  private var pictureBytes: Double {
    let shape = configuration.model.inputShape
    let scale = Double(PictureScale.of(inputShape: shape))
    return (Double(shape[0]) * scale + 1) * (Double(shape[1]) * scale + 1) * Double(shape[2])
  }

  /// Whether examples can be shown as pictures.
  public var isPicture: Bool {
    let shape = configuration.model.inputShape
    return shape.count == 3 && (shape[2] == 1 || shape[2] == 3)
  }
}
