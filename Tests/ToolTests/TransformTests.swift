// Every tool shows a model data as it knows them: through the threshold it was trained with.

import Foundation
import Latent
import LatentCommands
import Testing

@Suite struct TransformTests {
  /// Gray pictures, and what a threshold of 0.5 makes of them.
  private func writeData(_ folder: String) throws {
    try writePictures(40, to: "\(folder)/gray.npy")
    let gray = try NPYDataset(path: "\(folder)/gray.npy").batch(0..<40).inputs
    try NPY.write(gray.binary(.greater, scalar: 0.5), to: "\(folder)/binary.npy")
  }

  /// A run on gray values through a threshold is one on the thresholded values, also in its pictures
  /// and for all other tools.
  @Test func thresholds() throws {
    try withTemporaryFolder { folder in
      try writeData(folder)
      try Tool.train.run(
        ["--data", "npy:gray.npy", "--transform", "threshold:0.5", "--out", "gray"] + smallRun,
        in: folder
      ).succeeded()
      try Tool.train.run(["--data", "npy:binary.npy", "--out", "binary"] + smallRun, in: folder)
        .succeeded()
      for name in ["reconstructions", "interpolation", "traversals"] {
        let picture = try bytes("\(folder)/gray/pictures/\(name).png")
        #expect(try picture == bytes("\(folder)/binary/pictures/\(name).png"), "\(name)")
      }
      for run in ["gray", "binary"] {
        try Tool.encode.run([run, "--out", "\(run)-z.npy"], in: folder).succeeded()
        try Tool.interpolate.run([run, "--out", "\(run)-s.npy"], in: folder).succeeded()
        try Tool.quantize.run([run, "--to", "int8", "--out", "\(run)-int8"], in: folder)
          .succeeded()
      }
      for name in ["z.npy", "s.npy"] {
        #expect(try bytes("\(folder)/gray-\(name)") == bytes("\(folder)/binary-\(name)"), "\(name)")
      }
      let quantized = try ["gray", "binary"].map {
        try Checkpoint(contentsOf: "\(folder)/\($0)-int8/best.h5").arrays
      }
      #expect(quantized[0] == quantized[1])
      // Other data are of the same kind.
      try Tool.encode.run(
        ["binary", "--data", "npy:gray.npy", "--out", "plain.npy"], in: folder
      ).succeeded()
      #expect(try bytes("\(folder)/plain.npy") != bytes("\(folder)/gray-z.npy"))
    }
  }

  /// What is random is left out: the latents are those of the gray values.
  @Test func binarization() throws {
    try withTemporaryFolder { folder in
      try writeData(folder)
      try Tool.train.run(
        ["--data", "npy:gray.npy", "--transform", "binarize", "--out", "run"] + smallRun, in: folder
      ).succeeded()
      try Tool.encode.run(["run", "--out", "z.npy"], in: folder).succeeded()
      let means = try NPY.read("\(folder)/z.npy")
      let opened = try OpenRun(folder: "\(folder)/run")
      let gray = try NPYDataset(path: "\(folder)/gray.npy").batch(0..<40).inputs
      func encoded(_ model: some LatentVariableModel) -> NDArray {
        model.codes(of: Tensor(gray)).array
      }
      #expect(encoded(opened.model) == means)
    }
  }
}
