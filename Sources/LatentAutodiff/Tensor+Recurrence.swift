// Recurrent networks through time as one operation. The loop over positions, forwards and
// backwards, runs on arrays; a tape of single steps would copy and add whole sequences at each
// position.

import LatentNumerics

/// The states of a GRU after each position (Cho et al. 2014):
///
///     r = sigmoid(x_r + W_r s + b_r), u = sigmoid(x_u + W_u s + b_u),
///     n = tanh(x_n + r (W_n s + b_n)), s' = (1 - u) n + u s.
///
/// Projected inputs `[batch, length, 3 * size]` (reset, update, new), state `[batch, size]`, weight
/// `[3 * size, size]` and bias `[3 * size]` give `[length, batch, size]`, time first.
public func gatedRecurrence(
  _ inputs: Tensor, state: Tensor, weight: Tensor, bias: Tensor? = nil,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  recurrence(.gru, [inputs, state, weight, bias].compactMap { $0 }, file, line)
}

/// The states of an LSTM after each position and its final cell (Gers, Schmidhuber and Cummins
/// 2000):
///
///     i, f, o = sigmoid(x + W s + b), g = tanh(x_g + W_g s + b_g),
///     c' = f c + i g, s' = o tanh(c').
///
/// Projected inputs `[batch, length, 4 * size]` (input, forget, cell, output), state and cell
/// `[batch, size]`, weight `[4 * size, size]` and bias `[4 * size]` give states `[length, batch,
/// size]`, time first, and the cell `[batch, size]`.
public func longShortTermMemory(
  _ inputs: Tensor, state: Tensor, cell: Tensor, weight: Tensor, bias: Tensor? = nil,
  file: StaticString = #fileID, line: UInt = #line
) -> (states: Tensor, cell: Tensor) {
  let parts = [inputs, state, weight, cell, bias].compactMap { $0 }
  let result = recurrence(.lstm, parts, file, line)
  let length = inputs.shape[1]
  return (result.sliced(0, 0..<length), result.selecting(length))
}

/// `parts` are inputs, state and weight, the cell of an LSTM, and the bias where there is one.
private func recurrence(
  _ cell: RecurrentCell, _ parts: [Tensor], _ file: StaticString, _ line: UInt
) -> Tensor {
  let isLSTM = cell == .lstm
  let biasIndex = isLSTM ? 4 : 3
  let hasBias = parts.count > biasIndex
  let pass = RecurrentPass(
    cell, inputs: parts[0].array, state: parts[1].array, memory: isLSTM ? parts[3].array : nil,
    weight: parts[2].array, bias: hasBias ? parts[biasIndex].array : nil, file: file, line: line)
  return Tensor.record("recurrence", parts, pass.output, saving: .inputs) { g, call in
    if call.isHigherOrder { return call.cotangents(g) { composed(cell, $0) } }
    let gradients = pass.gradients(weight: call[2].array, cotangent: g.array)
    var list = [gradients.inputs, gradients.state, gradients.weight]
    if let memory = gradients.memory { list.append(memory) }
    if hasBias { list.append(gradients.bias) }
    return list.enumerated().map { call.needs($0) ? Tensor($1) : nil }
  }
}

/// The same as elementwise operations, each recorded.
private func composed(_ cell: RecurrentCell, _ parts: [Tensor]) -> Tensor {
  let isLSTM = cell == .lstm
  var state = parts[1]
  var memory = isLSTM ? parts[3] : parts[1]
  let bias = parts.count > (isLSTM ? 4 : 3) ? parts[parts.count - 1] : nil
  var states: [Tensor] = []
  for t in 0..<parts[0].shape[1] {
    let x = parts[0].selecting(t, axis: 1).split(into: cell.gates, axis: -1)
    let h = linear(state, weight: parts[2], bias: bias).split(into: cell.gates, axis: -1)
    if isLSTM {
      let gates = zip(x, h).map { $0 + $1 }
      memory = sigmoid(gates[1]) * memory + sigmoid(gates[0]) * tanh(gates[2])
      state = sigmoid(gates[3]) * tanh(memory)
    } else {
      let new = tanh(x[2] + sigmoid(x[0] + h[0]) * h[2])
      state = new + sigmoid(x[1] + h[1]) * (state - new)
    }
    states.append(state)
  }
  return Tensor.stack(isLSTM ? states + [memory] : states)
}
