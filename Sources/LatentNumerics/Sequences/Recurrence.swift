// Gated recurrent networks through time. Inputs are projected for all positions at once by the
// caller; what remains is one product with the state and one fused cell for each position, and
// backwards the same, with one product for the weights' gradient over all positions.

import CLatentKernels

/// The cell of a recurrent network, with gates in PyTorch's order.
package enum RecurrentCell: Sendable {
  /// Reset, update, new (Cho et al. 2014, in the variant whose reset follows the product).
  case gru
  /// Input, forget, cell, output (Hochreiter and Schmidhuber 1997; Gers et al. 2000).
  case lstm

  /// Rows of a weight for each unit of the state.
  package var gates: Int { self == .gru ? 3 : 4 }
  /// Numbers that the derivative wants of each unit and position.
  fileprivate var saved: Int { self == .gru ? 4 : 5 }
}

/// A pass through time with what its derivative needs.
package struct RecurrentPass: Sendable {
  package let cell: RecurrentCell
  package let batch: Int
  package let length: Int
  package let size: Int
  /// `[length + 1, batch, size]`, the initial state first; of an LSTM another row follows, the
  /// final cell.
  private let states: NDArray
  /// `[length + 1, batch, size]` of an LSTM, the initial cell first.
  private let cells: NDArray?
  private let gates: NDArray

  /// Positions from which on turning the weight round is paid back.
  private static let worthTurning = 8

  /// - Parameters:
  ///   - inputs: the projected inputs `[batch, length, gates * size]`
  ///   - state: `[batch, size]`
  ///   - memory: the cell of an LSTM, `[batch, size]`
  ///   - weight: of the state, `[gates * size, size]`; `bias`: `[gates * size]`
  package init(
    _ cell: RecurrentCell, inputs: NDArray, state: NDArray, memory: NDArray?, weight: NDArray,
    bias: NDArray?, file: StaticString = #fileID, line: UInt = #line
  ) {
    let (batch, size) = (state.shape[0], state.shape[-1])
    let columns = cell.gates * size
    require(
      inputs.shape.rank == 3 && inputs.shape[0] == batch && inputs.shape[2] == columns && size > 0
        && inputs.shape[1] > 0 && state.shape == [batch, size]
        && weight.shape == [columns, size] && bias.map { $0.shape == [columns] } ?? true
        && (cell == .gru) == (memory == nil) && memory.map { $0.shape == [batch, size] } ?? true,
      "\(cell): projected inputs \(inputs.shape), state \(state.shape), weight \(weight.shape), "
        + "expected [batch, length, \(cell.gates) * size], [batch, size], "
        + "[\(cell.gates) * size, size]", file: file, line: line)
    let dtype = inputs.dtype
    require(
      dtype.isFloatingPoint
        && [state, weight, bias ?? state, memory ?? state].allSatisfy { $0.dtype == dtype },
      "\(cell): element types \(dtype), \(state.dtype), \(weight.dtype)", file: file, line: line)
    self.cell = cell
    self.batch = batch
    self.size = size
    length = inputs.shape[1]
    let isLSTM = cell == .lstm
    let states = NDArray(uninitialized: [length + (isLSTM ? 2 : 1), batch, size], dtype)
    let cells = isLSTM ? NDArray(uninitialized: [length + 1, batch, size], dtype) : nil
    let gates = NDArray(uninitialized: [length, batch, cell.saved * size], dtype)
    let block = batch * size * dtype.size
    states.freshPointer.copyMemory(from: state.pointer, byteCount: block)
    if let cells, let memory {
      cells.freshPointer.copyMemory(from: memory.pointer, byteCount: block)
    }
    let projected = NDArray(uninitialized: [batch, columns], dtype)
    // A library turns the weight round at every product of some dozens of rows, which costs more
    // than the product; once for all positions it costs nothing.
    let turnsOnce = length >= RecurrentPass.worthTurning && batch > Gemm.fewRows
    let factor = turnsOnce ? weight.transposed : weight
    let product = Gemm(
      m: batch, n: columns, k: size, transpose: turnsOnce ? [] : .right, dtype: dtype)
    let row = Int64(length * columns)
    for t in 0..<(batch == 0 ? 0 : length) {
      let (old, new) = (states.freshPointer + t * block, states.freshPointer + (t + 1) * block)
      product(old, factor.pointer, projected.freshPointer)
      if let bias {
        latent_bias_activation(
          LATENT_ACT_NONE, dtype.kernel, Int64(batch), Int64(columns), projected.pointer,
          bias.pointer, projected.freshPointer, nil)
      }
      let x = inputs.pointer + t * columns * dtype.size
      let kept = gates.freshPointer + t * cell.saved * block
      if let cells {
        latent_lstm_step(
          dtype.kernel, Int64(batch), Int64(size), row, x, projected.pointer,
          cells.pointer + t * block, kept, cells.freshPointer + (t + 1) * block, new)
      } else {
        latent_gru_step(
          dtype.kernel, Int64(batch), Int64(size), row, x, projected.pointer, old, kept, new)
      }
    }
    if let cells {
      (states.freshPointer + (length + 1) * block).copyMemory(
        from: cells.pointer + length * block, byteCount: block)
    }
    for array in [inputs, state, factor, projected, bias ?? state, memory ?? state] {
      keepAlive(array.storage)
    }
    self.states = states
    self.cells = cells
    self.gates = gates
  }

  /// The states after each position `[length, batch, size]`, and of an LSTM the final cell as one
  /// row more.
  package var output: NDArray {
    let rows = states.shape[0] - 1
    return states.view(from: batch * size, shape: [rows, batch, size])
  }

  /// The cotangents of inputs, state, weight, bias and memory from that of `output`.
  package func gradients(
    weight: NDArray, cotangent: NDArray
  ) -> (inputs: NDArray, state: NDArray, weight: NDArray, bias: NDArray, memory: NDArray?) {
    let dtype = states.dtype
    let columns = cell.gates * size
    let block = batch * size
    let dInputs = NDArray(uninitialized: [batch, length, columns], dtype)
    let dProjected = NDArray(uninitialized: [length, batch, columns], dtype)
    let dMemory =
      cells == nil
      ? nil : cotangent.view(from: length * block, shape: [batch, size]).copy()
    var dState: NDArray?
    for t in stride(from: length - 1, through: 0, by: -1) {
      let own = cotangent.view(from: t * block, shape: [batch, size])
      let dNext = dState.map { own.binary(.add, $0) } ?? own
      let kept = gates.pointer + t * cell.saved * block * dtype.size
      let dx = dInputs.freshPointer + t * columns * dtype.size
      let dh = dProjected.freshPointer + t * batch * columns * dtype.size
      let row = Int64(length * columns)
      let through = dProjected.view(from: t * batch * columns, shape: [batch, columns])
      if let cells, let memory = dMemory {
        latent_lstm_step_grad(
          dtype.kernel, Int64(batch), Int64(size), row, kept,
          cells.pointer + t * block * dtype.size, dNext.pointer, memory.freshPointer, dx, dh)
        dState = through.matmul(weight)
      } else {
        let direct = NDArray(uninitialized: [batch, size], dtype)
        latent_gru_step_grad(
          dtype.kernel, Int64(batch), Int64(size), row, kept,
          states.pointer + t * block * dtype.size, dNext.pointer, dx, dh, direct.freshPointer)
        dState = direct.binary(.add, through.matmul(weight))
      }
      keepAlive(dNext.storage)
    }
    let rows = dProjected.reshaped([length * batch, columns])
    let before = states.view(from: 0, shape: [length * batch, size])
    return (
      dInputs, dState ?? NDArray(repeating: 0, shape: [batch, size], dtype),
      rows.matmul(before, transpose: .left),
      rows.reduced(.sum, axes: [0], keepingDimensions: false), dMemory
    )
  }
}
