// The rules for foreign datasets: what is read of them, and how.

import CLatentHDF5
import LatentNumerics

extension HDF5File {
  /// A dataset of the file.
  public struct Dataset: Sendable, Equatable {
    /// Its path in the file, such as `images/train`.
    ///
    /// Names are bytes in HDF5. Those that are not UTF-8 stand here as `\xe9`, and `HDF5File` finds
    /// them under this name.
    public let name: String
    /// All of it: the first axis counts the rows.
    public let shape: Shape
    /// The type that its elements are read as.
    public let dtype: DType
    /// The type that its elements have in the file.
    public let storedType: StoredType
    /// Its place by hard links.
    let path: HDF5Path
    let reading: HDF5Reading
    let chunkBytes: Int
    let storedBytes: UInt64
    /// The byte of the file at which the elements begin, where they lie there as in memory.
    let start: Int?

    /// Whether the elements are truth values, which are read as uint8.
    public var isBoolean: Bool { storedType == .boolean }
    var rowCount: Int { shape.rank == 0 ? 0 : shape[0] }
    /// Bytes of one row as it is read.
    var rowBytes: Int { shape.rank == 0 ? 0 : shape.removing(0).count * dtype.size }
  }
}

extension HDF5File.Dataset {
  /// Judges an open object without reading its elements.
  init(_ object: borrowing HDF5Object, _ session: HDF5Session) throws {
    let name = object.name
    switch object.kind {
    case H5I_DATASET: break
    case H5I_GROUP:
      let inner = try HDF5Tree.datasets(below: object.handle, .glance, session).first
      let path = inner.map { HDF5Path(parts: object.path.parts + $0.parts).text }
      throw session.unsupported(
        name, "a group", "a dataset" + (path.map { ", such as '\($0)'" } ?? ""))
    case H5I_DATATYPE: throw session.unsupported(name, "a named type", "a dataset")
    default: throw session.unsupported(name, "an object of an unknown kind", "a dataset")
    }
    let layout = try HDF5Layout(of: object.handle, path: name, session: session)
    guard !layout.isVirtual, layout.externalFiles == 0 else {
      throw session.unsupported(
        name, layout.summary, "data inside this file (which h5py can copy there)")
    }
    guard case .number(let stored, let reading, let dtype) = layout.elementType else {
      throw session.unsupported(name, layout.summary, "floats, integers or booleans")
    }
    let shape = try layout.checkedShape(name, session)
    guard layout.chunkBytes <= StorageLimits.chunkBytes else {
      throw session.unsupported(
        name, "chunks of \(layout.chunkBytes) bytes",
        "chunks of at most \(StorageLimits.chunkBytes) bytes (h5repack -l CHUNK= makes others)")
    }
    try layout.checkFilters(name, session)
    self.name = name
    self.shape = shape
    self.dtype = dtype
    storedType = stored
    path = object.path
    self.reading = reading
    chunkBytes = layout.chunkBytes
    storedBytes = layout.storedBytes
    let isAsInMemory =
      layout.exactType == dtype && layout.storedBytes == UInt64(shape.count * dtype.size)
    start = isAsInMemory ? layout.start : nil
  }

  /// Refuses to make many bytes of next to nothing: `rows` at once, or all of it. A small file can
  /// declare terabytes, most of which were never written, and compression has a limit.
  func checkBacking(rows: Int?, in file: String) throws {
    let all = shape.count * dtype.size
    let bytes = rows.map { checkedProduct([$0, rowBytes]) ?? .max } ?? all
    guard bytes > StorageLimits.unbackedBytes,
      UInt64(bytes) / UInt64(StorageLimits.deflateRatio) > storedBytes
    else { return }
    throw StorageError.unsupported(
      file: file, place: "'\(name)'",
      found: "\(bytes) bytes at once of \(all) bytes declared and \(storedBytes) stored",
      expected: "at most \(StorageLimits.unbackedBytes) at once (read fewer rows at a time)")
  }

  func read(
    _ id: hid_t, _ shape: Shape, _ memory: hid_t, _ space: hid_t, _ session: HDF5Session
  ) throws -> NDArray {
    try reading.array(shape, dtype) { index, value in
      session.unsupported(
        name, "\(value) at element \(index) of those read", "integers that fit 32 bits")
    } _: { type, buffer in
      try session.check(H5Dread(id, type, memory, space, latent_h5_default_list(), buffer), name)
    }
  }
}
