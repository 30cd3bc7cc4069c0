// Examples from outside, brought to the form of the run's data.

import Foundation
import Latent
import LatentCommands

extension Explorer {
  /// An upload as one example, `[1, ...]`, changed by the run's transform where that is not random.
  /// - Throws: `HTTPFault` and what readers throw of bytes that are none of the run's kind.
  func upload(_ bytes: [UInt8]) throws -> Tensor {
    let shape = Shape(opened.configuration.model.inputShape)
    let inputs =
      try opened.configuration.isText
      ? text(bytes, length: shape.count)
      : bytes.starts(with: Array("\u{93}NUMPY".unicodeScalars.map { UInt8($0.value) }))
        ? array(bytes, shape) : picture(bytes, shape)
    let dataset = ArrayDataset(
      inputs: inputs, name: Explorer.uploadName, bytes: opened.configuration.bytes
    ).seen(through: try opened.run.transform)
    try opened.checkRange(of: dataset)
    let batch = try dataset.batch(0..<1)
    try batch.requireFinite(in: dataset)
    return Tensor(batch.inputs)
  }

  private static let uploadName = "the upload"

  /// A PNG picture in the size of the run's.
  private func picture(_ bytes: [UInt8], _ shape: Shape) throws -> NDArray {
    guard opened.isPicture else {
      throw HTTPFault(
        400, "examples of shape \(shape) are no pictures: upload an array of it as a file .npy")
    }
    // Width and height stand after the signature, the chunk's length and its name. A few bytes can say
    // that a picture is larger than memory should be taken for.
    let sizes = stride(from: 16, to: 24, by: 4).map { start in
      bytes.dropFirst(start).prefix(4).reduce(0) { $0 << 8 | Int($1) }
    }
    if sizes.contains(where: { $0 > Explorer.largestSide }) {
      throw HTTPFault(
        400,
        "a picture of \(sizes[0]) x \(sizes[1]) pixels: expected at most "
          + "\(Explorer.largestSide) on a side")
    }
    return try ImageFolder.picture(bytes, source: Explorer.uploadName, shape: shape)
      .reshaped([1] + shape)
  }

  private static let largestSide = 2048

  /// An array of NumPy, with or without axes of one element.
  private func array(_ bytes: [UInt8], _ shape: Shape) throws -> NDArray {
    let array = try NPY.decode(bytes, source: Explorer.uploadName)
    func long(_ shape: Shape) -> [Int] { shape.dimensions.filter { $0 != 1 } }
    guard long(array.shape) == long(shape) else {
      throw HTTPFault(400, "an array of shape \(array.shape): expected one example, \(shape)")
    }
    // What data sets take as numbers; tokens are for text alone.
    return (array.dtype == .uint8 ? array : array.converted(to: .float32)).reshaped([1] + shape)
  }

  /// The first bytes of a text; a short one is filled up with line ends.
  private func text(_ bytes: [UInt8], length: Int) throws -> NDArray {
    if bytes.isEmpty { throw HTTPFault(400, "a text of no bytes: expected up to \(length)") }
    let filling = [UInt8](repeating: UInt8(ascii: "\n"), count: max(0, length - bytes.count))
    return NDArray((bytes.prefix(length) + filling).map { Int32($0) }, shape: [1, length])
  }
}
