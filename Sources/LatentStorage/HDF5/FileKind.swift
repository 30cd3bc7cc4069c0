// What a file of another kind is: the first thing to say to somebody who expected it to be read.

/// What a file is, by its first bytes.
enum FileKind: String {
  case empty = "an empty file"
  case hdf5 = "an HDF5 file"
  case zip = "a zip archive (as PyTorch, Keras and NumPy's npz write them)"
  case gzip = "a file compressed by gzip"
  case npy = "a NumPy array"
  case png = "a PNG image"
  case netCDF3 = "a netCDF file of the classic format"
  case hdf4 = "an HDF4 file"
  case matlab = "a MATLAB file of a format before 7.3"
  case pickle = "a Python pickle"
  case zeros = "zeros at its start"
  case unknown = "a file of another kind"

  private static let signatures: [(FileKind, [UInt8])] = [
    (.hdf5, HDF5Superblock.signature), (.zip, [0x50, 0x4b, 0x03, 0x04]), (.gzip, [0x1f, 0x8b]),
    (.npy, [0x93] + Array("NUMPY".utf8)), (.png, [0x89] + Array("PNG".utf8)),
    (.netCDF3, Array("CDF".utf8)), (.hdf4, [0x0e, 0x03, 0x13, 0x01]),
    (.matlab, Array("MATLAB 5.0".utf8)),
  ]

  init(startingWith bytes: some Collection<UInt8>) {
    let start = Array(bytes.prefix(16))
    if let kind = Self.signatures.first(where: { start.starts(with: $0.1) })?.0 {
      self = kind
    } else if start.isEmpty {
      self = .empty
    } else if start.allSatisfy({ $0 == 0 }) {
      self = .zeros
    } else {
      // The second byte is the protocol's version.
      self = start[0] == 0x80 && start.count > 1 && start[1] < 8 ? .pickle : .unknown
    }
  }
}
