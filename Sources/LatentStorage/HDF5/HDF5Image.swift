// An HDF5 file built in memory: the same contents give the same bytes, and nothing of HDF5 ever
// holds a file descriptor that it could lose or crash on.

import CLatentHDF5
import LatentNumerics

enum HDF5Image {
  /// Chunks hold about so many bytes.
  private static let chunkBytes = 1 << 20

  /// The bytes of a file with these datasets, after `userBlock` zero bytes.
  ///
  /// The newest format, chunked with Fletcher-32 checksums, no times, names in the order of their bytes. Scalars and
  /// empty arrays lie in their object headers, which have checksums of their own.
  static func make(
    arrays: [String: NDArray], texts: [String: String], userBlock: Int, name: String
  ) throws -> [UInt8] {
    try checkNames(Array(arrays.keys) + Array(texts.keys))
    return try HDF5Library.locked(name, writing: true) { session in
      let access = try session.list(latent_h5_file_access_class())
      try session.check(H5Pset_fapl_core(access.id, 1 << 20, false), "the file")
      try session.check(
        H5Pset_libver_bounds(access.id, latent_h5_latest(), latent_h5_latest()), "the file")
      let creation = try session.list(latent_h5_file_create_class())
      let file = try session.handle(
        H5Fcreate("latent-image", latent_h5_truncate(), creation.id, access.id), H5Fclose,
        "the file")
      let links = try session.list(latent_h5_link_create_class())
      try session.check(H5Pset_create_intermediate_group(links.id, 1), "the file")
      let names = (Array(arrays.keys) + Array(texts.keys)).sorted {
        $0.utf8.lexicographicallyPrecedes($1.utf8)
      }
      for path in names {
        if let array = arrays[path] {
          try write(array, path, file, links, session)
        } else if let text = texts[path] {
          try write(text, path, file, links, session)
        }
      }
      try session.check(H5Fflush(file.id, H5F_SCOPE_GLOBAL), "the file")
      return try image(of: file, userBlock: userBlock, session)
    }
  }

  private static func image(
    of file: borrowing HDF5Handle, userBlock: Int, _ session: HDF5Session
  ) throws -> [UInt8] {
    let size = try session.check(H5Fget_file_image(file.id, nil, 0), "the file")
    var bytes = [UInt8](repeating: 0, count: userBlock + size)
    try bytes.withUnsafeMutableBytes { bytes in
      let image = UnsafeMutableRawBufferPointer(rebasing: bytes[userBlock...])
      try session.check(H5Fget_file_image(file.id, image.baseAddress, size), "the file")
      guard SuperblockRepair.repair(image) else {
        throw StorageError.cannotWrite(
          file: session.name, action: "building the file",
          reason: "this HDF5 library writes an unknown superblock")
      }
    }
    return bytes
  }

