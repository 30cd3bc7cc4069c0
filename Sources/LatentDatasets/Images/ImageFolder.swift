// Folders of pictures, as torchvision's ImageFolder has them: one folder for each class, or all
// pictures in one folder without classes. Pictures are read when a batch asks for them.

import Glibc
import LatentNumerics
import LatentStorage

/// PNG pictures of a folder.
///
/// Fields: `inputs` `[batch, side, side, channels]` in [0, 1]; `labels` (the position of the class
/// in `classes`) where there are folders.
public struct ImageFolder: Dataset {
  public let name: String
  public let classes: [String]
  private let files: [String]
  private let labels: [Int32]
  private let shape: Shape
  /// Whether pictures are resized; else all have the first one's size.
  private let isResized: Bool

  /// - Parameters:
  ///   - side: resize every picture to this side, by area; nil wants them all alike.
  ///   - channels: 1 gray, 3 colour; nil takes those of the first picture, without alpha.
  /// - Throws: `DatasetError`, `StorageError`.
  public init(path: String, side: Int? = nil, channels: Int? = nil) throws {
    name = path
    var files: [String] = []
    var labels: [Int32] = []
    var classes: [String] = []
    var loose: String?
    for entry in try ImageFolder.names(in: path) {
      let child = "\(path)/\(entry)"
      if ImageFolder.isFolder(child) {
        let images = try ImageFolder.names(in: child).filter(ImageFolder.isPicture)
        if images.isEmpty { continue }
        files += images.map { "\(child)/\($0)" }
        labels += images.map { _ in Int32(classes.count) }
        classes.append(entry)
      } else if ImageFolder.isPicture(entry) {
        loose = loose ?? entry
        files.append(child)
      }
    }
    if let loose, let folder = classes.first {
      throw DatasetError.mixedFolder(folder: path, file: loose, subfolder: folder)
    }
    guard let first = files.first else {
      throw DatasetError.empty(path: path, hint: "expected .png files, or folders of them")
    }
    let probe = try PNG.decode(contentsOf: first).shape
    let depth = channels ?? (probe[2] >= 3 ? 3 : 1)
    self.files = files
    self.labels = labels
    self.classes = classes
    isResized = side != nil
    shape = [side ?? probe[0], side ?? probe[1], depth]
  }

  public var count: Int { files.count }

  public var fieldShapes: [String: Shape] {
    labels.isEmpty ? [Field.inputs: shape] : [Field.inputs: shape, Field.labels: []]
  }

  public func batch(at indices: [Int]) throws -> Batch {
    checkIndices(indices)
    var inputs = NDArray(repeating: 0, shape: [indices.count] + shape, .float32)
    for (row, index) in indices.enumerated() {
      inputs.overwrite(
        0, from: row, with: try image(files[index]).reshaped([1] + shape))
    }
    var fields = [Field.inputs: inputs]
    if !labels.isEmpty { fields[Field.labels] = NDArray(indices.map { labels[$0] }) }
    return Batch(fields: fields, indices: indices)
  }

  private func image(_ file: String) throws -> NDArray {
    let bytes = try PNG.decode(contentsOf: file)
    guard isResized || bytes.shape.prefix(2) == shape.prefix(2) else {
      throw DatasetError.imageSizeDiffers(
        file: file, found: bytes.shape.prefix(2), first: files[0], expected: shape.prefix(2))
    }
    let pixels = ImageFolder.channels(bytes.scaledBytes(to: .float32, scale: 1 / 255), shape[2])
    return isResized ? AreaResize.resized(pixels, height: shape[0], width: shape[1]) : pixels
  }

  /// Gray by the luma weights of ITU-R BT.601, colour by repetition; alpha is dropped.
  private static func channels(_ image: NDArray, _ wanted: Int) -> NDArray {
    let have = image.shape[2]
    let color = have >= 3
    if color && wanted == 1 {
      let weights = NDArray([0.299, 0.587, 0.114] as [Float], shape: [3])
      return image.sliced(2, 0..<3).binary(.multiply, weights)
        .reduced(.sum, axes: [2], keepingDimensions: true)
    }
    if color { return image.sliced(2, 0..<3) }
    return image.sliced(2, 0..<1).broadcast(to: image.shape.replacing(2, with: wanted))
  }

  private static func names(in folder: String) throws -> [String] {
    guard isFolder(folder) else { throw DatasetError.notAFolder(path: folder) }
    return try Folder.list(folder)
  }

  private static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  private static func isPicture(_ name: String) -> Bool {
    name.lowercased().hasSuffix(".png") && !name.hasPrefix(".")
  }
}

/// Resizing by the mean over each target pixel's area: no aliasing on the way down, blocks on the
/// way up.
enum AreaResize {
  static func resized(_ image: NDArray, height: Int, width: Int) -> NDArray {
    let rows = image.sliced(0, 0..<image.shape[0])
    return along(0, along(1, rows, width), height)
  }

  /// Row i of the matrix holds the share of each source pixel in target pixel i.
  private static func along(_ axis: Int, _ image: NDArray, _ target: Int) -> NDArray {
    let source = image.shape[axis]
    if source == target { return image }
    var weights = [Float](repeating: 0, count: target * source)
    let scale = Double(source) / Double(target)
    for index in 0..<target {
      let (low, high) = (Double(index) * scale, Double(index + 1) * scale)
      for pixel in Int(low)..<min(source, Int(high.rounded(.up))) {
        let overlap = min(high, Double(pixel + 1)) - max(low, Double(pixel))
        weights[index * source + pixel] = Float(max(0, overlap) / scale)
      }
    }
    let matrix = NDArray(weights, shape: [target, source])
    let order = axis == 0 ? [0, 1, 2] : [1, 0, 2]
    let moved = image.permuted(order)
    let rest = moved.shape.suffix(2)
    return matrix.matmul(moved.reshaped([source, rest.count]))
      .reshaped([target] + rest).permuted(order)
  }
}
