// Every failure ends in one clear sentence and an exit code of sysexits.h.

import ArgumentParser
import Foundation
import Latent

/// Exit codes after BSD's sysexits.h.
public enum ExitStatus: Int32, Sendable {
  case usage = 64, dataError = 65, noInput = 66, software = 70, osError = 71, cannotCreate = 73
  case ioError = 74, configuration = 78
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
  StandardStream.occupyClosed()
  // Then what cannot be written is an error number.
  signal(SIGPIPE, SIG_IGN)
  signal(SIGXFSZ, SIG_IGN)
  let name = type.configuration.commandName ?? "latent"
  sayWhenMemoryEnds(as: name)
  func fail(_ error: any Error, _ code: Int32) -> Never {
    let line = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
    StandardStream.error.show("\(name): \(line)\n", patience: 1)
    exit(code)
  }
  do {
    let arguments = joiningNegativeNumbers(Array(CommandLine.arguments.dropFirst()))
    var command = try type.parseAsRoot(arguments)
    do {
      try command.run()
    } catch let error where status(of: error) != nil {
      fail(error, status(of: error) ?? ExitStatus.software.rawValue)
    }
  } catch {
    // As the argument parser's own `exit`, which loses what cannot be written.
    let code = type.exitCode(for: error)
    let text = type.fullMessage(for: error)
    if !code.isSuccess {
      StandardStream.error.show(text.isEmpty ? "" : "\(text)\n", patience: 1)
    } else if !text.isEmpty {
      do { try printResult("\(text)\n") } catch { fail(error, ExitStatus.ioError.rawValue) }
    }
    exit(code.rawValue)
  }
}

/// Writes what a command is asked for to standard output.
/// - Throws: `CommandError` where it cannot be written.
public func printResult(_ text: String) throws {
  do {
    try StandardStream.output.write(text)
  } catch {
    throw CommandError("\(error)", .ioError)
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
  case TrainingError.noBatches, TrainingError.smallBatch, TrainingError.wrongCheckpoint,
    TrainingError.wrongPosition:
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
  case is ModelDescriptionError, is ModelRequirementError, is AdapterError: status = .configuration
  case is ParameterMismatch, is OptimizerStateMismatch: status = .dataError
  default: return nil
  }
  return status.rawValue
}
