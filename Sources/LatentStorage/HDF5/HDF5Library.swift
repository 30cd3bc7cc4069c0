// The door to HDF5: one lock around every call (the library is not made for parallel use, and its
// lock would only serialise us anyway), its printing of errors switched off, and its error stack
// turned into our error in one place.

import CLatentHDF5
import Synchronization

enum HDF5Library {
  private static let lock = Mutex<Void>(())

  /// Of the library in use, such as 1.10.8.
  static var version: String {
    var (major, minor, release) = (UInt32(0), UInt32(0), UInt32(0))
    H5get_libversion(&major, &minor, &release)
    return "\(major).\(minor).\(release)"
  }

  /// Runs `body` alone. Must not be nested.
  static func locked<Result: Sendable>(
    _ name: String, writing: Bool = false, _ body: (HDF5Session) throws -> Result
  ) throws -> Result {
    try lock.withLock { _ in
      guard H5open() >= 0 else {
        throw StorageError.unreadable(file: name, reason: "the HDF5 library does not start")
      }
      latent_h5_silence()
      return try body(HDF5Session(name: name, writing: writing))
    }
  }

  /// Opens a file that lies in memory, where it lies, and hands out its root group.
  static func withImage<Result: Sendable>(
    _ bytes: UnsafeRawBufferPointer, name: String,
    _ body: (borrowing HDF5Handle, HDF5Session) throws -> Result
  ) throws -> Result {
    try locked(name) { session in
      // HDF5 asks for a mutable pointer but only reads: the file is opened read-only.
      var image = latent_h5_image(
        bytes: UnsafeMutableRawPointer(mutating: bytes.baseAddress), count: bytes.count)
      return try withUnsafeMutablePointer(to: &image) { image in
        let access = try session.list(latent_h5_file_access_class())
        try session.check(H5Pset_fapl_core(access.id, 1 << 16, false), "the file")
        try session.check(latent_h5_set_image(access.id, image), "the file")
        let file = try session.handle(
          H5Fopen("latent-image", latent_h5_read_only(), access.id), H5Fclose, "the HDF5 part")
        let root = try session.handle(
          H5Gopen2(file.id, "/", latent_h5_default_list()), H5Gclose, "the root group")
        return try body(root, session)
      }
    }
  }
}

/// What is being done while the library is locked, for messages.
struct HDF5Session {
  /// The file in messages.
  let name: String
  let writing: Bool

  /// Takes over an identifier, or throws what HDF5 says.
  func handle(
    _ id: hid_t, _ close: @escaping @Sendable (hid_t) -> herr_t, _ place: String
  ) throws -> HDF5Handle {
    guard id >= 0 else { throw failure(place) }
    return HDF5Handle(id: id, close: close)
  }

  func list(_ type: hid_t) throws -> HDF5Handle {
    try handle(H5Pcreate(type), H5Pclose, "a property list")
  }

  @discardableResult
  func check<Status: SignedInteger>(_ status: Status, _ place: String) throws -> Status {
    guard status >= 0 else { throw failure(place) }
    return status
  }

  /// The descriptor under which the library has a file open.
  func descriptor(of file: hid_t, _ access: borrowing HDF5Handle) throws -> Int32 {
    var handle: UnsafeMutableRawPointer?
    try check(H5Fget_vfd_handle(file, access.id, &handle), "the file's descriptor")
    guard let handle else { throw failure("the file's descriptor") }
    return handle.load(as: Int32.self)
  }

  func damaged(_ place: String, _ found: String, _ expected: String) -> StorageError {
    .damaged(file: name, place: quoted(place), found: found, expected: expected)
  }

  func unsupported(_ place: String, _ found: String, _ expected: String) -> StorageError {
    .unsupported(file: name, place: quoted(place), found: found, expected: expected)
  }

  func quoted(_ place: String) -> String {
    place.hasPrefix("the ") || place.hasPrefix("a ") ? place : "'\(place)'"
  }
}

/// An HDF5 identifier, closed when it goes out of scope. Only while the library is locked.
struct HDF5Handle: ~Copyable {
  let id: hid_t
  private let close: @Sendable (hid_t) -> herr_t

  init(id: hid_t, close: @escaping @Sendable (hid_t) -> herr_t) {
    self.id = id
    self.close = close
  }

  deinit { _ = close(id) }
}
