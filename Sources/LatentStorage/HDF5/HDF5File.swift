// Datasets of users: HDF5 files that others wrote, read by rows and never as a whole.
//
// There is no digest here, so HDF5 parses what it is given. The structure is judged before
// anything is allocated, but HDF5 1.10 itself is not safe against files crafted to break it.

import CLatentHDF5
import LatentNumerics

/// A foreign HDF5 file, open for reading.
///
/// Floats of 2 and 4 bytes are read as float32, of 8 as float64; bytes and booleans as uint8, which
/// `Dataset.isBoolean` tells apart; other integers as int32, where they fit.
///
/// Unchecked because of the identifiers, which are used under the library's lock only.
public final class HDF5File: @unchecked Sendable {
  /// A dataset of the file.
  public struct Dataset: Sendable, Equatable {
    /// Its path in the file, such as `images/train`.
    public let name: String
    /// All of it: the first axis counts the rows.
    public let shape: Shape
    /// The type that its elements are read as.
    public let dtype: DType
    /// Whether the elements are truth values as h5py writes them, an enumeration of one byte, which is
    /// read as uint8.
    public let isBoolean: Bool
    let reading: Reading
    let chunkBytes: Int
    var rowCount: Int { shape.rank == 0 ? 0 : shape[0] }
  }

  /// How elements come from file to memory.
  enum Reading: Equatable {
    case direct
    /// Through 64 bits, with a check that they fit int32.
    case wideInteger
  }

  /// What is read at least of an array in one piece that needs conversion.
  private static let sieveBytes = 4 << 10

  /// The path the file was opened by.
  public let path: String
  /// The datasets that can be read, in the order of their names.
  public let datasets: [Dataset]
  /// The datasets that are read without the library.
  let flat: [String: FlatArray]
  private let byName: [String: Dataset]
  private let refused: [String: StorageError]
  private let file: hid_t
  private var open: [String: hid_t] = [:]

  /// Opens a file and judges all its datasets.
  ///
  /// Links to other places and datasets of other kinds are passed over; asking for one of them
  /// says why.
  ///
  /// - Throws: `StorageError.missing`, `.unreadable`, `.damaged` or `.unsupported`.
  public init(path: String) throws {
    self.path = path
    // HDF5 only knows "cannot open"; this tells missing, forbidden and folders apart.
    let size = try FileStream(path: path).size
    var found: [Dataset] = []
    var flat: [String: FlatArray] = [:]
    var refused: [String: StorageError] = [:]
    file = try HDF5Library.locked(path) { session in
      let access = try session.list(latent_h5_file_access_class())
      // Of arrays in one piece HDF5 would read 64 KiB around every row that is drawn at random.
      try session.check(H5Pset_sieve_buf_size(access.id, Self.sieveBytes), "the file's access")
      let file = H5Fopen(path, latent_h5_read_only(), access.id)
      try session.check(file, "the file (\(size) bytes)")
      do {
        let bytes = try ByteFile(path: path, sharing: session.descriptor(of: file, access))
        let root = try session.handle(
          H5Gopen2(file, "/", latent_h5_default_list()), H5Gclose, "the root group")
        let tree = try HDF5Tree.objects(below: root, session: session)
        for path in tree.datasets {
          do {
            let dataset = try session.handle(
              H5Dopen2(root.id, path, latent_h5_default_list()), H5Dclose, path)
            let layout = try HDF5Layout(of: dataset, path: path, session: session)
            let judged = try Dataset(layout, name: path, session: session)
            flat[path] = try FlatArray(judged, dataset, layout, in: bytes, session)
            found.append(judged)
          } catch let error as StorageError {
            refused[path] = error
          }
        }
        for other in tree.skipped {
          refused[other.path] = session.unsupported(other.path, other.reason, "a dataset")
        }
      } catch {
        H5Fclose(file)
        throw error
      }
      return file
    }
    datasets = found.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    byName = Dictionary(found.map { ($0.name, $0) }) { first, _ in first }
    self.flat = flat
    self.refused = refused
  }

