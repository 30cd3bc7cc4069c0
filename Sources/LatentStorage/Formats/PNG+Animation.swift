// Animated PNG (APNG, part of the third edition of the PNG specification): the frames of one size after each other, the
// first of which is the picture that readers without animation show.

import LatentNumerics

extension PNG {
  /// The bytes of an animated PNG file that plays `frames` in turn.
  ///
  /// - Parameters:
  ///   - frames: one or more images, all of one shape; see ``encode(_:)`` for it.
  ///   - delays: how long each is seen, in milliseconds from 0 to 65,535; as many as there are frames.
  ///   - plays: how often all of them are played; 0 is without end.
  /// - Throws: `StorageError.notStorable` for anything else.
  public static func encode(
    frames: [NDArray], delays: [Int], plays: Int = 0
  ) throws -> [UInt8] {
    guard let first = frames.first, frames.allSatisfy({ $0.shape == first.shape }),
      delays.count == frames.count, delays.allSatisfy((0...Int(UInt16.max)).contains),
      (0...Int(Int32.max)).contains(plays)
    else {
      throw StorageError.notStorable(
        name: "an animated PNG image",
        found: "\(frames.count) frames, \(delays.count) delays, \(plays) plays",
        expected: "frames of one shape with a delay each, from 0 to 65535 milliseconds")
    }
    var control: [UInt8] = []
    control.append(bigEndian: UInt32(frames.count))
    control.append(bigEndian: UInt32(plays))
    var bytes = signature + chunk("IHDR", try header(first)) + chunk("acTL", control)
    // Frame controls and the data of frames after the first are numbered together.
    var number: UInt32 = 0
    for (index, frame) in frames.enumerated() {
      var frameControl: [UInt8] = []
      frameControl.append(bigEndian: number)
      frameControl.append(bigEndian: UInt32(frame.shape[1]))
      frameControl.append(bigEndian: UInt32(frame.shape[0]))
      // At the left upper corner.
      frameControl += [UInt8](repeating: 0, count: 8)
      frameControl.append(bigEndian: UInt16(delays[index]))
      frameControl.append(bigEndian: UInt16(1000))
      // The frame stays until the next one, which replaces it.
      frameControl += [0, 0]
      bytes += chunk("fcTL", frameControl)
      number += 1
      if index == 0 {
        bytes += chunk("IDAT", pixels(frame))
        continue
      }
      var data: [UInt8] = []
      data.append(bigEndian: number)
      bytes += chunk("fdAT", data + pixels(frame))
      number += 1
    }
    return bytes + chunk("IEND", [])
  }
}
