// One object of a checkpoint: exactly what `HDF5Image` writes is accepted, nothing else.

import CLatentHDF5
import LatentNumerics

struct HDF5Member {
  enum Content {
    case array(Shape, DType)
    case text
  }

  let path: String
  let content: Content
  /// What reading it will allocate.
  let byteCount: Int

  /// Judges the dataset at `path` without reading its elements.
  init(
    path: String, in root: borrowing HDF5Handle, payload: Int, session: HDF5Session
  ) throws {
    self.path = path
    let dataset = try session.handle(
      H5Dopen2(root.id, path, latent_h5_default_list()), H5Dclose, path)
    let layout = try HDF5Layout(of: dataset, path: path, session: session)
    guard !layout.isVirtual, layout.externalFiles == 0, layout.isFixed else {
      throw session.unsupported(path, layout.summary, "data of a fixed size inside this file")
    }
    guard layout.filters.allSatisfy(\.isChecksum) else {
      throw session.unsupported(path, layout.summary, "no filter but Fletcher-32")
    }
    if case .text(let bytes?) = layout.elementType {
      guard layout.isScalar else {
        throw session.unsupported(path, layout.summary, "one text")
      }
      guard bytes <= payload else {
        throw session.damaged(path, layout.summary, "a text smaller than the file")
      }
      content = .text
      byteCount = bytes
      return
    }
    let shape = try layout.checkedShape(path, session)
    guard let dtype = layout.exactType else {
      let known = DType.allCases.map(\.name).joined(separator: ", ")
      throw session.unsupported(path, layout.summary, "one of \(known)")
    }
    guard let bytes = checkedProduct(shape.dimensions + [dtype.size]), bytes <= payload else {
      throw session.damaged(
        path, "shape \(shape) of \(dtype.name)", "at most the file's \(payload) bytes")
    }
    guard layout.chunkBytes <= bytes else {
      throw session.damaged(path, "chunks of \(layout.chunkBytes) bytes", "at most \(bytes)")
    }
    content = .array(shape, dtype)
    byteCount = bytes
  }

  func readArray(in root: borrowing HDF5Handle, session: HDF5Session) throws -> NDArray {
    guard case .array(let shape, let dtype) = content else {
      throw session.damaged(path, "a text", "an array")
    }
    let dataset = try session.handle(
      H5Dopen2(root.id, path, latent_h5_default_list()), H5Dclose, path)
    return try NDArray(shape: shape, dtype) { buffer in
      guard buffer.count > 0 else { return }
      try session.check(
        H5Dread(
          dataset.id, dtype.memoryType, latent_h5_all(), latent_h5_all(), latent_h5_default_list(),
          buffer.baseAddress), path)
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
    if bytes == [0] { return "" }
    guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
      throw session.unsupported(path, "bytes that are not UTF-8 text", "a text")
    }
    return text
  }
}
