// As much of the wire format of Protocol Buffers as it takes to write: numbers of fields with their kinds, varints,
// fixed-size numbers, and bytes with their length before them.

/// A message on its way to bytes, fields in the order in which they are put.
struct ProtobufMessage {
  private(set) var bytes: [UInt8] = []

  private enum Kind: UInt64 {
    case varint = 0
    case eight = 1
    case delimited = 2
    case four = 5
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(rest & 0x7f) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func begin(_ field: UInt64, _ kind: Kind) { varint(field << 3 | kind.rawValue) }

  mutating func put(_ field: UInt64, _ value: Int64) {
    begin(field, .varint)
    varint(UInt64(bitPattern: value))
  }

  mutating func put(_ field: UInt64, _ value: Double) {
    begin(field, .eight)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
  }

  mutating func put(_ field: UInt64, _ value: Float) {
    begin(field, .four)
    withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
  }

  mutating func put(_ field: UInt64, _ value: [UInt8]) {
    begin(field, .delimited)
    varint(UInt64(value.count))
    bytes += value
  }

  mutating func put(_ field: UInt64, _ value: String) { put(field, Array(value.utf8)) }

  mutating func put(_ field: UInt64, _ fill: (inout ProtobufMessage) -> Void) {
    var message = ProtobufMessage()
    fill(&message)
    put(field, message.bytes)
  }

  /// Numbers of a repeated field in one piece.
  mutating func put(_ field: UInt64, packed values: [Double]) {
    put(field, values.flatMap { withUnsafeBytes(of: $0.bitPattern.littleEndian, Array.init) })
  }
}
