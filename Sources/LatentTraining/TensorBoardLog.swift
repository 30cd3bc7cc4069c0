// What a run says to TensorBoard: losses by step and by epoch, the spread of parameters, pictures that the caller
// draws, the settings.

import Foundation
import LatentLayers
import LatentNumerics
import LatentStorage

/// Writes event files that TensorBoard opens: `tensorboard --logdir RUN`.
///
/// Scalars are `step/NAME` every `interval` steps, `train/NAME` and `validation/NAME` after each epoch; histograms
/// of every parameter tensor, pictures and texts come after each epoch. A resumed run begins a file of its own, from
/// which on TensorBoard drops what earlier ones said.
public struct TensorBoardLog: TrainingEvent {
  /// Something to be shown of the model after an epoch.
  public typealias Drawing =
    @Sendable (any Module, _ epoch: Int) throws -> [(
      tag: String, value: EventValue
    )]

  /// The folder of the event files.
  public let folder: String
  /// Steps between two records of a step's figures.
  public let interval: Int
  private let settings: [(name: String, value: String)]
  private let drawing: Drawing?
  private var file: EventFile?

  /// Files in `folder`.
  ///
  /// - Parameters:
  ///   - settings: shown as text, and by the page of hyper-parameters, which compares runs by their last losses.
  ///   - drawing: pictures, texts or whatever else is to be seen of the model.
  ///
  /// Traps unless `interval` is positive.
  public init(
    to folder: String, interval: Int = 20, settings: [(name: String, value: String)] = [],
    drawing: Drawing? = nil, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(interval > 0, "TensorBoard every \(interval) steps", file: file, line: line)
    self.folder = folder
    self.interval = interval
    self.settings = settings
    self.drawing = drawing
  }

  public mutating func runBegan(_ state: TrainingState) throws {
    let file = try EventFile(in: folder, continuingAt: state.step)
    self.file = file
    if state.step > 0 || settings.isEmpty { return }
    try file.add(settings: settings, comparedBy: ["train/loss", "validation/loss"])
    let rows = settings.map { "| \($0.name) | \($0.value) |" }
    let table = ["| setting | value |", "|---|---|"] + rows
    try file.add([("settings", .text(table.joined(separator: "\n")))], step: 0)
  }

  public mutating func noted(_ state: TrainingState, _ note: DataNote) throws {
    try file?.add([("notes/\(note.kind)", .text("\(note)"))], step: state.step)
  }

  public mutating func stepEnded(_ state: TrainingState, _ report: StepReport) throws {
    guard report.step % interval == 0 else { return }
    let figures =
      [
        ("loss", report.loss), ("gradientNorm", report.gradientNorm),
        ("learningRate", report.learningRate), ("skipped", report.wasSkipped ? 1 : 0),
      ] + report.terms.map { ($0.name, $0.value) }
    // A step at which the first player did not move has no loss.
    let known = figures.filter { !$0.1.isNaN || report.wasSkipped }
    try file?.add(known.map { ("step/\($0.0)", .scalar($0.1)) }, step: report.step)
  }

  public mutating func epochSettled(_ state: TrainingState, _ metrics: EpochMetrics) throws {
    var values: [(tag: String, value: EventValue)] = metrics.training.values.map {
      ("train/\($0.name)", .scalar($0.value))
    }
    values += metrics.validation?.values.map { ("validation/\($0.name)", .scalar($0.value)) } ?? []
    values.append(("epoch/seconds", .scalar(metrics.seconds)))
    if let model = state.model {
      for (path, array) in model.namedArrays.sorted(by: { $0.key < $1.key })
      where array.dtype.isFloatingPoint && array.count > 1 {
        let place = path.replacingOccurrences(of: ".", with: "/")
        values.append((tag: "parameters/\(place)", value: .histogram(Histogram(of: array.doubles))))
      }
      values += try drawing?(model, metrics.epoch) ?? []
    }
    try file?.add(values, step: metrics.step)
  }
}

extension TrainingEvent where Self == TensorBoardLog {
  /// Event files for TensorBoard in `folder`.
  public static func tensorBoard(
    to folder: String, interval: Int = 20, file: StaticString = #fileID, line: UInt = #line
  ) -> TensorBoardLog {
    TensorBoardLog(to: folder, interval: interval, file: file, line: line)
  }
}
