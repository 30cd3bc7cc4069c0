// The numbers that other programs store, and what they become here: always the same number. Narrow
// types widen to one of the library's types, and 32 and 64 bit integers must fit int32. Nothing is
// rounded; what does not fit is refused with its place.

import LatentNumerics

/// A number type of a file, named as NumPy names it.
enum StoredNumber: String, CaseIterable {
  case f2, f4, f8
  case i1, i2, i4, i8
  case u1, u2, u4, u8
  /// A byte, where everything but 0 is true.
  case b1

  var size: Int {
    switch self {
    case .i1, .u1, .b1: 1
    case .f2, .i2, .u2: 2
    case .f4, .i4, .u4: 4
    case .f8, .i8, .u8: 8
    }
  }

  /// The type that it becomes.
  var dtype: DType {
    switch self {
    case .f2, .f4: .float32
    case .f8: .float64
    case .i1, .i2, .i4, .i8, .u2, .u4, .u8: .int32
    case .u1, .b1: .uint8
    }
  }

  /// Reads the elements of an array.
  ///
  /// - Throws: `StorageError.damaged` where the stream ends too early, `.unsupported` for an integer
  ///   that does not fit int32; and what the stream throws.
  func read(
    from stream: inout some ByteStream, shape: Shape, bigEndian: Bool
  ) throws -> NDArray {
    switch self {
    case .f4, .f8, .i4, .u1, .b1:
      return try NDArray(shape: shape, dtype) { buffer in
        try stream.fill(buffer, place: "the elements")
        if bigEndian { buffer.reverseBytes(size: size) }
        // As in NumPy, every byte but 0 is true.
        if self == .b1 { for index in buffer.indices where buffer[index] > 1 { buffer[index] = 1 } }
      }
    case .f2:
      return try widened(&stream, shape, bigEndian, UInt16.self) { bits, _ in
        Float(Float16(bitPattern: bits))
      }
    case .i1:
      return try widened(&stream, shape, bigEndian, Int8.self) { number, _ in Int32(number) }
    case .i2:
      return try widened(&stream, shape, bigEndian, Int16.self) { number, _ in Int32(number) }
    case .u2:
      return try widened(&stream, shape, bigEndian, UInt16.self) { number, _ in Int32(number) }
    case .u4: return try narrowed(&stream, shape, bigEndian, UInt32.self)
    case .i8: return try narrowed(&stream, shape, bigEndian, Int64.self)
    case .u8: return try narrowed(&stream, shape, bigEndian, UInt64.self)
    }
  }

  private func narrowed<Word: FixedWidthInteger>(
    _ stream: inout some ByteStream, _ shape: Shape, _ bigEndian: Bool, _ word: Word.Type
  ) throws -> NDArray {
    let name = stream.name
    return try widened(&stream, shape, bigEndian, word) { number, index in
      guard let narrow = Int32(exactly: number) else {
        throw StorageError.unsupported(
          file: name, place: "element \(index)", found: "\(number)",
          expected: "integers that fit 32 bits, or floats")
      }
      return narrow
    }
  }

  /// The elements one by one, from pieces of the file.
  private func widened<Word: FixedWidthInteger, Element: ArrayElement>(
    _ stream: inout some ByteStream, _ shape: Shape, _ bigEndian: Bool, _ word: Word.Type,
    _ convert: (Word, Int) throws -> Element
  ) throws -> NDArray {
    try NDArray(shape: shape, Element.dtype) { buffer in
      let target = buffer.bindMemory(to: Element.self)
      let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
      defer { piece.deallocate() }
      var done = 0
      while done < target.count {
        let count = min(piece.count / size, target.count - done)
        try stream.fill(
          UnsafeMutableRawBufferPointer(rebasing: piece[..<(count * size)]), place: "the elements")
        let words = piece.assumingMemoryBound(to: Word.self)
        for index in 0..<count {
          let number = bigEndian ? Word(bigEndian: words[index]) : Word(littleEndian: words[index])
          target[done + index] = try convert(number, done + index)
        }
        done += count
      }
    }
  }
}
