// What is said of a file of another format: what it is, and the command that makes of it what was
// wanted.

extension FileKind: CustomStringConvertible {
  /// A noun with its article, such as "a JPEG picture".
  public var description: String {
    switch self {
    case .npy: "a NumPy array (.npy)"
    case .hdf5: "an HDF5 file"
    case .gzip: "gzip-compressed"
    case .png: "a PNG picture"
    case .zip(let member):
      FileKind.arrayName(member) == nil
        ? "a zip archive" : "a zip archive of NumPy arrays (.npz), which is not read"
    case .jpeg: "a JPEG picture"
    case .gif: "a GIF picture"
    case .bmp: "a BMP picture"
    case .tiff: "a TIFF picture"
    case .webp: "a WebP picture"
    case .heif: "a HEIF picture"
    case .netpbm: "a Netpbm picture"
    case .netCDF3: "a netCDF file of the classic format"
    case .hdf4: "an HDF4 file"
    case .matlab: "a MATLAB file of a format before 7.3"
    case .pickle: "a Python pickle"
    case .bzip2: "bzip2-compressed"
    case .xz: "xz-compressed"
    case .zstandard: "zstd-compressed"
    case .tar: "a tar archive"
    case .pdf: "a PDF document"
    case .parquet: "a Parquet table"
    case .gitLargeFilePointer: "the pointer of Git LFS to a file, not the file"
    case .webPage: "a web page"
    case .text: "text"
    case .empty: "empty"
    case .zeros: "zeros at its start"
    }
  }

  /// The array that a member of an `.npz` archive is; nil for other members.
  private static func arrayName(_ member: String) -> String? {
    let ending = ".npy".utf8
    guard member.utf8.count > ending.count, member.utf8.suffix(ending.count).elementsEqual(ending)
    else { return nil }
    return String(decoding: member.utf8.dropLast(ending.count), as: UTF8.self)
  }

  /// What makes an array, or whatever is wanted, of the file.
  func advice(for path: String) -> String {
    let file = FileKind.plainWord(path.fileName) ?? "FILE"
    switch self {
    case .zip(let member):
      guard let name = FileKind.arrayName(member).map({ FileKind.plainWord($0) ?? "NAME" }) else {
        return "unpack it (unzip \(file))"
      }
      return "take an array out: python3 -c \"import numpy; "
        + "numpy.save('\(name).npy', numpy.load('\(file)')['\(name)'])\""
    case .gzip: return "unpack it (gunzip \(file))"
    case .bzip2: return "unpack it (bunzip2 \(file))"
    case .xz: return "unpack it (unxz \(file))"
    case .zstandard: return "unpack it (unzstd \(file))"
    case .tar: return "unpack it (tar -xf \(file))"
    case .npy: return "give it as npy:\(file)"
    case .hdf5: return "give it as hdf5:\(file):DATASET"
    case .png: return "give its folder as images:FOLDER"
    case .jpeg, .gif, .bmp, .tiff, .webp, .heif, .netpbm:
      return "convert it (mogrify -format png \(file)) and give its folder as images:FOLDER"
    case .matlab:
      return "convert it: python3 -c \"import numpy, scipy.io; "
        + "numpy.save('NAME.npy', scipy.io.loadmat('\(file)')['NAME'])\""
    case .pickle:
      return "convert it where you trust it, for pickles are programs: python3 -c \"import numpy; "
        + "numpy.save('NAME.npy', numpy.load('\(file)', allow_pickle=True))\""
    case .text:
      return "convert a table: python3 -c \"import numpy; "
        + "numpy.save('NAME.npy', numpy.loadtxt('\(file)', delimiter=',', dtype='f4'))\""
    case .parquet:
      return "convert it: python3 -c \"import numpy, pandas; "
        + "numpy.save('NAME.npy', pandas.read_parquet('\(file)').to_numpy('f4'))\""
    case .gitLargeFilePointer: return "fetch the file (git lfs pull)"
    case .webPage: return "the download went wrong; fetch the file again"
    case .netCDF3:
      return "convert it (nccopy -k nc4 \(file) NEW.nc) and give it as hdf5:NEW.nc:VARIABLE"
    case .hdf4: return "convert it (h4toh5 \(file) NEW.h5) and give it as hdf5:NEW.h5:DATASET"
    case .empty, .zeros: return "was it written to its end?"
    case .pdf: return "give another file"
    }
  }

  /// The word, where a shell and Python take it for nothing else.
  private static func plainWord(_ word: String) -> String? {
    let isPlain = word.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
        UInt8(ascii: "-"):
        true
      default: false
      }
    }
    return isPlain && word.utf8.first != UInt8(ascii: "-") && !word.isEmpty ? word : nil
  }
}

extension String {
  /// What stands after the last slash, by bytes: a slash may carry a combining mark.
  var fileName: String {
    utf8.lastIndex(of: UInt8(ascii: "/")).map {
      String(decoding: utf8[$0...].dropFirst(), as: UTF8.self)
    }
      ?? self
  }
}
