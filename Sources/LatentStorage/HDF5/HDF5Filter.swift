// The filters that chunks went through, by their registered numbers.

import CLatentHDF5

/// A step between the elements of a chunk and the bytes in the file.
struct HDF5Filter: Equatable {
  let id: H5Z_filter_t
  /// As the file calls it; may be empty.
  let name: String

  /// Whether it only adds a checksum.
  var isChecksum: Bool { id == H5Z_FILTER_FLETCHER32 }

  static let remedy =
    "filters of HDF5 itself (to repack it where it can be read: h5repack -f GZIP=1 IN OUT)"

  /// `lzf (32000)`.
  var description: String {
    let known = Self.known[id] ?? (name.isEmpty ? "of an unknown kind" : name)
    return "\(known) (\(id))"
  }

  /// The best known of https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md
  private static let known: [H5Z_filter_t: String] = [
    1: "deflate", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset",
    305: "lzo", 307: "bzip2", 32000: "lzf", 32001: "blosc", 32004: "lz4", 32008: "bitshuffle",
    32012: "jpeg-xr", 32013: "zfp", 32015: "zstd", 32017: "sz", 32019: "jpeg", 32024: "sz3",
    32026: "blosc2", 32028: "snappy",
  ]
}
