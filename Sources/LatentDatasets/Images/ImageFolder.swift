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
  /// The folder.
  public let path: String
  /// The files, relative to the folder, in the order of the examples.
  public let files: [String]
  /// The names of the folders below; empty where images lie in the folder itself.
  public let classes: [String]
  /// Of every picture, after scaling.
  public let size: ImageSize
  /// 1 (gray) or 3 (red, green, blue).
  public let channels: Int
  public let notes: [String]
  private let resizes: Bool
  private let labels: [Int32]?
  private let cache = ImageCache()

  /// Up to this many bytes of decoded images are kept after they were first read.
  public static let cacheLimit = 512 << 20

  /// Lists the folder and reads the headers of its images.
  ///
  /// With `side`, the middle square of every image is resampled to it; without, all images must
  /// have the size of the first. Without `channels`, the first image decides between gray and
  /// RGB. Transparent parts become black. Samples are taken as they are stored (sRGB is not
  /// made linear, as Pillow and torchvision do not) and in their full depth; averages are of colours
  /// times their opacity. Links are followed, but each file is one example whatever its names.
  ///
  /// Throws `DatasetError.notAFolder`, `.empty` (no picture), `.mixedFolder`, `.otherPictures` (not
  /// PNG, which is all that is read), `.imageSizeDiffers` and `.tooManyEntries`; `StorageError` when a
  /// file is no picture or the trait is off. `batch` throws the same, and `StorageError` for damaged
  /// images. Traps when the side is not positive or `channels` is not 1 or 3.
  public init(path: String, side: Int? = nil, channels: Int? = nil) throws {
    require(channels == nil || channels == 1 || channels == 3, "ImageFolder: 1 or 3 channels")
    require(side.map { $0 > 0 } ?? true, "ImageFolder: an empty size")
    let listing = try ImageListing(path)
    guard PNG.canDecode else {
      throw StorageError.needsTrait(file: path, trait: "PNG", package: "libpng-dev")
    }
    let survey = try ImageSurvey(listing.files, in: path, sameSize: side == nil)
    self.path = path
    files = listing.files
    classes = listing.classes
    labels = listing.labels
    resizes = side != nil
    size = ImageSize(height: side ?? survey.first.height, width: side ?? survey.first.width)
    self.channels = channels ?? (survey.first.isColor ? 3 : 1)
    notes =
      listing.notes
      + survey.notes(
        first: listing.files[0], channels: self.channels, asked: channels != nil)
  }

  public var count: Int { files.count }
  public var name: String { path.lastPathComponent }
  public var classNames: [String] { classes }

  public var fieldShapes: [String: Shape] {
    var shapes: [String: Shape] = [Field.inputs: [size.height, size.width, channels]]
    if labels != nil { shapes[Field.labels] = [] }
    return shapes
  }

  public func batch(at indices: [Int]) throws -> Batch {
    checkIndices(indices)
    let decoded = Mutex([Result<NDArray, any Error>?](repeating: nil, count: indices.count))
    parallelFor(indices.count) { row in
      let result = Result { StandardForm.pictures(try image(at: indices[row])) }
      decoded.withLock { $0[row] = result }
    }
    let images = try decoded.withLock { try $0.compactMap { try $0?.get() } }
    let shape: Shape = [indices.count, size.height, size.width, channels]
    let inputs =
      images.isEmpty
      ? NDArray([Float](), shape: shape) : NDArray.concatenate(images, axis: 0).reshaped(shape)
    var fields = [Field.inputs: inputs]
    fields[Field.labels] = labels.map { labels in NDArray(indices.map { labels[$0] }) }
    return Batch(fields: fields, indices: indices)
  }

  /// One example, `[height, width, channels]`: bytes as they are in the file where nothing has to be
  /// done to them, else float32 in [0, 1].
  private func image(at index: Int) throws -> NDArray {
    if let image = cache[index] { return image }
    let file = "\(path)/\(files[index])"
    var image = try PNG.decode(contentsOf: file, fullDepth: true)
    if !resizes, image.shape[0] != size.height || image.shape[1] != size.width {
      throw DatasetError.imageSizeDiffers(
        file: file, found: image.shape.prefix(2), first: files[0],
        expected: [size.height, size.width])
    }
    if image.shape != [size.height, size.width, channels] {
      let opaque = ImageResizing.withChannels(StandardForm.pictures(image), channels)
      image = ImageResizing.resized(opaque, to: size)
    }
    cache[index] = image
    return image
  }
}

extension ImageFolder {
  /// One PNG picture as the examples of folders are: `[height, width, channels]`, float32 in [0, 1]; with `side`
  /// its middle square resampled, with `channels` 1 (gray) or 3 (RGB), else as the file has them.
  /// - Throws: `StorageError` where the file is no picture or the trait `PNG` is off.
  public static func picture(
    contentsOf path: String, side: Int? = nil, channels: Int? = nil
  ) throws -> NDArray {
    require(channels == nil || channels == 1 || channels == 3, "a picture of 1 or 3 channels")
    require(side.map { $0 > 0 } ?? true, "a picture of an empty size")
    let image = StandardForm.pictures(try PNG.decode(contentsOf: path, fullDepth: true))
    let opaque = ImageResizing.withChannels(image, channels ?? (image.shape[2] > 2 ? 3 : 1))
    let size = ImageSize(height: side ?? image.shape[0], width: side ?? image.shape[1])
    return ImageResizing.resized(opaque, to: size)
  }

  /// The bytes of a PNG picture as an example of `shape` `[height, width, 1 or 3]`: the part of its middle that has
  /// these proportions, resampled, float32 in [0, 1].
  /// - Throws: `StorageError` where the bytes are no picture or the trait `PNG` is off.
  public static func picture(
    _ bytes: [UInt8], source: String = "PNG in memory", shape: Shape
  ) throws -> NDArray {
    require(
      shape.rank == 3 && (shape[2] == 1 || shape[2] == 3), "a picture of shape \(shape)")
    let image = StandardForm.pictures(try PNG.decode(bytes, source: source, fullDepth: true))
    return ImageResizing.resized(
      ImageResizing.withChannels(image, shape[2]),
      to: ImageSize(height: shape[0], width: shape[1]))
  }
}

/// Decoded images, shared by all copies of a data set: those that were read first, up to the limit.
private final class ImageCache: Sendable {
  private let state = Mutex((images: [Int: NDArray](), bytes: 0))

  subscript(index: Int) -> NDArray? {
    get { state.withLock { $0.images[index] } }
    set {
      guard let newValue else { return }
      state.withLock { state in
        guard state.bytes + newValue.byteCount <= ImageFolder.cacheLimit,
          state.images.updateValue(newValue, forKey: index) == nil
        else { return }
        state.bytes += newValue.byteCount
      }
    }
  }
}
