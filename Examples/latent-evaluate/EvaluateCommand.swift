// latent-evaluate: everything that can be measured of a run, with errors, chance and ceilings.

import ArgumentParser
import Foundation
import Latent
import LatentCommands

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latent-evaluate",
    abstract: "Measures trained models: likelihood, latents, samples, outliers.",
    usage: """
      latent-evaluate <run> [<run> ...] [<options>]
      latent-evaluate --real FILE --fake FILE [<options>]
      """,
    discussion: """
      Prints a table and leaves in each run's folder
        evaluation.json     every number with its definition's version, standard
                            error, chance, ceiling, examples and settings
        evaluation.html     the same as a page, with pictures; with several runs
                            --out names the page that has them side by side
      What each number is: docs/evaluation.md, or --print-metrics.

      PARTS (--parts NAME,NAME; all but annealing unless said otherwise)
        likelihood        the bound and its parts, importance-weighted likelihood
        annealing         AIS and the BDMC gap; hours for large models
        structure         which latents are used, what they say, probes of labels
        disentanglement   of data with known factors (sprites, HDF5 factors)
        samples           generated examples beside test data, and copies of
                          training data among them
        outliers          with --against: are other data told from the run's own

      An evaluation that was interrupted goes on where it stopped, and what has
      been measured already of the same model, data and settings is kept
      (--again measures anew). Numbers do not depend on that, nor on threads.

      Data are changed by the run's transform as in training; what it draws at
      random (binarize) is drawn once for each example, from --seed.

      EXAMPLE
        latent-evaluate run/
        latent-evaluate seed1/ seed2/ seed3/ --out comparison.html
        latent-evaluate run/ --against mnist:letters/ --scores scores.h5
        latent-evaluate --real real.npy --fake fake.npy
      """)

  @Argument(help: "Folders of runs, as latent-train leaves them.", transform: folderName)
  var runs: [String] = []
  @Option(help: "What to evaluate on (as latent-train's --data); the run's test data by default.")
  var data: String?
  @Option(help: "Which parts; see PARTS.") var parts: String?
  @Option(help: "Only the first so many examples. (default: 10000)") var examples = 10_000
  @Option(help: "Draws of the posterior for each example's likelihood. (default: 1000)")
  var draws = 1000
  @Option(help: "Temperatures of annealing. (default: 500)") var temperatures = 500
  @Option(help: "Examples that are annealed. (default: 100)") var annealed = 100
  @Option(help: "Other data, as --data: which the model should find strange.") var against: String?
  @Option(
    help: "An HDF5 file for the scores of each example.", transform: pathName) var scores: String?
  @Option(help: "Real features [n, d], .npy or .h5:NAME, in place of a run.") var real: String?
  @Option(help: "Generated features [m, d].") var fake: String?
  @Option(
    help: "Which checkpoint: best (lowest validation loss), latest, or the path of a file.",
    transform: pathName)
  var checkpoint = "best"
  @Option(
    help: "The page that compares runs, or the JSON of --real and --fake.", transform: pathName)
  var out: String?
  @Option(help: "What all randomness follows from. (default: 0)") var seed: UInt64 = 0
  @Option(help: "Threads; 0 takes every CPU. Results are the same for any number.")
  var threads = 0
  @Flag(help: "Measure anew what has been measured.") var again = false
  @Flag(help: "No progress on standard error.") var quiet = false
  @Flag(help: "Show the definition of every number as a page and end.") var printMetrics = false
  @OptionGroup var overwriting: OverwriteArguments

  func validate() throws {
    if printMetrics { return }
    try checkRange("threads", threads, 0...256)
    try checkRange("examples", examples, 2...Int.max)
    try checkRange("draws", draws, 2...10_000_000)
    try checkRange("temperatures", temperatures, 2...10_000_000)
    try checkRange("annealed", annealed, 1...1_000_000)
    _ = try chosenParts()
    if (real == nil) != (fake == nil) {
      throw ValidationError("--real and --fake go together: two samples are compared")
    }
    if runs.isEmpty && real == nil {
      throw ValidationError(
        "Missing expected argument '<run>': expected either runs, or --real and --fake")
    }
    if !runs.isEmpty && real != nil {
      throw ValidationError("expected either runs, or --real and --fake")
    }
    if runs.count > 1 && out == nil {
      throw ValidationError("several runs are compared on a page: name it with --out")
    }
    if scores != nil && (runs.count != 1) {
      throw ValidationError("--scores are those of one run")
    }
  }

  /// In their own order, whatever order they were asked for in.
  private func chosenParts() throws -> [EvaluationPart] {
    guard let parts else { return EvaluationPart.allCases.filter { $0 != .annealing } }
    let names = parts.split(separator: ",").map(String.init)
    let known = EvaluationPart.allCases.map(\.rawValue)
    if let wrong = names.first(where: { !known.contains($0) }) {
      throw ValidationError("--parts '\(wrong)': expected some of \(known.joined(separator: ", "))")
    }
    if names.isEmpty { throw ValidationError("--parts: expected a part") }
    return EvaluationPart.allCases.filter { names.contains($0.rawValue) }
  }

  func run() throws {
    if printMetrics { return try printResult(MetricsPage.markdown()) }
    Threads.count = threads
    if let real, let fake { return try compare(real, fake) }
    var asked = EvaluationOptions(
      parts: try chosenParts(), examples: examples, draws: draws, temperatures: temperatures,
      annealed: annealed, against: against, seed: seed, again: again)
    if against == nil && parts == nil { asked.parts.removeAll { $0 == .outliers } }
    if against == nil && asked.parts.contains(.outliers) {
      throw CommandError(
        "outliers: say with --against which data the model should find strange", .usage)
    }
    if let scores { try overwriting.check(scores) }
    if let out { try overwriting.check(out) }
    var entries: [(name: String, record: EvaluationRecord)] = []
    for folder in runs {
      let opened = try OpenRun(folder: folder, checkpoint: checkpoint)
      let subject = try EvaluationSubject(opened, data: data, asked, say: quiet ? { _ in } : say)
      let record = try subject.evaluate()
      entries.append((folder, record))
      if let scores { try subject.writeScores(to: scores) }
      try subject.writePage(of: record)
    }
    for (name, record) in entries {
      for part in record.parts where asked.parts.contains(where: { $0.rawValue == part.name }) {
        for note in part.notes {
          printNote((entries.count > 1 ? "\(name): " : "") + "\(part.name): \(note)")
        }
      }
    }
    if entries.count > 1, let out { try ComparisonPage(entries).write(to: out) }
    try printResult(EvaluationTable(entries).text)
  }

  /// Two samples of features from files.
  private func compare(_ real: String, _ fake: String) throws {
    let measurements = try TwoSampleMetrics.measure(
      real: Tensor(try FeatureFile.read(real)), fake: Tensor(try FeatureFile.read(fake)),
      settings: ["features": "given"], using: RandomStream(seed: seed).split("samples"))
    if let out {
      try overwriting.check(out)
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
      try AtomicFile.write(Array(try encoder.encode(measurements)), to: out)
      FileMark.set(on: out)
    }
    try printResult(EvaluationTable([("value", measurements)]).text)
  }

  private func say(_ text: String) { StandardStream.error.show("\(text)\n") }
}

/// Arrays of features in files of others.
enum FeatureFile {
  /// `FILE.npy`, or `FILE.h5:NAME`.
  static func read(_ text: String) throws -> NDArray {
    guard let colon = text.lastIndex(of: ":"), !text.hasSuffix(".npy") else {
      return try NPY.read(try pathName(text)).converted(to: .float64)
    }
    let path = try pathName(String(text[..<colon]))
    return try HDF5File(path: path).array(String(text[text.index(after: colon)...]))
      .converted(to: .float64)
  }
}
