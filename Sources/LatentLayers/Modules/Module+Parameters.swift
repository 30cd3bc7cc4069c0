// The common visitors: paths, counts, replacement, element types.

import LatentAutodiff
import LatentNumerics

/// A parameter or buffer of a module with its path.
public struct NamedParameter: Sendable {
  /// Names joined by dots, such as `encoder.hidden.weight`.
  public let path: String
  /// Its value.
  public let tensor: Tensor
  /// False for buffers.
  public let isTrained: Bool
}

private struct Collector: ParameterVisitor {
  var prefix: [String] = []
  var found: [NamedParameter] = []

  private func path(_ name: String) -> String { (prefix + [name]).joined(separator: ".") }

  mutating func visit(_ parameter: inout Tensor, _ name: String) {
    found.append(NamedParameter(path: path(name), tensor: parameter, isTrained: true))
  }
  mutating func visitBuffer(_ buffer: inout Tensor, _ name: String) {
    found.append(NamedParameter(path: path(name), tensor: buffer, isTrained: false))
  }
  mutating func enter(_ name: String) { prefix.append(name) }
  mutating func leave() { prefix.removeLast() }
}

/// Collects the trained tensors without paths: for every training step.
private struct Gatherer: ParameterVisitor {
  var found: [Tensor] = []
  mutating func visit(_ parameter: inout Tensor, _ name: String) { found.append(parameter) }
}

private struct Replacer: ParameterVisitor {
  let tensors: [Tensor]
  var next = 0

  /// Counts on where tensors are missing, so that the caller can report both numbers.
  mutating func visit(_ parameter: inout Tensor, _ name: String) {
    if next < tensors.count { parameter = tensors[next] }
    next += 1
  }
}

private struct Mapper: ParameterVisitor {
  let transform: (Tensor) -> Tensor
  mutating func visit(_ parameter: inout Tensor, _ name: String) {
    parameter = transform(parameter)
  }
  mutating func visitBuffer(_ buffer: inout Tensor, _ name: String) { buffer = transform(buffer) }
}

extension Module {
  /// All parameters and buffers with their paths, in visiting order.
  public var namedParameters: [NamedParameter] {
    var copy = self
    var collector = Collector()
    copy.visitParameters(&collector)
    return collector.found
  }

  /// The trained parameters in visiting order.
  public var parameters: [Tensor] {
    var copy = self
    var gatherer = Gatherer()
    copy.visitParameters(&gatherer)
    return gatherer.found
  }

  /// The number of trained numbers.
  public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }

  /// Replaces the trained parameters, in visiting order.
  public mutating func setParameters(
    _ tensors: [Tensor], file: StaticString = #fileID, line: UInt = #line
  ) {
    var replacer = Replacer(tensors: tensors)
    visitParameters(&replacer)
    require(
      replacer.next == tensors.count,
      "\(tensors.count) tensors for a module of \(replacer.next) parameters", file: file, line: line
    )
  }

  /// This module with every parameter and buffer passed through `transform`.
  public func mapParameters(_ transform: (Tensor) -> Tensor) -> Self {
    var copy = self
    withoutActuallyEscaping(transform) { transform in
      var mapper = Mapper(transform: transform)
      copy.visitParameters(&mapper)
    }
    return copy
  }

  /// This module in another precision: float64 for proofs; float32 makes an ordinary model of a
  /// quantised one.
  public func converted(to type: DType) -> Self { mapParameters { $0.converted(to: type) } }
}

// MARK: - Loading by path

/// What came of loading a module: paths, in visiting order.
public struct LoadedParameters: Sendable, Equatable {
  /// Those that have new values.
  public let loaded: [String]
  /// Those of the module that were not in the file: they are as they were.
  public let kept: [String]
  /// Those of the file that the module does not have, sorted.
  public let unused: [String]
}

/// Why named arrays do not fit a module: every path that disagrees, not only the first.
public struct ParameterMismatch: Error, Sendable, Equatable, CustomStringConvertible {
  /// An array whose shape is not that of the parameter.
  public struct Difference: Sendable, Equatable {
    /// The parameter's path.
    public let path: String
    /// The parameter's shape.
    public let expected: Shape
    /// The array's shape.
    public let found: Shape
  }

  /// An array of low precision where the model needs another one.
  public struct Refusal: Sendable, Equatable {
    /// The parameter's path, the array's form, and what the model needs.
    public let path, found, expected: String
  }

  /// Paths of the module that the arrays lack.
  public var missing: [String] = []
  /// Paths of the arrays that the module lacks.
  public var unexpected: [String] = []
  /// Paths on both sides, with another shape.
  public var different: [Difference] = []
  /// Arrays of low precision that cannot be where they are named.
  public var refused: [Refusal] = []

  public var description: String {
    var lines = ["the saved parameters do not fit the model:"]
    lines += missing.map { "  \($0): missing in the file" }
    lines += unexpected.map { "  \($0): in the file, but not in the model" }
    lines += different.map {
      "  \($0.path): shape \($0.found) in the file, \($0.expected) in the model"
    }
    lines += refused.map { "  \($0.path): \($0.found) in the file, the model needs \($0.expected)" }
    return lines.joined(separator: "\n")
  }
}

