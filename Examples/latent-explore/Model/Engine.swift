// One computation after the other, on a thread of its own: the model uses all CPUs for each, and no request of the
// network waits for a thread that computes.

import Dispatch
import Synchronization

/// Where a request stands in a row of requests of which only the newest matters, such as those of a slider that is
/// being moved.
struct Ticket: Sendable {
  let stream: String
  let number: Int

  /// From the headers X-Stream and X-Number; nil where there are none.
  init?(_ request: HTTPRequest) {
    guard let stream = request.headers["x-stream"], stream.utf8.count <= 64,
      let number = request.headers["x-number"].flatMap({ Int($0) })
    else { return nil }
    self.stream = stream
    self.number = number
  }
}

/// A queue of computations that drops those that are out of date when their turn comes.
final class Engine: Sendable {
  private let queue = DispatchQueue(label: "engine")
  private let newest = Mutex<[String: Int]>([:])

  /// Streams that are remembered; to forget one costs a computation that is not dropped.
  private static let streamLimit = 256

  /// What `body` returns.
  /// - Throws: what it throws; `HTTPFault` 409 where a newer request of the stream came before its turn.
  func compute<Value: Sendable>(
    _ ticket: Ticket?, _ body: @escaping @Sendable () throws -> Value
  ) async throws -> Value {
    if let ticket { register(ticket) }
    return try await withCheckedThrowingContinuation { continuation in
      queue.async { [self] in
        if let ticket, isOld(ticket) {
          continuation.resume(
            throwing: HTTPFault(409, "a newer request took the place of this one"))
        } else {
          continuation.resume(with: Result { try body() })
        }
      }
    }
  }

  private func register(_ ticket: Ticket) {
    newest.withLock { newest in
      if newest.count >= Engine.streamLimit { newest = [:] }
      newest[ticket.stream] = max(ticket.number, newest[ticket.stream] ?? ticket.number)
    }
  }

  private func isOld(_ ticket: Ticket) -> Bool {
    newest.withLock { ($0[ticket.stream] ?? ticket.number) > ticket.number }
  }
}
