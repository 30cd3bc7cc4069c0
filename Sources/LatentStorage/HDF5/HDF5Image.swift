// HDF5 files built in memory: the core driver without a backing store, the format of HDF5 1.10,
// no time stamps, objects in the order of their names. So the library never owns a file
// descriptor (a full disk would crash it at exit), and the same contents give the same bytes.

import CLatentHDF5
import LatentNumerics

enum HDF5Image {
  /// How arrays lie in the file.
  enum Layout {
    /// In chunks with a Fletcher-32 checksum each: arrays that are read whole.
    case chunks
    /// In one piece, with the checksums of its blocks beside it: arrays that are read by rows.
    case onePiece(blockBytes: Int)
  }
  /// Bytes of a chunk at most.
  private static let chunkBytes = 1 << 20
  /// Texts up to this size live in their object's header, whose limit is 64 KiB.
  private static let compactLimit = 32_768

  /// The bytes of an HDF5 file with these objects, behind `userBlock` bytes left for the caller.
  static func make(
    arrays: [String: NDArray], texts: [String: String],
    attributes: [String: [String: HDF5Attribute]] = [:], userBlock: Int, name: String,
    layout: Layout = .chunks
  ) throws -> [UInt8] {
    let paths = try HDF5Names.checked(Array(arrays.keys) + Array(texts.keys))
    let notes = try HDF5Attribute.checked(attributes, names: paths)
    return try HDF5Library.locked(name, writing: true) { session in
      let total = arrays.values.reduce(0) { $0 + $1.byteCount }
      let file = try create(
        userBlock: userBlock, increment: min(max(total / 4, 1 << 16), 1 << 26), session)
      try addGroups(above: paths, to: file, session)
      for path in paths {
        if let array = arrays[path] { try add(array, path, layout, to: file, session) }
        if let text = texts[path] { try add(text, path, to: file, session) }
      }
      for note in notes {
        let object = try session.handle(
          H5Oopen(file.id, note.object.cString, latent_h5_default_list()), H5Oclose,
          note.object.text)
        try note.value.write(note.name, to: object.id, session)
      }
      try session.check(H5Fflush(file.id, H5F_SCOPE_GLOBAL), "the file")
      return try image(of: file, userBlock: userBlock, session)
    }
  }

  private static func create(
    userBlock: Int, increment: Int, _ session: HDF5Session
  ) throws -> HDF5Handle {
    let access = try session.list(latent_h5_file_access_class())
    try session.check(H5Pset_fapl_core(access.id, increment, false), "the file")
    try session.check(
      H5Pset_libver_bounds(access.id, H5F_LIBVER_V110, H5F_LIBVER_V110), "the file")
    let creation = try session.list(latent_h5_file_create_class())
    try session.check(H5Pset_userblock(creation.id, hsize_t(userBlock)), "the file")
    try session.check(H5Pset_obj_track_times(creation.id, false), "the file")
    return try session.handle(
      H5Fcreate("latent-image", latent_h5_truncate(), creation.id, access.id), H5Fclose, "the file")
  }

  private static func addGroups(
    above paths: [String], to file: borrowing HDF5Handle, _ session: HDF5Session
  ) throws {
    let creation = try session.list(latent_h5_group_create_class())
    try session.check(H5Pset_obj_track_times(creation.id, false), "a group")
    let links = try linkList(session)
    var made: Set<String> = []
    for path in paths {
      for parent in HDF5Names.parents(of: path) where made.insert(parent).inserted {
        _ = try session.handle(
          H5Gcreate2(file.id, parent, links.id, creation.id, latent_h5_default_list()), H5Gclose,
          parent)
      }
    }
  }

  private static func linkList(_ session: HDF5Session) throws -> HDF5Handle {
    let links = try session.list(latent_h5_link_create_class())
    try session.check(H5Pset_char_encoding(links.id, H5T_CSET_UTF8), "a link")
    return links
  }

  private static func add(
    _ array: NDArray, _ path: String, _ layout: Layout, to file: borrowing HDF5Handle,
    _ session: HDF5Session
  ) throws {
    let space = try session.space(array.shape, path)
    let creation = try session.list(latent_h5_dataset_create_class())
    if array.shape.rank == 0 || array.count == 0 {
      // Nothing to cut into chunks; the checksum of the object's header covers the element.
      try session.check(H5Pset_layout(creation.id, H5D_COMPACT), path)
    } else if case .chunks = layout {
      let chunk = chunkShape(array.shape, elementSize: array.dtype.size).map { hsize_t($0) }
      try session.check(H5Pset_chunk(creation.id, Int32(chunk.count), chunk), path)
      try session.check(H5Pset_fletcher32(creation.id), path)
    }
    let dataset = try create(path, array.dtype.fileType, space, creation, in: file, session)
    guard array.count > 0 else { return }
    try array.withUnsafeBytes { bytes in
      _ = try session.check(
        H5Dwrite(
          dataset.id, array.dtype.memoryType, latent_h5_all(), latent_h5_all(),
          latent_h5_default_list(), bytes.baseAddress), path)
      if case .onePiece(let blockBytes) = layout, array.shape.rank > 0 {
        try BlockChecksums(of: bytes, blockBytes: blockBytes).write(to: dataset, path, session)
      }
    }
  }

