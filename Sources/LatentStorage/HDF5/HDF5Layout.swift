// What a dataset says about itself, as plain numbers, so that the rules for checkpoints and for
// foreign files can be written as comparisons.

import CLatentHDF5
import LatentNumerics

struct HDF5Layout {
  /// Families of element types.
  enum ElementClass {
    case float, signedInteger, unsignedInteger, boolean
    case fixedText
    case other(String)
  }

  private(set) var elementClass: ElementClass = .other("unknown")
  private(set) var elementSize = 0
  /// The stored type, where it is one of ours in little-endian order.
  private(set) var exactType: DType?
  /// nil for a dataset without elements by declaration (a null data space).
  private(set) var extents: [UInt64]?
  private(set) var isFixed = true
  private(set) var isVirtual = false
  private(set) var externalFiles = 0
  private(set) var filters: [H5Z_filter_t] = []
  private(set) var chunkBytes = 0
  private(set) var storedBytes: UInt64 = 0
  /// The byte of the file at which the elements begin, where they lie there in one piece.
  private(set) var start: Int?

  var isScalar: Bool { extents?.isEmpty == true }
  var isBoolean: Bool { if case .boolean = elementClass { elementSize == 1 } else { false } }
  var textBytes: Int? { if case .fixedText = elementClass { elementSize } else { nil } }

  /// For messages: `shape [3, 4] of 8-byte floats, chunked, 1 filter`.
  var summary: String {
    var parts = ["shape \(extents.map { "\($0)" } ?? "null") of \(elementSize)-byte \(className)"]
    if isVirtual { parts.append("a virtual layout") }
    if externalFiles > 0 { parts.append("\(externalFiles) external files") }
    if !isFixed { parts.append("an extensible size") }
    if !filters.isEmpty { parts.append("filters \(filters)") }
    return parts.joined(separator: ", ")
  }

  private var className: String {
    switch elementClass {
    case .float: "floats"
    case .signedInteger: "integers"
    case .unsignedInteger: "unsigned integers"
    case .boolean: "booleans"
    case .fixedText: "texts"
    case .other(let name): name
    }
  }

  init(of dataset: borrowing HDF5Handle, path: String, session: HDF5Session) throws {
    try readType(dataset, path, session)
    try readSpace(dataset, path, session)
    try readStorage(dataset, path, session)
    storedBytes = H5Dget_storage_size(dataset.id)
  }

  /// The extents as a shape of at most 8 axes whose element count fits.
  func checkedShape(_ path: String, _ session: HDF5Session) throws -> Shape {
    guard let extents, extents.count <= StorageLimits.rank else {
      throw session.damaged(
        path, summary, "a simple shape of at most \(StorageLimits.rank) axes")
    }
    let sizes = extents.compactMap { Int(exactly: $0) }
    guard sizes.count == extents.count, checkedProduct(sizes + [max(elementSize, 8)]) != nil else {
      throw session.damaged(path, summary, "a number of bytes below 2^63")
    }
    return Shape(sizes)
  }

  private mutating func readType(
    _ dataset: borrowing HDF5Handle, _ path: String, _ session: HDF5Session
  ) throws {
    let type = try session.handle(H5Dget_type(dataset.id), H5Tclose, path)
    elementSize = H5Tget_size(type.id)
    exactType = DType.allCases.first { H5Tequal(type.id, $0.fileType) > 0 }
    switch H5Tget_class(type.id) {
    case H5T_FLOAT: elementClass = .float
    case H5T_INTEGER:
      elementClass = H5Tget_sign(type.id) == H5T_SGN_NONE ? .unsignedInteger : .signedInteger
    case H5T_ENUM: elementClass = elementSize == 1 ? .boolean : .other("enumerations")
    case H5T_STRING:
      elementClass =
        H5Tis_variable_str(type.id) == 0 ? .fixedText : .other("texts of varying length")
    case H5T_COMPOUND: elementClass = .other("records")
    case H5T_VLEN: elementClass = .other("lists of varying length")
    case H5T_REFERENCE: elementClass = .other("references")
    default: elementClass = .other("elements of another class")
    }
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
      filters.append(
        try session.check(
          H5Pget_filter2(creation.id, index, &flags, &values, nil, 0, nil, &configuration), path))
    }
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
