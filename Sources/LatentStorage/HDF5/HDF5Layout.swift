// What a dataset says about itself, as plain numbers, so that the rules for checkpoints and for
// foreign files can be written as comparisons.

import CLatentHDF5
import LatentNumerics

struct HDF5Layout {
  /// Chunks that are asked whether they went through a filter that this library does not have.
  private static let judgedChunks: UInt32 = 64

  private(set) var elementType = HDF5ElementType.other("unknown")
  private(set) var elementSize = 0
  /// The stored type, where it is one of ours in little-endian order.
  private(set) var exactType: DType?
  /// nil for a dataset without elements by declaration (a null data space).
  private(set) var extents: [UInt64]?
  private(set) var isFixed = true
  private(set) var isVirtual = false
  private(set) var externalFiles = 0
  private(set) var filters: [HDF5Filter] = []
  /// Those that the chunks need and this library does not have.
  private(set) var missingFilters: [HDF5Filter] = []
  private(set) var chunkBytes = 0
  private(set) var storedBytes: UInt64 = 0
  /// The byte of the file at which the elements begin, where they lie there in one piece.
  private(set) var start: Int?

  var isScalar: Bool { extents?.isEmpty == true }

  /// For messages: `shape [3, 4] of 32-bit floats, filters deflate (1)`.
  var summary: String {
    let place = extents.map { "shape \($0)" } ?? "no elements (a null data space)"
    var parts = ["\(place) of \(elementType.description)"]
    if isVirtual { parts.append("a virtual layout (parts of other datasets)") }
    if externalFiles > 0 { parts.append("stored in \(externalFiles) external files") }
    if !isFixed { parts.append("an extensible size") }
    if !filters.isEmpty { parts.append("filters " + list(filters)) }
    return parts.joined(separator: ", ")
  }

  private func list(_ filters: [HDF5Filter]) -> String {
    filters.map(\.description).joined(separator: ", ")
  }

  init(of dataset: borrowing HDF5Handle, path: String, session: HDF5Session) throws {
    try readType(dataset, path, session)
    try readSpace(dataset, path, session)
    try readStorage(dataset, path, session)
    storedBytes = H5Dget_storage_size(dataset.id)
  }

  /// The extents as a shape that an array can have and whose bytes can be counted.
  func checkedShape(_ path: String, _ session: HDF5Session) throws -> Shape {
    guard let extents, extents.count <= StorageLimits.rank else {
      throw session.unsupported(
        path, extents.map { "\($0.count) axes: \(summary)" } ?? summary,
        "an array of at most \(StorageLimits.rank) axes")
    }
    let sizes = extents.compactMap { Int(exactly: $0) }
    guard sizes.count == extents.count, checkedProduct(sizes + [max(elementSize, 8)]) != nil else {
      throw session.unsupported(path, summary, "a number of bytes below 2^63")
    }
    return Shape(sizes)
  }

  /// Refuses chunks that the library cannot unpack.
  func checkFilters(_ path: String, _ session: HDF5Session) throws {
    if missingFilters.isEmpty { return }
    throw session.unsupported(
      path, "the filter \(list(missingFilters)), which this HDF5 library does not have",
      HDF5Filter.remedy)
  }

  private mutating func readType(
    _ dataset: borrowing HDF5Handle, _ path: String, _ session: HDF5Session
  ) throws {
    let type = try session.handle(H5Dget_type(dataset.id), H5Tclose, path)
    elementSize = H5Tget_size(type.id)
    exactType = DType.allCases.first { H5Tequal(type.id, $0.fileType) > 0 }
    elementType = try HDF5ElementType(type.id, path, session)
  }

  private mutating func readSpace(
    _ dataset: borrowing HDF5Handle, _ path: String, _ session: HDF5Session
  ) throws {
    let space = try session.handle(H5Dget_space(dataset.id), H5Sclose, path)
    if H5Sget_simple_extent_type(space.id) == H5S_NULL { return }
    let rank = try session.check(H5Sget_simple_extent_ndims(space.id), path)
    var sizes = [hsize_t](repeating: 0, count: Int(rank) + 1)
    var largest = sizes
    try session.check(H5Sget_simple_extent_dims(space.id, &sizes, &largest), path)
    extents = sizes.dropLast().map { UInt64($0) }
    isFixed = sizes == largest
  }

  private mutating func readStorage(
    _ dataset: borrowing HDF5Handle, _ path: String, _ session: HDF5Session
  ) throws {
    let creation = try session.handle(H5Dget_create_plist(dataset.id), H5Pclose, path)
    let layout = H5Pget_layout(creation.id)
    isVirtual = layout == H5D_VIRTUAL
    externalFiles = Int(try session.check(H5Pget_external_count(creation.id), path))
    for index in 0..<UInt32(try session.check(H5Pget_nfilters(creation.id), path)) {
      var flags: UInt32 = 0
      var values = 0
      var configuration: UInt32 = 0
      var name = [CChar](repeating: 0, count: 64)
      let id = try session.check(
        H5Pget_filter2(
          creation.id, index, &flags, &values, nil, name.count - 1, &name, &configuration), path)
      let filter = HDF5Filter(id: id, name: HDF5Path.text(HDF5Path.bytes(of: name)))
      filters.append(filter)
      if H5Zfilter_avail(id) <= 0,
        latent_h5_needs_filter(dataset.id, index, Self.judgedChunks)
      {
        missingFilters.append(filter)
      }
    }
    H5Eclear2(latent_h5_error_stack())
    // What was never written has no place, for which HDF5 gives a number all the same.
    var status = H5D_SPACE_STATUS_NOT_ALLOCATED
    if layout == H5D_CONTIGUOUS && externalFiles == 0,
      H5Dget_space_status(dataset.id, &status) >= 0, status == H5D_SPACE_STATUS_ALLOCATED
    {
      start = Int(exactly: H5Dget_offset(dataset.id))
    }
    guard layout == H5D_CHUNKED else { return }
    var chunk = [hsize_t](repeating: 0, count: 33)
    let rank = try session.check(H5Pget_chunk(creation.id, 32, &chunk), path)
    let sizes = chunk.prefix(Int(rank)).map { Int(clamping: $0) }
    chunkBytes = checkedProduct(sizes + [max(elementSize, 1)]) ?? Int.max
  }
}
