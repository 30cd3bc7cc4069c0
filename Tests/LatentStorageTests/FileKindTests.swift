// Files under the names of others: each reader names what a whole file is, and none calls it damaged.

import LatentNumerics
import Testing

@testable import LatentStorage

@Suite struct FileKindTests {
  private static func zip(_ member: String) -> [UInt8] {
    // A local file header (APPNOTE 4.3.7): 26 bytes, the lengths of name and extra field, the name.
    [0x50, 0x4b, 3, 4] + [UInt8](repeating: 0, count: 22) + [UInt8(member.utf8.count), 0, 0, 0]
      + Array(member.utf8)
  }

  /// The first bytes of files, as the formats' own documents give them, and what is said of them.
  static let kinds: [(bytes: [UInt8], kind: FileKind, says: String)] = [
    ([], .empty, "it is empty"),
    ([0xff, 0xd8, 0xff, 0xe0, 0, 16] + Array("JFIF".utf8), .jpeg, "a JPEG picture"),
    (Array("GIF89a".utf8), .gif, "a GIF picture"),
    (
      Array("BM".utf8) + [70, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0], .bmp, "a BMP picture"
    ),
    (Array("II*".utf8) + [0, 8, 0, 0, 0], .tiff, "a TIFF picture"),
    (Array("RIFF".utf8) + [1, 2, 3, 4] + Array("WEBPVP8 ".utf8), .webp, "a WebP picture"),
    ([0, 0, 0, 24] + Array("ftypheic".utf8), .heif, "a HEIF picture"),
    (Array("P5\n2 2\n255\n".utf8), .netpbm, "a Netpbm picture"),
    (zip("imgs.npy"), .zip(firstMember: "imgs.npy"), "numpy.load('FILE')['imgs']"),
    (zip("photos/"), .zip(firstMember: "photos/"), "a zip archive"),
    ([0x50, 0x4b, 5, 6] + [UInt8](repeating: 0, count: 18), .zip(firstMember: ""), "unzip"),
    ([0x80, 4, 0x95, 1, 2], .pickle, "a Python pickle"),
    (Array("BZh91AY".utf8), .bzip2, "bunzip2"),
    ([0x28, 0xb5, 0x2f, 0xfd, 4], .zstandard, "unzstd"),
    ([0xfd] + Array("7zXZ".utf8) + [0], .xz, "unxz"),
    (Array("MATLAB 5.0 MAT-file, Platform".utf8), .matlab, "scipy.io.loadmat"),
    (Array("%PDF-1.7".utf8), .pdf, "a PDF document"),
    (Array("PAR1".utf8) + [0], .parquet, "Parquet"),
    (Array("1.5,2\r\n3,4\r\n".utf8), .text, "numpy.loadtxt"),
    (Array("größe;höhe\n".utf8), .text, "it is text"),
    (Array("  <!DOCTYPE html>\n<html>".utf8), .webPage, "a web page"),
    (
      Array("version https://git-lfs.github.com/spec/v1\noid sha256:0".utf8), .gitLargeFilePointer,
      "git lfs pull"
    ),
    ([0x89] + Array("HDF\r\n".utf8) + [0x1a, 0x0a, 0], .hdf5, "an HDF5 file"),
    ([UInt8](repeating: 32, count: 257) + Array("ustar".utf8), .tar, "tar -xf"),
  ]

  @Test(arguments: kinds.indices)
  func everyReaderNamesThem(index: Int) throws {
    let (bytes, kind, says) = Self.kinds[index]
    #expect(FileKind(bytes) == kind)
    let folder = try TemporaryFolder()
    let path = try folder.make("a b", bytes)
    #expect(try FileKind(contentsOf: path) == kind)
    var readers: [(String, () throws -> Void)] = [
      ("NPY", { _ = try NPY.read(path) }), ("NPY", { _ = try NPY.decode(bytes, source: path) }),
      ("IDX", { _ = try IDX.read(path) }),
      ("gzip", { _ = try IDX.decode(Gzip.compress(bytes), source: path) }),
      ("PNG", { _ = try PNGHeader(contentsOf: path) }),
    ]
    if PNG.canDecode { readers.append(("PNG", { _ = try PNG.decode(contentsOf: path) })) }
    for (name, read) in readers {
      let error = storageError(name, read)
      guard case .otherFormat = error, let text = error?.description else {
        Issue.record("\(name): \(error as Any)")
        continue
      }
      #expect(error?.kind == .badData)
      #expect(text.contains(says) && !text.contains("damaged"), "\(name): \(text)")
      #expect(text.utf8.allSatisfy { $0 != 10 })
    }
  }

  @Test func formatsOfOurOwn() throws {
    let array = NDArray([1, 2] as [UInt8])
    let image = try PNG.encode(array.reshaped([1, 2]))
    let idx = storageError { _ = try IDX.decode(NPY.encode(array), source: "train.npy") }
    #expect(
      idx?.description
        == "cannot read 'train.npy': it is a NumPy array (.npy), not an IDX file, as MNIST's are; "
        + "give it as npy:train.npy")
    #expect(FileKind(image) == .png && FileKind(Gzip.compress([1])) == .gzip)
    let compressed = storageError {
      _ = try NPY.decode(Gzip.compress(NPY.encode(array)), source: "x.npy")
    }
    #expect(compressed?.description.contains("it is gzip-compressed") == true)
    #expect(compressed?.description.hasSuffix("unpack it (gunzip x.npy)") == true)
  }

  /// Names that a shell or Python would take for something else do not come into commands.
  @Test func commandsAreHarmless() {
    let error = storageError {
      _ = try NPY.decode(Self.zip("x'); import os #.npy"), source: "/tmp/$(rm -r x).npz")
    }
    #expect(error?.description.contains("numpy.load('FILE')['NAME']") == true)
    let plain = storageError { _ = try NPY.decode(Self.zip("imgs.npy"), source: "/data/d.npz") }
    #expect(
      plain?.description
        == "cannot read '/data/d.npz': it is a zip archive of NumPy arrays (.npz), which is not read, "
        + "not a NumPy array (.npy); take an array out: python3 -c \"import numpy; "
        + "numpy.save('imgs.npy', numpy.load('d.npz')['imgs'])\"")
  }

  @Test func bytesWithoutAFormatAreNone() {
    for bytes in [[1, 2, 3], [0xff, 0xfe, 0x00], [0x80], Array("BMW".utf8) + [0]] as [[UInt8]] {
      #expect(FileKind(bytes) == nil)
    }
  }
}
