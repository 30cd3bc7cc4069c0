// HDF5 files of other programs: datasets by name, read by rows, never as a whole. They carry no
// digest of ours. HDF5 1.10 is not safe in the same process against hostile files; these checks
// catch damage and mistakes, not attacks.

import CLatentHDF5
import LatentNumerics

/// A foreign HDF5 file, open for reading.
public struct HDF5File: Sendable {
  public let path: String

  /// Opens the file once to see that it is one.
  ///
  /// - Throws: `StorageError.missing`, `.unreadable` or `.damaged`.
  public init(_ path: String) throws {
    self.path = path
    _ = try FileStream(path: path)
    try withRoot { _, _ in }
  }

  /// Paths of all datasets, in the order of their bytes. Links to other places are passed over.
  public func datasetNames() throws -> [String] {
    try withRoot { root, session in try HDF5Tree.objects(below: root, session: session).datasets }
  }

  /// The shape of a dataset.
  ///
  /// - Throws: `StorageError.noSuchDataset`, `.unsupported`.
  public func shape(of dataset: String) throws -> Shape { try describe(dataset).shape }

  /// The element type that `rows` delivers.
  public func dtype(of dataset: String) throws -> DType { try describe(dataset).element.dtype }

  /// Rows of the first axis: `[rows.count, ...]`. 64-bit and unsigned 32-bit integers become int32
  /// where every value fits; half precision becomes float32.
  ///
  /// - Throws: `StorageError.noSuchDataset`, `.rowsOutOfRange`, `.unsupported`, `.damaged`.
  public func rows(of dataset: String, _ rows: Range<Int>) throws -> NDArray {
    try withDataset(dataset) { handle, session in
      let (shape, element) = try describe(handle, dataset, session)
      guard shape.rank > 0, rows.lowerBound >= 0, rows.upperBound <= shape[0] else {
        throw StorageError.rowsOutOfRange(
          file: path, dataset: dataset, rows: rows, count: shape.rank > 0 ? shape[0] : 0)
      }
      let result = shape.replacing(0, with: rows.count)
      if result.count == 0 { return NDArray(repeating: 0, shape: result, element.dtype) }
      let space = try session.handle(H5Dget_space(handle.id), H5Sclose, dataset)
      var start = [hsize_t](repeating: 0, count: shape.rank)
      start[0] = hsize_t(rows.lowerBound)
      let count = result.dimensions.map { hsize_t($0) }
      try session.check(
        H5Sselect_hyperslab(space.id, H5S_SELECT_SET, start, nil, count, nil), dataset)
      let memory = try session.handle(
        H5Screate_simple(Int32(count.count), count, nil), H5Sclose, dataset)
      if element == .wideInteger {
        var wide = [Int64](repeating: 0, count: result.count)
        try session.check(
          H5Dread(
            handle.id, latent_h5_native_int64(), memory.id, space.id, latent_h5_default_list(),
            &wide), dataset)
        let narrow = wide.compactMap { Int32(exactly: $0) }
        guard narrow.count == wide.count else {
          throw session.unsupported(dataset, "an integer beyond 32 bits", "values that fit int32")
        }
        return NDArray(narrow, shape: result)
      }
      return try NDArray(shape: result, element.dtype) { bytes in
        try session.check(
          H5Dread(
            handle.id, element.dtype.memoryType, memory.id, space.id, latent_h5_default_list(),
            bytes.baseAddress), dataset)
      }
    }
  }

  /// A whole dataset.
  public func array(_ dataset: String) throws -> NDArray {
    let shape = try shape(of: dataset)
    if shape.rank > 0 { return try rows(of: dataset, 0..<shape[0]) }
    return try withDataset(dataset) { handle, session in
      let (_, element) = try describe(handle, dataset, session)
      let dtype = element.dtype
      return try NDArray(shape: [], dtype) { bytes in
        try session.check(
          H5Dread(
            handle.id, dtype.memoryType, latent_h5_all(), latent_h5_all(),
            latent_h5_default_list(), bytes.baseAddress), dataset)
      }
    }
  }

