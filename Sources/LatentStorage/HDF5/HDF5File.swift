// Datasets of users: HDF5 files that others wrote, read by rows and never as a whole.
//
// There is no digest here, so HDF5 parses what it is given. The structure is judged before
// anything is allocated, but HDF5 1.10 itself is not safe against files crafted to break it.

import CLatentHDF5
import LatentNumerics
import Synchronization

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
    /// The byte of the file at which the elements begin, where they lie there as in memory.
    let start: Int?
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
  private let byName: [String: Dataset]
  private let refused: [String: StorageError]
  private let file: hid_t
  private var open: [String: hid_t] = [:]
  /// The file that HDF5 has open, for reading without it.
  private let bytes: ByteFile
  /// What has been read that way.
  private let flatArrays = Mutex<[String: FlatArray]>([:])

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
    var refused: [String: StorageError] = [:]
    (file, bytes) = try HDF5Library.locked(path) { session in
      let access = try session.list(latent_h5_file_access_class())
      // Of arrays in one piece HDF5 would read 64 KiB around every row that is drawn at random.
      try session.check(H5Pset_sieve_buf_size(access.id, Self.sieveBytes), "the file's access")
      // The driver whose files have a descriptor.
      try session.check(H5Pset_fapl_sec2(access.id), "the file's access")
      let file = H5Fopen(path, latent_h5_read_only(), access.id)
      try session.check(file, "the file (\(size) bytes)")
      let bytes: ByteFile
      do {
        bytes = try ByteFile(path: path, sharing: session.descriptor(of: file, access))
        let root = try session.handle(
          H5Gopen2(file, "/", latent_h5_default_list()), H5Gclose, "the root group")
        let tree = try HDF5Tree.objects(below: root, session: session)
        for path in tree.datasets {
          do {
            found.append(try Dataset(name: path, in: root, session: session))
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
      return (file, bytes)
    }
    datasets = found.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    byName = Dictionary(found.map { ($0.name, $0) }) { first, _ in first }
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
  /// - Throws: `StorageError.noSuchDataset`, `.rowsOutOfRange`, `.damaged`, `.unreadable`, or
  ///   `.unsupported` for integers that do not fit int32.
  public func rows(_ range: Range<Int>, of name: String) throws -> NDArray {
    let dataset = try dataset(name)
    let count = dataset.rowCount
    guard dataset.shape.rank > 0, range.lowerBound >= 0, range.upperBound <= count else {
      throw StorageError.rowsOutOfRange(file: path, dataset: name, rows: range, count: count)
    }
    if let flat = try flat(dataset) { return try flat.rows([range]) }
    return try read(dataset, rows: range, shape: dataset.shape.replacing(0, with: range.count))
  }

  /// A whole dataset, for small ones; scalars have no rows and come this way.
  public func array(_ name: String) throws -> NDArray {
    let dataset = try dataset(name)
    if let flat = try flat(dataset) { return try flat.array() }
    return try read(dataset, rows: nil, shape: dataset.shape)
  }

  /// How a dataset is read without the library; nil where that has to convert, unpack or fill in.
  func flat(_ dataset: Dataset) throws -> FlatArray? {
    guard let start = dataset.start else { return nil }
    if let known = flatArrays.withLock({ $0[dataset.name] }) { return known }
    let made = try HDF5Library.locked(path) { session in
      let handle = try session.handle(
        H5Dopen2(file, dataset.name, latent_h5_default_list()), H5Dclose, dataset.name)
      return try FlatArray(dataset, handle, start: start, in: bytes, session)
    }
    flatArrays.withLock { $0[dataset.name] = made }
    return made
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
