// The rules for foreign datasets, and the conversion of their elements to our four types.

import CLatentHDF5
import LatentNumerics

extension HDF5File.Dataset {
  /// Judges the dataset at `name` without reading its elements.
  init(name: String, in root: borrowing HDF5Handle, session: HDF5Session) throws {
    let dataset = try session.handle(
      H5Dopen2(root.id, name, latent_h5_default_list()), H5Dclose, name)
    let layout = try HDF5Layout(of: dataset, path: name, session: session)
    guard !layout.isVirtual, layout.externalFiles == 0 else {
      throw session.unsupported(name, layout.summary, "data inside this file")
    }
    let (dtype, reading) = try Self.conversion(of: layout, name, session)
    let shape = try layout.checkedShape(name, session)
    let declared = shape.count * max(dtype.size, layout.elementSize)
    // A small file can declare terabytes with nothing stored. Compression has a limit.
    if declared > StorageLimits.unbackedBytes,
      UInt64(declared) / UInt64(StorageLimits.deflateRatio) > layout.storedBytes
    {
      throw session.damaged(
        name, "\(declared) bytes declared, \(layout.storedBytes) stored",
        "at most \(StorageLimits.deflateRatio) times what is stored")
    }
    guard layout.chunkBytes <= StorageLimits.chunkBytes else {
      throw session.unsupported(
        name, "chunks of \(layout.chunkBytes) bytes",
        "chunks of at most \(StorageLimits.chunkBytes) bytes")
    }
    self.name = name
    self.shape = shape
    self.dtype = dtype
    isBoolean = layout.isBoolean
    self.reading = reading
    chunkBytes = layout.chunkBytes
    let isAsInMemory =
      layout.exactType == dtype && layout.storedBytes == UInt64(shape.count * dtype.size)
    start = isAsInMemory ? layout.start : nil
  }

  private static func conversion(
    of layout: HDF5Layout, _ name: String, _ session: HDF5Session
  ) throws -> (DType, HDF5File.Reading) {
    switch (layout.elementClass, layout.elementSize) {
    case (.float, 2), (.float, 4): (.float32, .direct)
    case (.float, 8): (.float64, .direct)
    case (.boolean, 1), (.unsignedInteger, 1): (.uint8, .direct)
    case (.signedInteger, 1), (.signedInteger, 2), (.signedInteger, 4), (.unsignedInteger, 2):
      (.int32, .direct)
    case (.signedInteger, 8), (.unsignedInteger, 4), (.unsignedInteger, 8): (.int32, .wideInteger)
    default:
      throw session.unsupported(
        name, layout.summary, "floats, integers or booleans of at most 8 bytes")
    }
  }

  func read(
    _ id: hid_t, _ shape: Shape, _ memory: hid_t, _ space: hid_t, _ session: HDF5Session
  ) throws -> NDArray {
    func read(_ type: hid_t, into buffer: UnsafeMutableRawPointer?) throws {
      try session.check(
        H5Dread(id, type, memory, space, latent_h5_default_list(), buffer), name)
    }
    switch reading {
    case .direct:
      return try NDArray(shape: shape, dtype) { try read(dtype.memoryType, into: $0.baseAddress) }
    case .wideInteger:
      let wide = try [Int64](unsafeUninitializedCapacity: shape.count) { buffer, count in
        try read(latent_h5_native_int64(), into: UnsafeMutableRawPointer(buffer.baseAddress))
        count = shape.count
      }
      return try NDArray(narrowing: wide, shape: shape) { index, value in
        session.unsupported(
          name, "\(value) at element \(index) of those read", "integers that fit 32 bits")
      }
    }
  }
}

extension HDF5File {
  /// Writes arrays as a plain HDF5 file, atomically, readable by HDF5 1.10 and later, the same bytes
  /// for the same arrays. Each array lies in one piece, so that rows can be read in any order at the
  /// same cost, and has the checksums of its blocks in an attribute, which reading compares. Weights
  /// of low precision are written as the float32 numbers that they stand for.
  ///
  /// - Throws: `StorageError.cannotWrite` or `.notStorable`; the file that was there is intact.
  public static func write(arrays: [String: NDArray], to path: String) throws {
    let bytes = try HDF5Image.make(
      arrays: arrays.mapValues(\.inPlainType), texts: [:], userBlock: 0, name: path,
      layout: .onePiece(blockBytes: BlockChecksums.writtenBlock))
    try AtomicFile.write(bytes, to: path)
  }
}

extension NDArray {
  /// An int32 array of 64-bit integers that all fit; else the error made of position and value.
  init(narrowing values: [Int64], shape: Shape, error: (Int, Int64) -> StorageError) throws {
    try self.init(shape: shape, .int32) { buffer in
      let target = buffer.bindMemory(to: Int32.self)
      for (index, value) in values.enumerated() {
        guard let narrow = Int32(exactly: value) else { throw error(index, value) }
        target[index] = narrow
      }
    }
  }
}
