// What a trap can say besides what it found: which model is being evaluated on this thread, and for whom.
//
// One pointer for each thread, set for as long as an evaluation lasts and read by traps alone. (Task-local
// values would do; Swift 6.3.1 miscompiles their `withValue` where it is specialised across modules.)

import Glibc

/// What is known of the evaluation that is going on.
package final class TrapScope {
  /// Ends the message of every trap: the model, and the line that evaluates it.
  let caller: () -> String
  /// The name of the parameter that an array is, where the model has it.
  package let path: (NDArray) -> String?

  package init(caller: @escaping () -> String, path: @escaping (NDArray) -> String?) {
    self.caller = caller
    self.path = path
  }

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    require(pthread_key_create(&key, nil) == 0, "no room for a value of each thread")
    return key
  }()

  /// That of this thread; nil outside every evaluation.
  package static var current: TrapScope? {
    pthread_getspecific(key).map { Unmanaged<TrapScope>.fromOpaque($0).takeUnretainedValue() }
  }

  /// Runs `body` in this scope, on this thread.
  package func run<Result>(_ body: () throws -> Result) rethrows -> Result {
    let before = pthread_getspecific(TrapScope.key)
    pthread_setspecific(TrapScope.key, Unmanaged.passUnretained(self).toOpaque())
    defer {
      pthread_setspecific(TrapScope.key, before)
      keepAlive(self)
    }
    return try body()
  }
}
