// What the tests of data sets share: a set whose rows say who they are, and folders that vanish.

import Foundation
import LatentDatasets
import LatentNumerics
import LatentStorage

/// Row i is `[i, i + 0.5]` with label i % 10.
func numberedDataset(_ count: Int) -> ArrayDataset {
  ArrayDataset(
    inputs: NDArray((0..<count).flatMap { [Float($0), Float($0) + 0.5] }, shape: [count, 2]),
    labels: NDArray((0..<count).map { Int32($0 % 10) }), name: "numbers")
}

/// Runs `body` with the path of an empty folder and removes it afterwards.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent(
    "latent-datasets-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: url) }
  return try body(url.path)
}

func makeFolder(_ path: String) throws {
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
}

func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
  try Data(bytes).write(to: URL(fileURLWithPath: path))
}

func read(_ path: String) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
}

/// The text of the error that `body` throws, nil when it throws none or one of another type.
func datasetErrorText(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return (error as? DatasetError)?.description
  }
}

/// As `datasetErrorText`, of a reader's error.
func storageErrorText(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch {
    return (error as? StorageError)?.description
  }
}

/// Whether the elements are `bytes` as shares of 255. Scaling multiplies by the rounded 1 / 255,
/// which is within one unit in the last place of the quotient.
func isScaled(_ array: NDArray, _ bytes: [Int]) -> Bool {
  let floats = array.floats
  return floats.count == bytes.count
    && zip(floats, bytes).allSatisfy { abs($0 - Float($1) / 255) <= $0.ulp }
}
