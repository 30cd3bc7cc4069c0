// What the library says when it fails, as one of our errors. A file is damaged where its bytes
// contradict the format; that this library lacks what the file has, that somebody is writing it, or
// that the system refused to read it are other things, with other ways out.

import CLatentHDF5
import Glibc

extension HDF5Session {
  /// Why the last call failed.
  func failure(_ place: String) -> StorageError {
    let report = HDF5Report.take()
    if writing {
      return .cannotWrite(
        file: name, action: "building \(quoted(place))", reason: report.message)
    }
    // A place that no file can have is the file's own fault.
    if report.systemError != 0 && report.systemError != EINVAL {
      return .unreadable(file: name, reason: systemMessage(report.systemError))
    }
    if report.lacksFilter {
      return unsupported(place, report.message, HDF5Filter.remedy)
    }
    return report.lacks
      ? unsupported(
        place, report.message,
        "what HDF5 \(HDF5Library.version) knows (unless it is damaged, a newer library made it, "
          + "whose h5repack can write it for older ones)")
      : damaged(place, report.message, "contents that HDF5 can read")
  }

  /// Why a file cannot be opened.
  func openFailure(_ bytes: ByteFile) throws -> StorageError {
    let report = HDF5Report.take()
    switch report.systemError {
    case 0: break
    case EAGAIN: return .inUse(file: name, isMarked: false)
    default: return .unreadable(file: name, reason: systemMessage(report.systemError))
    }
    guard let superblock = try HDF5Superblock(of: bytes) else {
      let start = try bytes.bytes(from: 0, count: min(bytes.size, FileKind.prefixBytes))
      return .otherFile(start, file: name, expected: "an HDF5 file")
    }
    guard superblock.version <= HDF5Superblock.newest else {
      return unsupported(
        "the contents", "a superblock of version \(superblock.version)",
        "at most \(HDF5Superblock.newest), as HDF5 \(HDF5Library.version) knows (h5repack of a "
          + "newer library can write it for older ones)")
    }
    if superblock.isMarked { return .inUse(file: name, isMarked: true) }
    if let driver = superblock.driver {
      return unsupported(
        "the contents", "one part of a file in several (driver '\(driver)')",
        "one whole file (h5repart and h5repack join the parts)")
    }
    return damaged(
      "the file (\(bytes.size) bytes)", report.message, "contents that HDF5 can read")
  }
}

/// The innermost entry of the library's error stack, and what the stack says about the cause.
struct HDF5Report {
  let message: String
  /// Of the system; 0 where it is not to blame.
  let systemError: Int32
  let lacks: Bool
  let lacksFilter: Bool

  /// Empties the stack of this thread.
  static func take() -> HDF5Report {
    var text = [CChar](repeating: 0, count: 512)
    return text.withUnsafeMutableBufferPointer { text in
      var message = latent_h5_message()
      message.text = text.baseAddress
      message.capacity = text.count
      latent_h5_take_error(&message)
      let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
      let words = String(decoding: bytes, as: UTF8.self)
      // Not all of its complaints about versions and kinds are classified as such.
      let isForeign = ["version", "unknown", "unsupported"].contains { words.contains($0) }
      return HDF5Report(
        message: "HDF5 says: " + words, systemError: message.system_error,
        lacks: message.lacks || isForeign, lacksFilter: message.lacks_filter)
    }
  }
}
