// MNIST (LeCun, Cortes and Burges 1998) and what came after it in the same form: Fashion-MNIST
// (Xiao, Rasul and Vollgraf 2017), KMNIST, EMNIST parts with these names.

import LatentNumerics
import LatentStorage

/// A folder of IDX files: images `[count, 28, 28]` and labels `[count]`, plain or `.gz`.
///
/// Fields: `inputs` `[batch, height, width, 1]` in [0, 1], `labels`.
public struct MNIST: Sendable {
  /// 60,000 examples in the original, `[28, 28, 1]`.
  public let training: ArrayDataset
  /// 10,000 examples in the original.
  public let test: ArrayDataset

  /// Reads all four files into memory as bytes. Each may lie in a folder that bears its name, as
  /// Kaggle's archive unpacks.
  ///
  /// - Parameter bytes: What the bytes of the pictures are; nil takes training pictures of 0 and 1 only
  ///   as numbers, all others as gray values. Test pictures follow.
  /// - Throws: `DatasetError` for missing files or counts that differ, `StorageError` for damage.
  public init(folder: String, bytes: ByteScale? = nil) throws {
    training = try MNIST.part(folder, "train", "training", bytes)
    test = try MNIST.part(folder, "t10k", "test", training.byteScale)
  }

  private static func part(
    _ folder: String, _ prefix: String, _ title: String, _ bytes: ByteScale?
  ) throws -> ArrayDataset {
    let imagesPath = try find("\(prefix)-images-idx3-ubyte", in: folder)
    let labelsPath = try find("\(prefix)-labels-idx1-ubyte", in: folder)
    let images = try IDX.read(imagesPath)
    let labels = try IDX.read(labelsPath)
    guard images.dtype == .uint8, images.shape.rank == 3 else {
      throw DatasetError.wrongShape(
        file: imagesPath, what: "the images", found: "\(images.dtype.rawValue) \(images.shape)",
        expected: "uint8 [count, height, width]")
    }
    guard labels.dtype == .uint8, labels.shape.rank == 1 else {
      throw DatasetError.wrongShape(
        file: labelsPath, what: "the labels", found: "\(labels.dtype.rawValue) \(labels.shape)",
        expected: "uint8 [count]")
    }
    guard labels.count == images.shape[0] else {
      throw DatasetError.countMismatch(
        file: labelsPath, found: labels.count, other: imagesPath, expected: images.shape[0])
    }
    guard images.count > 0 else {
      throw DatasetError.empty(path: imagesPath, hint: "is the download complete?")
    }
    return ArrayDataset(
      inputs: images.reshaped(images.shape.appending(1)), labels: labels, name: "MNIST \(title)",
      bytes: bytes)
  }

  private static func find(_ name: String, in folder: String) throws -> String {
    let found = try Folder.list(folder)
    // Some mirrors, and Kaggle beside its folders, write a dot before "idx".
    let dotted = name.replacing("-idx", with: ".idx")
    let names = [name, "\(name).gz", dotted, "\(dotted).gz"]
    let inside = names.flatMap { outer in names.map { "\(outer)/\($0)" } }
    guard let match = (names + inside).first(where: { Folder.isFile("\(folder)/\($0)") }) else {
      throw DatasetError.missingFile(folder: folder, names: names, found: found)
    }
    return "\(folder)/\(match)"
  }
}
