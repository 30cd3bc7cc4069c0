// Data sets of growing size, as files of bytes in two formats: one whose rows are read as batches
// ask for them, one that is held in memory.

import Foundation
import Latent

struct DataFiles {
  /// 28 x 28 gray images.
  static let example: Shape = [28, 28]
  static let kinds = ["hdf5", "npy"]

  let folder: String

  init() throws {
    folder = FileManager.default.temporaryDirectory.path + "/latent-scaling-\(getpid())"
    try Folder.create(folder)
  }

  func remove() { try? FileManager.default.removeItem(atPath: folder) }

  /// The source of a kind with `count` examples; its file is written where it is not there.
  func source(_ kind: String, _ count: Int) throws -> String {
    let path = "\(folder)/\(count).\(kind)"
    if !FileManager.default.fileExists(atPath: path) {
      let images = try bytes(count)
      switch kind {
      case "hdf5": try HDF5File.write(arrays: ["images": images], to: path)
      default: try NPY.write(images, to: path)
      }
    }
    return kind == "hdf5" ? "hdf5:\(path):images" : "npy:\(path)"
  }

  /// A pattern that no two neighbours share.
  private func bytes(_ count: Int) throws -> NDArray {
    NDArray(shape: Shape([count]) + DataFiles.example, .uint8) { buffer in
      for index in buffer.indices { buffer[index] = UInt8(truncatingIfNeeded: index &* 167 >> 3) }
    }
  }
}
