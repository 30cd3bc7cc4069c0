// A program's own handlers interrupt products thousands of times: nothing is harmed, because they
// wait while oneDNN computes with the stack pointer in its own memory.

import Foundation
import LatentNumerics
import Synchronization
import Testing

@Suite struct SignalStormTests {
  private static let taken = Atomic<Int>(0)
  private static let isOver = Atomic<Bool>(false)

  /// Interrupts the calling thread every 300 us with a handler that has no stack of its own.
  private static func startStorm() {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in
      SignalStormTests.taken.add(1, ordering: .relaxed)
    }
    action.sa_flags = SA_RESTART
    sigaction(SIGUSR1, &action, nil)
    let target = UInt(pthread_self())
    Thread.detachNewThread {
      while !isOver.load(ordering: .relaxed) {
        pthread_kill(pthread_t(target), SIGUSR1)
        usleep(300)
      }
    }
  }

  @Test(arguments: [1, 2]) func productsInAStorm(threads: Int) async {
    await #expect(processExitsWith: .success) { [threads] in
      // Threads of Dispatch hold signals back.
      var none = sigset_t()
      sigemptyset(&none)
      pthread_sigmask(SIG_SETMASK, &none, nil)
      Threads.count = threads
      var random = RandomStream(seed: 1)
      let (a, b) = (random.normal([128, 784]), random.normal([784, 400]))
      let (left, right) = (random.normal([784, 128]), random.normal([400, 784]))
      let expected = a.matmul(b)
      let turned = left.matmul(right, transpose: [.left, .right])
      SignalStormTests.startStorm()
      for _ in 0..<200 {
        let (again, turnedAgain) = (a.matmul(b), left.matmul(right, transpose: [.left, .right]))
        require(again == expected && turnedAgain == turned, "another product")
        // The library's blocks lie between these on the heap.
        free(malloc(3000))
      }
      SignalStormTests.isOver.store(true, ordering: .relaxed)
      let count = SignalStormTests.taken.load(ordering: .relaxed)
      require(count > 100, "only \(count) signals came")
    }
  }
}
