// Writing to streams that take nothing ends, and says so or drops what it has.

import Foundation
import Testing

@testable import LatentStorage

@Suite struct StandardStreamTests {
  /// Makes standard output of this process a pipe that is full, or one without a reader.
  private static func replaceOutput(full: Bool, waits: Bool) -> Int32 {
    var ends: [Int32] = [0, 0]
    pipe(&ends)
    _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
    let bytes = [UInt8](repeating: 120, count: 4096)
    if full { while write(ends[1], bytes, bytes.count) > 0 {} } else { close(ends[0]) }
    if waits { _ = fcntl(ends[1], F_SETFL, 0) }
    dup2(ends[1], 1)
    return ends[0]
  }

  @Test(arguments: [true, false], [true, false]) func nothingIsTaken(
    full: Bool, waits: Bool
  ) async {
    await #expect(processExitsWith: .success) { [full, waits] in
      let own = dup(1)
      defer { dup2(own, 1) }
      let reader = StandardStreamTests.replaceOutput(full: full, waits: waits)
      let start = Date()
      for _ in 0..<100 { StandardStream.output.show("dropped\n") }
      let seconds = Date().timeIntervalSince(start)
      precondition(seconds < 5, "waited \(seconds) s")
      // A pipe that waits for its reader is waited for.
      if full && waits { exit(0) }
      do {
        try StandardStream.output.write("lost\n", patience: 0.2)
        exit(1)
      } catch let error as StorageError {
        let word = full ? "error \(EAGAIN)" : "error \(EPIPE)"
        guard error.kind == .cannotWrite, error.description.contains(word) else { exit(2) }
      }
      if full {
        // Once there is room all arrives.
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        while read(reader, &bytes, bytes.count) == bytes.count {}
        try StandardStream.output.write("here\n")
      }
    }
  }

  @Test func closedDescriptorsAreTaken() async {
    await #expect(processExitsWith: .success) {
      for descriptor in Int32(0)...2 { close(descriptor) }
      StandardStream.occupyClosed()
      let next = open("/dev/null", O_RDONLY)
      guard next > 2 else { exit(1) }
      do {
        try StandardStream.output.write("lost")
        exit(2)
      } catch is StorageError {}
      StandardStream.error.show("dropped")
    }
  }
}
