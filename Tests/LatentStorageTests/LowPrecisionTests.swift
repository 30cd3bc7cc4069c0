// Weights of low precision in files: exact in checkpoints, plain numbers everywhere else.

import LatentNumerics
import Testing

@testable import LatentStorage

@Suite struct LowPrecisionTests {
  private static let weight = NDArray(
    (0..<24).map { Float($0 * $0 % 17) - 8.25 }, shape: [4, 3, 2])
  private static let small = weight.quantized(scalesShape: [4, 1, 1], inputRange: -0.5...3)
  private static let half = weight.converted(to: .bfloat16)

  @Test func comesBackExactly() throws {
    let checkpoint = Checkpoint(
      arrays: [
        "model/a.weight": Self.small, "model/b.weight": Self.half, "model/b.bias": Self.weight,
        "model/c": Self.weight.quantized(scalesShape: [2, 1, 2], inputRange: 0...1),
      ], texts: ["t": "x"])
    let bytes = try checkpoint.encoded()
    let decoded = try Checkpoint(decoding: bytes)
    #expect(decoded == checkpoint)
    #expect(decoded.arrays["model/a.weight"]?.quantization == Self.small.quantization)
    #expect(decoded.arrays["model/a.weight"]?.floats == Self.small.floats)
    #expect(try decoded.encoded() == bytes)
    // Beside it lies what other programs need.
    let stored = try checkpoint.storedArrays()
    #expect(stored.count == 8)
    #expect(stored["model/a.weight.scales"] == Self.small.quantization?.scales)
    #expect(stored["model/a.weight.inputRange"]?.floats == [-0.5, 3])
  }

  /// Readers of the first version are told that the file is too new; files without such weights are
  /// what they were.
  @Test func onlySuchFilesNeedANewReader() throws {
    func versions(_ arrays: [String: NDArray]) throws -> [UInt32] {
      let bytes = try Checkpoint(arrays: arrays).encoded()
      return bytes.withUnsafeBytes {
        [$0.littleEndian(at: 8, as: UInt32.self), $0.littleEndian(at: 12, as: UInt32.self)]
      }
    }
    #expect(try versions(["a": Self.weight]) == [1, 1])
    #expect(try versions(["a": Self.half]) == [2, 2])
    #expect(try versions(["a": Self.small]) == [2, 2])
  }

  /// A file as a hand might change it: the parts apart, sealed again.
  private func decode(
    _ change: (inout [String: NDArray]) -> Void
  ) throws -> Checkpoint {
    var stored = try Checkpoint(arrays: ["w": Self.small]).storedArrays()
    change(&stored)
    let bytes = try HDF5Image.make(
      arrays: stored, texts: [:], userBlock: CheckpointHeader.size, name: "test")
    var file = bytes
    file.withUnsafeMutableBytes {
      CheckpointHeader.seal($0, formatVersion: 2, minimumReader: 2)
    }
    return try Checkpoint(decoding: file, source: "run/a.h5")
  }

  @Test func wrongScalesAreRefused() throws {
    #expect(try decode { _ in }.arrays["w"] == Self.small)
    func error(_ change: (inout [String: NDArray]) -> Void) -> String {
      let error = storageError { _ = try decode(change) }
      #expect(error?.kind == .badData)
      return error?.description ?? ""
    }
    let missing = error { $0["w.scales"] = nil }
    #expect(missing.contains("'w.scales': found nothing, expected what the int8 array 'w' stands"))
    #expect(error { $0["w.inputRange"] = nil }.contains("'w.inputRange': found nothing"))
    let form = error { $0["w.scales"] = NDArray([1, 1, 1] as [Float], shape: [3, 1, 1]) }
    #expect(form.contains("scales [3, 1, 1] of float32") && form.contains("[4, 3, 2]"))
    let type = error { $0["w.scales"] = $0["w.scales"]?.converted(to: .float64) }
    #expect(type.contains("float64"))
    let zero = error { $0["w.scales"] = NDArray(repeating: 0, shape: [4, 1, 1]) }
    #expect(zero.contains("no positive number"))
    let range = error { $0["w.inputRange"] = NDArray([2, 1] as [Float]) }
    #expect(range.contains("an input range from 2.0 to 1.0"))
    #expect(error { $0["w.inputRange"] = NDArray([1] as [Float]) }.contains("[2] of float32"))
  }

  @Test func whatCannotBeStored() {
    let plain = Self.small.rows(0..<2)
    let error = storageError { _ = try Checkpoint(arrays: ["w": plain]).encoded() }
    #expect(error?.description.contains("int8 elements without scales") == true)
    let taken = storageError {
      _ = try Checkpoint(arrays: ["w": Self.small, "w.scales": Self.weight]).encoded()
    }
    #expect(taken?.description.contains("'w.scales': found another array of this name") == true)
  }

  @Test func damageIsFound() throws {
    let valid = try Checkpoint(arrays: ["w": Self.small, "v": Self.half]).encoded()
    for seed in seeds(200) {
      var random = Random(seed: seed)
      let bytes = Mutation.random(of: valid, &random)
      #expect(storageError("\(seed)") { _ = try Checkpoint(decoding: bytes) }?.kind == .badData)
    }
    for seed in seeds(200) {
      var random = Random(seed: seed)
      var bytes = Mutation.random(of: valid, from: CheckpointHeader.size, &random)
      bytes.withUnsafeMutableBytes {
        CheckpointHeader.seal($0, formatVersion: 2, minimumReader: 2)
      }
      do { _ = try Checkpoint(decoding: bytes) } catch let error as StorageError {
        #expect(error.kind == .badData, "seed \(seed)")
      }
    }
  }

  @Test func otherFormatsHoldPlainNumbers() throws {
    let folder = try TemporaryFolder()
    for weight in [Self.small, Self.half] {
      let plain = weight.converted(to: .float32)
      #expect(try NPY.decode(NPY.encode(weight)) == plain)
      #expect(try IDX.decode(IDX.encode(weight)) == plain)
      let table = weight.reshaped([4, 6])
      let numbers = weight.dtype == .int8 ? table.converted(to: .float32) : plain.reshaped([4, 6])
      let names = (0..<6).map { "\($0)" }
      #expect(try CSV.encode(table, columns: names) == CSV.encode(numbers, columns: names))
      try HDF5File.write(arrays: ["w": weight], to: folder.file("a.h5"))
      #expect(try HDF5File(path: folder.file("a.h5")).array("w") == plain)
    }
    // HDF5 itself reads bfloat16 as the floating-point number that it is.
    try Checkpoint(arrays: ["w": Self.half]).write(to: folder.file("c.h5"))
    let file = try HDF5File(path: folder.file("c.h5"))
    #expect(try file.array("w") == Self.half.converted(to: .float32))
  }
}
