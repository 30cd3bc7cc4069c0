// Datasets of users: HDF5 files that others wrote, read by rows and never as a whole.
//
// There is no digest here, so HDF5 parses what it is given. The structure is judged before
// anything is allocated, but HDF5 1.10 itself is not safe against files crafted to break it.

import CLatentHDF5
import LatentNumerics
import Synchronization

/// A foreign HDF5 file, open for reading.
///
/// Opening it looks at nothing but its first bytes; a dataset is judged when it is first asked for,
/// so that neither the number of others nor what is in them matters. Soft links are followed inside
/// the file.
///
/// Floats of at most 4 bytes are read as float32, others as float64 (rounded, where they are longer);
/// bytes and truth values as uint8; other integers, enumerations and bit fields as int32, where they
/// fit. `Dataset.storedType` tells them apart.
///
/// Unchecked because of the identifiers, which are used under the library's lock only.
public final class HDF5File: @unchecked Sendable {
  /// What is read at least of an array in one piece that needs conversion.
  private static let sieveBytes = 4 << 10
  /// Names that a message shows, and one that says there are more.
  private static let shownNames = 11

  /// The path the file was opened by.
  public let path: String
  let file: hid_t
  private var open: [HDF5Path: hid_t] = [:]
  /// The file that HDF5 has open, for reading without it.
  private let bytes: ByteFile
  /// Its size.
  var byteCount: Int { bytes.size }
  /// What was judged, by the bytes of its name.
  private let known = Mutex<[[UInt8]: Dataset]>([:])
  /// What has been read without the library.
  private let flatArrays = Mutex<[HDF5Path: FlatArray]>([:])

  /// Opens a file.
  ///
  /// - Throws: `StorageError.missing`, `.unreadable`, `.inUse` while another process writes it,
  ///   `.unsupported` for other kinds of files, `.damaged`.
  public init(path: String) throws {
    self.path = path
    // HDF5 only knows "cannot open"; this tells missing, forbidden and folders apart.
    let contents = try ByteFile(path: path)
    (file, bytes) = try HDF5Library.locked(path) { session in
      let access = try session.list(latent_h5_file_access_class())
      // Of arrays in one piece HDF5 would read 64 KiB around every row that is drawn at random.
      try session.check(H5Pset_sieve_buf_size(access.id, Self.sieveBytes), "the file's access")
      // The driver whose files have a descriptor.
      try session.check(H5Pset_fapl_sec2(access.id), "the file's access")
      try session.check(latent_h5_lock_where_possible(access.id), "the file's access")
      let file = H5Fopen(path, latent_h5_read_only(), access.id)
      if file < 0 { throw try session.openFailure(contents) }
      do {
        return (file, try ByteFile(path: path, sharing: session.descriptor(of: file, access)))
      } catch {
        H5Fclose(file)
        throw error
      }
    }
  }

  deinit {
    let (file, open) = (file, open)
    try? HDF5Library.locked(path) { _ in
      for id in open.values { H5Dclose(id) }
      H5Fclose(file)
    }
  }

  /// The datasets that can be read, by their hard links, in the order of their names' bytes. All of
  /// them are looked at; those of other kinds are passed over, and asking for one says why.
  ///
  /// - Throws: `StorageError.damaged` or `.unsupported` where the root group cannot be read.
  public var datasets: [Dataset] {
    get throws {
      try HDF5Library.locked(path) { try list(.foreign, atMost: .max, $0) }
    }
  }

  private func list(
    _ extent: HDF5Tree.Extent, atMost most: Int, _ session: HDF5Session
  ) throws -> [Dataset] {
    let root = try session.handle(
      H5Gopen2(file, "/", latent_h5_default_list()), H5Gclose, "the root group")
    var found: [Dataset] = []
    let paths = try HDF5Tree.datasets(below: root, extent, session)
    for path in HDF5Path.sorted(paths) where found.count < most {
      guard let object = try? HDF5Object(first: [path], in: file, session) else { continue }
      if let dataset = try? Dataset(object, session) { found.append(dataset) }
    }
    return found
  }

  /// The object called `name`, open.
  func object(_ name: String, _ session: HDF5Session) throws -> HDF5Object {
    guard
      let object = try HDF5Object(first: HDF5Path.readings(of: name), in: file, session)
    else {
      throw StorageError.noSuchDataset(
        file: path, name: name,
        available: try list(.glance, atMost: Self.shownNames, session).map(\.name))
    }
    return object
  }

  /// The dataset called `name`.
  ///
  /// - Throws: `StorageError.noSuchDataset`, or why it cannot be read.
  public func dataset(_ name: String) throws -> Dataset {
    let key = Array(name.utf8)
    if let judged = known.withLock({ $0[key] }) { return judged }
    let judged = try HDF5Library.locked(path) { session in
      try Dataset(try object(name, session), session)
    }
    known.withLock { $0[key] = judged }
    return judged
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
    try dataset.checkBacking(rows: range.count, in: path)
    return try read(dataset, rows: range, shape: dataset.shape.replacing(0, with: range.count))
  }

  /// A whole dataset, for small ones; scalars have no rows and come this way.
  public func array(_ name: String) throws -> NDArray {
    let dataset = try dataset(name)
    if let flat = try flat(dataset) { return try flat.array() }
    try dataset.checkBacking(rows: nil, in: path)
    return try read(dataset, rows: nil, shape: dataset.shape)
  }

  /// How a dataset is read without the library; nil where that has to convert, unpack or fill in.
  func flat(_ dataset: Dataset) throws -> FlatArray? {
    guard let start = dataset.start else { return nil }
    if let known = flatArrays.withLock({ $0[dataset.path] }) { return known }
    let made = try HDF5Library.locked(path) { session in
      let handle = try session.handle(
        H5Dopen2(file, dataset.path.cString, latent_h5_default_list()), H5Dclose, dataset.name)
      return try FlatArray(dataset, handle, start: start, in: bytes, session)
    }
    flatArrays.withLock { $0[dataset.path] = made }
    return made
  }

  private func read(_ dataset: Dataset, rows: Range<Int>?, shape: Shape) throws -> NDArray {
    try HDF5Library.locked(path) { session in
      let id = try identifier(of: dataset, session)
      guard shape.count > 0 else { return NDArray(uninitialized: shape, dataset.dtype) }
      let fileSpace = try session.handle(H5Dget_space(id), H5Sclose, dataset.name)
      let memory = try session.space(shape, dataset.name)
      if let rows {
        var start = [hsize_t](repeating: 0, count: shape.rank)
        start[0] = hsize_t(rows.lowerBound)
        let extents = shape.dimensions.map { hsize_t($0) }
        try session.check(
          H5Sselect_hyperslab(fileSpace.id, H5S_SELECT_SET, start, nil, extents, nil),
          dataset.name)
      }
      return try dataset.read(id, shape, memory.id, fileSpace.id, session)
    }
  }

  /// Datasets stay open, so that their chunk caches last from batch to batch.
  private func identifier(of dataset: Dataset, _ session: HDF5Session) throws -> hid_t {
    if let id = open[dataset.path] { return id }
    let access = try session.list(latent_h5_dataset_access_class())
    let cache = min(max(dataset.chunkBytes * 4, 1 << 20), 64 << 20)
    // Least recently used first: with any preference for chunks that were read whole, those that
    // shuffled rows read in part would stay for ever.
    try session.check(H5Pset_chunk_cache(access.id, 521, cache, 0), dataset.name)
    let id = try session.check(H5Dopen2(file, dataset.path.cString, access.id), dataset.name)
    open[dataset.path] = id
    return id
  }
}
