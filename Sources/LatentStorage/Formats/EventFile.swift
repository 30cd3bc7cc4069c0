// Files that TensorBoard opens: records, each with its length and two checksums, of messages of Protocol Buffers
// (tensorflow/core/util/event.proto, framework/summary.proto; the record format is that of TFRecord).

import CLatentDigest
import Foundation
import LatentNumerics

/// Something that TensorBoard shows.
public enum EventValue: Sendable {
  /// A number, in float32 as TensorBoard keeps it.
  case scalar(Double)
  /// A picture `[height, width, channels]` of 1 or 3 channels, of bytes.
  case picture(NDArray)
  /// How numbers are spread.
  case histogram(Histogram)
  /// Markdown.
  case text(String)
}

/// How many numbers lie between edges, with what TensorBoard shows beside.
public struct Histogram: Sendable, Hashable {
  /// The upper edge of each bin, rising; the first bin begins at `smallest`.
  public let edges: [Double]
  /// How many numbers lie in each bin.
  public let counts: [Double]
  let smallest, largest, sum, squares: Double

  /// Of numbers in bins of equal width from the smallest to the largest; those that are not finite are left out.
  ///
  /// Traps unless there is a bin.
  public init(
    of values: [Double], bins: Int = 30, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(bins > 0, "a histogram of \(bins) bins", file: file, line: line)
    let finite = values.filter(\.isFinite)
    let (low, high) = (finite.min() ?? 0, finite.max() ?? 0)
    let width = (high - low) / Double(bins)
    var counts = Array(repeating: 0.0, count: bins)
    for value in finite {
      counts[width > 0 ? min(bins - 1, Int((value - low) / width)) : 0] += 1
    }
    self.counts = counts
    edges = (1...bins).map { $0 == bins ? high : low + width * Double($0) }
    (smallest, largest) = (low, high)
    sum = finite.reduce(0, +)
    squares = finite.reduce(0) { $0 + $1 * $1 }
  }
}

/// A file of events, which grows: TensorBoard reads it while it is written.
///
/// Every call leaves whole records; what a kill cuts off, TensorBoard leaves alone.
public final class EventFile: Sendable {
  /// Where it lies.
  public let path: String
  private let handle: FileHandle

  /// A new file `events.out.tfevents.*` in a folder, which is made where it is missing. Files of earlier runs stay:
  /// what they have from `step` on, TensorBoard drops.
  ///
  /// - Throws: `StorageError.cannotWrite`.
  public init(in folder: String, continuingAt step: Int, now: Date = Date()) throws {
    try Folder.create(folder)
    (path, handle) = try EventFile.created(in: folder, at: now)
    try write(at: now) { $0.put(3, "brain.Event:2") }
    // A session that starts at a step.
    if step > 0 { try write(at: now, step: step) { $0.put(7) { $0.put(1, 1 as Int64) } } }
  }

  /// Values by their tags (`train/loss`), as of a step.
  ///
  /// Traps for pictures of other forms. - Throws: `StorageError.cannotWrite`.
  public func add(_ values: [(tag: String, value: EventValue)], step: Int, now: Date = Date())
    throws
  {
    if values.isEmpty { return }
    let pictures = try values.map { item -> [UInt8]? in
      if case .picture(let image) = item.value { try PNG.encode(image) } else { nil }
    }
    try write(at: now, step: step) { event in
      event.put(5) { summary in
        for ((tag, value), png) in zip(values, pictures) {
          summary.put(1) { EventFile.put(value, png, tag, &$0) }
        }
      }
    }
  }

  /// What the run was asked to do and which numbers it is to be compared by, for the page of hyper-parameters.
  ///
  /// - Throws: `StorageError.cannotWrite`.
  public func add(
    settings: [(name: String, value: String)], comparedBy tags: [String], now: Date = Date()
  ) throws {
    let seconds = now.timeIntervalSince1970
    try addPlugin("experiment", now) { data in
      data.put(2) { experiment in
        experiment.put(3, seconds)
        for (name, value) in settings {
          experiment.put(4) {
            $0.put(1, name)
            $0.put(4, Int64(Double(value) == nil ? 1 : 3))
          }
        }
        for tag in tags { experiment.put(5) { $0.put(1) { $0.put(2, tag) } } }
      }
    }
    try addPlugin("session_start_info", now) { data in
      data.put(3) { session in
        for (name, value) in settings {
          session.put(1) { entry in
            entry.put(1, name)
            entry.put(2) {
              if let number = Double(value) { $0.put(2, number) } else { $0.put(3, value) }
            }
          }
        }
        session.put(5, seconds)
      }
    }
  }