  private static func add(
    _ text: String, _ path: String, to file: borrowing HDF5Handle, _ session: HDF5Session
  ) throws {
    let bytes = Array(text.utf8)
    guard !bytes.contains(0) else {
      throw StorageError.notStorable(
        name: path, found: "a text with a zero character", expected: "none")
    }
    let type = try session.handle(H5Tcopy(latent_h5_c_string()), H5Tclose, path)
    try session.check(H5Tset_size(type.id, max(bytes.count, 1)), path)
    try session.check(H5Tset_cset(type.id, H5T_CSET_UTF8), path)
    try session.check(H5Tset_strpad(type.id, H5T_STR_NULLPAD), path)
    let space = try session.handle(H5Screate(H5S_SCALAR), H5Sclose, path)
    let creation = try session.list(latent_h5_dataset_create_class())
    if bytes.count <= compactLimit {
      try session.check(H5Pset_layout(creation.id, H5D_COMPACT), path)
    }
    let dataset = try create(path, type.id, space, creation, in: file, session)
    // The empty text is one zero byte: HDF5 has no empty strings of fixed length.
    try session.check(
      H5Dwrite(
        dataset.id, type.id, latent_h5_all(), latent_h5_all(), latent_h5_default_list(),
        bytes.isEmpty ? [0] : bytes), path)
  }

  private static func create(
    _ path: String, _ type: hid_t, _ space: borrowing HDF5Handle, _ creation: borrowing HDF5Handle,
    in file: borrowing HDF5Handle, _ session: HDF5Session
  ) throws -> HDF5Handle {
    try session.check(H5Pset_obj_track_times(creation.id, false), path)
    let links = try linkList(session)
    return try session.handle(
      H5Dcreate2(
        file.id, path, type, space.id, links.id, creation.id, latent_h5_default_list()), H5Dclose,
      path)
  }

  /// Whole trailing axes as far as they fit the target, and an even share of the axis before.
  static func chunkShape(_ shape: Shape, elementSize: Int) -> [Int] {
    var room = max(chunkBytes / elementSize, 1)
    var chunk = shape.dimensions
    for axis in stride(from: shape.rank - 1, through: 0, by: -1) {
      let pieces = (shape[axis] + room - 1) / room
      chunk[axis] = (shape[axis] + pieces - 1) / pieces
      room = pieces == 1 ? room / shape[axis] : 1
    }
    return chunk
  }

  private static func image(
    of file: borrowing HDF5Handle, userBlock: Int, _ session: HDF5Session
  ) throws -> [UInt8] {
    let size = try session.check(H5Fget_file_image(file.id, nil, 0), "the file image")
    return try [UInt8](unsafeUninitializedCapacity: userBlock + size) { buffer, count in
      let bytes = UnsafeMutableRawBufferPointer(buffer)
      _ = UnsafeMutableRawBufferPointer(rebasing: bytes[..<userBlock])
        .initializeMemory(as: UInt8.self, repeating: 0)
      let payload = UnsafeMutableRawBufferPointer(rebasing: bytes[userBlock...])
      try session.check(H5Fget_file_image(file.id, payload.baseAddress, size), "the file image")
      guard SuperblockRepair.repair(payload) else {
        throw StorageError.cannotWrite(
          file: session.name, action: "building the file image",
          reason: "this HDF5 library writes a superblock of an unknown kind")
      }
      count = userBlock + size
    }
  }
}

extension DType {
  /// How the type lies in files: little-endian.
  var fileType: hid_t {
    switch self {
    case .float32: latent_h5_f32le()
    case .float64: latent_h5_f64le()
    case .int32: latent_h5_i32le()
    case .uint8: latent_h5_u8le()
    case .bfloat16: BFloat16Type.inFiles
    case .int8: latent_h5_i8le()
    }
  }

  var memoryType: hid_t {
    switch self {
    case .float32: latent_h5_native_float()
    case .float64: latent_h5_native_double()
    case .int32: latent_h5_native_int32()
    case .uint8: latent_h5_native_uint8()
    case .bfloat16: BFloat16Type.inMemory
    case .int8: latent_h5_native_int8()
    }
  }
}

/// A type that HDF5 has no constant for: made when first needed, with the library locked, and kept.
private enum BFloat16Type {
  static let inFiles = latent_h5_make_bf16(true)
  static let inMemory = latent_h5_make_bf16(false)
}
