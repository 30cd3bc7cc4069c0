// Memory that ends is no fault of the program: one sentence and an exit code of its own.

import Foundation
import Latent

/// What the handler below writes; set once, before it is installed.
nonisolated(unsafe) private var sentence: UnsafeMutablePointer<CChar>?
nonisolated(unsafe) private var before: UnsafeMutablePointer<sigaction>?
private let faults = [SIGILL, SIGTRAP, SIGABRT, SIGSEGV, SIGBUS]

/// Makes the process end with code 71 and one sentence where the system has no memory for an array, or
/// for anything else of the program.
func sayWhenMemoryEnds(as name: String) {
  let advice = "close other programs, raise the limit (ulimit -v), or ask for less (--batch)"
  StoragePool.onShortage = { byteCount in
    StandardStream.error.show(
      "\(name): out of memory: the system has no \(byteCount) bytes for an array; \(advice)\n",
      patience: 1)
    _exit(ExitStatus.osError.rawValue)
  }
  // Swift and oneDNN end in a fault where their own allocations fail, which leave their mark in errno.
  sentence = strdup("\(name): out of memory: \(advice)\n")
  before = .allocate(capacity: 64)
  for fault in faults {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { number in
      if errno == ENOMEM, let sentence {
        _ = write(STDERR_FILENO, sentence, strlen(sentence))
        _exit(ExitStatus.osError.rawValue)
      }
      // Another fault: it comes again, to whoever handled it before.
      if let before { sigaction(number, before + Int(number), nil) }
      if number == SIGABRT { raise(number) }
    }
    if let before { sigaction(fault, &action, before + Int(fault)) }
  }
}
