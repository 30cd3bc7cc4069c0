// Files that do not open, and why: somebody writes them, they are something else, a part, newer than
// the library, or damaged. Only the last are called so.

import Glibc
import LatentNumerics
import Testing

@testable import LatentStorage

@Suite struct HDF5OpeningTests {
  private static let array = NDArray((0..<60).map { Float($0) }, shape: [20, 3])

  private func plain(_ folder: TemporaryFolder) throws -> [UInt8] {
    try HDF5File.write(arrays: ["x": Self.array], to: folder.file("plain.h5"))
    return try folder.bytes(of: "plain.h5")
  }

  /// As HDF5 does while it has a file open for writing. The lock belongs to the open file, so that
  /// another one of the same process meets it as well.
  @Test func aFileThatIsBeingWritten() throws {
    let folder = try TemporaryFolder()
    _ = try plain(folder)
    let path = folder.file("plain.h5")
    let writer = open(path, O_RDWR | O_CLOEXEC)
    #expect(writer >= 0 && flock(writer, LOCK_EX | LOCK_NB) == 0)
    let error = storageError { _ = try HDF5File(path: path) }
    #expect(error == .inUse(file: path, isMarked: false))
    #expect(error?.kind == .unreadable)
    close(writer)
    #expect(try HDF5File(path: path).array("x") == Self.array)
  }

  @Test func aFileThatWasNotClosed() throws {
    let folder = try TemporaryFolder()
    let path = try folder.reference("marked")
    #expect(storageError { _ = try HDF5File(path: path) } == .inUse(file: path, isMarked: true))
  }

  @Test func otherFilesAreNamed() throws {
    let folder = try TemporaryFolder()
    let starts: [(bytes: [UInt8], says: String)] = [
      ([], "it is empty"), (Array("hello".utf8), "another kind"),
      ([0x50, 0x4b, 3, 4], "a zip archive"), ([0x1f, 0x8b, 8], "gzip-compressed"),
      ([0x93] + Array("NUMPY".utf8), "a NumPy array"), (Array("CDF\u{1}".utf8), "netCDF"),
      ([0x0e, 3, 0x13, 1], "HDF4"), (Array("MATLAB 5.0 MAT-file".utf8), "before 7.3"),
      ([0x80, 4, 0x95], "a Python pickle"), ([UInt8](repeating: 0, count: 20), "zeros"),
      ([0x89] + Array("PNG\r\n".utf8) + [0x1a, 0x0a], "a PNG picture"),
    ]
    for (start, says) in starts {
      let path = try folder.make(
        "x", start + [UInt8](repeating: 0, count: start.isEmpty ? 0 : 3000))
      let reads: [() throws -> Void] = [
        { _ = try HDF5File(path: path) }, { _ = try Checkpoint(contentsOf: path) },
      ]
      for read in reads {
        let error = storageError(says, read)
        switch error {
        case .unsupported, .otherFormat: break
        default:
          Issue.record("\(says): \(error as Any)")
          continue
        }
        #expect("\(error as Any)".contains(says), "\(error as Any)")
      }
    }
    let path = try folder.make("plain", plain(folder))
    let error = storageError { _ = try Checkpoint(contentsOf: path) }
    #expect("\(error as Any)".contains("an HDF5 file"), "\(error as Any)")
  }

  @Test func onePartOfAFile() throws {
    let folder = try TemporaryFolder()
    let error = storageError { _ = try HDF5File(path: folder.reference("family")) }
    guard case .unsupported(_, _, let found, _) = error else {
      Issue.record("\(error as Any)")
      return
    }
    #expect(found.contains("NCSAfami"))
  }

  @Test func aNewerSuperblock() throws {
    let folder = try TemporaryFolder()
    var bytes = try plain(folder)
    bytes[8] = 4
    let error = storageError { _ = try HDF5File(path: folder.make("newer.h5", bytes)) }
    guard case .unsupported(_, _, "a superblock of version 4", _) = error else {
      Issue.record("\(error as Any)")
      return
    }
  }

  /// What is cut or overwritten is damaged, wherever the first bytes still say HDF5.
  @Test func whatContradictsTheFormatIsDamaged() throws {
    let folder = try TemporaryFolder()
    let valid = try plain(folder)
    var (flipped, marked) = (valid, valid)
    flipped[20] ^= 1
    // A mark of being written that its checksum contradicts.
    marked[11] |= 1
    for bytes in [
      Array(valid.dropLast()), Array(valid[..<60]), Array(valid[..<9]), flipped, marked,
    ] {
      let error = storageError { _ = try HDF5File(path: folder.make("y.h5", bytes)) }
      guard case .damaged = error else {
        Issue.record("\(bytes.count) bytes: \(error as Any)")
        continue
      }
    }
  }
}
