// Gated recurrent layers with PyTorch's formulas and order of gates, batch first.
// All inputs are projected in one product before the loop through time begins.

import LatentAutodiff
import LatentNumerics

/// One direction of one recurrent layer.
public struct RecurrentParameters: Module {
  /// `[gates * size, inputs]` and `[gates * size]`.
  public var input: Linear
  /// `[gates * size, size]` and `[gates * size]`.
  public var state: Linear

  fileprivate init(
    _ inputs: Int, _ size: Int, gates: Int, bias: Bool, _ initializer: Initializer,
    _ random: inout RandomStream
  ) {
    // PyTorch draws all four uniformly with limit 1 / sqrt(size), whatever the number of inputs.
    let limit = 1 / Double(size).squareRoot()
    func linear(_ inputs: Int) -> Linear {
      let rule = initializer == .pyTorch ? .uniform(limit: limit) : initializer
      let biasRule = initializer == .pyTorch ? rule : .constant(0)
      return Linear(
        weight: rule([gates * size, inputs], using: &random),
        bias: bias ? biasRule([gates * size], using: &random) : nil)
    }
    input = linear(inputs)
    state = linear(size)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&input, "input")
    // The loop through time multiplies with the weight of the state by itself.
    visitor.enterArithmetic()
    visitor.visit(&state, "state")
    visitor.leaveArithmetic()
  }
}

/// Layers of gated recurrent units (Cho et al. 2014):
/// `[batch, length, inputs] -> [batch, length, directions * size]`.
///
/// Layers follow one another; where bidirectional, each is a forward and a backward one whose
/// outputs stand side by side, and `cells` holds both in this order.
public struct GRU: Layer {
  /// By layer and, within it, direction.
  public var cells: [RecurrentParameters]
  /// Units of each layer and direction.
  public let size: Int
  /// Whether each layer also runs from the end to the beginning.
  public let isBidirectional: Bool

  /// From `inputs` numbers at each position to states of `size`. Traps unless all sizes are
  /// positive.
  public init(
    _ inputs: Int, _ size: Int, layers: Int = 1, isBidirectional: Bool = false, bias: Bool = true,
    initializer: Initializer = .pyTorch, using random: inout RandomStream,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    cells = recurrentLayers(
      inputs, size, layers, gates: RecurrentCell.gru.gates, isBidirectional, bias, initializer,
      &random, file, line)
    self.size = size
    self.isBidirectional = isBidirectional
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&cells, "cells")
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    self(x, state: nil).outputs
  }

  /// The states of the last layer after each position, and the final state of every layer and
  /// direction, `[layers * directions, batch, size]`.
  /// - Parameter state: what to begin with, of the same shape; zeros where nil.
  public func callAsFunction(_ x: Tensor, state: Tensor?) -> (outputs: Tensor, state: Tensor) {
    let first = state ?? .zeros([cells.count, x.shape[0], size], x.dtype)
    var finals: [Tensor] = []
    let outputs = throughLayers(x, cells, isBidirectional) { x, index in
      let cell = cells[index]
      let states = gatedRecurrence(
        cell.input(x), state: first.selecting(index), weight: cell.state.weight,
        bias: cell.state.bias)
      finals.append(states.selecting(x.shape[1] - 1))
      return states
    }
    return (outputs, Tensor.stack(finals))
  }
}

/// Layers of long short-term memory (Hochreiter and Schmidhuber 1997; Gers et al. 2000):
/// `[batch, length, inputs] -> [batch, length, directions * size]`.
///
/// Several layers and directions are those of `GRU`.
public struct LSTM: Layer {
  /// What an LSTM carries from one position to the next: state and cell, each
  /// `[layers * directions, batch, size]`.
  public struct State: Sendable {
    /// What the positions see of each other, `[layers * directions, batch, size]`.
    public var state: Tensor
    /// What is kept between positions, `[layers * directions, batch, size]`.
    public var cell: Tensor

    /// Both `[layers * directions, batch, size]`.
    public init(state: Tensor, cell: Tensor) {
      self.state = state
      self.cell = cell
    }
  }

  /// By layer and, within it, direction.
  public var cells: [RecurrentParameters]
  /// Units of each layer and direction.
  public let size: Int
  /// Whether each layer also runs from the end to the beginning.
  public let isBidirectional: Bool

  /// From `inputs` numbers at each position to states of `size`. Traps unless all sizes are
  /// positive.
  public init(
    _ inputs: Int, _ size: Int, layers: Int = 1, isBidirectional: Bool = false, bias: Bool = true,
    initializer: Initializer = .pyTorch, using random: inout RandomStream,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    cells = recurrentLayers(
      inputs, size, layers, gates: RecurrentCell.lstm.gates, isBidirectional, bias, initializer,
      &random, file, line)
    self.size = size
    self.isBidirectional = isBidirectional
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&cells, "cells")
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    self(x, state: nil).outputs
  }

  /// The states of the last layer after each position, and what every layer and direction ends
  /// with.
  /// - Parameter state: what to begin with; zeros where nil.
  public func callAsFunction(_ x: Tensor, state: State?) -> (outputs: Tensor, state: State) {
    let zeros = Tensor.zeros([cells.count, x.shape[0], size], x.dtype)
    let first = state ?? State(state: zeros, cell: zeros)
    var finals: (states: [Tensor], cells: [Tensor]) = ([], [])
    let outputs = throughLayers(x, cells, isBidirectional) { x, index in
      let parameters = cells[index]
      let (states, cell) = longShortTermMemory(
        parameters.input(x), state: first.state.selecting(index),
        cell: first.cell.selecting(index), weight: parameters.state.weight,
        bias: parameters.state.bias)
      finals.states.append(states.selecting(x.shape[1] - 1))
      finals.cells.append(cell)
      return states
    }
    return (
      outputs, State(state: Tensor.stack(finals.states), cell: Tensor.stack(finals.cells))
    )
  }
}

private func recurrentLayers(
  _ inputs: Int, _ size: Int, _ layers: Int, gates: Int, _ isBidirectional: Bool, _ bias: Bool,
  _ initializer: Initializer, _ random: inout RandomStream, _ file: StaticString, _ line: UInt
) -> [RecurrentParameters] {
  require(
    inputs > 0 && size > 0 && layers > 0,
    "a recurrent network of \(inputs) inputs, \(size) units, \(layers) layers", file: file,
    line: line)
  let directions = isBidirectional ? 2 : 1
  return (0..<(layers * directions)).map { index in
    RecurrentParameters(
      index < directions ? inputs : directions * size, size, gates: gates, bias: bias, initializer,
      &random)
  }
}

/// `run` takes x `[batch, length, features]` through cell `index` and gives states, time first.
private func throughLayers(
  _ x: Tensor, _ cells: [RecurrentParameters], _ isBidirectional: Bool,
  _ run: (_ x: Tensor, _ index: Int) -> Tensor
) -> Tensor {
  let directions = isBidirectional ? 2 : 1
  var x = x
  for layer in 0..<(cells.count / directions) {
    let forward = run(x, layer * directions)
    guard isBidirectional else {
      x = forward.swapping(0, 1)
      continue
    }
    let backward = run(x.reversed(axis: 1), layer * directions + 1).reversed(axis: 0)
    x = Tensor.concatenate([forward, backward], axis: -1).swapping(0, 1)
  }
  return x
}
