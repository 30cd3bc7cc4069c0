// How a call is timed: warmed up, then in blocks that fill 20 ms; the median block counts. The
// same method, fields and units as the peers' bench.py, so that compare.py can mix the two.

import Foundation

func now() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// A timed block is as many calls as fill so many seconds.
let blockSeconds = 0.02

/// Seconds per call.
struct Timing {
  var median: Double
  var least: Double
  /// Cores that other processes used meanwhile.
  var foreign: Double

  init(_ times: [Double], foreign: Double) {
    let sorted = times.sorted()
    median = sorted[sorted.count / 2]
    least = sorted[0]
    self.foreign = foreign
  }
}

/// Calls for `seconds`, until calls stopped being slow; gives calls per block.
func warmUp(_ seconds: Double, _ call: () throws -> Void) rethrows -> Int {
  let start = now()
  var times: [Double] = []
  while times.count < 2 || now() - start < seconds { times.append(try block(1, call)) }
  let late = times[(times.count / 2)...].sorted()
  let typical = late[min(times.count / 4, late.count - 1)]
  return max(1, Int((blockSeconds / typical).rounded()))
}

/// Seconds per call of one block.
func block(_ calls: Int, _ call: () throws -> Void) rethrows -> Double {
  let begin = now()
  for _ in 0..<calls { try call() }
  return (now() - begin) / Double(calls)
}

/// Blocks for `seconds`, at least three.
func measureBlocks(_ seconds: Double, perBlock: Int, _ call: () throws -> Void) rethrows -> Timing {
  let load = ForeignLoad()
  var blocks: [Double] = []
  let end = now() + seconds
  while blocks.count < 3 || now() < end { blocks.append(try block(perBlock, call)) }
  return Timing(blocks, foreign: load.cores)
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
