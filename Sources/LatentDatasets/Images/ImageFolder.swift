// A folder of PNG images. Folders below it are classes, as in torchvision's ImageFolder.

import LatentNumerics
import LatentStorage
import Synchronization

/// Images of a folder, decoded in parallel when a batch first asks for them.
///
/// Either all images lie in the folder itself, or each class has a folder below it (searched to
/// any depth); then `labels` number the classes in sorted order. Files are sorted by the bytes of
/// their paths. Reading needs the package trait `PNG`.
public struct ImageFolder: Dataset {
  public let path: String
  /// The files, relative to the folder, in the order of the examples.
  public let files: [String]
  /// The names of the folders below; empty where images lie in the folder itself.
  public let classes: [String]
  public let size: ImageSize
  /// 1 (gray) or 3 (red, green, blue).
  public let channels: Int
  private let resizes: Bool
  private let labels: [Int32]?
  private let cache: ImageCache?

  /// Up to this many bytes of decoded images are kept after they were first read.
  public static let cacheLimit = 256 << 20

  /// Lists the folder and reads its first image.
  ///
  /// With `side`, the middle square of every image is resampled to it; without, all images must
  /// have the size of the first. Without `channels`, the first image decides between gray and
  /// RGB. Transparent parts become black.
  ///
  /// Throws `DatasetError.notAFolder`, `.empty` (no PNG file) and `.mixedFolder`; `StorageError`
  /// when the first image is damaged or the trait is off. `batch` throws the same, and
  /// `.imageSizeDiffers`. Traps when the side is not positive or `channels` is not 1 or 3.
  public init(path: String, side: Int? = nil, channels: Int? = nil) throws {
    require(channels == nil || channels == 1 || channels == 3, "ImageFolder: 1 or 3 channels")
    require(side.map { $0 > 0 } ?? true, "ImageFolder: an empty size")
    let listing = try ImageListing(path)
    let first = try PNG.decode(contentsOf: "\(path)/\(listing.files[0])")
    self.path = path
    files = listing.files
    classes = listing.classes
    labels = listing.labels
    resizes = side != nil
    size = ImageSize(height: side ?? first.shape[0], width: side ?? first.shape[1])
    self.channels = channels ?? (first.shape[2] >= 3 ? 3 : 1)
    let fits = files.count <= ImageFolder.cacheLimit / (size.height * size.width * self.channels)
    cache = fits ? ImageCache(count: files.count) : nil
  }

  public var count: Int { files.count }
  public var name: String { path.lastPathComponent }

  public var fieldShapes: [String: Shape] {
    var shapes: [String: Shape] = [Field.inputs: [size.height, size.width, channels]]
    if labels != nil { shapes[Field.labels] = [] }
    return shapes
  }

  public func batch(at indices: [Int]) throws -> Batch {
    checkIndices(indices)
    let decoded = Mutex([Result<NDArray, any Error>?](repeating: nil, count: indices.count))
    parallelFor(indices.count) { row in
      let result = Result { try image(at: indices[row]) }
      decoded.withLock { $0[row] = result }
    }
    let images = try decoded.withLock { try $0.compactMap { try $0?.get() } }
    let shape: Shape = [indices.count, size.height, size.width, channels]
    let bytes =
      images.isEmpty
      ? NDArray([UInt8](), shape: shape) : NDArray.concatenate(images, axis: 0).reshaped(shape)
    var fields = [Field.inputs: StandardForm.converted(bytes, field: Field.inputs)]
    fields[Field.labels] = labels.map { labels in NDArray(indices.map { labels[$0] }) }
    return Batch(fields: fields, indices: indices)
  }

  /// The bytes `[height, width, channels]` of one example.
  private func image(at index: Int) throws -> NDArray {
    if let image = cache?[index] { return image }
    let file = "\(path)/\(files[index])"
    var image = try PNG.decode(contentsOf: file)
    if resizes {
      image = ImageResizing.resized(image, to: size)
    } else if image.shape[0] != size.height || image.shape[1] != size.width {
      throw DatasetError.imageSizeDiffers(
        file: file, found: image.shape.prefix(2), first: files[0],
        expected: [size.height, size.width])
    }
    image = ImageResizing.withChannels(image, channels)
    cache?[index] = image
    return image
  }
}

/// Decoded images, shared by all copies of a data set.
private final class ImageCache: Sendable {
  private let images: Mutex<[NDArray?]>

  init(count: Int) { images = Mutex([NDArray?](repeating: nil, count: count)) }

  subscript(index: Int) -> NDArray? {
    get { images.withLock { $0[index] } }
    set { images.withLock { $0[index] = newValue } }
  }
}
