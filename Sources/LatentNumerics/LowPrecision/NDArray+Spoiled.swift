// Integers have neither NaN nor infinities: what reads its rows as integers would turn either into a
// plausible number. The passes that make the integers tell whether there were some, which is free,
// and the results of those rows become NaN.

import CLatentKernels

/// A mark for each piece of a job, set from the pool.
struct PieceMarks: Sendable {
  private let marks: NDArray

  init(_ count: Int) { marks = NDArray(repeating: 0, shape: [count], .uint8) }

  func set(_ index: Int) {
    marks.freshPointer.storeBytes(of: 1, toByteOffset: index, as: UInt8.self)
    keepAlive(marks.storage)
  }

  var isAnySet: Bool {
    marks.withUnsafeBytes { $0.contains { $0 != 0 } }
  }
}

extension NDArray {
  /// NaN in place of what was computed from examples (along the first axis) that are not finite in `x`.
  /// `marks` tells whether there are some: it costs nothing where there are none.
  consuming func spoiled(by x: NDArray, _ marks: PieceMarks) -> NDArray {
    guard marks.isAnySet, shape[0] > 0 else { return self }
    let own = count / shape[0]
    let read = x.count / shape[0]
    for example in 0..<shape[0] {
      let start = x.floats(example * read)
      if latent_count_non_finite(LATENT_F32, Int64(read), start) > 0 {
        latent_fill(LATENT_F32, Int64(own), .nan, floats(example * own))
      }
    }
    keepAlive(x.storage)
    return self
  }
}