  /// Writes arrays as a plain HDF5 file that any program reads, atomically.
  ///
  /// - Throws: `StorageError.cannotWrite`, `.notStorable`.
  public static func write(arrays: [String: NDArray], to path: String) throws {
    let bytes = try HDF5Image.make(arrays: arrays, texts: [:], userBlock: 0, name: path)
    try AtomicFile.write(bytes, to: path)
  }

  // MARK: -

  private enum Element: Equatable {
    case plain(DType)
    case wideInteger

    var dtype: DType {
      switch self {
      case .plain(let dtype): dtype
      case .wideInteger: .int32
      }
    }
  }

  private func withRoot<Result>(
    _ body: (borrowing HDF5Handle, HDF5Session) throws -> Result
  ) throws -> Result {
    try HDF5Library.locked(path) { session in
      let file = try session.handle(
        H5Fopen(path, latent_h5_read_only(), latent_h5_default_list()), H5Fclose, "the file")
      let root = try session.handle(
        H5Gopen2(file.id, "/", latent_h5_default_list()), H5Gclose, "the root group")
      return try body(root, session)
    }
  }

  private func withDataset<Result>(
    _ name: String, _ body: (borrowing HDF5Handle, HDF5Session) throws -> Result
  ) throws -> Result {
    try withRoot { root, session in
      let plain = name.hasPrefix("/") ? String(name.dropFirst()) : name
      let available = try HDF5Tree.objects(below: root, session: session).datasets
      guard available.contains(plain) else {
        throw StorageError.noSuchDataset(file: path, name: name, available: available)
      }
      let dataset = try session.handle(
        H5Dopen2(root.id, plain, latent_h5_default_list()), H5Dclose, plain)
      return try body(dataset, session)
    }
  }

  private func describe(_ name: String) throws -> (shape: Shape, element: Element) {
    try withDataset(name) { try describe($0, name, $1) }
  }

  private func describe(
    _ dataset: borrowing HDF5Handle, _ name: String, _ session: HDF5Session
  ) throws -> (shape: Shape, element: Element) {
    let space = try session.handle(H5Dget_space(dataset.id), H5Sclose, name)
    let type = try session.handle(H5Dget_type(dataset.id), H5Tclose, name)
    let creation = try session.handle(H5Dget_create_plist(dataset.id), H5Pclose, name)
    guard H5Pget_external_count(creation.id) == 0, H5Pget_layout(creation.id) != H5D_VIRTUAL else {
      throw session.unsupported(name, "data kept in another file", "data in this file")
    }
    let extents = try HDF5Space.extents(space, name, session)
    let element = try element(type, name, session)
    guard let bytes = checkedProduct(extents + [max(8, element.dtype.size)]),
      bytes <= StorageLimits.unbackedBytes
        || Double(bytes) <= Double(H5Dget_storage_size(dataset.id)) * Double(StorageLimits.deflateRatio) * 8
    else {
      throw session.damaged(
        name, "shape \(extents) with \(H5Dget_storage_size(dataset.id)) bytes stored",
        "a size that what is stored can fill")
    }
    return (Shape(extents), element)
  }

  private func element(
    _ type: borrowing HDF5Handle, _ name: String, _ session: HDF5Session
  ) throws -> Element {
    let size = H5Tget_size(type.id)
    switch H5Tget_class(type.id) {
    case H5T_FLOAT where size <= 4: return .plain(.float32)
    case H5T_FLOAT where size == 8: return .plain(.float64)
    case H5T_INTEGER where size == 1 && H5Tget_sign(type.id) == H5T_SGN_NONE:
      return .plain(.uint8)
    case H5T_INTEGER where size <= 2: return .plain(.int32)
    case H5T_INTEGER where size == 4 && H5Tget_sign(type.id) == H5T_SGN_2: return .plain(.int32)
    case H5T_INTEGER where size <= 8: return .wideInteger
    default:
      throw session.unsupported(
        name, "elements that are not numbers", "floating-point numbers or integers")
    }
  }
}