/// Finds the arrays of low precision that the parameters of their paths cannot be.
private struct LowPrecisionChecker: ParameterVisitor {
  let arrays: [String: NDArray]
  var prefix: [String] = []
  var arithmetic = 0
  var refused: [ParameterMismatch.Refusal] = []

  mutating func enterArithmetic() { arithmetic += 1 }
  mutating func leaveArithmetic() { arithmetic -= 1 }
  mutating func enter(_ name: String) { prefix.append(name) }
  mutating func leave() { prefix.removeLast() }

  mutating func visit(_ parameter: inout Tensor, _ name: String) {
    check(name, isFactor: arithmetic == 0 && parameter.rank >= 2, nil)
  }
  mutating func visitBuffer(_ buffer: inout Tensor, _ name: String) {
    check(name, isFactor: false, nil)
  }
  mutating func visitFactor(
    _ weight: inout Tensor, _ name: String, _ channels: ObservedWeight.Channels
  ) {
    check(name, isFactor: arithmetic == 0, channels)
  }

  private mutating func check(
    _ name: String, isFactor: Bool, _ channels: ObservedWeight.Channels?
  ) {
    let path = (prefix + [name]).joined(separator: ".")
    guard let array = arrays[path], array.dtype.isLowPrecision else { return }
    func refuse(_ found: String, _ expected: String) {
      refused.append(.init(path: path, found: found, expected: expected))
    }
    if !isFactor {
      refuse("\(array.dtype)", "a type to compute with: convert it to float32")
    } else if array.dtype == .int8 {
      let expected = channels.map { $0.scalesShape(of: array.shape) }
      guard let scales = array.quantization?.scales.shape else {
        return refuse("int8 without scales", "a quantised weight")
      }
      if let expected, scales != expected { refuse("scales \(scales)", "scales \(expected)") }
    }
  }
}

private struct Loader: ParameterVisitor {
  let arrays: [String: NDArray]
  var prefix: [String] = []

  private func load(_ tensor: inout Tensor, _ name: String) {
    guard let array = arrays[(prefix + [name]).joined(separator: ".")] else { return }
    // Weights of low precision are stored for a purpose and stay what they are.
    tensor = Tensor(array.dtype.isLowPrecision ? array : array.converted(to: tensor.dtype.computed))
  }
  mutating func visit(_ parameter: inout Tensor, _ name: String) { load(&parameter, name) }
  mutating func visitBuffer(_ buffer: inout Tensor, _ name: String) { load(&buffer, name) }
  mutating func enter(_ name: String) { prefix.append(name) }
  mutating func leave() { prefix.removeLast() }
}

extension Module {
  /// Parameters and buffers as arrays by path: what a checkpoint holds.
  ///
  /// Traps where two of them have one name.
  public var namedArrays: [String: NDArray] {
    Dictionary(namedParameters.map { ($0.path, $0.tensor.array) }) { _, _ in
      trap(
        "visitParameters of \(Self.self) names \(repeatedPaths.joined(separator: ", ")) more than once"
      )
    }
  }

  /// Replaces parameters and buffers by path, all or none. Element types are converted, except that
  /// weights of low precision stay so: with the arrays of a quantised model this becomes one. They are
  /// refused where no single product reads them: buffers, vectors, tables, the states of recurrences.
  ///
  /// - Parameter partial: allows paths on either side that the other does not have (fine-tuning), as
  ///   long as they have one in common.
  /// - Returns: which paths were loaded, and which were left over on either side.
  /// - Throws: `ParameterMismatch` with every path that disagrees; the module is then unchanged.
  @discardableResult
  public mutating func load(
    _ arrays: [String: NDArray], partial: Bool = false
  ) throws -> LoadedParameters {
    var mismatch = ParameterMismatch()
    let own = namedParameters
    for parameter in own {
      if let array = arrays[parameter.path] {
        if array.shape != parameter.tensor.shape {
          mismatch.different.append(
            .init(path: parameter.path, expected: parameter.tensor.shape, found: array.shape))
        }
      } else if !partial {
        mismatch.missing.append(parameter.path)
      }
    }
    if !partial {
      mismatch.unexpected = Set(arrays.keys).subtracting(own.map(\.path)).sorted()
    }
    if arrays.values.contains(where: \.dtype.isLowPrecision) {
      let wrong = Set(mismatch.different.map(\.path))
      var checker = LowPrecisionChecker(arrays: arrays.filter { !wrong.contains($0.key) })
      visitParameters(&checker)
      mismatch.refused = checker.refused
    }
    let paths = own.map(\.path)
    let report = LoadedParameters(
      loaded: paths.filter { arrays[$0] != nil }, kept: paths.filter { arrays[$0] == nil },
      unused: Set(arrays.keys).subtracting(paths).sorted())
    // Nothing in common is no fine-tuning but another model, or names with another prefix.
    if partial && report.loaded.isEmpty && !own.isEmpty {
      mismatch.missing = report.kept
      mismatch.unexpected = report.unused
    }
    if mismatch != ParameterMismatch() { throw mismatch }
    var loader = Loader(arrays: arrays)
    visitParameters(&loader)
    return report
  }
}
