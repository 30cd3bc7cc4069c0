// State that a forward pass changes and no gradient: running statistics, the vectors of a power
// iteration, code books, counters. A layer cannot change itself while it is called; it notes in the
// context what its buffers become, and whoever runs the step lets the model take that over.

import LatentAutodiff
import LatentNumerics

/// What the layers of a forward pass want their buffers to become.
///
/// Buffers are known by the place of their memory, so that a layer needs no name of its own for
/// them: `valueAndGradient` hands its function a copy of the model, and copies share memory.
public struct BufferUpdates: Sendable {
  /// The buffer is kept beside its new value, so that its place is not given to another one.
  fileprivate struct Update: Sendable {
    let buffer: NDArray
    var value: NDArray
  }

  fileprivate var updates: [NDArray.Place: Update] = [:]

  /// No updates.
  public init() {}

  /// The number of buffers that change.
  public var count: Int { updates.count }
  /// Whether no buffer changes.
  public var isEmpty: Bool { updates.isEmpty }

  /// Whether a buffer would become NaN or infinite somewhere.
  public var hasNonFinite: Bool { updates.values.contains { $0.value.nonFiniteCount > 0 } }

  /// The path of the first buffer of `module` that would.
  public func firstNonFinite(in module: some Module) -> String? {
    module.namedParameters.first { parameter in
      !parameter.isTrained
        && updates[parameter.tensor.array.place].map { $0.value.nonFiniteCount > 0 } ?? false
    }?.path
  }
}

extension LayerContext {
  /// The value of a layer's buffer after the updates that this pass has noted so far.
  public func current(_ buffer: Tensor) -> Tensor {
    bufferUpdates.updates[buffer.array.place].map { Tensor($0.value) } ?? buffer.detached
  }

  /// Notes what becomes of `buffer`, a buffer of the calling layer, when the step is done. `change`
  /// gets its current value: a layer that is called twice changes it twice.
  ///
  /// The result counts as a constant. Traps when it has not the buffer's shape and type.
  public mutating func update(
    _ buffer: Tensor, file: StaticString = #fileID, line: UInt = #line,
    by change: (_ current: Tensor) -> Tensor
  ) {
    let value = change(current(buffer)).array
    require(
      value.shape == buffer.shape && value.dtype == buffer.dtype,
      "a buffer \(buffer.shape) of \(buffer.dtype) cannot become \(value.shape) of \(value.dtype)",
      file: file, line: line)
    bufferUpdates.updates[buffer.array.place, default: .init(buffer: buffer.array, value: value)]
      .value = value
  }

  /// Moves `buffer` by `fraction` of the way to `value`: a running average.
  public mutating func update(
    _ buffer: Tensor, toward value: Tensor, by fraction: Double,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let target = value.detached.converted(to: buffer.dtype)
    update(buffer, file: file, line: line) { $0 * (1 - fraction) + target * fraction }
  }
}

/// Gives buffers their new values and remembers where each update went.
private struct BufferReplacer: ParameterVisitor {
  let updates: [NDArray.Place: BufferUpdates.Update]
  var prefix: [String] = []
  var paths: [NDArray.Place: String] = [:]
  let frozen: [PathPattern]

  mutating func visit(_ parameter: inout Tensor, _ name: String) {}
  mutating func visitBuffer(_ buffer: inout Tensor, _ name: String) {
    if let (path, value) = update(of: buffer, name), !frozen.match(path) { buffer = value }
  }
  mutating func visitConstant(_ constant: inout Tensor, _ name: String) {
    _ = update(of: constant, name)
  }

  /// What a buffer would become, and its path.
  private mutating func update(
    of buffer: Tensor, _ name: String
  ) -> (path: String, value: Tensor)? {
    guard let update = updates[buffer.array.place] else { return nil }
    let path = (prefix + [name]).joined(separator: ".")
    let other = paths.updateValue(path, forKey: buffer.array.place)
    require(
      other == nil,
      "the buffers \(other ?? "") and \(path) are copies that share memory, so that an update of "
        + "one would change both: call separateBuffers() before training")
    return (path, Tensor(update.value))
  }
  mutating func enter(_ name: String) { prefix.append(name) }
  mutating func leave() { prefix.removeLast() }
}

private struct BufferSeparator: ParameterVisitor {
  var seen: Set<NDArray.Place> = []

  mutating func visit(_ parameter: inout Tensor, _ name: String) {}
  mutating func visitBuffer(_ buffer: inout Tensor, _ name: String) {
    if !seen.insert(buffer.array.place).inserted { buffer = Tensor(buffer.array.copy()) }
  }
}

extension Module {
  /// Gives the buffers the values that a forward pass noted for them.
  ///
  /// Traps with both paths when two buffers of the module share memory that is updated.
  /// - Parameter frozen: buffers of these paths stay as they are.
  /// - Returns: the updates of buffers that this module does not have.
  @discardableResult
  public mutating func apply(
    _ updates: BufferUpdates, except frozen: [PathPattern] = []
  ) -> BufferUpdates {
    if updates.isEmpty { return updates }
    var replacer = BufferReplacer(updates: updates.updates, frozen: frozen)
    visitParameters(&replacer)
    var rest = updates
    for place in replacer.paths.keys { rest.updates[place] = nil }
    return rest
  }

  /// Gives every buffer memory of its own. Copies of one layer share it until then.
  public mutating func separateBuffers() {
    var separator = BufferSeparator()
    visitParameters(&separator)
  }
}