  // MARK: Records

  private static func created(
    in folder: String, at now: Date
  ) throws -> (path: String, handle: FileHandle) {
    let own = "\(Int(now.timeIntervalSince1970)).\(ProcessInfo.processInfo.processIdentifier)"
    // One process may begin several in a second.
    var number = 0
    while true {
      let path = "\(folder)/events.out.tfevents.\(own).\(number).latent"
      let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o666)
      if descriptor >= 0 {
        return (path, FileHandle(fileDescriptor: descriptor, closeOnDealloc: true))
      }
      guard errno == EEXIST else {
        throw StorageError.cannotWrite(
          file: path, action: "creating it", reason: systemMessage(errno))
      }
      number += 1
    }
  }

  private func addPlugin(
    _ name: String, _ now: Date, _ fill: (inout ProtobufMessage) -> Void
  ) throws {
    try write(at: now) { event in
      event.put(5) { summary in
        summary.put(1) { value in
          value.put(1, "_hparams_/\(name)")
          // The page looks for a tensor, however empty.
          value.put(8) { tensor in
            tensor.put(1, 1 as Int64)
            tensor.put(2) { _ in }
          }
          value.put(9) { metadata in
            metadata.put(1) { plugin in
              plugin.put(1, "hparams")
              plugin.put(2, fill)
            }
          }
        }
      }
    }
  }

  private static func put(
    _ value: EventValue, _ png: [UInt8]?, _ tag: String, _ message: inout ProtobufMessage
  ) {
    switch value {
    case .scalar(let number):
      message.put(1, tag)
      message.put(2, Float(number))
    case .picture(let image):
      message.put(1, tag)
      message.put(4) {
        $0.put(1, Int64(image.shape[0]))
        $0.put(2, Int64(image.shape[1]))
        $0.put(3, Int64(image.shape[2]))
        $0.put(4, png ?? [])
      }
    case .histogram(let histogram):
      message.put(1, tag)
      message.put(5) {
        $0.put(1, histogram.smallest)
        $0.put(2, histogram.largest)
        $0.put(3, histogram.counts.reduce(0, +))
        $0.put(4, histogram.sum)
        $0.put(5, histogram.squares)
        $0.put(6, packed: histogram.edges)
        $0.put(7, packed: histogram.counts)
      }
    case .text(let text):
      message.put(1, "\(tag)/text_summary")
      message.put(8) {
        $0.put(1, 7 as Int64)  // strings
        $0.put(2) { $0.put(2) { $0.put(1, 1 as Int64) } }
        $0.put(8, text)
      }
      message.put(9) { $0.put(1) { $0.put(1, "text") } }
    }
  }

  private func write(at time: Date, step: Int = 0, _ fill: (inout ProtobufMessage) -> Void) throws {
    var event = ProtobufMessage()
    event.put(1, time.timeIntervalSince1970)
    if step != 0 { event.put(2, Int64(step)) }
    fill(&event)
    let length = withUnsafeBytes(of: UInt64(event.bytes.count).littleEndian, Array.init)
    let record =
      length + EventFile.checksum(length) + event.bytes + EventFile.checksum(event.bytes)
    do {
      try handle.write(contentsOf: record)
    } catch {
      throw StorageError.cannotWrite(
        file: path, action: "writing to it", reason: error.localizedDescription)
    }
  }

  /// CRC-32C, turned and moved, so that a checksum of checksums is none of the bytes themselves.
  private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
    let plain = bytes.withUnsafeBytes { latent_crc32c($0.baseAddress, $0.count) }
    let masked = (plain >> 15 | plain << 17) &+ 0xa282_ead8
    return withUnsafeBytes(of: masked.littleEndian, Array.init)
  }
}
