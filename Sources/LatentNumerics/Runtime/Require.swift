// Programmer mistakes trap, in release builds too, with a message and the caller's line.
// (`precondition` drops its message in optimised builds, `fatalError` keeps it.)

/// Traps with `message` unless `condition` holds.
@inlinable
public func require(
  _ condition: @autoclosure () -> Bool, _ message: @autoclosure () -> String,
  file: StaticString = #fileID, line: UInt = #line
) {
  if !condition() { trap(message(), file: file, line: line) }
}

/// Ends the program with `message` and, where a model is being evaluated, with what is known of that.
public func trap(
  _ message: String, file: StaticString = #fileID, line: UInt = #line
) -> Never {
  fatalError(message + (TrapScope.current?.caller() ?? ""), file: file, line: line)
}

/// Keeps `value` alive up to this line, for C calls that were handed its memory.
@inline(__always)
func keepAlive<Value>(_ value: borrowing Value) {
  withExtendedLifetime(value) {}
}
