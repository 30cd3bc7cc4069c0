// Every failure ends in one clear sentence and an exit code of sysexits.h.

import ArgumentParser
import Foundation
import Latent

/// Exit codes after BSD's sysexits.h.
public enum ExitStatus: Int32, Sendable {
  case usage = 64, dataError = 65, noInput = 66, software = 70, cannotCreate = 73
  case configuration = 78
}

/// A failure that a command found itself.
public struct CommandError: Error, Sendable, CustomStringConvertible {
  public let description: String
  /// The exit code.
  public let code: Int32

  public init(_ description: String, _ status: ExitStatus) {
    self.init(description, code: status.rawValue)
  }

  /// With the exit code of another process.
  public init(_ description: String, code: Int32) {
    self.description = description
    self.code = code
  }
}

/// Runs a command; on failure prints one sentence and exits.
public func runCommand<Command: ParsableCommand>(_ type: Command.Type) {
  do {
    var command = try type.parseAsRoot()
    do {
      try command.run()
    } catch let error where status(of: error) != nil {
      let name = type.configuration.commandName ?? "latent"
      let line = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
      FileHandle.standardError.write(Data("\(name): \(line)\n".utf8))
      exit(status(of: error) ?? ExitStatus.software.rawValue)
    }
  } catch {
    type.exit(withError: error)
  }
}

/// Refuses a number outside its range before anything is computed with it.
public func checkRange(_ option: String, _ value: Int, _ range: ClosedRange<Int>) throws {
  if range.contains(value) { return }
  let expected =
    range.upperBound == .max
    ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
  throw ValidationError("--\(option) \(value): expected \(expected)")
}

/// A text as a JSON string.
public func quoted(_ text: String) -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.withoutEscapingSlashes]
  return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
}

/// The exit code of the library's errors; nil for those of the argument parser.
private func status(of error: any Error) -> Int32? {
  let status: ExitStatus
  switch error {
  case let error as CommandError: return error.code
  case TrainingError.interrupted(let signal, _): return 128 + signal
  case TrainingError.noCheckpoint, RunError.noBest: status = .noInput
  case is RunError: status = .dataError
  case is SettingError: status = .configuration
  case TrainingError.noBatches, TrainingError.wrongCheckpoint, TrainingError.wrongPosition:
    status = .dataError
  case is TrainingError: status = .software
  case is DataMisfit: status = .dataError
  case let error as StorageError:
    switch error.kind {
    case .unreadable: status = .noInput
    case .badData: status = .dataError
    case .cannotWrite: status = .cannotCreate
    }
  case DatasetError.missingFile, DatasetError.notAFolder: status = .noInput
  case let error as DatasetError: status = error.isUsage ? .usage : .dataError
  case is ModelDescriptionError, is ModelRequirementError: status = .configuration
  case is ParameterMismatch, is OptimizerStateMismatch: status = .dataError
  default: return nil
  }
  return status.rawValue
}
