// One run on one data set: what is asked of it, part by part, kept in the run's folder after each.

import Foundation
import Latent
import LatentCommands

/// What is measured, in the order in which it stands in files and pages.
enum EvaluationPart: String, CaseIterable, Sendable {
  case likelihood, annealing, structure, disentanglement, samples, outliers
}

/// What all parts are asked with.
struct EvaluationOptions: Sendable {
  var parts: [EvaluationPart]
  let examples, draws, temperatures, annealed: Int
  let against: String?
  let seed: UInt64
  let again: Bool
}

/// A run, its data, and what is to be measured.
struct EvaluationSubject {
  let opened: OpenRun
  /// As the model knows them, random transforms drawn once; not more than are asked for.
  let data: any Dataset
  /// The same of what the run was trained on.
  let training: any Dataset
  let options: EvaluationOptions
  let say: (String) -> Void

  init(
    _ opened: OpenRun, data: String?, _ options: EvaluationOptions, say: @escaping (String) -> Void
  ) throws {
    self.opened = opened
    self.options = options
    self.say = say
    let drawn = try EvaluationSubject.drawing(opened, options)
    self.data = drawn(try opened.data(data))
    training = drawn(try opened.trainingData())
    try opened.checkRange(of: self.data)
  }

  /// What brings a data set into the form in which it is measured.
  static func drawing(
    _ opened: OpenRun, _ options: EvaluationOptions
  ) throws -> (any Dataset) -> any Dataset {
    let random = try opened.randomTransform()
    return { whole in
      let all = random.map { DrawnDataset(whole, $0, seed: options.seed) as any Dataset } ?? whole
      if all.count <= options.examples { return all }
      return Subset(all, indices: Array(0..<options.examples))
    }
  }

  /// Everything that was asked for, as the run's `evaluation.json` has it in the end.
  func evaluate() throws -> EvaluationRecord {
    let path = "\(opened.folder)/\(EvaluationRecord.fileName)"
    let order = EvaluationPart.allCases.map(\.rawValue)
    var record = EvaluationRecord(
      version: LibraryVersion.current, model: opened.model.fingerprint, data: data.name,
      dataFingerprint: try DatasetFingerprint(of: data).checksum, examples: data.count)
    // Another model's, another version's or a damaged one is replaced: it is the tool's own.
    if let known = try? EvaluationRecord(contentsOf: path), known.isAbout(record) { record = known }
    for part in options.parts {
      let settings = settings(of: part)
      if !options.again, record.part(part.rawValue, settings: settings) != nil {
        say("\(part.rawValue): measured already")
        continue
      }
      let start = Date()
      let (measurements, notes) = try measure(part)
      record.set(
        EvaluationRecord.Part(
          part.rawValue, settings: settings, measurements: measurements, notes: notes),
        order: order)
      try AtomicFile.write(try record.encoded(), to: path)
      try removeState(of: part)
      let seconds = Date().timeIntervalSince(start)
      say(String(format: "%@: %.1f s, at most %d MB", part.rawValue, seconds, peakMegabytes))
    }
    return record
  }

  /// The most memory that the process has had.
  private var peakMegabytes: Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss >> 10
  }

  private func settings(of part: EvaluationPart) -> [String: String] {
    var settings = ["seed": "\(options.seed)"]
    switch part {
    case .likelihood: settings["draws"] = "\(options.draws)"
    case .annealing:
      settings["temperatures"] = "\(options.temperatures)"
      settings["annealed"] = "\(options.annealed)"
    case .outliers: settings["against"] = options.against
    case .structure, .disentanglement, .samples: break
    }
    return settings
  }

  private func measure(
    _ part: EvaluationPart
  ) throws -> (measurements: [MetricValue], notes: [String]) {
    func open(
      _ model: some LatentVariableModel
    ) throws -> (measurements: [MetricValue], notes: [String]) {
      switch part {
      case .likelihood: try likelihood(model)
      case .annealing: try annealing(model)
      case .structure: try structure(model)
      case .disentanglement: try disentanglement(model)
      case .samples: try samples(model)
      case .outliers: try outliers(model)
      }
    }
    return try open(opened.model)
  }

  // MARK: What is done of a part

  /// Where the likelihoods of single examples are kept until all are there.
  var likelihoodState: String { "\(opened.folder)/evaluation-likelihood.h5" }

  private func removeState(of part: EvaluationPart) throws {
    if part == .likelihood { try? FileManager.default.removeItem(atPath: likelihoodState) }
  }

  /// Says from time to time how far something is, and how long it will take.
  func progress(_ name: String) -> (Int, Int) -> Void {
    let (start, say) = (Date(), say)
    var last = Date()
    var first: Int?
    return { done, count in
      // What was done by an earlier call took none of this one's time.
      let begun = first ?? done
      first = begun
      guard Date().timeIntervalSince(last) > 5 else { return }
      last = Date()
      let share = Double(done - begun) / Double(max(1, count - begun))
      let left = Date().timeIntervalSince(start) * (1 / max(share, 1e-9) - 1)
      say("\(name): \(done) of \(count), about \(Int(left)) s left")
    }
  }
}
