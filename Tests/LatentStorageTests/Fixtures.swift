// HDF5 files that Latent did not write: made by h5py 3.16 (HDF5 2.0), compressed by gzip, in
// base 64. The hostile ones have an empty user block of 512 bytes, to be sealed by the tests, so
// that everything up to the structure is right. How some of them came about, in Python:
//
//   circle         g = f.create_group("g"); g["g"] = g
//   doubling       25 groups, each in the one before under two names: 2^25 paths
//   fourTebibytes  f.create_dataset("x", (1 << 40,), "<f4", chunks=(1 << 20,)), nothing stored
//   manyNames      one dataset of 6,000 bytes under 41 names
//   hugeChunk      f.create_dataset("x", (2,), "<f4", maxshape=(1 << 28,), chunks=(1 << 28,))
//   checksums      f.create_dataset(name, data=np.arange(100, dtype="<f4").reshape(10, 10)), with
//                  .attrs["latent_crc32c"] of wrong kinds, sizes and values
//   neverWritten   f.create_dataset("x", (100,), "<f4", fillvalue=7), nothing written; "y" of 300
//                  numbers, also as "same"; Behind: behind a user block of 512 bytes
//   foreign        every numeric type that h5py writes, and some things that are not numbers

import Foundation
import Testing

@testable import LatentStorage

