// Pooling, resampling and padding over one, two and three spatial axes.

import LatentAutodiff
import LatentNumerics

extension Operation {
  static let spatial: [Operation] = {
    var table = Table()
    let line: Input = .normal([2, 5, 2])
    let plane: Input = .normal([2, 4, 3, 2])
    let space: Input = .normal([1, 3, 2, 4, 1])
    for (name, input) in [("line", line), ("plane", plane), ("space", space)] {
      table.add("max pool of a \(name)", input) {
        $0[0].maxPooled(kernel: 2, stride: 1, padding: 1)
      }
      table.add("max pool side by side of a \(name)", input) { $0[0].maxPooled(kernel: 2) }
      table.add("adaptive max pool of a \(name)", input) { $0[0].adaptiveMaxPooled(to: 2) }
      table.add("average pool of a \(name)", input) {
        $0[0].averagePooled(kernel: 2, stride: 1, padding: 1)
      }
      table.add("average pool without padding of a \(name)", input) {
        $0[0].averagePooled(kernel: 2, stride: 2, padding: 1, countsPadding: false)
      }
      table.add("adaptive average pool of a \(name)", input) {
        $0[0].adaptiveAveragePooled(to: 2)
      }
      for method in [Resampling.nearest, .linear(), .linear(alignCorners: true)] {
        table.add("upsample \(method) of a \(name)", input) { $0[0].upsampled(by: 2, method) }
        table.add("resize \(method) of a \(name)", input) { $0[0].resized(to: 3, method) }
      }
      let axes = input.shape.rank - 2
      for mode in PaddingMode.allCases {
        table.add("pad \(mode) of a \(name)", input) {
          $0[0].padded(mode, amounts: Array(repeating: (before: 1, after: 0), count: axes))
        }
      }
    }
    table.add("pixel shuffle", .normal([2, 2, 3, 8])) { $0[0].pixelShuffled(by: 2) }
    table.add("pixel shuffle of a line", .normal([2, 3, 6])) { $0[0].pixelShuffled(by: 3) }
    table.add("pixel shuffle of a space", .normal([1, 1, 2, 2, 8])) { $0[0].pixelShuffled(by: 2) }
    table.add("pixel unshuffle", .normal([2, 4, 2, 3])) { $0[0].pixelUnshuffled(by: 2) }
    table.add("pixel unshuffle of a space", .normal([1, 2, 2, 2, 1])) {
      $0[0].pixelUnshuffled(by: 2)
    }
    return table.operations
  }()
}
