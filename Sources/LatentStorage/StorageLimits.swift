// Bounds on what a file may ask for. Every length in a file is a claim by somebody else: it is
// compared with these and with the file's size before anything is allocated.

/// The limits of the readers.
public enum StorageLimits {
  /// The largest checkpoint, in bytes.
  public static let checkpointBytes = 1 << 38
  /// The largest number of arrays, texts and groups in a checkpoint, and of arrays in a file that we
  /// write.
  public static let objects = 100_000
  /// The deepest nesting of groups in those.
  public static let depth = 32
  /// The largest number of axes.
  public static let rank = 8
  /// The longest path of an array inside a file, in UTF-8 bytes.
  public static let pathBytes = 1024
  /// The longest NPY header, in bytes.
  public static let npyHeaderBytes = 65_536
  /// The most pixels of an image.
  public static let imagePixels = 1 << 28
  /// Deflate makes at most 1032 bytes of one; nothing compressed can promise more.
  public static let deflateRatio = 1032
  /// Compressed arrays that promise more than this are unpacked once to be counted before they are
  /// allocated.
  public static let uncountedBytes = 256 << 20
  /// What may be read at once of an HDF5 dataset that declares more than it can have stored: most of
  /// it was never written, or is one number.
  public static let unbackedBytes = 256 << 20
  /// The largest chunk of a foreign HDF5 dataset, which has to be in memory as a whole.
  public static let chunkBytes = 1 << 30
}
