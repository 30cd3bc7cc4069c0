// Plain files of arrays, for other programs and for reading by rows.

import LatentNumerics

extension HDF5File {
  /// Writes arrays as a plain HDF5 file, atomically, readable by HDF5 1.10 and later, the same bytes
  /// for the same contents. Each array lies in one piece, so that rows can be read in any order at the
  /// same cost, and has the checksums of its blocks in an attribute, which reading compares. Weights
  /// of low precision are written as the float32 numbers that they stand for.
  ///
  ///     try HDF5File.write(
  ///       arrays: ["images/train": images],
  ///       attributes: ["images/train": ["units": "mm"], "/": ["license": "CC0"]], to: "a.h5")
  ///
  /// - Parameter attributes: By the name of an array, of a group that holds some, or `/` for the whole
  ///   file; then by the attribute's name.
  /// - Throws: `StorageError.cannotWrite` or `.notStorable`; the file that was there is intact.
  public static func write(
    arrays: [String: NDArray], attributes: [String: [String: HDF5Attribute]] = [:],
    to path: String
  ) throws {
    let bytes = try HDF5Image.make(
      arrays: arrays.mapValues(\.inPlainType), texts: [:], attributes: attributes, userBlock: 0,
      name: path, layout: .onePiece(blockBytes: BlockChecksums.writtenBlock))
    try AtomicFile.write(bytes, to: path)
  }
}
