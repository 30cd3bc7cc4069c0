// One dataset of a checkpoint: judged first, read later.

import CLatentHDF5
import LatentNumerics

struct HDF5Member {
  enum Content: Equatable {
    case array(DType)
    case text(bytes: Int)

    var isArray: Bool { if case .array = self { true } else { false } }
  }

  /// What the dataset holds, without its details.
  enum Kind { case array, text }

  let path: String
  let shape: Shape
  let value: Content

  var content: Kind { value.isArray ? .array : .text }

  var byteCount: Int {
    switch value {
    case .array(let dtype): shape.count * dtype.size
    case .text(let bytes): bytes
    }
  }

  /// Checks type, rank and size of a dataset; `payload` bytes is the most that it may declare.
  init(
    path: String, in root: borrowing HDF5Handle, payload: Int, session: HDF5Session
  ) throws {
    self.path = path
    let dataset = try session.handle(
      H5Dopen2(root.id, path, latent_h5_default_list()), H5Dclose, path)
    let space = try session.handle(H5Dget_space(dataset.id), H5Sclose, path)
    let type = try session.handle(H5Dget_type(dataset.id), H5Tclose, path)
    let creation = try session.handle(H5Dget_create_plist(dataset.id), H5Pclose, path)
    let layout = H5Pget_layout(creation.id)
    guard layout == H5D_COMPACT || layout == H5D_CHUNKED, H5Pget_external_count(creation.id) == 0
    else { throw session.damaged(path, "a storage layout of another kind", "compact or chunked") }
    let extents = try HDF5Space.extents(space, path, session)
    if H5Tget_class(type.id) == H5T_STRING {
      let size = H5Tget_size(type.id)
      guard H5Tis_variable_str(type.id) == 0, size > 0, size <= payload,
        extents.isEmpty || extents == [1]
      else { throw session.damaged(path, "a text of another form", "one text of fixed length") }
      shape = []
      value = .text(bytes: size)
      return
    }
    guard
      let dtype = DType.allCases.first(where: { H5Tequal(type.id, $0.storedType) > 0 })
    else {
      throw session.damaged(
        path, "an element type of another kind", "little-endian float32, float64, int32 or uint8")
    }
    guard let count = checkedProduct(extents + [dtype.size]), count <= payload else {
      throw session.damaged(path, "shape \(extents)", "at most \(payload) bytes")
    }
    shape = Shape(extents)
    value = .array(dtype)
  }

  func readArray(in root: borrowing HDF5Handle, session: HDF5Session) throws -> NDArray {
    guard case .array(let dtype) = value else {
      throw session.damaged(path, "a text", "an array")
    }
    let dataset = try session.handle(
      H5Dopen2(root.id, path, latent_h5_default_list()), H5Dclose, path)
    return try NDArray(shape: shape, dtype) { bytes in
      guard bytes.count > 0 else { return }
      try session.check(
        H5Dread(
          dataset.id, dtype.memoryType, latent_h5_all(), latent_h5_all(),
          latent_h5_default_list(), bytes.baseAddress), path)
    }
  }

  func readText(in root: borrowing HDF5Handle, session: HDF5Session) throws -> String {
    let dataset = try session.handle(
      H5Dopen2(root.id, path, latent_h5_default_list()), H5Dclose, path)
    let type = try session.handle(H5Dget_type(dataset.id), H5Tclose, path)
    var bytes = [UInt8](repeating: 0, count: byteCount)
    try session.check(
      H5Dread(
        dataset.id, type.id, latent_h5_all(), latent_h5_all(), latent_h5_default_list(), &bytes),
      path)
    guard let text = String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self) else {
      throw session.damaged(path, "a text that is not UTF-8", "UTF-8")
    }
    return text
  }
}

enum HDF5Space {
  /// The sizes of the axes, checked for rank and range.
  static func extents(
    _ space: borrowing HDF5Handle, _ path: String, _ session: HDF5Session
  ) throws -> [Int] {
    let kind = H5Sget_simple_extent_type(space.id)
    guard kind == H5S_SCALAR || kind == H5S_SIMPLE else {
      throw session.damaged(path, "no dataspace", "a scalar or an array")
    }
    let rank = Int(H5Sget_simple_extent_ndims(space.id))
    guard rank >= 0 && rank <= StorageLimits.rank else {
      throw session.damaged(path, "\(rank) axes", "at most \(StorageLimits.rank)")
    }
    if rank == 0 { return [] }
    var sizes = [hsize_t](repeating: 0, count: rank)
    try session.check(H5Sget_simple_extent_dims(space.id, &sizes, nil), path)
    guard sizes.allSatisfy({ $0 <= hsize_t(Int32.max) }) else {
      throw session.damaged(path, "shape \(sizes)", "axes below 2^31")
    }
    return sizes.map { Int($0) }
  }
}
