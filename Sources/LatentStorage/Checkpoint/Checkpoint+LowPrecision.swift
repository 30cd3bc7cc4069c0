// int8 weights in checkpoints: the array of integers lies under its own name, and beside it what the
// integers stand for, so that other programs find plain numbers everywhere.

import LatentNumerics

/// What is added to an int8 array's name.
private enum Companion {
  /// One factor for each output channel: `Quantization.scales`.
  static let scales = ".scales"
  /// The least and the greatest input of the calibration: float32 `[2]`.
  static let inputRange = ".inputRange"
}

extension Checkpoint {
  /// The arrays with those that say what int8 arrays stand for.
  ///
  /// - Throws: `StorageError.notStorable` for an int8 array without scales, or where the names of the
  ///   scales are taken.
  func storedArrays() throws -> [String: NDArray] {
    var stored = arrays
    for (path, array) in arrays where array.dtype == .int8 {
      guard let quantization = array.quantization else {
        throw StorageError.notStorable(
          name: path, found: "int8 elements without scales", expected: "a quantised weight")
      }
      let range = quantization.inputRange
      for (ending, values) in [
        (Companion.scales, quantization.scales),
        (Companion.inputRange, NDArray([range.lowerBound, range.upperBound])),
      ] where stored.updateValue(values, forKey: path + ending) != nil {
        throw StorageError.notStorable(
          name: path + ending, found: "another array of this name",
          expected: "none: the name is needed for the int8 array '\(path)'")
      }
    }
    return stored
  }

  /// Gives int8 arrays their scales.
  ///
  /// - Throws: `StorageError.damaged` where they are missing or impossible.
  mutating func joinScales(_ session: HDF5Session) throws {
    for (path, array) in arrays where array.dtype == .int8 {
      func take(_ ending: String) throws -> NDArray {
        guard let found = arrays.removeValue(forKey: path + ending) else {
          throw session.damaged(
            path + ending, "nothing", "what the int8 array '\(path)' stands for")
        }
        return found
      }
      let scales = try take(Companion.scales)
      let range = try take(Companion.inputRange)
      guard range.dtype == .float32, range.shape == [2] else {
        throw session.damaged(
          path + Companion.inputRange, "\(range.shape) of \(range.dtype.name)", "[2] of float32")
      }
      let (low, high) = (range.floats[0], range.floats[1])
      switch Quantization.checked(
        scales: scales, inputRange: (low, high), for: array.shape)
      {
      case .success(let quantization): arrays[path] = array.with(quantization)
      case .failure(let reason):
        throw session.damaged(path + Companion.scales, reason.found, reason.expected)
      }
    }
  }
}
