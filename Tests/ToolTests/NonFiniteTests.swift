// Data and weights that are no numbers, as a user meets them: the exit code, the sentence, and no file
// that could be taken for a result.

import Foundation
import Latent
import Testing

@Suite struct NonFiniteTests {
  /// 12 rows of 4 numbers in [0, 1), of which row 7 has another one.
  static func write(_ value: Double, type: DType, to path: String) throws {
    var random = RandomStream(seed: 1)
    var numbers = random.uniform([12, 4], .float64).doubles
    numbers[7 * 4 + 2] = value
    try NPY.write(NDArray(numbers, shape: [12, 4]).converted(to: type), to: path)
  }

  static let flags = [
    "--data", "npy:data.npy", "--latent", "1", "--hidden", "9", "--batch", "2", "--epochs", "2",
    "--threads", "1", "--quiet", "--out", "run",
  ]

  /// In the training part or in the validation part.
  @Test(arguments: 0..<6) func dataOfEitherPart(seed: Int) throws {
    try withTemporaryFolder { folder in
      try NonFiniteTests.write(.nan, type: .float32, to: "\(folder)/data.npy")
      let ended = try Tool.train.run(
        NonFiniteTests.flags + ["--validation", "0.75", "--seed", "\(seed)"], in: folder)
      #expect(ended.code == 65, "\(ended.errors)")
      #expect(ended.errors.contains("cannot use example 7 of "), "\(ended.errors)")
      #expect(ended.errors.contains("element [2] of its inputs is nan"), "\(ended.errors)")
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/run/best.h5"))
    }
  }

  /// float64 numbers that float32 does not have.
  @Test func tooLargeForFloat32() throws {
    try withTemporaryFolder { folder in
      try NonFiniteTests.write(1e300, type: .float64, to: "\(folder)/data.npy")
      let ended = try Tool.train.run(
        NonFiniteTests.flags + ["--likelihood", "normal"], in: folder)
      #expect(ended.code == 65, "\(ended.errors)")
      #expect(ended.errors.contains("example 7 of "), "\(ended.errors)")
    }
  }

  @Test func anEnormousStep() throws {
    try withTemporaryFolder { folder in
      try NonFiniteTests.write(0.5, type: .float32, to: "\(folder)/data.npy")
      let ended = try Tool.train.run(
        NonFiniteTests.flags + ["--learning-rate", "1e39", "--epochs", "1", "--batch", "12"],
        in: folder)
      #expect(ended.code == 70, "\(ended.errors)")
      #expect(ended.errors.contains("training step 0: the update made parameter "))
      let left = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/run")
      #expect(!left.contains { $0.hasSuffix(".h5") }, "\(left)")
    }
  }
}