  deinit {
    let (file, open) = (file, open)
    try? HDF5Library.locked(path) { _ in
      for id in open.values { H5Dclose(id) }
      H5Fclose(file)
    }
  }

  /// The dataset called `name`.
  ///
  /// - Throws: `StorageError.noSuchDataset`, or why it cannot be read.
  public func dataset(_ name: String) throws -> Dataset {
    let name = name.hasPrefix("/") ? String(name.dropFirst()) : name
    if let dataset = byName[name] { return dataset }
    throw refused[name]
      ?? StorageError.noSuchDataset(file: path, name: name, available: datasets.map(\.name))
  }

  /// The shape of a dataset; the first axis counts the rows.
  public func shape(of name: String) throws -> Shape { try dataset(name).shape }

  /// The type that a dataset's elements are read as.
  public func dtype(of name: String) throws -> DType { try dataset(name).dtype }

  /// Rows `range` of a dataset: an array of shape `[range.count, ...]`.
  ///
  /// Only these rows are read, or as many whole chunks as hold them.
  ///
  /// - Throws: `StorageError.noSuchDataset`, `.rowsOutOfRange`, `.damaged`, or `.unsupported` for
  ///   integers that do not fit int32.
  public func rows(_ range: Range<Int>, of name: String) throws -> NDArray {
    let dataset = try dataset(name)
    let count = dataset.rowCount
    guard range.lowerBound >= 0, range.upperBound <= count else {
      throw StorageError.rowsOutOfRange(file: path, dataset: name, rows: range, count: count)
    }
    if let flat = flat[dataset.name] { return try flat.rows([range]) }
    return try read(dataset, rows: range, shape: dataset.shape.replacing(0, with: range.count))
  }

  /// A whole dataset, for small ones; scalars have no rows and come this way.
  public func array(_ name: String) throws -> NDArray {
    let dataset = try dataset(name)
    if let flat = flat[dataset.name] { return try flat.array() }
    return try read(dataset, rows: nil, shape: dataset.shape)
  }

  private func read(_ dataset: Dataset, rows: Range<Int>?, shape: Shape) throws -> NDArray {
    try HDF5Library.locked(path) { session in
      let id = try identifier(of: dataset, session)
      guard shape.count > 0 else { return NDArray(uninitialized: shape, dataset.dtype) }
      let fileSpace = try session.handle(H5Dget_space(id), H5Sclose, dataset.name)
      let extents = shape.dimensions.map { hsize_t($0) }
      let memory = try session.handle(
        extents.isEmpty
          ? H5Screate(H5S_SCALAR) : H5Screate_simple(Int32(extents.count), extents, nil),
        H5Sclose, dataset.name)
      if let rows {
        var start = [hsize_t](repeating: 0, count: shape.rank)
        start[0] = hsize_t(rows.lowerBound)
        try session.check(
          H5Sselect_hyperslab(fileSpace.id, H5S_SELECT_SET, start, nil, extents, nil),
          dataset.name)
      }
      return try dataset.read(id, shape, memory.id, fileSpace.id, session)
    }
  }

  /// Datasets stay open, so that their chunk caches last from batch to batch.
  private func identifier(of dataset: Dataset, _ session: HDF5Session) throws -> hid_t {
    if let id = open[dataset.name] { return id }
    let access = try session.list(latent_h5_dataset_access_class())
    let cache = min(max(dataset.chunkBytes * 4, 1 << 20), 64 << 20)
    // Least recently used first: with any preference for chunks that were read whole, those that
    // shuffled rows read in part would stay for ever.
    try session.check(H5Pset_chunk_cache(access.id, 521, cache, 0), dataset.name)
    let id = try session.check(H5Dopen2(file, dataset.name, access.id), dataset.name)
    open[dataset.name] = id
    return id
  }
}
