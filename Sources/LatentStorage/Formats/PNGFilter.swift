// The filters of PNG predict each byte from its neighbours, which compresses photographs and
// smooth pictures far better. Per row, the one whose differences are smallest in sum is taken (the
// specification's own advice); ties go to no filter, which suits drawings and binary images.

enum PNGFilter {
  /// The rows with a filter byte before each.
  static func filtered(
    _ pixels: UnsafeRawBufferPointer, rowBytes: Int, rows: Int, pixelBytes: Int
  ) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(rows * (rowBytes + 1))
    let zeros = [UInt8](repeating: 0, count: rowBytes)
    var candidate = zeros
    var best = zeros
    zeros.withUnsafeBytes { zeros in
      for row in 0..<rows {
        let start = row * rowBytes
        let current = UnsafeRawBufferPointer(rebasing: pixels[start..<(start + rowBytes)])
        let above =
          row == 0
          ? zeros : UnsafeRawBufferPointer(rebasing: pixels[(start - rowBytes)..<start])
        var bestCost = Int.max
        var bestFilter: UInt8 = 0
        for filter in UInt8(0)...4 {
          let cost = apply(filter, current, above, pixelBytes, into: &candidate)
          if cost < bestCost {
            (bestCost, bestFilter) = (cost, filter)
            swap(&candidate, &best)
          }
        }
        result.append(bestFilter)
        result.append(contentsOf: best)
      }
    }
    return result
  }

  /// Writes the differences and returns their sum, each byte read as a signed number.
  private static func apply(
    _ filter: UInt8, _ row: UnsafeRawBufferPointer, _ above: UnsafeRawBufferPointer, _ step: Int,
    into output: inout [UInt8]
  ) -> Int {
    var cost = 0
    output.withUnsafeMutableBufferPointer { output in
      for i in 0..<row.count {
        let left = i >= step ? row[i - step] : 0
        let prediction: UInt8
        switch filter {
        case 0: prediction = 0
        case 1: prediction = left
        case 2: prediction = above[i]
        case 3: prediction = UInt8((Int(left) + Int(above[i])) / 2)
        default: prediction = paeth(left, above[i], i >= step ? above[i - step] : 0)
        }
        let difference = row[i] &- prediction
        output[i] = difference
        cost += Int(Int8(bitPattern: difference).magnitude)
      }
    }
    return cost
  }

  /// The neighbour closest to left + above - corner (Paeth, 1991).
  private static func paeth(_ left: UInt8, _ above: UInt8, _ corner: UInt8) -> UInt8 {
    let estimate = Int(left) + Int(above) - Int(corner)
    let (toLeft, toAbove) = (abs(estimate - Int(left)), abs(estimate - Int(above)))
    let toCorner = abs(estimate - Int(corner))
    if toLeft <= toAbove && toLeft <= toCorner { return left }
    return toAbove <= toCorner ? above : corner
  }
}
