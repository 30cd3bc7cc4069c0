// Numbers as they lie in files. Sizes are multiplied with overflow checks only.

import LatentNumerics

extension UnsafeRawBufferPointer {
  func littleEndian<Word: FixedWidthInteger>(at offset: Int, as type: Word.Type) -> Word {
    Word(littleEndian: loadUnaligned(fromByteOffset: offset, as: Word.self))
  }
}

extension UnsafeMutableRawBufferPointer {
  func store<Word: FixedWidthInteger>(littleEndian value: Word, at offset: Int) {
    storeBytes(of: value.littleEndian, toByteOffset: offset, as: Word.self)
  }

  /// Turns every element of `size` bytes around.
  func reverseBytes(size: Int) {
    guard let base = baseAddress, size > 1 else { return }
    if size == 4 {
      let words = base.assumingMemoryBound(to: UInt32.self)
      for index in 0..<(count / 4) { words[index] = words[index].byteSwapped }
    } else {
      let words = base.assumingMemoryBound(to: UInt64.self)
      for index in 0..<(count / 8) { words[index] = words[index].byteSwapped }
    }
  }
}

extension [UInt8] {
  mutating func append<Word: FixedWidthInteger>(bigEndian value: Word) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
  }

  mutating func append<Word: FixedWidthInteger>(littleEndian value: Word) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}

/// The product of `factors`, none negative, or nil where it does not fit 63 bits.
func checkedProduct(_ factors: some Sequence<Int>) -> Int? {
  var product = 1
  var overflow = false
  var zero = false
  for factor in factors {
    if factor == 0 { zero = true }
    let (value, overflowed) = product.multipliedReportingOverflow(by: max(factor, 1))
    product = value
    overflow = overflow || overflowed
  }
  if overflow { return nil }
  return zero ? 0 : product
}

extension DType {
  /// The name in messages and documents.
  var name: String { rawValue }
}