  /// Every name a path of plain parts, none of them a group and a dataset at once.
  private static func checkNames(_ names: [String]) throws {
    var seen: Set<String> = []
    var groups: Set<String> = []
    for name in names {
      let parts = name.split(separator: "/", omittingEmptySubsequences: false)
      guard !name.isEmpty, parts.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }),
        name.utf8.count <= StorageLimits.pathBytes, !name.utf8.contains(0),
        parts.count <= StorageLimits.depth
      else {
        throw StorageError.notStorable(
          name: name, found: "this name",
          expected: "a path such as group/name of at most \(StorageLimits.pathBytes) bytes")
      }
      guard seen.insert(name).inserted else {
        throw StorageError.notStorable(
          name: name, found: "an array and a text of this name", expected: "one of them")
      }
      for length in 1..<parts.count where length < parts.count {
        groups.insert(parts[..<length].joined(separator: "/"))
      }
    }
    if let both = seen.intersection(groups).min() {
      throw StorageError.notStorable(
        name: both, found: "names below it", expected: "either a value or a group of values")
    }
    guard names.count <= StorageLimits.objects else {
      throw StorageError.notStorable(
        name: "the whole", found: "\(names.count) names",
        expected: "at most \(StorageLimits.objects)")
    }
  }

  private static func write(
    _ array: NDArray, _ path: String, _ file: borrowing HDF5Handle, _ links: borrowing HDF5Handle,
    _ session: HDF5Session
  ) throws {
    let extents = array.shape.dimensions.map { hsize_t($0) }
    let space = try session.handle(
      extents.isEmpty
        ? H5Screate(H5S_SCALAR) : H5Screate_simple(Int32(extents.count), extents, nil), H5Sclose,
      path)
    let creation = try session.list(latent_h5_dataset_create_class())
    try session.check(H5Pset_obj_track_times(creation.id, false), path)
    if extents.isEmpty || array.count == 0 {
      try session.check(H5Pset_layout(creation.id, H5D_COMPACT), path)
    } else {
      let chunk = chunk(of: array.shape, item: array.dtype.size)
      try session.check(H5Pset_chunk(creation.id, Int32(chunk.count), chunk), path)
      try session.check(H5Pset_fletcher32(creation.id), path)
      // No fill values: every chunk is written.
      try session.check(H5Pset_fill_time(creation.id, H5D_FILL_TIME_NEVER), path)
    }
    let type = array.dtype.storedType
    let dataset = try session.handle(
      H5Dcreate2(
        file.id, path, type, space.id, links.id, creation.id, latent_h5_default_list()), H5Dclose,
      path)
    guard array.count > 0 else { return }
    try array.withUnsafeBytes { bytes in
      _ = try session.check(
        H5Dwrite(
          dataset.id, type, latent_h5_all(), latent_h5_all(), latent_h5_default_list(),
          bytes.baseAddress), path)
    }
  }

  /// Texts are UTF-8 of fixed length in a scalar dataset's header where short, else one chunk of
  /// a single element.
  private static func write(
    _ text: String, _ path: String, _ file: borrowing HDF5Handle, _ links: borrowing HDF5Handle,
    _ session: HDF5Session
  ) throws {
    guard !text.utf8.contains(0) else {
      throw StorageError.notStorable(
        name: path, found: "a text with a zero character", expected: "a text without")
    }
    var bytes = Array(text.utf8)
    if bytes.isEmpty { bytes = [0] }
    let type = try session.handle(H5Tcopy(latent_h5_c_string()), H5Tclose, path)
    try session.check(H5Tset_size(type.id, bytes.count), path)
    try session.check(H5Tset_cset(type.id, H5T_CSET_UTF8), path)
    try session.check(H5Tset_strpad(type.id, H5T_STR_NULLPAD), path)
    let one: [hsize_t] = [1]
    let isShort = bytes.count < 32_768
    let space = try session.handle(
      isShort ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, one, nil), H5Sclose, path)
    let creation = try session.list(latent_h5_dataset_create_class())
    try session.check(H5Pset_obj_track_times(creation.id, false), path)
    if isShort {
      try session.check(H5Pset_layout(creation.id, H5D_COMPACT), path)
    } else {
      try session.check(H5Pset_chunk(creation.id, 1, one), path)
      try session.check(H5Pset_fletcher32(creation.id), path)
    }
    let dataset = try session.handle(
      H5Dcreate2(
        file.id, path, type.id, space.id, links.id, creation.id, latent_h5_default_list()),
      H5Dclose, path)
    try session.check(
      H5Dwrite(
        dataset.id, type.id, latent_h5_all(), latent_h5_all(), latent_h5_default_list(), bytes),
      path)
  }

  /// Whole inner axes, and as many of the outer ones as fit.
  private static func chunk(of shape: Shape, item: Int) -> [hsize_t] {
    var chunk = shape.dimensions
    for axis in chunk.indices {
      let inner = chunk[(axis + 1)...].reduce(item, *)
      chunk[axis] = max(1, min(chunk[axis], chunkBytes / max(1, inner)))
      if chunk[axis] > 1 || axis == chunk.count - 1 { break }
    }
    return chunk.map { hsize_t($0) }
  }
}

extension DType {
  /// The type in files, little-endian.
  var storedType: hid_t {
    switch self {
    case .float32: latent_h5_f32le()
    case .float64: latent_h5_f64le()
    case .int32: latent_h5_i32le()
    case .uint8: latent_h5_u8le()
    }
  }

  /// The type in memory.
  var memoryType: hid_t {
    switch self {
    case .float32: latent_h5_native_float()
    case .float64: latent_h5_native_double()
    case .int32: latent_h5_native_int32()
    case .uint8: latent_h5_native_uint8()
    }
  }
}