enum Fixtures {
  /// The file behind one of the texts below.
  static func file(_ text: String) throws -> [UInt8] {
    let packed = [UInt8](try #require(Data(base64Encoded: text)))
    return try Gzip.decompress(packed, limit: 1 << 20)
  }

  /// A checkpoint whose header is right for whatever HDF5 part the file has.
  static func sealed(_ text: String) throws -> [UInt8] {
    var file = try file(text)
    file.withUnsafeMutableBytes { CheckpointHeader.seal($0) }
    return file
  }

  /// Files that no checkpoint may look like, and a word of what the error says about each.
  static let hostile: [(name: String, text: String, says: String)] = [
    ("a soft link", softLink, "soft link"),
    ("a link to another file", externalLink, "another file"),
    ("a named type", namedType, "named type"),
    ("a text of varying length", varyingText, "varying length"),
    ("a virtual dataset", virtual, "virtual"),
    ("data in another file", externalStorage, "external"),
    ("an extensible dataset", extensible, "extensible"),
    ("a compressed dataset", compressed, "filter"),
    ("4 TiB that are not there", fourTebibytes, "at most"),
    ("a group inside itself", circle, "second name"),
    ("one dataset under many names", manyNames, "second name"),
    ("2^25 paths", doubling, "second name"),
    ("nine axes", nineAxes, "8 axes"),
    ("big-endian numbers", bigEndian, "float32"),
    ("16-bit integers", int16, "int32"),
    ("records", records, "records"),
    ("no elements by declaration", nullSpace, "null"),
    ("groups 40 deep", deepGroups, "nested deeper"),
    ("a product that overflows", overflow, "2^63"),
    ("a text that is not UTF-8", badText, "UTF-8"),
    ("a chunk of 1 GiB", hugeChunk, "extensible"),
  ]

  static let good = """
    H4sIAAAAAAACA2NgGAUjGXR6uLjxcklxMXNwMDAwQcT+Q4EUF4RvAFWbEN13yd/DJYiJoYJJCFkhDHAxMTAyMLDxMAApxs\
    TNUG1QfokT1HgGC/Kdm79t1lvinZBkxgjV50G9EFtbuHAm2AlACxhVgIHGxMgI8xkzlEbnM4swMAoqyDOwgHkKDOIcDOL1\
    QBYr0LXMXBxAnzAzMnBA1ErALFow+FOPn1lZLzwsWCD+ZuZgYBRmhLCR/SfBgRo2DGeGV07Sk/x/ZrQ8GQWjYBQMNdBgDy\
    QcgAiIG4B4gUNGJgBeNFHsGgoAAA==
    """
  static let softLink = """
    H4sIAAAAAAACA2NgGAUjGXR6uLjxcklxMXNwMDAwQcT+Q8FmKN8AqrY44XSHv4dLEBNDBZMQskIY4GJiYGRgYONkYGDkYG\
    TMYWLQT2TwpqpzZSdxugMAVs+88bMCAAA=
    """
  static let externalLink = """
    H4sIAAAAAAACA2NgGAUjGXR6uLjxcklxMXNwMDAwQcT+Q8FmKN8AqrY44XSHv4dLEBNDBZMQskIY4GJiYGRgYBNnYGDkcG\
    DMEWBg0E8tSdYvSCwuLk9h0E9kYLCl0LmFfbeCAJ7mnrizAgAA
    """
  static let namedType = """
    H4sIAAAAAAACA2NgGAUjGXR6uLjxcklxMXNwMDAwQcT+Q8EzKN8AqlboltZnfw+XICaGCiYhZIUwwMXEwMjAwMbDAKQYSz\
    bD7PCgnnOjeGfPAjtB4eQ7lmxkLMEswsAqqCDPwAJWqMAgzsEgXg9kfU7YpgcAmafQkOYCAAA=
    """
  static let varyingText = """
    H4sIAAAAAAACA+3VwQnCMBQG4PcSlVAsFvFiwR3cwaI9CAXx5E1dQdEVenABvbiDCziGB3fRlzSBehUvxf+D0Ka8ND9p4R\
    HBPyvzbBpHaaSNIVLVs5eXpNV87Guf18OpyLOFoqPq1wuDSBETdbokF97dwh757+Ku4svZRZANuFUl1gPiITMlcm8Hu0pD\
    bUmjlZGkmmXqJOFF9+Z/uv2yHOEHBgCAr2jbFH1ztI1zNinmXOuUXKuz1pvtx/pHD2cIAAAAAAAA0DRvvG/iuRAaAAA=
    """
  static let virtual = """
    H4sIAAAAAAACA2NgGAUjGXR6uLjxcklxMXNwMDAwQcT+QwGDFIRvAFV7IsG8xd/DJYiJoYJJCFkhDHAxMTAyMLDxMAApxr\
    LNMDs8qOfcthK1O2AnKJ58x5KNjBkYGUWAPmBkZIT6AuYbBmYRBkZBBXkGFjBPgUGcg0G8HshiBbqWmZuDj4GBhZmBA6KW\
    EURsGZpROXe/6I7RBD0KRsEoGAWjgCjg7uzvA670BJAqQCDwhSmACeiX5Bbo55dkpBbpZZgyVDAwI8nBalsYXwDKZkQyw0\
    yBOwNJ+QT+0bAfBaNgFIyCUTAKRsEoGAWjYBSMglEwCugFAKr0ZGMAGgAA
    """
  static let externalStorage = """
    H4sIAAAAAAACA2NgGAUjGXR6uLjxcklxMXNwMDAwQcT+Q8F3ZgjfAKp2ivM1T38PlyAmhgomIWSFMMDFxMDIwMDGwwCkGC\
    s2w+zwoJ5zM3/K1ICdALSAUQToYkZGRhaoHIxm5mFgFGAAuQEEOBhYga5i5mLXAOoAizIy7IdIAeVQAcwEDqDvmBlhvoKJ\
    MvQMrqgrPtJxxsPVMQDEloCKQT3GcJ8RVa1+akmyfkFicXF5CpgPAHthbv/3AwAA
    """
  static let extensible = """
    H4sIAAAAAAACA2NgGAUjGXR6uLjxcklxMXNwMDAwQcT+Q8F+ZgjfAKq2S2F2p7+HSxATQwWTELJCGOBiYmBkYGDjYQBSjB\
    WbYXZ4UM+5mT9lasBOAFrAKAJ0MSMjI9TVcNcwizAwCirIM7CARRUYxDkYxOuBLFag65i5OUQZGFiYgBqZWFgUWFgEuGDa\
    GNYOsajzKBIKBQAS3yfZvwMAAA==
    """
  static let compressed = """
    H4sIAAAAAAACA2NgGAUjGXR6uLjxcklxMXNwMDAwQcT+QwEPF4RvAFXrdZaf19/DJYiJoYJJCFkhDHAxMTAyMLDxMAApxo\
    rNMDs8qOfczJ8yNWAnAC1gFAG6mJGR0QEqB6OZRRgYBRXkGVjAPAUGcQ4G8XogixXoOmZubh4GRqAukAvBKjhkGBhYmJiY\
    GB1YGHmQreKA0tMGa9RdcFnnN5qAR8EoGAWjYBSQBSrikhMkboIqbAZGAJBqXXMMCgAA
    """
  static let fourTebibytes = """
    H4sIAAAAAAACA2NgGAUjGXR6uLjxcklxMXNwMDAwQcT+Q8F+ZgjfAKq2S2F2p7+HSxATQwWTELJCGOBiYmBkYGDjYQBSjB\
    WbYXZ4UM+5mT9lasBOAFrAKAJ0MSMjI1iCEaoASDOLMDAKKsgzsIAFFBjEORjE64EsVqDrmLk5RBkYWJgYmIB+EwCqYOaC\
    OZ5h7RCLumK3+z8AFsKFO78DAAA=
    """
  static let circle = """
    H4sIAAAAAAACA2NgGAUjGXR6uLjxcklxMXNwMDAwQcT+Q4EZM4RvAFX74Oe8Qn8PlyAmhgomIWSFMMDFxMDIwMDGwwCkGN\
    M3w+zwoJ5zFwmtMyHDCWKsDCwQ39lT7ISzvu4fAI9iVTc2AwAA
    """
  static let manyNames = """
    H4sIAAAAAAACA+1ZW0gUURj+zq6b6+aWW+bG9pDbRmR0cWa90kWSbd1uJmtRKfQQ3YtajEItukmYFZFBd0LRyAgryqIgoa\
    ILidpDZELaSzcwiqKisiCb+XdmnUM9VBAUne/l/N8/3/z/t2fOzjz8gMD/jIqAz2+3uWxmqxUwhXM9GkKeME/WtCefZT2Y\
    FfAFTSi2mcAU/QA1HafdVqOtmPfn7F5c5OpHFhgYi1ccMMY6LeFr+mqOB3MkDkUUsUQ4rXBuViKL4tlssyqezQzWsDbkDK\
    8JFkWepEZ1/8yjy32894A/P38K7mgbz+zAO6YGBxmWq8koVuH4taL+YCAP0VDPQlxvVj8RpdoW6x31bdT2OrIm/WS3qMiZ\
    g3qe6HExuKL1zFTzkMbs2QEfLKqur5JbNNJl1nvoXVbfL4rx5ysqHA8XiRQ1fdcvD8VKD73bVU2vHfTI+rbzWk327Bl+WN\
    60FMZgviLrh1D31liMVa7acaOqy44yygY9RwdiIWWznx9JwEeo2ReD+7pRRYLp6/tPxhoSNLLCAK5QtrWzKYgu0o5oK5iP\
    AAkWfG1fhnOUbW75sgJZJjUcfelECONJcHtSThEGUfbgroIijKNi5f6xa+EmwcuV5cWopQptxzaUYB0Jju25V4IOypqbC7\
    fAQtndnroyVNBtD8+7dkKiutVP5+7CTAqby6/vRiVpq7McldhI2thkVoXTlM09XHsSSylMaRt+GlepxahS5xm0U7b70Kaz\
    mEjh/lULb8FDdW/ePdWMVtLmbLd34BkJXvV4HmEOtciY5u6Cm7ITLte/wkAKTy3LeY3pFMY9qXmPQio2qn7fBzSFf9AI0y\
    ccoAp12+s/Y5ASxqJxzOKG3/h7+QO+7Mi7TT1JF07s28ZgLvGmNESOrMJSOZbGsXSOZXAss0F8ff5m+ANTDc9f/VYMDa8u\
    C/9S1PFk2LA+YtsEBAQEBAQEBAQEBAQEBAQEBAQEBAQE/kPwUyUFjh1L3jOw4t7ZkKkk2UgkI5GNxGskKUaSaiRpRpJuJB\
    lGkmmcTknJHJM4JnPMyzFuNiZxszGJm41J3GxM4mZjEudF5rzInBeZ8yJzXmTOi8x5kTkvMudF5rzInBcv58XLefFyXrze\
    H873vgEx5VtYcCMAAA==
    """
  static let doubling = """
    H4sIAAAAAAACA+3XTyiDcRzH8d+e/THPxkosTZLigkKNZNJai0ltmj+HnXBYDlOITMqSE+6cOG3aRWoUk1piB22XHTStdl\
    orczCH7WKEbL/y+5345Mb38vT+9Xvq9fT8Ds9DyP/85dm0mAcqRJ0oVSoJEYprb6VZ0xS7o7S3saHWZLOY7QJxC1VfN9IR\
    BSIhRKEmHxfJ1HHptlJP0yY9OPesaUX/DYJWTmSfT0Mt3RLWQpu0/5hwvrWYQAhBjhDECR6Npxoh9AksgTZA8M/tVCKEEE\
    cI4QTx1u5ECCYpS6ANEJovXEcIIcwRwjhhcNdwghAsMpZAGyA8mnIbCCHCESI44SCaqEcIVjlLoA0QFDejdwghxhFiOGGk\
    7VWLEMYULIE2QFC1vkBnIc4R4jjBuDp8jRAcZSyBNkBo2bucQAhJjpDECfpAZwYhTCpZAm2AUFez5EMIKY6QwglPXf4cQn\
    CWswTaAMERTRoRQoYjZHCC1798iBBcIkugDRBmesf7EUKWI2RxQjo/C324LahYAm2AYL33DSGEPEfI44Sr5/A2QnCrWQJt\
    5EWcpg0IocARCjgh4CW6nxCI7df/vOYf9tffAW5Xggd+DwAA
    """
  static let nineAxes = """
    H4sIAAAAAAACA2NgGAUjGXR6uLjxcklxMXNwMDAwQcT+QwELF4RvAFX7bPv3Nf4eLkFMDBVMQsgKYYCLiYGRgYGNhwFIMV\
    ZshtnhQT3nZv6UqQE7AWgB4xSgizkZGRmhcoOFZhZhYBRUkGdgAfMUGMQ5GMTrgSxWYOgwc3EAQ46ZkYEDopYF5jED0sPi\
    0309ltEEPApGwSgYBaOAbAAAJ4bMJwQKAAA=
    """
  static let bigEndian = """
    H4sIAAAAAAACA2NgGAUjGXR6uLjxcklxMXNwMDAwQcT+QwEHF4RvAFW7KGaRur+HSxATQwWTELJCGOBiYmBkYGDjYQBSjB\
    WbYXZ4UM+5mT9lasBOAFrAKAJ0MSMjI9TVMNczMIswMAoqyjOwgHkKDOIcDOL1QBYr0HXMXBxAlzMzMnBA1HLADN4w9KLO\
    6zXYW6NgFIyCUTAKRgH5AABGBuoGCAoAAA==
    """
  static let int16 = """
    H4sIAAAAAAACA2NgGAUjGXR6uLjxcklxMXNwMDAwQcT+QwELF4RvAFX7bPv3Nf4eLkFMDBVMQsgKYYCLiYGRgYGNhwFIMV\
    ZshtnhQT3nZv6UqQE7AWgBowjQxYyMjFBXw1zPwMzDwCgA940AAyvQVcxcHEAXMzMycEDUsMAM3DF0o47jRcbW0QQ8CkbB\
    KBgFo4BsAAA82K1lBAoAAA==
    """
  static let records = """
    H4sIAAAAAAACA2NgGAUjGXR6uLjxcklxMXNwMDAwQcT+Q4EAF4RvAFWrNGNKi7+HSxATQwWTELJCGOBiYmBkYGDjYQBSjB\
    WbYXZ4UM+5mT9lasBOAFrAKAJ0MSMjI9TVMNczMBswMJoBOUAPMaQB3S6oIM/AApZRYBDnYBCvB4kbMrAIABXAxFmBLmfm\
    4gD6ipkRrBEIBGCWThmcUVf6dV3NaAIeBaNgFIyCUUAVAABsNKRlEAoAAA==
    """
  static let nullSpace = """
    H4sIAAAAAAACA2NgGAUjGXR6uLjxcklxMXNwMDAwQcT+Q8F+ZgjfAKq2S2F2p7+HSxATQwWTELJCGOBiYmBkYGDjYQBSjB\
    WbYXZ4UM+5mT9lasBOAFrAyAJ2MROzCAOjoII8AwtYhQKDOAeDeD2QxQp0DTMXB9ClzIwwF8INOjD0o67YvlEHAF0f9cy/\
    AwAA
    """
  static let deepGroups = """
    H4sIAAAAAAACA2NgGAUjGXR6uLjxcklxMXNwMDAwQcT+Q4G2OIRvAFPMz3rC38MliImhgkkIWSEMcDExMDIwsPEwACnG9M\
    0wbR7Uc+4ioXUmJDjBjJH6Tph4a2UACU7YSQMnbNyr6UiCE2yYqO+EA2aRZ0hwwn4aOMHG4sNREpzgxEx9J5zRdmYjwQlH\
    aeCEMLU6LxKc4MFCfSdY9wp/JcEJp2nghJSFDfEkOMGPlfpOEMzUcyDBCRdp4IQ3Ya8Ok+CEEDbqO2HFgzP7SXDCdRo4wV\
    O/lIUEJ0SxU98Js9Z32ZLghLs0cML6jRHPSHBCAgf1nXCHzdWTBCc8poET/jtePUKCE9I4qe8Et0fF/SQ44SUNnGD+/Pxj\
    EpyQw0V9J2Qmh3CR4IT3NHBCu9xzPhKcUMRNfScId6ipkuCErzRwQlvlxdkkOKGChwZNlpbMPBKc8JsGTsgoDflCghPqeK\
    nvhK4X07+T4ARGPuo7YcGsXYIkOKGFBk54deN7NAlOYOenvhNUN7guJMEJXTRwgt3HSFI6dLwC1HfCtyvHl5PghAk0cMKV\
    HKFyEpwgLEh9J3QUul0nwQnTaOCEDd8+SpDgBEkh6juhMsVdmgQnzKGBEyQ23d1MghPkhanvhOpZPYtJcMIiGjjhsetfcx\
    KcoCpCfSc8j+6/TIITVtDACZeV9AKJcAJDBO2GSY/uPLEGAFVMZ3QrFwAA
    """
  static let overflow = """
    H4sIAAAAAAACA2NgGAUjGXR6uLjxcklxMXNwMDAwQcT+Q8F+ZgjfAKq2S2F2p7+HSxATQwWTELJCGOBiYmBkYGDjYQBSjB\
    WbYXZ4UM+5mT9lasBOAFrAqAJ0MRMj0EaGBqg0VppZhIFRUEGegQUspMAgzsEgXg9ksQJdy8zNAfQJCxMDMyOjAAszF8wn\
    DAsGf9QlzTx4HQA84824vwMAAA==
    """
  static let badText = """
    H4sIAAAAAAACA2NgGAUjGXR6uLjxcklxMXNwMDAwQcT+QwETF4RvAFU74cmZEn8PlyAmhgomIWSFMMDFxMDIwMDGwwCkGE\
    s2w+zwoJ5zo3hnzwI7AWgBIwvExcwcDIzCjBA2K9AFzFwcQNcxMzJwQPQwwTSfGV5Rd30Jx7zRBDwKRsEoGAWjgCzw/x8A\
    UzGJoAIKAAA=
    """
  static let hugeChunk = """
    H4sIAAAAAAACA2NgGAUjGXR6uLjxcklxMXNwMDAwQcT+Q8F+ZgjfAKq2S2F2p7+HSxATQwWTELJCGOBiYmBkYGDjYQBSjB\
    WbYXZ4UM+5mT9lasBOAFrAKAJ0MSMjIxNCWgBEMIswMAoqyDOwgIUUGMQ5GMTrgSxWoOuYuTnEGRhYmBiYQLICIIKZC+Z8\
    htVDKuqqVu+eCwCS8JFtvwMAAA==
    """
  static let foreign = """
    H4sIAAAAAAACA+1cb2wURRR/s3fXLtcC2/Lnyp/IgYmpCdJSDzkJptde73rRBkqvtURN015725ZU0LYXLxqhkhBLjAmIQE\
    2MMfEL0ZhoPyHxg39ibA2JJIiIn9RiiHwiIcYPRnFmdt792d7uXQH1js4vaWfnzZs/9/bN23lvZ/ZopCW81L3WDQyqCk7Q\
    IBO3BKZbs/NY3itSItJJkZ5RkO7kZTWCron2p8qz63d2hEIAjlT75n7qnUbqxXY8Rvoc9veQkbaDxL2ISKiJ39peoWhnkN\
    6Eekay9KxK6Jm3wcgHfEYajkZD0BsUlWYBtrNaHwbHynL3S8Bl6DbBvNEDIQZBqHkqddByVlLlXS5oGrhd4F4uyl2g8nJF\
    UXgDqmjPQeglh9M0gsmiug/RXbtbCJTDXpEfWmPPj6PXttrziR8PXoc9H1qnpMueD/Vgssye75hIZ5RsO2bWG695AHeI+X\
    pVa6RKbr2y1LONG4TGeMGjgudQXj1zqrl/SPJ/1SsmD8VmnhHTcyY9zxqF7gTAVwG+W458v3+lmq1xxTnPlJQGn2k20h3B\
    zHK3+H1p1N5eR374rHGCSY/+0X8Bet3FcanxVvl3f28m4hk8wf79mX4wo6JNsEx5xsqAgcAMYVo5tT77rlHrFjAPINnT3z\
    sQ0/vi/dd+uvqL7qVa4D4FwWTP3M+/znm0ldWrq1atGGTkTQfhYrLnxLE33zh1/OSJ7vbODs69Qyf9yZ7onq7ooJd2tG4f\
    nJbPSwkJCQkJiYWtQ/P5Nxpn1VSsouZZb61Xs1swr7zvHXkoGetqa3ncZ+Hn3WPygELlsWlxyEOFlJ9iL48HLPyzxSqPRx\
    aHPFIzwJtHHmEL/7U45VFqwPgWetNaVT732UD9Cns+dHsDK+35MApzY4s93wRe1NvzDWF0Y509H8bRpzb/N/NgfjwnPQ8K\
    swu7SmoeLNwu1BrxbAXmrbfCTW3RELB3Jl0hFKK1nJ60WH8lS0weaf0obN25t8TXnappfhjxzjVUPpqtHMAkh6csnp9TRW\
    2HW4O720jGsFEOuEocjyfHM/l/WC6fXRISEhISEhISEhISEhISpYZC4yEL3/+1zyJuWNzxECMu7UqNEndaYXTrXRN/r0iT\
    a+3bxfCxt9qeLyLS9lX2fLj/em9NaemVIgKFab1a6L5K84710tCrhcdhk5x1tWLMIL2+sH5yyVMXe4Kdeeqy2DfWtZb/qE\
    Wcs/auyiPLCJEC4tIO0zgVJa0oWuYWzuKMSxvnMojluYyZbbmtqcTiAJ7LwPMAOPt6fdl8L5qmTuSO7VaZ7f55N2TbFnM+\
    cx9CzvfuYt5WgJ/niYJ2UOUnTcaGEro+Ek+1RwR9IK6P9I2n6el579C2Y9dGl4IlcBfXB6lDJHDWJ3Xzdu0dO7NmtneePP\
    UOC8F7IH2Tc+EtE5/V8ZSPBB++1lpiwfe1yfAuMem5U95SCQkJCQkJCYl/Fbo4N6z7YnGeig2iwyLWMSzKEyIdxnK/Pjw+\
    Ruli3Z4Q9JhoNyHqj4n8WH/fSN8owP7EyAjLj8b7Df7hQZ4OIt8Bne+TqhMDQf/rbInJNdwRaYdy7oBlBHhwdT6LXieekT\
    WHrQRWFdibM6MmEd4hgekQ0r74sftwc2ekxTi0XEEpA7XTQewDe+mM7msLRykXzJq8XzKvv3ZIcg/UKLkhesfgLaavXLju\
    bu5sC4Pr5uNXVHBT7qVAHq2ogDpgl++da9wMHkqthsuxnofhL07d47+0DZ7gl4/5N+yEOX7527nY0/AasE8lvHxxyzMwwK\
    mNr+8fhLe547FrNPosfM+pB2veeQG+4rwnv/z9EP+FldDXoh2B5zmDo0Y7Cjt5tZu7Xz0On3CG5u5vPoaN9HIZKNqxT+FB\
    wi7vvzr3OXzAqZXvXzsPN3gLXdHr3/IoQiW09tVdgYOc+tLlZeelUcmeCZGW5tShcIYjs39coK5/DD/FQMBBrQB+cIGAoj\
    fgVxWoZ8sME348gZX58QsJtInB9FcQFGqwtHSmAffBs4wfN7sTKDPsFu5qp+0zg4Sb1+lImF2qT3UwhtvQaU3DguF+c6IS\
    J7NVDmapaCeJrfjmgmUa8PUEy/jwHQTL+PFFA1EDjnhynPq/B7YMbYM6FqZ26P5Yvg9AlBz+AbDj65qyRwAA
    """

  static let checksums = """
    H4sIAAAAAAACA+2ab0gTYRzHf3fzz7WWu8bMispFvugfNCsoInA5yUHGJHohFDSby6S1iYxUEBoRYRExokIiRCJMJUIqRezfiJCg\
    N0IvtFdJFgi9qJdB9Of77O7EWcmqHRr8PvDhtueem8/zfe4eH+7uvK9i7xLrSqtFUcjgu453j/bdrZe/b+3s9fsqDsjUIjtmVjSw\
    yiQRqSrRx1ztkC36oXkFhF2WY6Hmp5JeYhclOZFoJPRSTitqbqgLjVn0A22URmH9w0OpJkgkSSVEsixJVn3f77YWJ0lLXcWUk/rm\
    oiKFik7jUy5aa7Eq6IlFIr33Cb11hQ5RfXb/bGWoSwVolJMoXBsLRWJHgk3BbVuDhD5P/wG0SdK7RDLNopKyRWlvdMCMLBKLMsrC\
    m3EWxlgaWw+Jcdaz8WYliz6H87EZWbgWZ5TFjoyz+Knlfso2A18Cg2Zk0W/LKIvKObNQ9DPgV9eI8cPTIZX9cxZv9r8uMSMLT8Gf\
    zBdOsTM9ixU4FUQe6nR/lVQO4vOofUYO2ZsvXn2r6fZ7ffvE/LwxXyszrj596o2FWmKTWr/pw+qrDWZEN1ps8lQrfjg/u9FtWtc2\
    IqLLU0VMuUfD0eCJ+0Z0WllzUzRSvyYvLc6TtZHWwFqt6N2uQgctVOJl2rTsgXHYBZNwQkzVWAWo0AXd0AOrYQA2wjhshwnYAbtg\
    D+yHQzAJX8BROA4n4BT8BD+LFUY5hhMq0AZV6ITL4SrogiVwPdwM3XA73Al3Qw+sgD5YBavhQVgDD8MArIPHYRg2whhsgW0wDs/A\
    s/AcbIcX4EV4CSbgZXgFXoMd8Dq8ATthF7wJb8Fu2AP74B14F/bDe/ABHIRDcBg+gk9gEj6Dz+FIOY8HjwePB48HjwePx9+MR6XX\
    X5VaWKnpa2ljWzvrP/+4nRiGYRiGYRiGYRiG+S/h+zEL5X6MGU/QAhu0unM/QROP+QKlWo1J4y7Pqfk6I/uSy77ydckwDMPweozX\
    Y/P3vJJhGIZhzEW8NWobs2f6LuuU/o68sWUYhmEYhmEYhmEYZv4JvW28/QOTRgeWQ0EAAA==
    """

  static let neverWritten = """
    H4sIAAAAAAACA+3Wf4zXcxwH8Nfn+73L19elK6fLiQ5FcjiEJPrWXTlEJ0USLi6F4ii6iL4luX46KWvW7JhxM7Mjs1jjZkYzs2Zm\
    zbCbmTUza4Y1Mzyu+343s9n4s+2e+z6+z8/7/X1/vvt83p8/vt91DfVTB2arsulMJor5s5Cusr5xbWH+uV8W7JzeUD8jFa2pIX9f\
    WEw2FUnEAKclkbTuLJxWGC9/NymMB/WOS5bMWzy/OBWj4r/lw91z3jp0Cb4wqYhIJUnSXPis2OmKSAZXj4iSQ6PqqMxE5UpHpdlI\
    0mP6ZntyGXeQTopX3l68kM44bDLrq2U7/rkXNYX7KPa/7oUnlc727UEUnnxX36IYWmp5qvfopcNmL8a/tqEq+tOf/vSnP/83+Yne\
    cl7k6aA71/szaX5SRDnV1JKjkSZayNNGO9vpoJMudtHNHvayjx72c4CDxOSIEjKUUU4FwxhONSMZTQ21jGUcE8hRTwPTaGQms5lL\
    E80sZBEtLKWVFeRZzRrW0sZ6NrKZdrawlafZzjPs4Fk6eJ4XeJFOXuYVXqWL13mDN9nF2+zmHbp5j/f5gD18xMd8wl4+5TM+Zx9f\
    8CVf08M3fMt37Od7fuBHDvATP/MrB/mN3/mDqPN3jBRpSihlAEeQ4UiyHEUZAzmaQZQzmCEcQwXHMpRKhnEcVRzPcE7gREZQzUmc\
    zCmMZBSnchqjOZ0xnEENZ3IWZ1PLOZzLeYzlfC7gQsZxEeO5mAlcwqVMJMckJlNHPVOYymU0cDlXcCXTuIqrmU4j1zCDa5nJLK7j\
    emZzA3O4kbncxM3cQhPzuJXbaGY+t7OAhdzBndzFIhZzN/fQwr3cxxKWcj8PsIxWlvMgD7GCh3mEleTrIk+s0sRqTTyqiTWaeEwT\
    azXxuCbaNLFOE+s1sUETGzWxSRObNfGEJto18aQmtmjiKU1s1cQ2va3uLwzd8e6wDAAA
    """

  static let neverWrittenBehind = """
    H4sIAAAAAAACA+3Wf4zXcxwH8Nf3vnf5+rrqyulyoi+K5HAISfStOzlEJ0WSXFyE4ii6SH0lubrkpKxZs5sZNzM7P2axxs2MZmbN\
    zJphNzNrmDUza2Z4dN/vdzObjT+b72vfx+f5fb2/7+9378/78/3u+4ko1f+5NjQ1Th+crk0nU6mIsvzYH4XqHZLv6wtzO1d/v2Bm\
    U+OssmgvG/7XicVKl0UiYlBliET7a4W3FfqV7yQK/dCDffmyhUsXFYdi7L9c7ge75r05sAQfmKi24kQi0Vp4rZjJ6kgMy4yO8oEu\
    EzWpqFnjWUU6Esnx+dH+bMoZJBPFlXcVF9Jz6Fy6OV+u2PH3vagrnEcx/3EvXKlkOr8HkcrP7c1PihEVpg98FV44ZPZi0iudtaUf\
    c6lKVapS/efKTXHIepCjm77swb9J41MjqshQT5ZmWmgjRwddbKebHnrZSR+72cNe+tnHfg4Q0yLKSVFJFdWMZBQZxjCOOuqZwEQm\
    k6WRJmbQzGzmMp8WWlnMEtpYTjuryLGWdayng41sYjNdbGErT7Gdp9nBM3TzLM/xPD28yEu8TC+v8jpvsJO32MXb9PEu7/E+u/mQ\
    j/iYPXzCp3zGXj7nC76in6/5hm/Zx3f8wI/s5yd+5hcO8Cu/8TvR4HaMMpKUU8EgDiPF4aQ5gkoGM4ShVDGM4RxJNUcxghpGcjS1\
    HMMojuU4RpPheE7gRMYwlpM4mXGcwnhOpY7TOJ0zqOdMzuJsJnAO53IeEzmfSVzAZC7kIqaQZSrTaKCRi5nOJTRxKZdxOTO4giuZ\
    STNXMYurmc0cruFa5nId87ie+dzAAm6khYXcxM20sohbuJXF3Mbt3MESlnInd9HG3dzDMpZzL/exgnZWcj8PsIoHWc0acg2RIx6S\
    xFpJPCyJdZJ4RBLrJfGoJDoksUESGyXRKYlNknhMEpsl8bgkuiTxhCS2SOJJSWyVxDa5reFPZySqi7AOAAA=
    """
}
